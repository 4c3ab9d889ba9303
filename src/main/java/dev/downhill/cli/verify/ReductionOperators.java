package dev.downhill.cli.verify;

import dev.downhill.tensor.Ranked;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Many numbers made one, or as many. */
final class ReductionOperators {
  private ReductionOperators() {}

  /** A reduction over dimensions, all if null. */
  private interface OverDims {
    Tensor of(Tensor x, int @Nullable [] dims, boolean keepdim, Attributes a);
  }

  /** A reduction along one dimension. */
  private interface AlongDim<T> {
    T of(Tensor x, int dim, boolean keepdim);
  }

  static void addTo(Operators table) {
    over(table, "sum", (x, dims, keepdim, _) -> x.sum(dims, keepdim));
    over(table, "mean", (x, dims, keepdim, _) -> x.mean(dims, keepdim));
    over(table, "var", (x, dims, keep, a) -> x.var(dims, a.number("correction"), keep));
    over(table, "std", (x, dims, keep, a) -> x.std(dims, a.number("correction"), keep));
    over(table, "norm", (x, dims, keep, a) -> x.norm(a.number("p"), dims, keep));
    over(table, "logsumexp", (x, dims, keepdim, _) -> x.logsumexp(dims, keepdim));
    table.one(
        "prod",
        (call, a) ->
            isOverAll(a)
                ? call.in("input").prod()
                : call.in("input").prod(a.dim("dim"), a.flag("keepdim")));
    extremum(table, "max", Tensor::max, Tensor::max);
    extremum(table, "min", Tensor::min, Tensor::min);
    position(table, "argmax", Tensor::argmax, Tensor::argmax);
    position(table, "argmin", Tensor::argmin, Tensor::argmin);
    table.one("cumsum", (call, a) -> call.in("input").cumsum(a.dim("dim")));
  }

  private static void over(Operators table, String name, OverDims reduction) {
    table.one(
        name, (call, a) -> reduction.of(call.in("input"), a.dims("dim"), a.flag("keepdim"), a));
  }

  /** Whether {@code dim} is null; in PyTorch there is no {@code keepdim} then. */
  private static boolean isOverAll(Attributes a) {
    if (a.isNull("dim")) {
      a.only("keepdim", false);
      return true;
    }
    return false;
  }

  private static void extremum(
      Operators table, String name, UnaryOperator<Tensor> all, AlongDim<Ranked> along) {
    table.several(
        name,
        (call, a) -> {
          Tensor x = call.in("input");
          if (isOverAll(a)) {
            return Map.of("values", all.apply(x));
          }
          Ranked y = along.of(x, a.dim("dim"), a.flag("keepdim"));
          return Map.of("values", y.values(), "indices", y.indices());
        });
  }

  private static void position(
      Operators table, String name, UnaryOperator<Tensor> all, AlongDim<Tensor> along) {
    table.one(
        name,
        (call, a) -> {
          Tensor x = call.in("input");
          boolean keepdim = a.flag("keepdim");
          if (!a.isNull("dim")) {
            return along.of(x, a.dim("dim"), keepdim);
          }
          long[] ones = new long[keepdim ? x.dim() : 0];
          Arrays.fill(ones, 1);
          return all.apply(x).reshape(ones);
        });
  }
}

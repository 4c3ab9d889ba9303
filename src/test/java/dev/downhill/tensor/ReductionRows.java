package dev.downhill.tensor;

import dev.downhill.shape.Shape;
import java.util.List;

/** Rows of operators that make one number of many. */
final class ReductionRows {
  private static final double INF = Double.POSITIVE_INFINITY;

  private ReductionRows() {}

  private static int[] dims(int... dims) {
    return dims;
  }

  static List<OpRow> all() {
    Domain real = Domain.real();
    // Near enough to 1 that a product of 30 stays a number to differentiate.
    Domain factors = Domain.between(0.7, 1.5);
    Domain zeros = Domain.between(-1, 3).multiplesOf(1);
    return List.of(
        OpRow.of("sum", real)
            .call("sum(Tensor, int[], boolean)", "0 keep", 1, x -> x.get(0).sum(dims(0), true))
            .call("sum(Tensor)", "", x -> x.get(0).sum())
            .call("sum(Tensor, int)", "-1", x -> x.get(0).sum(-1))
            .call("sum(Tensor, int[], boolean)", "0 -1", 2, x -> x.get(0).sum(dims(0, -1), false))
            .call("sum(Tensor, int[], boolean)", "none", x -> x.get(0).sum(dims(), false))
            .call("sum(Tensor, int[], boolean)", "all keep", x -> x.get(0).sum(null, true)),
        OpRow.of("sumTo", real)
            .call(
                "sumTo(Tensor, Shape)",
                "the last dimension",
                1,
                x -> x.get(0).sumTo(x.get(0).shape().slice(x.get(0).dim() - 1, x.get(0).dim())))
            .call(
                "sumTo(Tensor, Shape)",
                "1 in the last dimension",
                1,
                x -> x.get(0).sumTo(x.get(0).shape().with(x.get(0).dim() - 1, 1)))
            .call("sumTo(Tensor, Shape)", "()", x -> x.get(0).sumTo(Shape.SCALAR)),
        OpRow.of("mean", real)
            .on(OpRow.SOME)
            .call("mean(Tensor, int[], boolean)", "-1 keep", x -> x.get(0).mean(dims(-1), true))
            .call("mean(Tensor)", "", x -> x.get(0).mean())
            .call("mean(Tensor, int)", "0", x -> x.get(0).mean(0))
            .call(
                "mean(Tensor, int[], boolean)", "0 -1", 2, x -> x.get(0).mean(dims(0, -1), false)),
        OpRow.of("prod", factors)
            .call("prod(Tensor, int, boolean)", "-1", x -> x.get(0).prod(-1, false))
            .call("prod(Tensor)", "", x -> x.get(0).prod())
            .call("prod(Tensor, int, boolean)", "0 keep", x -> x.get(0).prod(0, true)),
        OpRow.of("prod with zeros", zeros)
            .call("prod(Tensor, int, boolean)", "-1", x -> x.get(0).prod(-1, false))
            .call("prod(Tensor, int, boolean)", "0 keep", x -> x.get(0).prod(0, true)),
        OpRow.of("max", real)
            .on(OpRow.SOME)
            .call("max(Tensor, int, boolean)", "-1", x -> x.get(0).max(-1, false).values())
            .call("max(Tensor)", "", x -> x.get(0).max())
            .call("max(Tensor, int, boolean)", "0 keep", x -> x.get(0).max(0, true).values()),
        OpRow.of("min", real)
            .on(OpRow.SOME)
            .call("min(Tensor, int, boolean)", "-1", x -> x.get(0).min(-1, false).values())
            .call("min(Tensor)", "", x -> x.get(0).min())
            .call("min(Tensor, int, boolean)", "0 keep", x -> x.get(0).min(0, true).values()),
        OpRow.of("argmax", real)
            .on(OpRow.SOME)
            .call("argmax(Tensor, int, boolean)", "-1", x -> x.get(0).argmax(-1, false))
            .call("argmax(Tensor)", "", x -> x.get(0).argmax())
            .call("argmax(Tensor, int, boolean)", "0 keep", x -> x.get(0).argmax(0, true))
            .withoutGradient(),
        OpRow.of("argmin", real)
            .on(OpRow.SOME)
            .call("argmin(Tensor, int, boolean)", "-1", x -> x.get(0).argmin(-1, false))
            .call("argmin(Tensor)", "", x -> x.get(0).argmin())
            .call("argmin(Tensor, int, boolean)", "0 keep", x -> x.get(0).argmin(0, true))
            .withoutGradient(),
        OpRow.of("var", real)
            .on("odd", new long[] {7})
            .on("matrix", new long[] {3, 5})
            .on("rank 3", new long[] {2, 3, 5})
            .on("rank 5", new long[] {3, 1, 2, 1, 2})
            .call(
                "var(Tensor, int[], double, boolean)",
                "-1 1",
                x -> x.get(0).var(dims(-1), 1, false))
            .call("var(Tensor)", "", x -> x.get(0).var())
            .call(
                "var(Tensor, int[], double, boolean)",
                "0 0 keep",
                x -> x.get(0).var(dims(0), 0, true))
            .call(
                "var(Tensor, int[], double, boolean)",
                "0 -1 0",
                2,
                x -> x.get(0).var(dims(0, -1), 0, false)),
        OpRow.of("std", real)
            .on("odd", new long[] {7})
            .on("matrix", new long[] {3, 5})
            .on("rank 3", new long[] {2, 3, 5})
            .on("rank 5", new long[] {3, 1, 2, 1, 2})
            .call(
                "std(Tensor, int[], double, boolean)",
                "-1 1",
                x -> x.get(0).std(dims(-1), 1, false))
            .call("std(Tensor)", "", x -> x.get(0).std())
            .call(
                "std(Tensor, int[], double, boolean)",
                "0 0 keep",
                x -> x.get(0).std(dims(0), 0, true))
            .call(
                "std(Tensor, int[], double, boolean)",
                "0 -1 0",
                2,
                x -> x.get(0).std(dims(0, -1), 0, false))
            // Equal numbers have no deviation, and its root has a kink there.
            .except(Laid.EXPANDED),
        OpRow.of("norm", real.avoiding(0))
            .call(
                "norm(Tensor, double, int[], boolean)",
                "2 -1",
                x -> x.get(0).norm(2, dims(-1), false))
            .call("norm(Tensor)", "", x -> x.get(0).norm())
            .call(
                "norm(Tensor, double, int[], boolean)",
                "1 0 keep",
                x -> x.get(0).norm(1, dims(0), true))
            .call(
                "norm(Tensor, double, int[], boolean)", "inf", x -> x.get(0).norm(INF, null, false))
            .call(
                "norm(Tensor, double, int[], boolean)",
                "inf -1 keep",
                x -> x.get(0).norm(INF, dims(-1), true)),
        OpRow.of("logsumexp", real)
            .on(OpRow.SOME)
            .call("logsumexp(Tensor, int)", "-1", x -> x.get(0).logsumexp(-1))
            .call(
                "logsumexp(Tensor, int[], boolean)",
                "all keep",
                x -> x.get(0).logsumexp(null, true))
            .call(
                "logsumexp(Tensor, int[], boolean)",
                "0 -1",
                2,
                x -> x.get(0).logsumexp(dims(0, -1), false)),
        OpRow.of("cumsum", real)
            .call("cumsum(Tensor, int)", "-1", x -> x.get(0).cumsum(-1))
            .call("cumsum(Tensor, int)", "0", x -> x.get(0).cumsum(0)),
        OpRow.of("softmax", real)
            .call("softmax(Tensor, int)", "-1", x -> x.get(0).softmax(-1))
            .call("softmax(Tensor, int)", "0", x -> x.get(0).softmax(0)),
        OpRow.of("logSoftmax", real)
            .call("logSoftmax(Tensor, int)", "-1", x -> x.get(0).logSoftmax(-1))
            .call("logSoftmax(Tensor, int)", "0", x -> x.get(0).logSoftmax(0)));
  }
}

package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import java.util.Arrays;
import java.util.List;

/** Dimensions that a tensor does not have, or that are named twice. */
final class DimensionRefusals {
  private static final Device DEVICE = Device.cpu();

  private DimensionRefusals() {}

  private interface Along {
    Object of(Tensor x, int dim);
  }

  private interface Over {
    Tensor of(Tensor x, int[] dims);
  }

  static Tensor ones(long... sizes) {
    return Tensor.ones(DEVICE, DType.F64, sizes);
  }

  /** All of them. */
  static Refusals all() {
    Refusals all = new Refusals();
    along(all, "sum", (x, d) -> x.sum(d));
    along(all, "mean", (x, d) -> x.mean(d));
    along(all, "prod", (x, d) -> x.prod(d, false));
    along(all, "max", (x, d) -> x.max(d, false));
    along(all, "min", (x, d) -> x.min(d, true));
    along(all, "argmax", (x, d) -> x.argmax(d, false));
    along(all, "argmin", (x, d) -> x.argmin(d, true));
    along(all, "cumsum", Tensor::cumsum);
    along(all, "logsumexp", (x, d) -> x.logsumexp(d));
    along(all, "softmax", Tensor::softmax);
    along(all, "logSoftmax", Tensor::logSoftmax);
    along(all, "squeeze", (x, d) -> x.squeeze(d));
    along(all, "transpose", (x, d) -> x.transpose(0, d));
    along(all, "flatten", (x, d) -> x.flatten(0, d));
    along(all, "select", (x, d) -> x.select(d, 0));
    along(all, "narrow", (x, d) -> x.narrow(d, 0, 1));
    along(all, "slice", (x, d) -> x.slice(d, 0, 1, 1));
    along(all, "split", (x, d) -> x.split(1, d));
    along(all, "flip", (x, d) -> x.flip(d));
    along(all, "sort", (x, d) -> x.sort(d, false));
    along(all, "argsort", (x, d) -> x.argsort(d, false));
    along(all, "topk", (x, d) -> x.topk(1, d, true));
    along(all, "unfold", (x, d) -> x.unfold(d, 1, 1));
    Tensor index = Tensor.zeros(DEVICE, DType.I64, 1);
    along(all, "gather", (x, d) -> x.gather(d, index));
    along(all, "indexSelect", (x, d) -> x.indexSelect(d, index));
    along(all, "scatterAdd", (x, d) -> x.scatterAdd(d, index, ones(1)));
    along(all, "cat", (x, d) -> Tensor.cat(List.of(x, x), d));
    several(all, "sum", (x, d) -> x.sum(d, false));
    several(all, "mean", (x, d) -> x.mean(d, true));
    several(all, "var", (x, d) -> x.var(d, 1, false));
    several(all, "std", (x, d) -> x.std(d, 1, true));
    several(all, "norm", (x, d) -> x.norm(2, d, false));
    several(all, "logsumexp", (x, d) -> x.logsumexp(d, true));
    return all;
  }

  private static void along(Refusals all, String op, Along call) {
    for (int rank = 0; rank <= 3; rank++) {
      Tensor x = ones(Arrays.copyOf(new long[] {2, 3, 4}, rank));
      int beyond = Math.max(1, rank);
      String expected = "dimension out of range, expected %s to %s".formatted(-beyond, beyond - 1);
      all.add(op, expected, () -> call.of(x, beyond));
      all.add(op, expected, () -> call.of(x, -beyond - 1));
    }
  }

  private static void several(Refusals all, String op, Over call) {
    Tensor x = ones(2, 3);
    all.add(op, "expected -2 to 1, got 2", () -> call.of(x, new int[] {0, 2}));
    all.add(op, "expected -2 to 1, got -3", () -> call.of(x, new int[] {-3}));
    all.add(op, "expected -1 to 0, got 1", () -> call.of(x.sum(), new int[] {1}));
    all.add(op, "each dimension once, got 0 twice", () -> call.of(x, new int[] {0, 0}));
    all.add(op, "each dimension once, got -1 twice", () -> call.of(x, new int[] {1, -1}));
    all.add(op, "each dimension once, got 1 twice", () -> call.of(x, new int[] {0, 1, 1}));
    all.add(op, "expected -3 to 2, got 7", () -> call.of(ones(1, 1, 1), new int[] {7}));
    all.add(op, "expected -1 to 0, got -2", () -> call.of(ones(4), new int[] {-2}));
  }
}

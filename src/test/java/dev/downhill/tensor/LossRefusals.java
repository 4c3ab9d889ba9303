package dev.downhill.tensor;

import static dev.downhill.tensor.DimensionRefusals.ones;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Loss.BceWithLogits;
import dev.downhill.tensor.Loss.CrossEntropy;
import dev.downhill.tensor.Loss.Nll;
import dev.downhill.tensor.Loss.Over;

/** Targets, weights and options that do not fit, products of sizes that differ. */
final class LossRefusals {
  private static final Device DEVICE = Device.cpu();

  private LossRefusals() {}

  private static Tensor classes(long... sizes) {
    return Tensor.zeros(DEVICE, DType.I64, sizes);
  }

  private interface OfTwo {
    Tensor of(Tensor x, Tensor target);
  }

  /** Losses of each element. */
  static Refusals elementwise() {
    Refusals all = new Refusals();
    alike(all, "mse", Loss::mse);
    alike(all, "l1", Loss::l1);
    alike(all, "huber", Loss::huber);
    alike(all, "smoothL1", Loss::smoothL1);
    alike(all, "bceWithLogits", Loss::bceWithLogits);
    Tensor x = ones(2, 3);
    all.add("huber", "delta above 0, got 0.0", () -> Loss.huber(x, x, 0, Over.MEAN))
        .add("huber", "got -1.0", () -> Loss.huber(x, x, -1, Over.SUM))
        .add("huber", "got NaN", () -> Loss.huber(x, x, Double.NaN, Over.NONE))
        .add("smoothL1", "beta of 0 or more, got -0.5", () -> Loss.smoothL1(x, x, -0.5, Over.MEAN))
        .add("smoothL1", "got NaN", () -> Loss.smoothL1(x, x, Double.NaN, Over.MEAN))
        .add("bceWithLogits", "and (2)", () -> weighted(x, ones(2)))
        .add("bceWithLogits", "and (1, 2, 3)", () -> weighted(x, ones(1, 2, 3)))
        .add("bceWithLogits", "dtypes differ", () -> weighted(x, ones(3).to(DType.F32)))
        .add("bceWithLogits", "that broadcast to the input's", () -> positive(x, ones(4)))
        .add("bceWithLogits", "dtypes differ", () -> positive(x, ones(3).to(DType.BF16)));
    return all;
  }

  private static Tensor weighted(Tensor x, Tensor weight) {
    return Loss.bceWithLogits(x, x, BceWithLogits.DEFAULT.withWeight(weight));
  }

  private static Tensor positive(Tensor x, Tensor weight) {
    return Loss.bceWithLogits(x, x, BceWithLogits.DEFAULT.withPosWeight(weight));
  }

  private static void alike(Refusals all, String op, OfTwo loss) {
    Tensor x = ones(2, 3);
    String shape = "expected a target of the input's shape (shapes (2, 3) and ";
    all.add(op, shape + "(3))", () -> loss.of(x, ones(3)))
        .add(op, shape + "(2, 1))", () -> loss.of(x, ones(2, 1)))
        .add(op, shape + "())", () -> loss.of(x, ones()))
        .add(op, shape + "(1, 2, 3))", () -> loss.of(x, ones(1, 2, 3)))
        .add(op, shape + "(0))", () -> loss.of(x, ones(0)))
        .add(op, "float64 and float32", () -> loss.of(x, x.to(DType.F32)))
        .add(op, "float64 and int64", () -> loss.of(x, x.to(DType.I64)))
        .add(op, "got int64", () -> loss.of(x.to(DType.I64), x.to(DType.I64)))
        .add(op, "got bool", () -> loss.of(x.gt(0), x.gt(0)));
  }

  /** Losses of classes. */
  static Refusals ofClasses() {
    Refusals all = new Refusals();
    Tensor x = ones(4, 3);
    ofClasses(all, "crossEntropy", Loss::crossEntropy);
    ofClasses(all, "nll", Loss::nll);
    CrossEntropy usual = CrossEntropy.DEFAULT;
    for (Tensor weight : new Tensor[] {ones(2), ones(3, 1), ones(), ones(3).to(DType.F32)}) {
      String found = "got %s %s".formatted(weight.dtype(), weight.shape());
      CrossEntropy options = usual.withWeight(weight);
      all.add("crossEntropy", found, () -> Loss.crossEntropy(x, classes(4), options));
      Nll likelihood = Nll.DEFAULT.withWeight(weight);
      all.add("nll", found, () -> Loss.nll(x, classes(4), likelihood));
    }
    all.add("crossEntropy", "probabilities of the input's", () -> Loss.crossEntropy(x, ones(4)))
        .add("crossEntropy", "and (4, 1)", () -> Loss.crossEntropy(x, ones(4, 1)))
        .add("crossEntropy", "differ", () -> Loss.crossEntropy(x, x.to(DType.F32)))
        .add("nll", "int64 for argument 2, got float64", () -> Loss.nll(x, x));
    return all;
  }

  private static void ofClasses(Refusals all, String op, OfTwo loss) {
    Tensor x = ones(4, 3);
    all.add(op, "shape without dimension 1", () -> loss.of(x, classes(1)))
        .add(op, "(4, 3) and (3)", () -> loss.of(x, classes(3)))
        .add(op, "(4, 3) and (4, 1)", () -> loss.of(x, classes(4, 1)))
        .add(op, "(4, 3) and ()", () -> loss.of(x, classes()))
        .add(op, "without dimension 0", () -> loss.of(ones(3), classes(3)))
        .add(op, "(2, 3, 5) and (2, 3)", () -> loss.of(ones(2, 3, 5), classes(2, 3)))
        .add(op, "int64 for argument 2, got int32", () -> loss.of(x, classes(4).to(DType.I32)))
        .add(op, "got bool", () -> loss.of(x, ones(4).gt(0)))
        .add(op, "floating-point input", () -> loss.of(x.to(DType.I64), classes(4)))
        .add(op, "(C), (N, C)", () -> loss.of(ones(), classes()));
  }

  /** Products and what trains with them. */
  static Refusals products() {
    Tensor x = ones(2, 3);
    Refusals all = new Refusals();
    all.add("matmul", "inner sizes differ, expected equal ones, got 3 and 2", () -> x.matmul(x))
        .add("matmul", "got 3 and 4", () -> x.matmul(ones(4)))
        .add("matmul", "got 2 and 3", () -> ones(2).matmul(ones(3)))
        .add("matmul", "got 2 and 3", () -> ones(2).matmul(ones(3, 2)))
        .add("matmul", "operands with dimensions", () -> x.matmul(ones()))
        .add("matmul", "operands with dimensions", () -> ones().matmul(x))
        .add("matmul", "broadcast", () -> ones(2, 2, 3).matmul(ones(3, 3, 1)))
        .add("matmul", "float64 and float32", () -> x.matmul(ones(3, 1).to(DType.F32)))
        .add("matmul", "got int64", () -> x.to(DType.I64).matmul(classes(3, 1)));
    all.add("linear", "expected", () -> Matmul.linear(x, ones(2, 2), null))
        .add("linear", "(2, 3) and (3)", () -> Matmul.linear(x, ones(3), null))
        .add("linear", "() and (1, 1)", () -> Matmul.linear(ones(), ones(1, 1), null))
        .add("linear", "and (1, 4, 3)", () -> Matmul.linear(x, ones(1, 4, 3), null))
        .add("linear", "and (4, 3) and (3)", () -> Matmul.linear(x, ones(4, 3), ones(3)))
        .add("linear", "and (1, 4)", () -> Matmul.linear(x, ones(4, 3), ones(1, 4)))
        .add("linear", "and ()", () -> Matmul.linear(x, ones(4, 3), ones()))
        .add("linear", "dtypes differ", () -> Matmul.linear(x, ones(4, 3).to(DType.F32), null))
        .add("linear", "got int64", () -> Matmul.linear(classes(2, 3), classes(4, 3), null));
    Generator drawn = new Generator(DEVICE, 1);
    all.add("dropout", "probability of 0 to 1, got 1.5", () -> Dropout.dropout(x, 1.5, drawn))
        .add("dropout", "got -0.1", () -> Dropout.dropout(x, -0.1, drawn))
        .add("dropout", "got NaN", () -> Dropout.dropout(x, Double.NaN, drawn))
        .add("dropout", "got Infinity", () -> Dropout.dropout(x, 1 / 0.0, drawn))
        .add("dropout", "got int64", () -> Dropout.dropout(classes(2), 0.5, drawn))
        .add("dropout", "got int32", () -> Dropout.dropout(x.to(DType.I32), 0.5, drawn))
        .add("dropout", "got uint8", () -> Dropout.dropout(x.to(DType.U8), 0.5, drawn))
        .add("dropout", "got bool", () -> Dropout.dropout(x.gt(0), 0.5, drawn));
    return all;
  }
}

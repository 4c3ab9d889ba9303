package dev.downhill.tensor;

import static dev.downhill.tensor.DimensionRefusals.ones;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.List;

/** Sizes, positions and indices that do not fit a tensor. */
final class ShapeRefusals {
  private static final Device DEVICE = Device.cpu();

  private ShapeRefusals() {}

  private static Tensor indices(long... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  private static Tensor zeros(long... sizes) {
    return Tensor.zeros(DEVICE, DType.I64, sizes);
  }

  /** Operators that see the same elements in another shape. */
  static Refusals views() {
    Tensor x = ones(2, 3);
    Tensor number = ones();
    Refusals all = new Refusals();
    all.add("reshape", "expected sizes with 6 elements, got [5]", () -> x.reshape(5))
        .add("reshape", "got [2, 3, 2]", () -> x.reshape(2, 3, 2))
        .add("reshape", "got []", () -> x.reshape())
        .add("reshape", "got [0]", () -> x.reshape(0))
        .add("reshape", "sizes of 0 or more and at most one -1, got [-2]", () -> x.reshape(-2))
        .add("reshape", "at most one -1, got [-1, -1]", () -> x.reshape(-1, -1))
        .add("reshape", "divide 6 elements, got [4, -1]", () -> x.reshape(4, -1))
        .add("reshape", "divide 6 elements, got [0, -1]", () -> x.reshape(0, -1))
        .add("reshape", "got [-1, -3]", () -> x.reshape(-1, -3))
        .add("reshape", "with 1 elements, got [2]", () -> number.reshape(2));
    all.add("permute", "each of 2 dimensions once, got [0]", () -> x.permute(0))
        .add("permute", "got [0, 0]", () -> x.permute(0, 0))
        .add("permute", "got [1, -1]", () -> x.permute(1, -1))
        .add("permute", "got [0, 1, 2]", () -> x.permute(0, 1, 2))
        .add("permute", "got []", () -> x.permute())
        .add("permute", "expected -2 to 1, got 2", () -> x.permute(0, 2))
        .add("permute", "expected -2 to 1, got -3", () -> x.permute(-3, 0))
        .add("permute", "each of 0 dimensions once, got [0]", () -> number.permute(0));
    all.add("expand", "expected sizes for all dimensions", () -> x.expand(3))
        .add("expand", "got []", () -> x.expand())
        .add("expand", "got [-1, 2, 3]", () -> x.expand(-1, 2, 3))
        .add("expand", "got [2, -2]", () -> x.expand(2, -2))
        .add("expand", "that the shape broadcasts to, got [2, 4]", () -> x.expand(2, 4))
        .add("expand", "got [3, 3]", () -> x.expand(3, 3))
        .add("expand", "got [2, 3, 3]", () -> x.expand(2, 3, 3))
        .add("expand", "got [2, 0]", () -> x.expand(2, 0))
        .add("expand", "got [-1]", () -> number.expand(-1));
    all.add("repeat", "for each dimension, got [2]", () -> x.repeat(2))
        .add("repeat", "got []", () -> x.repeat())
        .add("repeat", "got [-1, 1]", () -> x.repeat(-1, 1))
        .add("repeat", "got [1, -1]", () -> x.repeat(1, -1))
        .add("repeat", "got [-2, 1, 1]", () -> x.repeat(-2, 1, 1))
        .add("repeat", "got [1, -7, 1]", () -> x.repeat(1, -7, 1))
        .add("repeat", "got [3]", () -> ones(1, 1, 1).repeat(3))
        .add("repeat", "got [-1]", () -> number.repeat(-1));
    all.add("unsqueeze", "expected -3 to 2, got 3", () -> x.unsqueeze(3))
        .add("unsqueeze", "expected -3 to 2, got -4", () -> x.unsqueeze(-4))
        .add("unsqueeze", "expected -3 to 2, got 9", () -> x.unsqueeze(9))
        .add("unsqueeze", "expected -1 to 0, got 1", () -> number.unsqueeze(1))
        .add("unsqueeze", "expected -1 to 0, got -2", () -> number.unsqueeze(-2))
        .add("unsqueeze", "expected -2 to 1, got 2", () -> ones(4).unsqueeze(2))
        .add("unsqueeze", "expected -2 to 1, got -3", () -> ones(0).unsqueeze(-3))
        .add("unsqueeze", "expected -4 to 3, got 4", () -> ones(1, 2, 0).unsqueeze(4));
    all.add("flatten", "not after the last, got 1 and 0", () -> x.flatten(1, 0))
        .add("flatten", "got -1 and 0", () -> x.flatten(-1, 0))
        .add("flatten", "got 2 and 1", () -> ones(1, 2, 3).flatten(2, 1));
    all.add("sumTo", "expected a shape that broadcasts", () -> x.sumTo(Shape.of(4)))
        .add("sumTo", "got (2)", () -> x.sumTo(Shape.of(2)))
        .add("sumTo", "got (3, 3)", () -> x.sumTo(Shape.of(3, 3)))
        .add("sumTo", "got (2, 0)", () -> x.sumTo(Shape.of(2, 0)))
        .add("sumTo", "got (1, 2, 3)", () -> x.sumTo(Shape.of(1, 2, 3)))
        .add("sumTo", "got (3, 2)", () -> x.sumTo(Shape.of(3, 2)))
        .add("sumTo", "got (1)", () -> number.sumTo(Shape.of(1)))
        .add("sumTo", "got (2, 3)", () -> ones(3).sumTo(Shape.of(2, 3)));
    all.add("tril", "two or more dimensions", () -> number.tril())
        .add("tril", "two or more dimensions", () -> ones(3).tril(1))
        .add("tril", "two or more dimensions", () -> ones(0).tril(-1))
        .add("triu", "two or more dimensions", () -> number.triu())
        .add("triu", "two or more dimensions", () -> ones(3).triu(1))
        .add("triu", "two or more dimensions", () -> ones(0).triu(-1));
    return all;
  }

  /** Operators that take parts, or put parts together. */
  static Refusals parts() {
    Tensor x = ones(2, 3);
    Tensor number = ones();
    long max = Long.MAX_VALUE;
    Refusals all = new Refusals();
    all.add("slice", "a step of 1 or more, got rank 2 and step 0", () -> x.slice(0, 0, 1, 0))
        .add("slice", "step -1", () -> x.slice(1, 0, 1, -1))
        .add("slice", "rank 0", () -> number.slice(0, 0, max, 1));
    all.add("narrow", "inside 0 to 3 along dimension 1", () -> x.narrow(1, 0, 4))
        .add("narrow", "got start 2 and length 2", () -> x.narrow(-1, 2, 2))
        .add("narrow", "got start 4 and length 0", () -> x.narrow(1, 4, 0))
        .add("narrow", "got start -4 and length 1", () -> x.narrow(1, -4, 1))
        .add("narrow", "got start 0 and length -1", () -> x.narrow(0, 0, -1))
        .add("narrow", "length " + max, () -> x.narrow(0, 1, max))
        .add("narrow", "start " + max, () -> x.narrow(0, max, 1))
        .add("narrow", "inside 0 to 0", () -> number.narrow(0, 0, 0));
    all.add("select", "index out of range along dimension 0", () -> x.select(0, 2))
        .add("select", "expected -2 to 1, got -3", () -> x.select(0, -3))
        .add("select", "expected -3 to 2, got 3", () -> x.select(-1, 3))
        .add("select", "got " + max, () -> x.select(0, max))
        .add("select", "got 0", () -> ones(0, 3).select(0, 0))
        .add("select", "got 0", () -> number.select(0, 0));
    all.add("split", "pieces of 1 or more, got pieces of 0", () -> x.split(0, 0))
        .add("split", "pieces of -1", () -> x.split(-1, 1))
        .add("split", "tensor with dimensions", () -> number.split(1, 0))
        .add("split", "add up to dimension 0, got [1]", () -> x.split(new long[] {1}, 0))
        .add("split", "got [1, 3]", () -> x.split(new long[] {1, 3}, 1))
        .add("split", "got [4, -1]", () -> x.split(new long[] {4, -1}, 1))
        .add("split", "got []", () -> x.split(new long[] {}, 0))
        .add("split", "got [1]", () -> number.split(new long[] {1}, 0));
    all.add("cat", "equal sizes outside dimension 0", () -> Tensor.cat(List.of(x, ones(2, 2)), 0))
        .add("cat", "outside dimension 1", () -> Tensor.cat(List.of(x, ones(3, 3)), -1))
        .add("cat", "(2, 3) and (3)", () -> Tensor.cat(List.of(x, ones(3)), 0))
        .add("cat", "(3) and (2, 3)", () -> Tensor.cat(List.of(ones(3), x), 0))
        .add("cat", "() and ()", () -> Tensor.cat(List.of(number, number), 0))
        .add("cat", "(2, 3) and (2, 3) and (1)", () -> Tensor.cat(List.of(x, x, ones(1)), 0))
        .add("cat", "dtypes differ", () -> Tensor.cat(List.of(x, x.to(DType.F32)), 0))
        .add("cat", "(2, 3, 1)", () -> Tensor.cat(List.of(x, ones(2, 3, 1)), 0));
    all.add("stack", "tensors of one shape", () -> Tensor.stack(List.of(x, ones(2, 2)), 0))
        .add("stack", "(2, 3) and (3)", () -> Tensor.stack(List.of(x, ones(3)), 0))
        .add("stack", "() and (1)", () -> Tensor.stack(List.of(number, ones(1)), 0))
        .add("stack", "and (0)", () -> Tensor.stack(List.of(ones(1), ones(1), ones(0)), 0))
        .add("stack", "expected -3 to 2, got 3", () -> Tensor.stack(List.of(x, x), 3))
        .add("stack", "expected -3 to 2, got -4", () -> Tensor.stack(List.of(x), -4))
        .add("stack", "expected -1 to 0, got 1", () -> Tensor.stack(List.of(number), 1))
        .add("stack", "dtypes differ", () -> Tensor.stack(List.of(x, x.gt(0)), 0));
    return all;
  }

  /** Operators that pick by an index. */
  static Refusals picks() {
    Tensor x = ones(2, 3);
    Tensor i = zeros(2, 3);
    Refusals all = new Refusals();
    all.add("gather", "no larger than it", () -> x.gather(0, zeros(2, 4)))
        .add("gather", "(2, 3) and (2)", () -> x.gather(1, zeros(2)))
        .add("gather", "(2, 3) and (1, 2, 3)", () -> x.gather(1, zeros(1, 2, 3)))
        .add("gather", "(3, 1)", () -> x.gather(1, zeros(3, 1)))
        .add(
            "gather",
            "expected int64 for argument 2, got int32",
            () -> x.gather(0, i.to(DType.I32)))
        .add("gather", "got float64", () -> x.gather(0, x))
        .add("gather", "(2, 3) and ()", () -> x.gather(0, zeros()))
        .add("gather", "() and (1, 1)", () -> ones().gather(0, zeros(1, 1)));
    all.add("indexSelect", "one dimension", () -> x.indexSelect(0, zeros(1, 1)))
        .add("indexSelect", "one dimension", () -> x.indexSelect(0, i))
        .add("indexSelect", "got int32", () -> x.indexSelect(0, indices(0).to(DType.I32)))
        .add("indexSelect", "got float64", () -> x.indexSelect(0, ones(1)))
        .add("indexSelect", "got bool", () -> x.indexSelect(1, ones(1).gt(0)));
    all.add("scatterAdd", "expected an index", () -> x.scatterAdd(0, i, ones(1, 3)))
        .add("scatterAdd", "(2, 3) and (2, 4)", () -> x.scatterAdd(0, zeros(2, 4), ones(2, 4)))
        .add("scatterAdd", "and (2)", () -> x.scatterAdd(0, zeros(2), ones(2)))
        .add("scatterAdd", "(2, 2)", () -> x.scatterAdd(0, i, ones(2, 2)))
        .add("scatterAdd", "dtypes differ", () -> x.scatterAdd(0, i, x.to(DType.F32)))
        .add("scatterAdd", "int64 for argument 2", () -> x.scatterAdd(0, i.to(DType.U8), x))
        .add("scatterAdd", "and (3)", () -> x.scatterAdd(0, i, ones(3)))
        .add("scatterAdd", "of numbers, got bool", () -> x.gt(0).scatterAdd(0, i, x.gt(0)));
    all.add("embedding", "two dimensions", () -> Indexing.embedding(indices(0), ones(3)))
        .add("embedding", "two dimensions", () -> Indexing.embedding(indices(0), ones()))
        .add("embedding", "and (1, 2, 3)", () -> Indexing.embedding(indices(0), ones(1, 2, 3)))
        .add("embedding", "got float64", () -> Indexing.embedding(ones(2), x))
        .add("embedding", "got int32", () -> Indexing.embedding(indices(0).to(DType.I32), x))
        .add("embedding", "-2 to 1, got 2", () -> Indexing.embedding(indices(0), x, 2))
        .add("embedding", "-2 to 1, got -3", () -> Indexing.embedding(indices(0), x, -3))
        .add("embedding", "got 0", () -> Indexing.embedding(zeros(0), ones(0, 3), 0));
    all.add("oneHot", "expected 1 or more classes", () -> Indexing.oneHot(indices(0), 0))
        .add("oneHot", "got -2", () -> Indexing.oneHot(indices(0), -2))
        .add("oneHot", "at least one value, got -1", () -> Indexing.oneHot(zeros(0), -1))
        .add("oneHot", "at least one value, got -1", () -> Indexing.oneHot(zeros(2, 0), -1))
        .add("oneHot", "got float64", () -> Indexing.oneHot(x, 3))
        .add("oneHot", "got int32", () -> Indexing.oneHot(i.to(DType.I32), 3))
        .add("oneHot", "got uint8", () -> Indexing.oneHot(i.to(DType.U8), 3))
        .add("oneHot", "got bool", () -> Indexing.oneHot(x.gt(0), 2));
    return all;
  }
}

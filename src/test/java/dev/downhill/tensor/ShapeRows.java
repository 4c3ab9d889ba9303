package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import java.util.Arrays;
import java.util.List;

/** Rows of operators that move elements: views, joining, picking, conversions. */
final class ShapeRows {
  private ShapeRows() {}

  private static long[] grown(Tensor x) {
    long[] sizes = x.shape().toArray();
    long[] target = new long[sizes.length + 1];
    target[0] = 3;
    System.arraycopy(sizes, 0, target, 1, sizes.length);
    return target;
  }

  private static long[] repeats(Tensor x, long first, long others) {
    long[] repeats = new long[x.dim() + 1];
    Arrays.fill(repeats, others);
    repeats[0] = first;
    return repeats;
  }

  private static int[] reversed(Tensor x) {
    int[] dims = new int[x.dim()];
    Arrays.setAll(dims, d -> dims.length - 1 - d);
    return dims;
  }

  /** Parts joined in reverse, so that it matters which is which. */
  private static Tensor joined(List<Tensor> parts, int dim) {
    return Tensor.cat(parts.reversed(), dim);
  }

  static List<OpRow> all() {
    return java.util.stream.Stream.of(views(), parts(), picks(), conversions())
        .flatMap(List::stream)
        .toList();
  }

  private static List<OpRow> views() {
    Domain real = Domain.real();
    return List.of(
        OpRow.of("reshape", real)
            .call("reshape(Tensor, long[])", "numel", x -> x.get(0).reshape(x.get(0).numel()))
            .call(
                "reshape(Tensor, long[])",
                "1 numel 1",
                x -> x.get(0).reshape(1, x.get(0).numel(), 1)),
        OpRow.of("flatten", real)
            .call("flatten(Tensor)", "", x -> x.get(0).flatten())
            .call("flatten(Tensor, int, int)", "0 -2", 2, x -> x.get(0).flatten(0, -2))
            .call("flatten(Tensor, int, int)", "-2 -1", 2, x -> x.get(0).flatten(-2, -1)),
        OpRow.of("transpose", real)
            .call("transpose(Tensor, int, int)", "0 -1", x -> x.get(0).transpose(0, -1))
            .call("transpose(Tensor, int, int)", "1 0", 2, x -> x.get(0).transpose(1, 0)),
        OpRow.of("permute", real)
            .call("permute(Tensor, int[])", "reversed", x -> x.get(0).permute(reversed(x.get(0)))),
        OpRow.of("expand", real)
            .call("expand(Tensor, long[])", "3 first", x -> x.get(0).expand(grown(x.get(0))))
            .call(
                "expand(Tensor, long[])",
                "of unsqueezed",
                x ->
                    x.get(0)
                        .unsqueeze(-1)
                        .expand(x.get(0).shape().insert(x.get(0).dim(), 2).toArray())),
        OpRow.of("repeat", real)
            .call(
                "repeat(Tensor, long[])", "2 1 ...", x -> x.get(0).repeat(repeats(x.get(0), 2, 1)))
            .call(
                "repeat(Tensor, long[])", "1 2 ...", x -> x.get(0).repeat(repeats(x.get(0), 1, 2))),
        OpRow.of("unsqueeze", real)
            .call("unsqueeze(Tensor, int)", "0", x -> x.get(0).unsqueeze(0))
            .call("unsqueeze(Tensor, int)", "-1", x -> x.get(0).unsqueeze(-1)),
        OpRow.of("squeeze", real)
            .call("squeeze(Tensor)", "", x -> x.get(0).squeeze())
            .call("squeeze(Tensor, int[])", "0", x -> x.get(0).squeeze(0))
            .call("squeeze(Tensor, int[])", "0 -1", 2, x -> x.get(0).squeeze(0, -1)),
        OpRow.of("slice", real)
            .call(
                "slice(Tensor, int, long, long, long)",
                "0 0 max 2",
                1,
                x -> x.get(0).slice(0, 0, Long.MAX_VALUE, 2))
            .call(
                "slice(Tensor, int, long, long, long)",
                "-1 -2 max 1",
                1,
                x -> x.get(0).slice(-1, -2, Long.MAX_VALUE, 1)));
  }

  private static List<OpRow> parts() {
    Domain real = Domain.real();
    return List.of(
        OpRow.of("narrow", real)
            .call(
                "narrow(Tensor, int, long, long)",
                "0 0 size",
                1,
                x -> x.get(0).narrow(0, 0, x.get(0).size(0)))
            .call(
                "narrow(Tensor, int, long, long)",
                "-1 size/2",
                1,
                x -> x.get(0).narrow(-1, x.get(0).size(-1) / 2, (x.get(0).size(-1) + 1) / 2)),
        OpRow.of("select", real)
            .on("one", new long[] {1})
            .on("empty inside", new long[] {3, 0, 2})
            .on("odd", new long[] {7})
            .on("matrix", new long[] {3, 5})
            .on("rank 3", new long[] {2, 3, 5})
            .on("rank 5", new long[] {1, 2, 3, 1, 2})
            .call("select(Tensor, int, long)", "0 0", x -> x.get(0).select(0, 0))
            .call("select(Tensor, int, long)", "-1 -1", x -> x.get(0).select(-1, -1)),
        OpRow.of("split", real)
            .call("split(Tensor, long, int)", "2 0", 1, x -> joined(x.get(0).split(2, 0), 0))
            .call("split(Tensor, long, int)", "3 -1", 1, x -> joined(x.get(0).split(3, -1), -1))
            .call(
                "split(Tensor, long[], int)",
                "0 and the rest",
                1,
                x -> joined(x.get(0).split(new long[] {0, x.get(0).size(0)}, 0), 0)),
        OpRow.of("cat", real, real)
            .on("one", new long[] {1}, new long[] {1})
            .on("empty first", new long[] {0}, new long[] {5})
            .on("odd", new long[] {7}, new long[] {3})
            .on("matrix", new long[] {3, 5}, new long[] {2, 5})
            .on("equal", new long[] {3, 5}, new long[] {3, 5})
            .on("rank 3", new long[] {2, 3, 2}, new long[] {1, 3, 2})
            .call("cat(List, int)", "0", x -> Tensor.cat(x, 0))
            .call(
                "cat(List, int)",
                "0, one twice",
                x -> Tensor.cat(List.of(x.get(0), x.get(1), x.get(0)), 0)),
        OpRow.of("cat last", real, real)
            .on("empty", new long[] {3, 0}, new long[] {3, 0})
            .on("empty second", new long[] {3, 2}, new long[] {3, 0})
            .on("one", new long[] {1, 1}, new long[] {1, 1})
            .on("odd", new long[] {3, 5}, new long[] {3, 2})
            .on("rank 3", new long[] {2, 3, 2}, new long[] {2, 3, 1})
            .on("rank 4", new long[] {2, 1, 2, 1}, new long[] {2, 1, 2, 3})
            .call("cat(List, int)", "-1", x -> Tensor.cat(x, -1)),
        OpRow.of("stack", real, real)
            .on(OpRow.PAIR)
            .call("stack(List, int)", "0", x -> Tensor.stack(x, 0))
            .call("stack(List, int)", "-1", x -> Tensor.stack(x, -1)));
  }

  private static List<OpRow> picks() {
    Domain real = Domain.real();
    return List.of(
        OpRow.of("gather", real, Domain.index(3))
            .on("one", new long[] {3}, new long[] {1})
            .on("empty", new long[] {3}, new long[] {0})
            .on("odd", new long[] {7}, new long[] {11})
            .on("matrix", new long[] {3, 5}, new long[] {2, 5})
            .on("rank 3", new long[] {3, 3, 4}, new long[] {5, 2, 3})
            .call("gather(Tensor, int, Tensor)", "0", x -> x.get(0).gather(0, x.get(1))),
        OpRow.of("gather last", real, Domain.index(3))
            .on("empty", new long[] {0, 3}, new long[] {0, 2})
            .on("matrix", new long[] {5, 3}, new long[] {5, 7})
            .on("larger", new long[] {5, 4}, new long[] {2, 3})
            .on("rank 3", new long[] {2, 3, 5}, new long[] {2, 3, 2})
            .on("rank 4", new long[] {2, 1, 2, 3}, new long[] {1, 1, 2, 5})
            .call("gather(Tensor, int, Tensor)", "-1", x -> x.get(0).gather(-1, x.get(1))),
        OpRow.of("indexSelect", real, Domain.index(3))
            .on("one", new long[] {3}, new long[] {1})
            .on("empty", new long[] {3, 2}, new long[] {0})
            .on("odd", new long[] {7}, new long[] {11})
            .on("square", new long[] {3, 3}, new long[] {5})
            .on("rank 3", new long[] {3, 2, 4}, new long[] {5})
            .call("indexSelect(Tensor, int, Tensor)", "0", x -> x.get(0).indexSelect(0, x.get(1)))
            .call(
                "indexSelect(Tensor, int, Tensor)", "-1", x -> x.get(0).indexSelect(-1, x.get(1))),
        OpRow.of("embedding", real, Domain.index(3))
            .on("0-d", new long[] {3, 5}, new long[] {})
            .on("one", new long[] {3, 1}, new long[] {1})
            .on("empty", new long[] {3, 5}, new long[] {0})
            .on("matrix", new long[] {5, 3}, new long[] {3, 4})
            .on("rank 3", new long[] {4, 2}, new long[] {2, 3, 2})
            .call("embedding(Tensor, Tensor)", "", x -> Indexing.embedding(x.get(1), x.get(0)))
            // The row for padding is not looked up, or differences would see it.
            .call(
                "embedding(Tensor, Tensor, long)",
                "row -1",
                x -> Indexing.embedding(x.get(1), Tensor.cat(List.of(x.get(0), x.get(0)), 0), -1)),
        OpRow.of("scatterAdd", real, real, Domain.index(3))
            .on("one", new long[] {3}, new long[] {1}, new long[] {1})
            .on("empty", new long[] {3}, new long[] {2}, new long[] {0})
            .on("odd", new long[] {7}, new long[] {11}, new long[] {11})
            .on("matrix", new long[] {3, 5}, new long[] {4, 5}, new long[] {4, 5})
            .on("smaller index", new long[] {3, 5}, new long[] {4, 5}, new long[] {2, 3})
            .on("equal", new long[] {3, 3}, new long[] {3, 3}, new long[] {3, 3})
            .on("rank 3", new long[] {3, 2, 2}, new long[] {5, 2, 2}, new long[] {4, 2, 1})
            .call(
                "scatterAdd(Tensor, int, Tensor, Tensor)",
                "0",
                x -> x.get(0).scatterAdd(0, x.get(2), x.get(1))),
        OpRow.of("oneHot", Domain.index(3))
            .call("oneHot(Tensor, long)", "4", x -> Indexing.oneHot(x.get(0), 4))
            .withoutGradient());
  }

  private static Tensor thereAndBack(Tensor x) {
    return x.to(x.dtype() == DType.F64 ? DType.F32 : DType.F64).to(x.dtype());
  }

  private static List<OpRow> conversions() {
    Domain exact = Domain.real().multiplesOf(0x1p-8);
    return List.of(
        OpRow.of("contiguous", Domain.real())
            .call(
                "contiguous(Tensor)", "of transposed", x -> x.get(0).transpose(0, -1).contiguous()),
        // Steps and numbers that a narrower type holds exactly.
        OpRow.of("to dtype", exact)
            .call("to(Tensor, DType)", "and back", x -> thereAndBack(x.get(0)))
            .eps(0x1p-10),
        OpRow.of("to device", Domain.real())
            .call(
                "to(Tensor, Device)",
                "and back",
                x -> x.get(0).to(Device.of("cpu:1")).to(x.get(0).device()))
            .notRecordable());
  }
}

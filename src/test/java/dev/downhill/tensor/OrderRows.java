package dev.downhill.tensor;

import java.util.List;
import java.util.stream.Stream;

/** Rows of what puts elements in another order: turned round, moved on, sorted. */
final class OrderRows {
  private OrderRows() {}

  static List<OpRow> all() {
    return Stream.of(moved(), sorted()).flatMap(List::stream).toList();
  }

  private static List<OpRow> moved() {
    Domain real = Domain.real();
    return List.of(
        OpRow.of("flip", real)
            .call("flip(Tensor, int[])", "0", x -> x.get(0).flip(0))
            .call("flip(Tensor, int[])", "-1 0", 2, x -> x.get(0).flip(-1, 0))
            .call("flip(Tensor, int[])", "none", x -> x.get(0).flip()),
        OpRow.of("roll", real)
            .call("roll(Tensor, long)", "2", x -> x.get(0).roll(2))
            .call(
                "roll(Tensor, long[], int[])",
                "-1 in 0",
                x -> x.get(0).roll(new long[] {-1}, new int[] {0}))
            .call(
                "roll(Tensor, long[], int[])",
                "7 in -1, -3 in 0, 1 in -1",
                2,
                x -> x.get(0).roll(new long[] {7, -3, 1}, new int[] {-1, 0, -1})),
        OpRow.of("diagonal", real)
            .on("one", new long[] {1, 1})
            .on("empty", new long[] {0, 3})
            .on("square", new long[] {3, 3})
            .on("wide", new long[] {3, 5})
            .on("tall", new long[] {4, 2})
            .on("rank 3", new long[] {2, 3, 4})
            .on("rank 4", new long[] {3, 2, 1, 3})
            .call("diagonal(Tensor, long, int, int)", "0 0 1", x -> x.get(0).diagonal(0, 0, 1))
            .call("diagonal(Tensor, long, int, int)", "1 -1 0", x -> x.get(0).diagonal(1, -1, 0))
            .call(
                "diagonal(Tensor, long, int, int)",
                "-1 -2 -1",
                x -> x.get(0).diagonal(-1, -2, -1)));
  }

  private static List<OpRow> sorted() {
    // Far enough apart for the steps of the differences; each element is drawn from its own part.
    Domain apart = Domain.real();
    String sort = "sort(Tensor, int, boolean)";
    String argsort = "argsort(Tensor, int, boolean)";
    String topk = "topk(Tensor, long, int, boolean)";
    return List.of(
        OpRow.of("sort", apart)
            .call(sort, "-1", x -> x.get(0).sort(-1, false).values())
            .call(sort, "0 descending", x -> x.get(0).sort(0, true).values())
            // Equal elements swap places between the two sides of a difference.
            .except(Laid.EXPANDED),
        OpRow.of("argsort", apart)
            .call(argsort, "-1", x -> x.get(0).argsort(-1, false))
            .call(argsort, "0 descending", x -> x.get(0).argsort(0, true))
            .withoutGradient(),
        OpRow.of("argsort with ties", apart.multiplesOf(1))
            .call(argsort, "-1", x -> x.get(0).argsort(-1, false))
            .call(argsort, "0 descending", x -> x.get(0).argsort(0, true))
            .withoutGradient(),
        OpRow.of("topk", apart)
            .on(
                Stream.concat(
                        OpRow.ONE.stream().filter(s -> s.numel() > 0),
                        Stream.of(OpCase.Shapes.of("empty inside", new long[] {3, 0, 2})))
                    .toList())
            .call(topk, "1 -1", x -> x.get(0).topk(1, -1, true).values())
            .call(topk, "all but one of 0, smallest", x -> some(x.get(0)))
            .except(Laid.EXPANDED));
  }

  private static Tensor some(Tensor x) {
    long k = x.dim() == 0 ? 1 : Math.max(1, x.size(0) - 1);
    return x.topk(k, 0, false).values();
  }
}

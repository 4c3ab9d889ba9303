package dev.downhill.tensor;

import java.util.List;

/** Rows of products written by name, and of products of matrices alone. */
final class EinsumRows {
  private EinsumRows() {}

  private static OpRow einsum(OpRow row, String equation) {
    return row.call(
        "einsum(String, Tensor[])",
        equation,
        x -> Einsum.einsum(equation, x.toArray(Tensor[]::new)));
  }

  private static OpRow einsum(OpRow row, List<String> equations) {
    OpRow all = row;
    for (String equation : equations) {
      all = einsum(all, equation);
    }
    return all;
  }

  static List<OpRow> all() {
    Domain real = Domain.real();
    return List.of(
        einsum(
            OpRow.of("einsum of one", real)
                .on("square", new long[] {3, 3})
                .on("one", new long[] {1, 1})
                .on("empty", new long[] {0, 0}),
            List.of("ba", "ij->ji", "ij->j", "ij->", "ii", "ii->i", "...j->...", "i...->i")),
        einsum(
            OpRow.of("einsum of two", real, real)
                .on("square", new long[] {3, 3}, new long[] {3, 3})
                .on("wide", new long[] {2, 3}, new long[] {3, 2})
                .on("empty inner", new long[] {3, 0}, new long[] {0, 3})
                .on("column", new long[] {2, 1}, new long[] {1, 2}),
            List.of("ij,jk->ik", "ij,jk", "ij,kl->kj", "ij,ji->", "ij,ji->i", "ij,ki->jik")),
        einsum(
            OpRow.of("einsum of batches", real, real)
                .on("batch", new long[] {2, 3, 2}, new long[] {2, 2, 3})
                .on("broadcast", new long[] {1, 3, 2}, new long[] {2, 1, 3}),
            List.of("bij,bjk->bik", "...ij,...jk->...ik", "bij,bki->bkj", "b...,bkl->...l")),
        einsum(
            OpRow.of("einsum of diagonals", real, real)
                .on("square", new long[] {2, 2}, new long[] {2, 3})
                .on("one", new long[] {1, 1}, new long[] {3, 1})
                .on("batch", new long[] {3, 3}, new long[] {3, 2}),
            List.of("ii,ij->j", "ii,jk->ki", "aa,ab")),
        einsum(
            OpRow.of("einsum of three", real, real, real)
                .on("chain", new long[] {2, 3}, new long[] {3, 2}, new long[] {2, 3})
                .on("one", new long[] {1, 1}, new long[] {1, 1}, new long[] {1, 1})
                .on("square", new long[] {2, 2}, new long[] {2, 2}, new long[] {2, 2}),
            List.of("ij,jk,kl->il", "ij,ji,ij->i", "ij,jk,kj->ik", "ij,jk,kl")),
        OpRow.of("bmm", real, real)
            .on("one", new long[] {1, 1, 1}, new long[] {1, 1, 1})
            .on("batch", new long[] {2, 3, 4}, new long[] {2, 4, 2})
            .on("square", new long[] {2, 2, 2}, new long[] {2, 2, 2})
            .on("empty", new long[] {0, 2, 3}, new long[] {0, 3, 2})
            .on("empty inner", new long[] {2, 3, 0}, new long[] {2, 0, 2})
            .call("bmm(Tensor, Tensor)", "", x -> x.get(0).bmm(x.get(1))),
        OpRow.of("addmm", real, real, real)
            .on("matrix", new long[] {3, 2}, new long[] {3, 4}, new long[] {4, 2})
            .on("row", new long[] {2}, new long[] {3, 2}, new long[] {2, 2})
            .on("number", new long[] {}, new long[] {1, 3}, new long[] {3, 2})
            .on("empty inner", new long[] {3, 1}, new long[] {3, 0}, new long[] {0, 2})
            .call(
                "addmm(Tensor, Tensor, Tensor, double, double)",
                "1 1",
                x -> x.get(0).addmm(x.get(1), x.get(2), 1, 1))
            .call(
                "addmm(Tensor, Tensor, Tensor, double, double)",
                "-0.5 2",
                x -> x.get(0).addmm(x.get(1), x.get(2), -0.5, 2)),
        OpRow.of("outer", real, real)
            .on("one", new long[] {1}, new long[] {1})
            .on("odd", new long[] {7}, new long[] {3})
            .on("same", new long[] {4}, new long[] {4})
            .on("empty", new long[] {0}, new long[] {3})
            .call("outer(Tensor, Tensor)", "", x -> x.get(0).outer(x.get(1))));
  }
}

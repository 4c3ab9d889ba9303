package dev.downhill.tensor;

import dev.downhill.tensor.Divergence.BinaryCrossEntropy;
import dev.downhill.tensor.Divergence.KlDiv;
import dev.downhill.tensor.Divergence.Terms;
import dev.downhill.tensor.Loss.Over;
import dev.downhill.tensor.Similarity.Triplet;
import java.util.List;
import java.util.stream.Stream;

/** Rows of losses of probabilities, angles and distances. */
final class DivergenceRows {
  private static final Domain CHANCE = Domain.between(0.1, 0.9);

  private DivergenceRows() {}

  static List<OpRow> all() {
    return Stream.of(divergences(), List.of(cosine(), triplet())).flatMap(List::stream).toList();
  }

  private static List<OpCase.Shapes> some() {
    return OpRow.PAIR.stream().filter(s -> s.numel() > 0).toList();
  }

  private static List<OpRow> divergences() {
    String bce = "binaryCrossEntropy(Tensor, Tensor, BinaryCrossEntropy)";
    String kl = "klDiv(Tensor, Tensor, KlDiv)";
    return List.of(
        OpRow.of("binaryCrossEntropy", CHANCE, CHANCE)
            .on(some())
            .call(
                "binaryCrossEntropy(Tensor, Tensor)",
                "",
                x -> Divergence.binaryCrossEntropy(x.get(0), x.get(1)))
            .call(bce, "NONE", x -> bce(x, BinaryCrossEntropy.DEFAULT.withOver(Over.NONE)))
            .call(bce, "SUM", x -> bce(x, BinaryCrossEntropy.DEFAULT.withOver(Over.SUM))),
        OpRow.of("binaryCrossEntropy weighted", CHANCE, CHANCE, Domain.positive())
            .on("one", new long[] {1}, new long[] {1}, new long[] {1})
            .on("odd", new long[] {7}, new long[] {7}, new long[] {1})
            .on("matrix", new long[] {3, 5}, new long[] {3, 5}, new long[] {5})
            .on("rank 3", new long[] {2, 3, 2}, new long[] {2, 3, 2}, new long[] {3, 1})
            .call(bce, "weight", x -> bce(x, BinaryCrossEntropy.DEFAULT.withWeight(x.get(2))))
            .call(
                bce,
                "weight NONE",
                x -> bce(x, BinaryCrossEntropy.DEFAULT.withWeight(x.get(2)).withOver(Over.NONE))),
        OpRow.of("klDiv", CHANCE, CHANCE)
            .on(some())
            .call("klDiv(Tensor, Tensor)", "", x -> Divergence.klDiv(x.get(0), x.get(1)))
            .call(kl, "BATCH_MEAN", x -> kl(x, KlDiv.DEFAULT.withTerms(Terms.BATCH_MEAN)))
            .call(kl, "NONE", x -> kl(x, KlDiv.DEFAULT.withTerms(Terms.NONE)))
            .call(
                kl, "logTarget SUM", x -> kl(x, KlDiv.DEFAULT.withLogTarget().withTerms(Terms.SUM)))
            .call(kl, "logTarget", x -> kl(x, KlDiv.DEFAULT.withLogTarget())));
  }

  private static Tensor bce(List<Tensor> x, BinaryCrossEntropy options) {
    return Divergence.binaryCrossEntropy(x.get(0), x.get(1), options);
  }

  private static Tensor kl(List<Tensor> x, KlDiv options) {
    return Divergence.klDiv(x.get(0), x.get(1), options);
  }

  private static OpRow cosine() {
    Domain apart = Domain.real().avoiding(0);
    String method = "cosineSimilarity(Tensor, Tensor, int, double)";
    return OpRow.of("cosineSimilarity", apart, apart)
        .on("one", new long[] {2, 1}, new long[] {2, 1})
        .on("matrix", new long[] {3, 5}, new long[] {3, 5})
        .on("empty", new long[] {0, 3}, new long[] {0, 3})
        .on("row", new long[] {3, 4}, new long[] {1, 4})
        .on("rank 3", new long[] {2, 3, 2}, new long[] {3, 2})
        .call(
            "cosineSimilarity(Tensor, Tensor)",
            "",
            x -> Similarity.cosineSimilarity(x.get(0), x.get(1)))
        .call(method, "-1", x -> Similarity.cosineSimilarity(x.get(0), x.get(1), -1, 0))
        .call(method, "0", x -> Similarity.cosineSimilarity(x.get(0), x.get(1), 0, 1e-6));
  }

  private static OpRow triplet() {
    Domain real = Domain.real();
    // Never so far apart that the loss is 0, and the three apart from each other.
    Triplet far = Triplet.DEFAULT.withMargin(20);
    String three = "tripletMarginLoss(Tensor, Tensor, Tensor, Triplet)";
    return OpRow.of(
            "tripletMarginLoss", real, Domain.between(-1.9, 2.1), Domain.between(-2.15, 1.85))
        .on("vector", new long[] {3}, new long[] {3}, new long[] {3})
        .on("one", new long[] {1, 2}, new long[] {1, 2}, new long[] {1, 2})
        .on("matrix", new long[] {3, 4}, new long[] {3, 4}, new long[] {3, 4})
        .on("broadcast", new long[] {3, 4}, new long[] {1, 4}, new long[] {3, 1})
        .on("rank 3", new long[] {2, 3, 2}, new long[] {2, 3, 2}, new long[] {2, 3, 2})
        .call(
            "tripletMarginLoss(Tensor, Tensor, Tensor)",
            "",
            x -> Similarity.tripletMarginLoss(x.get(0), x.get(1), x.get(2)))
        .call(three, "far", x -> triplet(x, far))
        .call(three, "swap SUM", x -> triplet(x, far.withSwap().withOver(Over.SUM)))
        .call(three, "1 NONE", x -> triplet(x, far.withP(1).withOver(Over.NONE)))
        .call(three, "3", x -> triplet(x, far.withP(3).withEps(0.1)))
        .call(three, "inf", x -> triplet(x, far.withP(Double.POSITIVE_INFINITY)));
  }

  private static Tensor triplet(List<Tensor> x, Triplet options) {
    return Similarity.tripletMarginLoss(x.get(0), x.get(1), x.get(2), options);
  }
}

package dev.downhill.cli.verify;

import dev.downhill.tensor.Divergence;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Similarity;
import dev.downhill.tensor.Softmax;

/** Softmax and losses. */
final class LossOperators {
  private LossOperators() {}

  static void addTo(Operators table) {
    table.one("softmax", (call, a) -> Softmax.softmax(call.in("input"), a.dim("dim")));
    table.one("log_softmax", (call, a) -> Softmax.logSoftmax(call.in("input"), a.dim("dim")));
    table.one("mse_loss", (call, a) -> Loss.mse(call.in("input"), call.in("target"), over(a)));
    table.one("l1_loss", (call, a) -> Loss.l1(call.in("input"), call.in("target"), over(a)));
    table.one(
        "smooth_l1_loss",
        (call, a) -> Loss.smoothL1(call.in("input"), call.in("target"), a.number("beta"), over(a)));
    table.one(
        "huber_loss",
        (call, a) -> Loss.huber(call.in("input"), call.in("target"), a.number("delta"), over(a)));
    table.one(
        "cross_entropy",
        (call, a) ->
            Loss.crossEntropy(
                call.in("input"),
                call.in("target"),
                new Loss.CrossEntropy(
                    call.optional("weight"),
                    a.integer("ignore_index"),
                    a.number("label_smoothing"),
                    over(a))));
    table.one(
        "nll_loss",
        (call, a) ->
            Loss.nll(
                call.in("input"),
                call.in("target"),
                new Loss.Nll(call.optional("weight"), a.integer("ignore_index"), over(a))));
    table.one(
        "binary_cross_entropy_with_logits",
        (call, a) ->
            Loss.bceWithLogits(
                call.in("input"),
                call.in("target"),
                new Loss.BceWithLogits(
                    call.optional("weight"), call.optional("pos_weight"), over(a))));
    divergences(table);
    similarities(table);
  }

  private static void divergences(Operators table) {
    table.one(
        "binary_cross_entropy",
        (call, a) ->
            Divergence.binaryCrossEntropy(
                call.in("input"),
                call.in("target"),
                new Divergence.BinaryCrossEntropy(call.optional("weight"), over(a))));
    table.one(
        "kl_div",
        (call, a) ->
            Divergence.klDiv(
                call.in("input"),
                call.in("target"),
                new Divergence.KlDiv(a.flag("log_target"), terms(a))));
  }

  private static Divergence.Terms terms(Attributes a) {
    return switch (a.text("reduction")) {
      case "batchmean" -> Divergence.Terms.BATCH_MEAN;
      case "mean" -> Divergence.Terms.MEAN;
      case "sum" -> Divergence.Terms.SUM;
      case "none" -> Divergence.Terms.NONE;
      default -> throw a.unsupported("reduction");
    };
  }

  private static void similarities(Operators table) {
    table.one(
        "cosine_similarity",
        (call, a) ->
            Similarity.cosineSimilarity(
                call.in("x1"), call.in("x2"), a.dim("dim"), a.number("eps")));
    table.one(
        "triplet_margin_loss",
        (call, a) ->
            Similarity.tripletMarginLoss(
                call.in("anchor"),
                call.in("positive"),
                call.in("negative"),
                new Similarity.Triplet(
                    a.number("margin"), a.number("p"), a.number("eps"), a.flag("swap"), over(a))));
  }

  private static Loss.Over over(Attributes a) {
    return switch (a.text("reduction")) {
      case "mean" -> Loss.Over.MEAN;
      case "sum" -> Loss.Over.SUM;
      case "none" -> Loss.Over.NONE;
      default -> throw a.unsupported("reduction");
    };
  }
}

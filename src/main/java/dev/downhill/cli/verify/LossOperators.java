package dev.downhill.cli.verify;

import dev.downhill.tensor.Loss;
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

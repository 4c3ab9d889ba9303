package dev.downhill.cli.verify;

import dev.downhill.tensor.Einsum;
import dev.downhill.tensor.Ranked;
import dev.downhill.tensor.Tensor;
import java.util.Map;

/** Elements in another order, and sums of products by name. */
final class OrderOperators {
  private OrderOperators() {}

  static void addTo(Operators table) {
    table.one("flip", (call, a) -> call.in("input").flip(a.dimList("dims")));
    table.one(
        "roll",
        (call, a) -> {
          Tensor x = call.in("input");
          long[] shifts = a.integers("shifts");
          if (!a.isNull("dims")) {
            return x.roll(shifts, a.dimList("dims"));
          }
          if (shifts.length != 1) {
            throw a.unsupported("shifts");
          }
          return x.roll(shifts[0]);
        });
    table.several(
        "sort", (call, a) -> ranked(call.in("input").sort(a.dim("dim"), a.flag("descending"))));
    table.several(
        "topk",
        (call, a) ->
            ranked(call.in("input").topk(a.integer("k"), a.dim("dim"), a.flag("largest"))));
    table.one(
        "einsum",
        (call, a) ->
            Einsum.einsum(a.text("equation"), call.list("operands").toArray(Tensor[]::new)));
  }

  private static Map<String, Tensor> ranked(Ranked r) {
    return Map.of("values", r.values(), "indices", r.indices());
  }
}

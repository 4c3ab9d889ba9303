package dev.downhill.cli.verify;

import dev.downhill.tensor.Clip;
import dev.downhill.tensor.Matmul;
import dev.downhill.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Products, norms of gradients. */
final class LinearOperators {
  private LinearOperators() {}

  static void addTo(Operators table) {
    table.binary("matmul", "other", Tensor::matmul);
    table.binary("bmm", "mat2", Tensor::bmm);
    table.binary("outer", "vec2", Tensor::outer);
    table.one(
        "linear",
        (call, _) -> Matmul.linear(call.in("input"), call.in("weight"), call.optional("bias")));
    table.one(
        "addmm",
        (call, a) ->
            call.in("input")
                .addmm(call.in("mat1"), call.in("mat2"), a.number("beta"), a.number("alpha")));
    table.several(
        "clip_grad_norm_",
        (call, a) -> {
          List<Tensor> gradients = call.list("grads");
          Tensor total = Clip.totalNorm(gradients, a.number("norm_type"));
          Clip.scale(gradients, a.number("max_norm"), total);
          Map<String, Tensor> results = new HashMap<>(Operators.numbered("grads", gradients));
          results.put("total_norm", total);
          return results;
        });
    table.several(
        "clip_grad_value_",
        (call, a) -> {
          List<Tensor> gradients = call.list("grads");
          Clip.value(gradients, a.number("clip_value"));
          return Operators.numbered("grads", gradients);
        });
  }
}

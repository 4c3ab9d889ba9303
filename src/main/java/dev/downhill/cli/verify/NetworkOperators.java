package dev.downhill.cli.verify;

import dev.downhill.shape.Shape;
import dev.downhill.tensor.Attention;
import dev.downhill.tensor.Normalization;
import dev.downhill.tensor.Recurrent;
import dev.downhill.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/** Normalisation, attention and recurrent networks. */
final class NetworkOperators {
  private NetworkOperators() {}

  static void addTo(Operators table) {
    normalization(table);
    table.one("scaled_dot_product_attention", NetworkOperators::attention);
    table.several(
        "lstm",
        (call, a) -> {
          Recurrent.LstmResult y =
              Recurrent.lstm(
                  call.in("input"),
                  weights(call),
                  new Recurrent.Options(
                      a.flag("batch_first"), call.optional("h_0"), call.optional("c_0")));
          return Map.of("output", y.output(), "h_n", y.h(), "c_n", y.c());
        });
    table.several(
        "gru",
        (call, a) -> {
          Recurrent.GruResult y =
              Recurrent.gru(
                  call.in("input"),
                  weights(call),
                  new Recurrent.Options(a.flag("batch_first"), call.optional("h_0"), null));
          return Map.of("output", y.output(), "h_n", y.h());
        });
  }

  private static void normalization(Operators table) {
    table.several("batch_norm", NetworkOperators::batchNorm);
    table.one(
        "layer_norm",
        (call, a) ->
            Normalization.layerNorm(
                call.in("input"),
                Shape.of(a.integers("normalized_shape")),
                call.optional("weight"),
                call.optional("bias"),
                a.number("eps")));
    table.one(
        "group_norm",
        (call, a) ->
            Normalization.groupNorm(
                call.in("input"),
                a.integer("num_groups"),
                call.optional("weight"),
                call.optional("bias"),
                a.number("eps")));
    table.one(
        "rms_norm",
        (call, a) ->
            Normalization.rmsNorm(
                call.in("input"),
                Shape.of(a.integers("normalized_shape")),
                call.optional("weight"),
                a.number("eps")));
  }

  private static Map<String, Tensor> batchNorm(Call call, Attributes a) {
    Map<String, Tensor> results = new LinkedHashMap<>();
    Tensor mean = call.optional("running_mean");
    Tensor variance = call.optional("running_var");
    Tensor y =
        Normalization.batchNorm(
            call.in("input"),
            mean,
            variance,
            call.optional("weight"),
            call.optional("bias"),
            new Normalization.BatchNorm(a.flag("training"), a.number("momentum"), a.number("eps")));
    results.put("output", y);
    if (mean != null) {
      results.put("running_mean", mean);
    }
    if (variance != null) {
      results.put("running_var", variance);
    }
    return results;
  }

  private static Tensor attention(Call call, Attributes a) {
    return Attention.scaledDotProductAttention(
        call.in("query"),
        call.in("key"),
        call.in("value"),
        new Attention.Options(
            call.optional("attn_mask"),
            a.flag("is_causal"),
            a.isNull("scale") ? null : a.number("scale")));
  }

  private static Recurrent.Weights weights(Call call) {
    return new Recurrent.Weights(
        call.in("weight_ih_l0"),
        call.in("weight_hh_l0"),
        call.optional("bias_ih_l0"),
        call.optional("bias_hh_l0"));
  }
}

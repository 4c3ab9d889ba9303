package dev.downhill.cli.verify;

import dev.downhill.tensor.Activation;
import dev.downhill.tensor.Tensor;

/** Functions of one element, arithmetic, comparisons and choices. */
final class ElementwiseOperators {
  private ElementwiseOperators() {}

  static void addTo(Operators table) {
    functions(table);
    activations(table);
    arithmetic(table);
    comparisons(table);
  }

  private static void functions(Operators table) {
    table.unary("neg", Tensor::neg);
    table.unary("abs", Tensor::abs);
    table.unary("exp", Tensor::exp);
    table.unary("log", Tensor::log);
    table.unary("log1p", Tensor::log1p);
    table.unary("expm1", Tensor::expm1);
    table.unary("sqrt", Tensor::sqrt);
    table.unary("rsqrt", Tensor::rsqrt);
    table.unary("sin", Tensor::sin);
    table.unary("cos", Tensor::cos);
    table.unary("square", Tensor::square);
    table.unary("reciprocal", Tensor::reciprocal);
    table.unary("erf", Tensor::erf);
    table.unary("floor", Tensor::floor);
    table.unary("sign", Tensor::sign);
    table.one("pow_scalar", (call, a) -> call.in("input").pow(a.number("exponent")));
    table.one(
        "clamp",
        (call, a) ->
            call.in("input")
                .clamp(
                    a.number("min", Double.NEGATIVE_INFINITY),
                    a.number("max", Double.POSITIVE_INFINITY)));
  }

  private static void activations(Operators table) {
    table.unary("tanh", Tensor::tanh);
    table.unary("sigmoid", Tensor::sigmoid);
    table.unary("relu", Activation::relu);
    table.unary("relu6", Activation::relu6);
    table.unary("selu", Activation::selu);
    table.unary("silu", Activation::silu);
    table.unary("mish", Activation::mish);
    table.unary("hardsigmoid", Activation::hardsigmoid);
    table.unary("hardswish", Activation::hardswish);
    table.one(
        "leaky_relu",
        (call, a) -> Activation.leakyRelu(call.in("input"), a.number("negative_slope")));
    table.one("elu", (call, a) -> Activation.elu(call.in("input"), a.number("alpha")));
    table.one(
        "softplus",
        (call, a) ->
            Activation.softplus(call.in("input"), a.number("beta"), a.number("threshold")));
    table.one(
        "hardtanh",
        (call, a) ->
            Activation.hardtanh(call.in("input"), a.number("min_val"), a.number("max_val")));
    table.one(
        "gelu",
        (call, a) ->
            switch (a.text("approximate")) {
              case "none" -> Activation.gelu(call.in("input"));
              case "tanh" -> Activation.geluTanh(call.in("input"));
              default -> throw a.unsupported("approximate");
            });
  }

  private static void arithmetic(Operators table) {
    table.one("add", (call, a) -> call.in("input").add(call.in("other"), a.number("alpha")));
    table.one("sub", (call, a) -> call.in("input").sub(call.in("other"), a.number("alpha")));
    table.binary("mul", "other", Tensor::mul);
    table.binary("div", "other", Tensor::div);
    table.binary("pow", "exponent", Tensor::pow);
    table.binary("maximum", "other", Tensor::maximum);
    table.binary("minimum", "other", Tensor::minimum);
  }

  private static void comparisons(Operators table) {
    table.binary("eq", "other", Tensor::eq);
    table.binary("ne", "other", Tensor::ne);
    table.binary("lt", "other", Tensor::lt);
    table.binary("le", "other", Tensor::le);
    table.binary("gt", "other", Tensor::gt);
    table.binary("ge", "other", Tensor::ge);
    table.one("where", (call, _) -> call.in("input").where(call.in("condition"), call.in("other")));
    table.one(
        "masked_fill",
        (call, a) -> call.in("input").maskedFill(call.in("mask"), a.number("value")));
    table.one("tril", (call, a) -> call.in("input").tril(a.integer("diagonal")));
    table.one("triu", (call, a) -> call.in("input").triu(a.integer("diagonal")));
  }
}

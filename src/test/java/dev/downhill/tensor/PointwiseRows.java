package dev.downhill.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/** Rows of operators that work element by element. */
final class PointwiseRows {
  private PointwiseRows() {}

  static List<OpRow> all() {
    List<OpRow> rows = new ArrayList<>();
    rows.addAll(arithmetic());
    rows.addAll(functions());
    rows.addAll(activations());
    rows.addAll(comparisons());
    rows.addAll(choices());
    return rows;
  }

  private static OpRow unary(String name, Domain domain, UnaryOperator<Tensor> f) {
    return OpRow.of(name, domain).call(name + "(Tensor)", "", in -> f.apply(in.get(0)));
  }

  private static OpRow number(String name, Domain domain, double y, UnaryOperator<Tensor> f) {
    return OpRow.of(name + " a number", domain)
        .call(name + "(Tensor, double)", "" + y, in -> f.apply(in.get(0)));
  }

  private static OpRow binary(String name, Domain x, Domain y, BinaryOperator<Tensor> f) {
    return OpRow.of(name, x, y)
        .call(name + "(Tensor, Tensor)", "", in -> f.apply(in.get(0), in.get(1)));
  }

  private static OpRow scaled(String name, BinaryOperator<Tensor> f) {
    return OpRow.of(name + " alpha", Domain.real(), Domain.real())
        .call(name + "(Tensor, Tensor, double)", "-1.5", in -> f.apply(in.get(0), in.get(1)));
  }

  private static List<OpRow> arithmetic() {
    Domain real = Domain.real();
    Domain apart = Domain.real().avoiding(-0.3, 0, 0.3);
    Domain positive = Domain.positive();
    return List.of(
        binary("add", real, real, Tensor::add),
        binary("sub", real, real, Tensor::sub),
        binary("mul", real, real, Tensor::mul),
        binary("div", real, positive, Tensor::div),
        binary("pow", positive, real, Tensor::pow),
        binary("maximum", real, real, Tensor::maximum),
        binary("minimum", real, real, Tensor::minimum),
        scaled("add", (x, y) -> x.add(y, -1.5)),
        scaled("sub", (x, y) -> x.sub(y, -1.5)),
        number("add", real, 1.25, x -> x.add(1.25)),
        number("sub", real, 1.25, x -> x.sub(1.25)),
        number("rsub", real, 3, x -> x.rsub(3)),
        number("mul", real, -2.5, x -> x.mul(-2.5)),
        number("div", real, -2.5, x -> x.div(-2.5)),
        number("rdiv", positive, -2.5, x -> x.rdiv(-2.5)),
        number("rpow", real, 1.7, x -> x.rpow(1.7)),
        number("maximum", apart, 0.3, x -> x.maximum(0.3)),
        number("minimum", apart, -0.3, x -> x.minimum(-0.3)),
        OpRow.of("pow a number", positive)
            .call("pow(Tensor, double)", "2.5", in -> in.get(0).pow(2.5))
            .call("pow(Tensor, double)", "-1", in -> in.get(0).pow(-1))
            .call("pow(Tensor, double)", "0.5", in -> in.get(0).pow(0.5))
            .call("pow(Tensor, double)", "0", in -> in.get(0).pow(0))
            .call("pow(Tensor, double)", "1", in -> in.get(0).pow(1))
            .call("pow(Tensor, double)", "2", in -> in.get(0).pow(2)),
        OpRow.of("pow a whole number", real)
            .call("pow(Tensor, double)", "3", in -> in.get(0).pow(3)));
  }

  private static List<OpRow> functions() {
    Domain real = Domain.real();
    Domain positive = Domain.positive();
    return List.of(
        unary("neg", real, Tensor::neg),
        unary("abs", real.avoiding(0), Tensor::abs),
        unary("sign", real.avoiding(0), Tensor::sign),
        unary("floor", real.avoiding(-2, -1, 0, 1), Tensor::floor),
        unary("square", real, Tensor::square),
        unary("sqrt", positive, Tensor::sqrt),
        unary("rsqrt", positive, Tensor::rsqrt),
        unary("reciprocal", positive, Tensor::reciprocal),
        unary("exp", real, Tensor::exp),
        unary("expm1", real, Tensor::expm1),
        unary("log", positive, Tensor::log),
        unary("log1p", Domain.between(-0.6, 2), Tensor::log1p),
        unary("sin", Domain.between(-4, 4), Tensor::sin),
        unary("cos", Domain.between(-4, 4), Tensor::cos),
        unary("tanh", real, Tensor::tanh),
        unary("sigmoid", Domain.between(-4, 4), Tensor::sigmoid),
        unary("erf", real, Tensor::erf),
        OpRow.of("clamp", real.avoiding(-0.7, 0, 0.8))
            .call("clamp(Tensor, double, double)", "-0.7 0.8", in -> in.get(0).clamp(-0.7, 0.8))
            .call(
                "clamp(Tensor, double, double)",
                "0.8 inf",
                in -> in.get(0).clamp(0.8, Double.POSITIVE_INFINITY))
            .call("clamp(Tensor, double, double)", "0.8 -0.7", in -> in.get(0).clamp(0.8, -0.7))
            .call(
                "clamp(Tensor, double, double)",
                "0 inf",
                in -> in.get(0).clamp(0, Double.POSITIVE_INFINITY)));
  }

  private static List<OpRow> activations() {
    Domain real = Domain.real();
    Domain wide = Domain.between(-4, 4);
    return List.of(
        unary("relu", real.avoiding(0), Tensor::relu),
        unary("relu6", Domain.between(-2, 8).avoiding(0, 6), Activation::relu6),
        OpRow.of("leakyRelu", real.avoiding(0))
            .call("leakyRelu(Tensor)", "", in -> Activation.leakyRelu(in.get(0)))
            .call("leakyRelu(Tensor, double)", "0.3", in -> Activation.leakyRelu(in.get(0), 0.3)),
        OpRow.of("elu", real.avoiding(0))
            .call("elu(Tensor)", "", in -> Activation.elu(in.get(0)))
            .call("elu(Tensor, double)", "0.3", in -> Activation.elu(in.get(0), 0.3)),
        unary("selu", real.avoiding(0), Activation::selu),
        unary("gelu", wide, Activation::gelu),
        unary("geluTanh", wide, Activation::geluTanh),
        unary("silu", wide, Activation::silu),
        OpRow.of("softplus", wide.avoiding(1.5))
            .call("softplus(Tensor)", "", in -> Activation.softplus(in.get(0)))
            .call(
                "softplus(Tensor, double, double)",
                "2 3",
                in -> Activation.softplus(in.get(0), 2, 3)),
        unary("mish", wide, Activation::mish),
        OpRow.of("hardtanh", real.avoiding(-1, 1, -0.7, 0.8))
            .call("hardtanh(Tensor)", "", in -> Activation.hardtanh(in.get(0)))
            .call(
                "hardtanh(Tensor, double, double)",
                "-0.7 0.8",
                in -> Activation.hardtanh(in.get(0), -0.7, 0.8)),
        unary("hardsigmoid", wide.avoiding(-3, 3), Activation::hardsigmoid),
        unary("hardswish", wide.avoiding(-3, 3), Activation::hardswish));
  }

  private static OpRow comparison(String name, BinaryOperator<Tensor> f) {
    Domain steps = Domain.real().multiplesOf(1);
    return binary(name, steps, steps, f).withoutGradient();
  }

  private static OpRow comparison(String name, UnaryOperator<Tensor> f) {
    return number(name, Domain.real().multiplesOf(1), 1, f).withoutGradient();
  }

  private static List<OpRow> comparisons() {
    Domain truth = Domain.truth();
    return List.of(
        comparison("eq", (x, y) -> x.eq(y)),
        comparison("ne", (x, y) -> x.ne(y)),
        comparison("lt", (x, y) -> x.lt(y)),
        comparison("le", (x, y) -> x.le(y)),
        comparison("gt", (x, y) -> x.gt(y)),
        comparison("ge", (x, y) -> x.ge(y)),
        comparison("eq", x -> x.eq(1)),
        comparison("ne", x -> x.ne(1)),
        comparison("lt", x -> x.lt(1)),
        comparison("le", x -> x.le(1)),
        comparison("gt", x -> x.gt(1)),
        comparison("ge", x -> x.ge(1)),
        unary("logicalNot", truth, Tensor::logicalNot).withoutGradient(),
        binary("logicalAnd", truth, truth, Tensor::logicalAnd).withoutGradient(),
        binary("logicalOr", truth, truth, Tensor::logicalOr).withoutGradient(),
        OpRow.of("isFinite", Domain.real())
            .call("isFinite(Tensor)", "", in -> in.get(0).isFinite())
            .call("isFinite(Tensor)", "of x / 0", in -> in.get(0).div(0).isFinite())
            .withoutGradient());
  }

  private static List<OpRow> choices() {
    Domain real = Domain.real();
    return List.of(
        OpRow.of("where", real, real, Domain.truth())
            .on("0-d", new long[] {}, new long[] {}, new long[] {})
            .on("one", new long[] {1}, new long[] {1}, new long[] {1})
            .on("empty", new long[] {3, 0}, new long[] {1}, new long[] {3, 1})
            .on("odd", new long[] {7}, new long[] {7}, new long[] {7})
            .on("matrix", new long[] {3, 5}, new long[] {3, 5}, new long[] {3, 5})
            .on("both", new long[] {3, 1}, new long[] {1, 5}, new long[] {5})
            .on("condition larger", new long[] {5}, new long[] {}, new long[] {2, 3, 1})
            .call("where(Tensor, Tensor, Tensor)", "", in -> in.get(0).where(in.get(2), in.get(1))),
        OpRow.of("where a number", real, Domain.truth())
            .call("where(Tensor, Tensor, double)", "0.5", in -> in.get(0).where(in.get(1), 0.5)),
        OpRow.of("maskedFill", real, Domain.truth())
            .call(
                "maskedFill(Tensor, Tensor, double)",
                "-2",
                in -> in.get(0).maskedFill(in.get(1), -2)),
        OpRow.of("tril", real)
            .call("tril(Tensor)", "", 2, in -> in.get(0).tril())
            .call("tril(Tensor, long)", "1", 2, in -> in.get(0).tril(1))
            .call("tril(Tensor, long)", "-1", 2, in -> in.get(0).tril(-1)),
        OpRow.of("triu", real)
            .call("triu(Tensor)", "", 2, in -> in.get(0).triu())
            .call("triu(Tensor, long)", "1", 2, in -> in.get(0).triu(1))
            .call("triu(Tensor, long)", "-1", 2, in -> in.get(0).triu(-1)));
  }
}

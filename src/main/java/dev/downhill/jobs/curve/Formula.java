package dev.downhill.jobs.curve;

import dev.downhill.jobs.JobOption;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/**
 * A formula of x as text, turned into operators on tensors, so that its derivatives come from
 * autograd.
 *
 * <pre>
 * sum     = product {("+" | "-") product}
 * product = signed {("*" | "/") signed | power}        3x^2 and 2(x + 1) need no sign
 * signed  = ("-" | "+") signed | power                 -x^2 is -(x^2)
 * power   = atom ["^" signed]                          2^3^2 is 2^(3^2)
 * atom    = number | "x" | "pi" | "e" | function "(" sum ")" | "(" sum ")"
 * </pre>
 */
final class Formula {
  /** The most brackets, signs and powers inside each other. */
  static final int MOST_DEPTH = 40;

  private static final Map<String, UnaryOperator<Tensor>> FUNCTIONS = new LinkedHashMap<>();

  static {
    FUNCTIONS.put("sin", Tensor::sin);
    FUNCTIONS.put("cos", Tensor::cos);
    FUNCTIONS.put("exp", Tensor::exp);
    FUNCTIONS.put("log", Tensor::log);
    FUNCTIONS.put("sqrt", Tensor::sqrt);
    FUNCTIONS.put("tanh", Tensor::tanh);
    FUNCTIONS.put("abs", Tensor::abs);
  }

  private static final String ATOM =
      "a number, x, pi, e, one of " + String.join(", ", FUNCTIONS.keySet()) + ", or (";

  private final FormulaText text;
  private final UnaryOperator<Tensor> value;
  private int depth;
  private boolean varies;

  private Formula(FormulaText text) {
    this.text = text;
    value = sum();
    text.end();
    if (!varies) {
      throw new IllegalArgumentException(
          "%s: expected a formula with an x in it, got '%s'"
              .formatted(JobOption.CURVE.flag(), text));
    }
  }

  /**
   * Reads a formula.
   *
   * @throws IllegalArgumentException saying at which character what was expected and found
   */
  static Formula parse(String text) {
    return new Formula(new FormulaText(text));
  }

  /** The curve's value at each element of a float64 tensor. */
  Tensor of(Tensor x) {
    return value.apply(x);
  }

  @Override
  public String toString() {
    return text.toString();
  }

  private UnaryOperator<Tensor> sum() {
    UnaryOperator<Tensor> left = product();
    while (true) {
      if (text.take('+')) {
        left = join(left, product(), Tensor::add);
      } else if (text.take('-')) {
        left = join(left, product(), Tensor::sub);
      } else {
        return left;
      }
    }
  }

  private UnaryOperator<Tensor> product() {
    UnaryOperator<Tensor> left = signed();
    while (true) {
      if (text.take('*')) {
        left = join(left, signed(), Tensor::mul);
      } else if (text.take('/')) {
        left = join(left, signed(), Tensor::div);
      } else if (text.beginsAtom()) {
        left = join(left, power(), Tensor::mul);
      } else {
        return left;
      }
    }
  }

  private UnaryOperator<Tensor> signed() {
    if (depth == MOST_DEPTH) {
      throw text.refuse(
          "at most %s brackets, signs and powers inside each other".formatted(MOST_DEPTH));
    }
    depth++;
    UnaryOperator<Tensor> result;
    if (text.take('-')) {
      UnaryOperator<Tensor> of = signed();
      result = x -> of.apply(x).neg();
    } else {
      result = text.take('+') ? signed() : power();
    }
    depth--;
    return result;
  }

  private UnaryOperator<Tensor> power() {
    UnaryOperator<Tensor> base = atom();
    return text.take('^') ? join(base, signed(), Tensor::pow) : base;
  }

  private UnaryOperator<Tensor> atom() {
    if (text.take('(')) {
      return closed();
    }
    if (text.beginsNumber()) {
      return constant(text.number());
    }
    String name = text.name();
    return switch (name) {
      case "x" -> {
        varies = true;
        yield x -> x;
      }
      case "pi" -> constant(Math.PI);
      case "e" -> constant(Math.E);
      default -> {
        UnaryOperator<Tensor> function = FUNCTIONS.get(name);
        if (function == null) {
          text.back(name);
          throw text.refuse(ATOM);
        }
        if (!text.take('(')) {
          throw text.refuse("( after " + name);
        }
        UnaryOperator<Tensor> of = closed();
        yield x -> function.apply(of.apply(x));
      }
    };
  }

  /** What follows an opening bracket. */
  private UnaryOperator<Tensor> closed() {
    UnaryOperator<Tensor> inside = sum();
    if (!text.take(')')) {
      throw text.refuse("an operator or )");
    }
    return inside;
  }

  private static UnaryOperator<Tensor> constant(double v) {
    return x -> Tensor.full(x.device(), DType.F64, v);
  }

  private static UnaryOperator<Tensor> join(
      UnaryOperator<Tensor> a, UnaryOperator<Tensor> b, BinaryOperator<Tensor> by) {
    return x -> by.apply(a.apply(x), b.apply(x));
  }
}

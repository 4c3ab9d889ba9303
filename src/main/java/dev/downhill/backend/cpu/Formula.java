package dev.downhill.backend.cpu;

import java.util.List;
import java.util.Set;

/**
 * What an elementwise operator computes for one element: inputs, constants and calls. A formula is
 * written once and compiled by {@link FormulaCompiler} for each element type it is used with, so
 * that all its forms take the same steps. Equal parts are computed once.
 */
sealed interface Formula {

  /** What the loop hands to the formula. */
  enum Input implements Formula {
    /** The first operand's element. */
    X,
    /** The second operand's element. */
    Y,
    /** An element of type bool; for {@link #select} alone. */
    CONDITION,
    /** The first scalar of the call. */
    A,
    /** The second scalar of the call. */
    B
  }

  /** A number, rounded to the type computed in. */
  record Constant(double value) implements Formula {}

  /** A function, named as its methods in {@link Scalars}, {@link Lanes} and {@link CpuMath}. */
  record Call(String function, List<Formula> arguments) implements Formula {
    Call(String function, Formula... arguments) {
      this(function, List.of(arguments));
    }
  }

  Formula X = Input.X;
  Formula Y = Input.Y;
  Formula A = Input.A;
  Formula B = Input.B;
  Formula ZERO = constant(0);
  Formula ONE = constant(1);

  static Formula constant(double value) {
    return new Constant(value);
  }

  // Arithmetic

  static Formula neg(Formula x) {
    return new Call("neg", x);
  }

  static Formula abs(Formula x) {
    return new Call("abs", x);
  }

  static Formula add(Formula x, Formula y) {
    return new Call("add", x, y);
  }

  static Formula sub(Formula x, Formula y) {
    return new Call("sub", x, y);
  }

  static Formula mul(Formula x, Formula y) {
    return new Call("mul", x, y);
  }

  static Formula mul(double x, Formula y) {
    return mul(constant(x), y);
  }

  static Formula div(Formula x, Formula y) {
    return new Call("div", x, y);
  }

  /** NaN if either is; 0 is above -0. */
  static Formula max(Formula x, Formula y) {
    return new Call("max", x, y);
  }

  /** NaN if either is; -0 is below 0. */
  static Formula min(Formula x, Formula y) {
    return new Call("min", x, y);
  }

  static Formula sqrt(Formula x) {
    return new Call("sqrt", x);
  }

  static Formula floor(Formula x) {
    return new Call("floor", x);
  }

  // Truth values

  static Formula eq(Formula x, Formula y) {
    return new Call("eq", x, y);
  }

  static Formula ne(Formula x, Formula y) {
    return new Call("ne", x, y);
  }

  static Formula lt(Formula x, Formula y) {
    return new Call("lt", x, y);
  }

  static Formula le(Formula x, Formula y) {
    return new Call("le", x, y);
  }

  /** {@code condition ? x : y}; both are computed. */
  static Formula select(Formula condition, Formula x, Formula y) {
    return new Call("select", condition, x, y);
  }

  // Functions of CpuMath

  static Formula exp(Formula x) {
    return new Call("exp", x);
  }

  static Formula expm1(Formula x) {
    return new Call("expm1", x);
  }

  static Formula log(Formula x) {
    return new Call("log", x);
  }

  static Formula log1p(Formula x) {
    return new Call("log1p", x);
  }

  static Formula sin(Formula x) {
    return new Call("sin", x);
  }

  static Formula cos(Formula x) {
    return new Call("cos", x);
  }

  static Formula tanh(Formula x) {
    return new Call("tanh", x);
  }

  static Formula sigmoid(Formula x) {
    return new Call("sigmoid", x);
  }

  static Formula erf(Formula x) {
    return new Call("erf", x);
  }

  static Formula pow(Formula x, Formula y) {
    return new Call("pow", x, y);
  }

  // Questions; static, because an interface with default methods is initialised before its enum

  /** Whether f computes a truth value. */
  static boolean isTruth(Formula f) {
    return f == Input.CONDITION
        || (f instanceof Call call && Set.of("eq", "ne", "lt", "le").contains(call.function));
  }

  /** Whether every function in f has a form for vectors. */
  static boolean hasVectorForm(Formula f) {
    return switch (f) {
      case Input input -> input != Input.CONDITION;
      case Constant _ -> true;
      case Call call ->
          switch (call.function) {
            case "floor", "pow" -> false;
            default -> call.arguments.stream().allMatch(Formula::hasVectorForm);
          };
    };
  }
}

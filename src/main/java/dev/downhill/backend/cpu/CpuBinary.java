package dev.downhill.backend.cpu;

import static dev.downhill.backend.cpu.Formula.*;

import dev.downhill.backend.Binary;

/** The functions of two numbers. */
final class CpuBinary {
  private CpuBinary() {}

  /** op(x, y). */
  static Formula of(Binary op, Formula x, Formula y) {
    return switch (op) {
      case ADD -> add(x, y);
      case SUB -> sub(x, y);
      case MUL -> mul(x, y);
      case DIV -> div(x, y);
      case POW -> pow(x, y);
      case MAXIMUM -> max(x, y);
      case MINIMUM -> min(x, y);
      case EQ -> eq(x, y);
      case NE -> ne(x, y);
      case LT -> lt(x, y);
      case LE -> le(x, y);
      case GT -> lt(y, x);
      case GE -> le(y, x);
    };
  }
}

package dev.downhill.backend.cpu;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import dev.downhill.shape.DType;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.OperatorInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/** Compiles a {@link Formula} for single elements of a type. */
final class ElementCompiler extends FormulaCompiler {
  private static final ClassDesc SEGMENT = HiddenClass.desc(MemorySegment.class);
  private static final ClassDesc SCALARS = HiddenClass.desc(Scalars.class);
  private static final ClassDesc MATH = HiddenClass.desc(Math.class);
  private static final ClassDesc FUNCTIONS = HiddenClass.desc(CpuMath.class);

  private final DType in;
  private final ClassDesc number;

  private ElementCompiler(CodeBuilder code, DType in, ClassDesc number) {
    super(code, number, CD_boolean);
    this.in = in;
    this.number = number;
  }

  /** The formula for operands of type {@code in} and results of type {@code out}. */
  static Element compile(Formula formula, DType in, DType out) {
    ClassDesc number =
        switch (in) {
          case F64 -> CD_double;
          case F32, BF16 -> CD_float;
          case I64, I32, U8, BOOL -> CD_long;
        };
    Formula result =
        out == DType.BOOL && !Formula.isTruth(formula)
            ? Formula.ne(formula, Formula.ZERO)
            : formula;
    return HiddenClass.implement(
        Element.class, code -> new ElementCompiler(code, in, number).store(result, out));
  }

  // The parameters of Element.at: x 0, y 2, c 4, z 6, each with its position; a 8, b 9

  @Override
  void input(Formula.Input input) {
    // Truth values are the bytes 0 and 1: numbers already.
    DType type = in == DType.BOOL ? DType.U8 : in;
    switch (input) {
      case X -> load(0, type, number);
      case Y -> load(2, type, number);
      case CONDITION -> load(4, DType.BOOL, CD_boolean);
      case A -> scalar(8);
      case B -> scalar(9);
    }
  }

  private void load(int parameter, DType dtype, ClassDesc type) {
    position(parameter)
        .invokestatic(SCALARS, accessor("load", dtype), MethodTypeDesc.of(type, SEGMENT, CD_long));
  }

  private void store(Formula formula, DType out) {
    push(formula);
    ClassDesc type =
        switch (out) {
          case F64 -> CD_double;
          case F32, BF16 -> CD_float;
          case I64 -> CD_long;
          case I32, U8 -> CD_int;
          case BOOL -> CD_boolean;
        };
    if (out != DType.BOOL) {
      code.conversion(TypeKind.from(number), TypeKind.from(type));
    }
    position(6)
        .invokestatic(
            SCALARS, accessor("store", out), MethodTypeDesc.of(CD_void, type, SEGMENT, CD_long))
        .return_();
  }

  private CodeBuilder position(int parameter) {
    return code.aload(code.parameterSlot(parameter)).lload(code.parameterSlot(parameter + 1));
  }

  private void scalar(int parameter) {
    code.dload(code.parameterSlot(parameter)).conversion(TypeKind.DOUBLE, TypeKind.from(number));
  }

  /** {@code loadF32}, {@code storeBool}, ... */
  private static String accessor(String verb, DType dtype) {
    String suffix = dtype.suffix();
    return verb + suffix.substring(0, 1).toUpperCase(Locale.ROOT) + suffix.substring(1);
  }

  @Override
  void constant(double value) {
    code.loadConstant(value).conversion(TypeKind.DOUBLE, TypeKind.from(number));
  }

  @Override
  void call(String function, MethodTypeDesc type) {
    switch (function) {
      case "add", "sub", "mul", "div", "neg" -> code.with(OperatorInstruction.of(opcode(function)));
      case "abs", "max", "min" -> code.invokestatic(MATH, function, type);
      case "sqrt", "floor", "eq", "ne", "lt", "le", "select" ->
          code.invokestatic(SCALARS, function, type);
      default -> code.invokestatic(FUNCTIONS, function, type);
    }
  }

  /** {@code FADD}, {@code DADD}, {@code LADD}, ... */
  private Opcode opcode(String function) {
    String prefix =
        switch (TypeKind.from(number)) {
          case FLOAT -> "F";
          case DOUBLE -> "D";
          default -> "L";
        };
    return Opcode.valueOf(prefix + function.toUpperCase(Locale.ROOT));
  }
}

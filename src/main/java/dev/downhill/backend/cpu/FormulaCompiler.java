package dev.downhill.backend.cpu;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns a {@link Formula} into straight-line bytecode: an instruction or a call for each of its
 * nodes, each result in a local variable.
 */
abstract class FormulaCompiler {
  final CodeBuilder code;
  private final ClassDesc number;
  private final ClassDesc truth;
  private final Map<Formula, Integer> slots = new HashMap<>();

  /**
   * A compiler that appends to a method.
   *
   * @param number the type of numbers
   * @param truth the type of truth values
   */
  FormulaCompiler(CodeBuilder code, ClassDesc number, ClassDesc truth) {
    this.code = code;
    this.number = number;
    this.truth = truth;
  }

  /** Pushes an input. */
  abstract void input(Formula.Input input);

  /** Pushes a constant. */
  abstract void constant(double value);

  /** Replaces the arguments on the stack by a function's result. */
  abstract void call(String function, MethodTypeDesc type);

  /** Pushes the value of a formula. */
  final void push(Formula formula) {
    code.loadLocal(kindOf(formula), slot(formula));
  }

  /** The local variable that holds the value of a formula, computed here if it is met first. */
  final int slot(Formula formula) {
    Integer known = slots.get(formula);
    if (known != null) {
      return known;
    }
    switch (formula) {
      case Formula.Input input -> input(input);
      case Formula.Constant constant -> constant(constant.value());
      case Formula.Call call -> {
        List<Formula> arguments = call.arguments();
        arguments.forEach(this::slot);
        arguments.forEach(this::push);
        call(
            call.function(),
            MethodTypeDesc.of(typeOf(call), arguments.stream().map(this::typeOf).toList()));
      }
    }
    int slot = code.allocateLocal(kindOf(formula));
    code.storeLocal(kindOf(formula), slot);
    slots.put(formula, slot);
    return slot;
  }

  private TypeKind kindOf(Formula formula) {
    return TypeKind.from(typeOf(formula));
  }

  private ClassDesc typeOf(Formula formula) {
    return Formula.isTruth(formula) ? truth : number;
  }
}

package dev.downhill.backend.cpu;

import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.Instruction;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LoadInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.classfile.instruction.StoreInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.AccessFlag;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Compiles a {@link Formula} to a loop over vectors of {@code f32}.
 *
 * <p>Methods of {@link Lanes} and {@link CpuVectorMath} are not called, their bodies are copied into
 * the loop. The JIT compiler stops inlining a program's own methods after some 25 vector operations
 * (it counts 18,000 nodes before the Vector API's own methods are reduced to instructions, and only
 * those are exempt), and a method that is not inlined costs two boxed vectors a call: the loop of GELU
 * ran at 10 ns an element.
 */
final class LaneCompiler extends FormulaCompiler {
  private static final ClassDesc SEGMENT = HiddenClass.desc(MemorySegment.class);
  private static final ClassDesc VECTOR = ClassDesc.of("jdk.incubator.vector.FloatVector");
  private static final ClassDesc MASK = ClassDesc.of("jdk.incubator.vector.VectorMask");

  /** The methods that formulas call, by name and descriptor. */
  private static final Map<String, MethodModel> METHODS =
      Stream.of(Lanes.class, CpuVectorMath.class)
          .flatMap(c -> ClassFile.of().parse(HiddenClass.bytes(c)).methods().stream())
          .filter(m -> m.flags().has(AccessFlag.STATIC))
          .collect(
              Collectors.toMap(
                  m -> m.methodName().stringValue() + m.methodType().stringValue(), m -> m));

  private final boolean sameX;
  private final boolean sameY;
  private final int i;

  private LaneCompiler(CodeBuilder code, boolean sameX, boolean sameY) {
    super(code, VECTOR, MASK);
    this.sameX = sameX;
    this.sameY = sameY;
    this.i = code.allocateLocal(TypeKind.LONG);
  }

  /**
   * The loop of a formula.
   *
   * @param sameX whether x is one element for the whole row, else a row; likewise sameY
   */
  static LaneLoop compile(Formula formula, boolean sameX, boolean sameY) {
    return HiddenClass.implement(
        LaneLoop.class, code -> new LaneCompiler(code, sameX, sameY).loop(formula));
  }

  // The parameters of LaneLoop.run: x 0, y 2, z 4, each with its position; a 6, b 7; n 8

  private void loop(Formula formula) {
    // What does not change comes before the loop.
    slot(Formula.A);
    slot(Formula.B);
    if (sameX) {
      slot(Formula.X);
    }
    if (sameY) {
      slot(Formula.Y);
    }
    code.lconst_0().lstore(i);
    Label head = code.newBoundLabel();
    Label end = code.newLabel();
    code.lload(i)
        .lload(code.parameterSlot(8))
        .loadConstant((long) Lanes.SPECIES.length())
        .lsub()
        .lcmp()
        .ifgt(end);
    push(formula);
    position(4);
    call("store", MethodTypeDesc.of(CD_void, VECTOR, SEGMENT, CD_long));
    code.lload(i).loadConstant((long) Lanes.SPECIES.length()).ladd().lstore(i);
    code.goto_(head).labelBinding(end).lload(i).lreturn();
  }

  @Override
  void input(Formula.Input input) {
    switch (input) {
      case X -> operand(0, sameX);
      case Y -> operand(2, sameY);
      case A -> scalar(6);
      case B -> scalar(7);
      case CONDITION -> throw new AssertionError("conditions have no vector form");
    }
  }

  private void operand(int parameter, boolean same) {
    if (same) {
      code.aload(code.parameterSlot(parameter))
          .lload(code.parameterSlot(parameter + 1))
          .invokestatic(
              HiddenClass.desc(Scalars.class),
              "loadF32",
              MethodTypeDesc.of(CD_float, SEGMENT, CD_long));
      broadcast();
    } else {
      position(parameter);
      call("load", MethodTypeDesc.of(VECTOR, SEGMENT, CD_long));
    }
  }

  /** Pushes the segment that a parameter is, and where in it element i is. */
  private void position(int parameter) {
    code.aload(code.parameterSlot(parameter))
        .lload(code.parameterSlot(parameter + 1))
        .lload(i)
        .loadConstant((long) Float.BYTES)
        .lmul()
        .ladd();
  }

  @Override
  void constant(double value) {
    code.loadConstant((float) value);
    broadcast();
  }

  private void scalar(int parameter) {
    code.fload(code.parameterSlot(parameter));
    broadcast();
  }

  /** Makes a vector of the float on the stack. */
  private void broadcast() {
    call("broadcast", MethodTypeDesc.of(VECTOR, CD_float));
  }

  @Override
  void call(String function, MethodTypeDesc type) {
    MethodModel method =
        Objects.requireNonNull(METHODS.get(function + type.descriptorString()), function);
    CodeModel body = method.code().orElseThrow();
    if (body.elementStream().anyMatch(BranchInstruction.class::isInstance)) {
      ClassDesc owner = method.parent().orElseThrow().thisClass().asSymbol();
      code.invokestatic(owner, function, type);
    } else {
      copy(body, type);
    }
  }

  /** Runs the instructions of a method without branches, whose arguments are on the stack. */
  private void copy(CodeModel body, MethodTypeDesc type) {
    Map<Integer, Integer> locals = new HashMap<>();
    int next = 0;
    for (ClassDesc parameter : type.parameterList()) {
      TypeKind kind = TypeKind.from(parameter);
      locals.put(next, code.allocateLocal(kind));
      next += kind.slotSize();
    }
    for (int p = type.parameterCount() - 1; p >= 0; p--) {
      TypeKind kind = TypeKind.from(type.parameterType(p));
      next -= kind.slotSize();
      code.storeLocal(kind, locals.get(next));
    }
    for (CodeElement element : body) {
      switch (element) {
        case LoadInstruction l -> code.loadLocal(l.typeKind(), locals.get(l.slot()));
        case StoreInstruction s ->
            code.storeLocal(
                s.typeKind(),
                locals.computeIfAbsent(s.slot(), _ -> code.allocateLocal(s.typeKind())));
        case InvokeInstruction v
            when v.opcode() == Opcode.INVOKESTATIC
                && METHODS.containsKey(v.name().stringValue() + v.type().stringValue()) ->
            call(v.name().stringValue(), v.typeSymbol());
        case ReturnInstruction _ -> {}
        case Instruction other -> code.with(other);
        default -> {}
      }
    }
  }
}

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
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Compiles a {@link Formula} to a loop over vectors of {@code f32}.
 *
 * <p>Methods of {@link Lanes} and {@link CpuVectorMath} are not called, their bodies are copied
 * into the loop. The JIT compiler stops inlining a program's own methods after some 25 vector
 * operations (it counts 18,000 nodes before the Vector API's own methods are reduced to
 * instructions, and only those are exempt), and a method that is not inlined costs two boxed
 * vectors a call: the loop of GELU ran at 10 ns an element.
 */
final class LaneCompiler extends FormulaCompiler {
  private static final ClassDesc SEGMENT = HiddenClass.desc(MemorySegment.class);
  private static final ClassDesc SCALARS = HiddenClass.desc(Scalars.class);
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
  private final int row;
  private final int column;

  private LaneCompiler(CodeBuilder code, boolean sameX, boolean sameY) {
    super(code, VECTOR, MASK);
    this.sameX = sameX;
    this.sameY = sameY;
    this.row = code.allocateLocal(TypeKind.LONG);
    this.column = code.allocateLocal(TypeKind.LONG);
  }

  /**
   * The loop of a formula.
   *
   * @param sameX whether each row of x is one element, again and again; likewise sameY
   * @param manyRows whether rows are short and many: then the inner loop goes down them
   */
  static LaneLoop compile(Formula formula, boolean sameX, boolean sameY, boolean manyRows) {
    return HiddenClass.implement(
        LaneLoop.class, code -> new LaneCompiler(code, sameX, sameY).loops(formula, manyRows));
  }

  // The parameters of LaneLoop.run: x 0, y 3, z 6, each with its position and the distance of its
  // rows; a 9, b 10, rows 11, cols 12

  private void loops(Formula formula, boolean manyRows) {
    for (int operand = 0; operand < 9; operand += 3) {
      int slot = code.parameterSlot(operand);
      code.aload(slot)
          .invokestatic(SCALARS, "offHeap", MethodTypeDesc.of(SEGMENT, SEGMENT))
          .astore(slot);
    }
    int step = Lanes.SPECIES.length();
    Runnable body = () -> store(formula);
    // What does not change in a loop comes before it.
    slot(Formula.A);
    slot(Formula.B);
    if (manyRows) {
      loop(column, 12, step, () -> loop(row, 11, 1, body));
    } else {
      loop(
          row,
          11,
          1,
          () -> {
            if (sameX) {
              slot(Formula.X);
            }
            if (sameY) {
              slot(Formula.Y);
            }
            loop(column, 12, step, body);
          });
    }
    code.return_();
  }

  private void store(Formula formula) {
    push(formula);
    position(6);
    column();
    call("store", MethodTypeDesc.of(CD_void, VECTOR, SEGMENT, CD_long));
  }

  /** Repeats a body, the counter going from 0 to a parameter. */
  private void loop(int counter, int end, long step, Runnable body) {
    Label done = code.newLabel();
    code.lconst_0().lstore(counter);
    Label head = code.newBoundLabel();
    code.lload(counter).lload(code.parameterSlot(end)).lcmp().ifge(done);
    body.run();
    code.lload(counter).loadConstant(step).ladd().lstore(counter).goto_(head).labelBinding(done);
  }

  @Override
  void input(Formula.Input input) {
    switch (input) {
      case X -> operand(0, sameX);
      case Y -> operand(3, sameY);
      case A -> scalar(9);
      case B -> scalar(10);
      case CONDITION -> throw new AssertionError("conditions have no vector form");
    }
  }

  private void operand(int parameter, boolean same) {
    position(parameter);
    if (same) {
      code.invokestatic(SCALARS, "loadF32", MethodTypeDesc.of(CD_float, SEGMENT, CD_long));
      broadcast();
    } else {
      column();
      call("load", MethodTypeDesc.of(VECTOR, SEGMENT, CD_long));
    }
  }

  /** Pushes a segment and where in it the row is. */
  private void position(int parameter) {
    code.aload(code.parameterSlot(parameter))
        .lload(code.parameterSlot(parameter + 1))
        .lload(row)
        .lload(code.parameterSlot(parameter + 2))
        .lmul()
        .ladd();
  }

  /** Adds where in the row the column is. */
  private void column() {
    code.lload(column).loadConstant((long) Float.BYTES).lmul().ladd();
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
    List<TypeKind> parameters = type.parameterList().stream().map(TypeKind::from).toList();
    int slot = parameters.stream().mapToInt(TypeKind::slotSize).sum();
    for (TypeKind kind : parameters.reversed()) {
      slot -= kind.slotSize();
      code.storeLocal(kind, local(locals, slot, kind));
    }
    for (CodeElement element : body) {
      switch (element) {
        case LoadInstruction l ->
            code.loadLocal(l.typeKind(), local(locals, l.slot(), l.typeKind()));
        case StoreInstruction s ->
            code.storeLocal(s.typeKind(), local(locals, s.slot(), s.typeKind()));
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

  private int local(Map<Integer, Integer> locals, int slot, TypeKind kind) {
    return locals.computeIfAbsent(slot, _ -> code.allocateLocal(kind));
  }
}

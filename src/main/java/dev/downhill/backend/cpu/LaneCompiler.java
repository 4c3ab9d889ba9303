package dev.downhill.backend.cpu;

import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.MemorySegment;

/**
 * Compiles a {@link Formula} to a loop over vectors of {@code f32}, with the methods that it calls
 * copied into it by {@link VectorInliner}.
 */
final class LaneCompiler extends FormulaCompiler {
  private static final ClassDesc SEGMENT = HiddenClass.desc(MemorySegment.class);
  private static final ClassDesc SCALARS = HiddenClass.desc(Scalars.class);
  private static final ClassDesc VECTOR = ClassDesc.of("jdk.incubator.vector.FloatVector");
  private static final ClassDesc MASK = ClassDesc.of("jdk.incubator.vector.VectorMask");

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
    VectorInliner.call(code, function, type);
  }
}

package dev.downhill.backend.cpu;

import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Writes the {@link Tile} of a number of rows and vectors, every sum a local variable of its own:
 *
 * <pre>{@code
 * for (int p = 0; p < depth; p++) {
 *   b0 = load(b, ib + p * bStep), b1 = load(b, ib + p * bStep + 64), ...
 *   x = broadcast(a[ia + p * aStep]);          y00 = x.fma(b0, y00), y01 = x.fma(b1, y01), ...
 *   x = broadcast(a[ia + p * aStep + aLine]);  y10 = x.fma(b0, y10), ...
 * }
 * }</pre>
 *
 * <p>From the loop on only methods of the JDK are called that the JIT compiler always inlines:
 * after 18,000 nodes, which such a method has, it inlines no others, and the loop runs at a tenth
 * of the speed. Before the loop a method of its own loads the sums: with the JDK's in its place the
 * method is too large for the first compiler, and may then never reach the second.
 */
final class TileCompiler {
  static final VectorSpecies<Float> F32 = Lanes.SPECIES;
  static final VectorSpecies<Double> F64 = F32.withLanes(double.class);

  private static final ClassDesc SEGMENT = HiddenClass.desc(MemorySegment.class);
  private static final ClassDesc SPECIES = HiddenClass.desc(VectorSpecies.class);
  private static final ClassDesc ORDER = HiddenClass.desc(ByteOrder.class);
  private static final ClassDesc VECTOR = HiddenClass.desc(Vector.class);
  private static final ClassDesc SCALARS = HiddenClass.desc(Scalars.class);
  private static final ClassDesc HERE = HiddenClass.desc(TileCompiler.class);

  // The parameters of Tile.multiply
  private static final int A = 0;
  private static final int IA = 1;
  private static final int A_LINE = 2;
  private static final int A_STEP = 3;
  private static final int B = 4;
  private static final int IB = 5;
  private static final int B_STEP = 6;
  private static final int DEPTH = 7;
  private static final int START = 8;
  private static final int I_START = 9;
  private static final int START_LINE = 10;
  private static final int Y = 11;
  private static final int IY = 12;
  private static final int Y_LINE = 13;

  private final CodeBuilder code;
  private final boolean wide;
  private final ClassDesc type;
  private final int rows;
  private final int vectors;
  private final int[][] sums;

  private TileCompiler(CodeBuilder code, boolean wide, int rows, int vectors) {
    this.code = code;
    this.wide = wide;
    this.type = HiddenClass.desc(wide ? DoubleVector.class : FloatVector.class);
    this.rows = rows;
    this.vectors = vectors;
    this.sums = new int[rows][vectors];
  }

  /**
   * The tile of a size.
   *
   * @param wide {@code f64}, else {@code f32}
   */
  static Tile compile(boolean wide, int rows, int vectors) {
    return HiddenClass.implement(
        Tile.class, code -> new TileCompiler(code, wide, rows, vectors).multiply());
  }

  private void multiply() {
    for (int segment : new int[] {A, B, START, Y}) {
      int slot = code.parameterSlot(segment);
      code.aload(slot)
          .invokestatic(SCALARS, "offHeap", MethodTypeDesc.of(SEGMENT, SEGMENT))
          .astore(slot);
    }
    for (int r = 0; r < rows; r++) {
      for (int v = 0; v < vectors; v++) {
        sums[r][v] = code.allocateLocal(TypeKind.REFERENCE);
        code.aload(code.parameterSlot(START))
            .lload(code.parameterSlot(I_START))
            .lload(code.parameterSlot(START_LINE))
            .loadConstant(r)
            .loadConstant(v)
            .invokestatic(
                HERE,
                wide ? "start64" : "start32",
                MethodTypeDesc.of(type, SEGMENT, CD_long, CD_long, CD_int, CD_int))
            .astore(sums[r][v]);
      }
    }
    steps();
    for (int r = 0; r < rows; r++) {
      for (int v = 0; v < vectors; v++) {
        code.aload(sums[r][v]);
        place(Y, IY, Y_LINE, r, v)
            .invokevirtual(
                type, "intoMemorySegment", MethodTypeDesc.of(CD_void, SEGMENT, CD_long, ORDER));
      }
    }
    code.return_();
  }

  /** A vector of a row that sums begin with. */
  static FloatVector start32(MemorySegment s, long at, long line, int row, int vector) {
    long there = at + row * line + (long) vector * F32.vectorByteSize();
    return FloatVector.fromMemorySegment(F32, s, there, ByteOrder.nativeOrder());
  }

  /** A vector of a row that sums begin with. */
  static DoubleVector start64(MemorySegment s, long at, long line, int row, int vector) {
    long there = at + row * line + (long) vector * F64.vectorByteSize();
    return DoubleVector.fromMemorySegment(F64, s, there, ByteOrder.nativeOrder());
  }

  /** Pushes where a vector of a row lies, and the order of bytes. */
  private CodeBuilder place(int segment, int at, int line, int row, int vector) {
    return code.aload(code.parameterSlot(segment))
        .lload(code.parameterSlot(at))
        .lload(code.parameterSlot(line))
        .loadConstant((long) row)
        .lmul()
        .ladd()
        .loadConstant((long) vector * F32.vectorByteSize())
        .ladd()
        .invokestatic(ORDER, "nativeOrder", MethodTypeDesc.of(ORDER));
  }

  private void steps() {
    int step = code.allocateLocal(TypeKind.INT);
    int[] b = new int[vectors];
    int x = code.allocateLocal(TypeKind.REFERENCE);
    Label done = code.newLabel();
    code.iconst_0().istore(step);
    Label head = code.newBoundLabel();
    code.iload(step).iload(code.parameterSlot(DEPTH)).if_icmpge(done);
    for (int v = 0; v < vectors; v++) {
      b[v] = code.allocateLocal(TypeKind.REFERENCE);
      species().aload(code.parameterSlot(B)).lload(code.parameterSlot(IB));
      along(step, B_STEP)
          .loadConstant((long) v * F32.vectorByteSize())
          .ladd()
          .invokestatic(ORDER, "nativeOrder", MethodTypeDesc.of(ORDER))
          .invokestatic(
              type, "fromMemorySegment", MethodTypeDesc.of(type, SPECIES, SEGMENT, CD_long, ORDER))
          .astore(b[v]);
    }
    for (int r = 0; r < rows; r++) {
      broadcast(step, r);
      code.astore(x);
      for (int v = 0; v < vectors; v++) {
        code.aload(x)
            .aload(b[v])
            .aload(sums[r][v])
            .invokevirtual(type, "fma", MethodTypeDesc.of(type, VECTOR, VECTOR))
            .astore(sums[r][v]);
      }
    }
    code.iinc(step, 1).goto_(head).labelBinding(done);
  }

  /**
   * Adds what lies before a step of k to the position on the stack. Positions that move on from
   * step to step instead are kept in memory by the JIT compiler, and a quarter of the speed goes.
   */
  private CodeBuilder along(int step, int stride) {
    return code.iload(step).i2l().lload(code.parameterSlot(stride)).lmul().ladd();
  }

  /** Pushes a vector of the element of a row of a. */
  private void broadcast(int step, int row) {
    ClassDesc element = wide ? CD_double : CD_float;
    ClassDesc layout =
        HiddenClass.desc(wide ? ValueLayout.OfDouble.class : ValueLayout.OfFloat.class);
    species()
        .aload(code.parameterSlot(A))
        .getstatic(
            HiddenClass.desc(ValueLayout.class),
            wide ? "JAVA_DOUBLE_UNALIGNED" : "JAVA_FLOAT_UNALIGNED",
            layout)
        .lload(code.parameterSlot(IA));
    along(step, A_STEP)
        .lload(code.parameterSlot(A_LINE))
        .loadConstant((long) row)
        .lmul()
        .ladd()
        .invokeinterface(SEGMENT, "get", MethodTypeDesc.of(element, layout, CD_long))
        .invokestatic(type, "broadcast", MethodTypeDesc.of(type, SPECIES, element));
  }

  private CodeBuilder species() {
    return code.getstatic(HERE, wide ? "F64" : "F32", SPECIES);
  }
}

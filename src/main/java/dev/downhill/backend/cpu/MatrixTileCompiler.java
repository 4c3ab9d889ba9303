package dev.downhill.backend.cpu;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/** Writes a {@link Tile}: matrices in memory, at any strides. */
final class MatrixTileCompiler extends TileCompiler {
  private static final ClassDesc SEGMENT = HiddenClass.desc(MemorySegment.class);
  private static final ClassDesc ORDER = HiddenClass.desc(ByteOrder.class);
  private static final ClassDesc SCALARS = HiddenClass.desc(Scalars.class);
  private static final ClassDesc HERE = HiddenClass.desc(MatrixTileCompiler.class);

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

  private static final @Nullable Tile[][][] COMPILED = new Tile[2][Tiles.ROWS][Tiles.VECTORS];

  private MatrixTileCompiler(CodeBuilder code, boolean wide, int rows, int vectors) {
    super(code, wide, rows, vectors);
  }

  /**
   * The tile of a size.
   *
   * @param wide {@code f64}, else {@code f32}
   */
  static Tile tile(boolean wide, int rows, int vectors) {
    synchronized (COMPILED) {
      @Nullable Tile[] line = COMPILED[wide ? 1 : 0][rows - 1];
      Tile tile = line[vectors - 1];
      if (tile == null) {
        tile =
            HiddenClass.implement(
                Tile.class,
                code ->
                    new MatrixTileCompiler(code, wide, rows, vectors)
                        .write(code.parameterSlot(DEPTH)));
        line[vectors - 1] = tile;
      }
      return tile;
    }
  }

  @Override
  void prepare() {
    for (int segment : new int[] {A, B, START, Y}) {
      int slot = code.parameterSlot(segment);
      code.aload(slot)
          .invokestatic(SCALARS, "offHeap", MethodTypeDesc.of(SEGMENT, SEGMENT))
          .astore(slot);
    }
  }

  @Override
  void start(int row, int vector) {
    code.aload(code.parameterSlot(START))
        .lload(code.parameterSlot(I_START))
        .lload(code.parameterSlot(START_LINE))
        .loadConstant(row)
        .loadConstant(vector)
        .invokestatic(
            HERE,
            wide ? "start64" : "start32",
            MethodTypeDesc.of(type, SEGMENT, CD_long, CD_long, CD_int, CD_int));
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

  @Override
  void vector(int step, int vector) {
    species().aload(code.parameterSlot(B)).lload(code.parameterSlot(IB));
    along(step, B_STEP)
        .loadConstant((long) vector * F32.vectorByteSize())
        .ladd()
        .invokestatic(ORDER, "nativeOrder", MethodTypeDesc.of(ORDER))
        .invokestatic(
            type, "fromMemorySegment", MethodTypeDesc.of(type, SPECIES, SEGMENT, CD_long, ORDER));
  }

  @Override
  void element(int step, int row) {
    ClassDesc layout =
        HiddenClass.desc(wide ? ValueLayout.OfDouble.class : ValueLayout.OfFloat.class);
    code.aload(code.parameterSlot(A))
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
        .invokeinterface(SEGMENT, "get", MethodTypeDesc.of(element, layout, CD_long));
  }

  /**
   * Adds what lies before a step of k to the position on the stack. Positions that move on from
   * step to step instead are kept in memory by the JIT compiler, and a quarter of the speed goes.
   */
  private CodeBuilder along(int step, int stride) {
    return code.iload(step).i2l().lload(code.parameterSlot(stride)).lmul().ladd();
  }

  @Override
  void store(int row, int vector) {
    code.aload(code.parameterSlot(Y))
        .lload(code.parameterSlot(IY))
        .lload(code.parameterSlot(Y_LINE))
        .loadConstant((long) row)
        .lmul()
        .ladd()
        .loadConstant((long) vector * F32.vectorByteSize())
        .ladd()
        .invokestatic(ORDER, "nativeOrder", MethodTypeDesc.of(ORDER))
        .invokevirtual(
            type, "intoMemorySegment", MethodTypeDesc.of(CD_void, SEGMENT, CD_long, ORDER));
  }
}

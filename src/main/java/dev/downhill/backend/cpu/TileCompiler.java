package dev.downhill.backend.cpu;

import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;
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
 * for (int p = 0; p < depth; p++, ia += aStep, ib += bStep) {
 *   b0 = load(b, ib), b1 = load(b, ib + 64), ...
 *   x = broadcast(a[ia]);          y00 = x.fma(b0, y00), y01 = x.fma(b1, y01), ...
 *   x = broadcast(a[ia + aLine]);  y10 = x.fma(b0, y10), ...
 * }
 * }</pre>
 *
 * <p>Only methods of the JDK are called that the JIT compiler always inlines: after 18,000 nodes,
 * which such a method has, it inlines no others, and the loop runs at a tenth of the speed.
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
  private static final int IS = 9;
  private static final int START_LINE = 10;
  private static final int END = 11;
  private static final int Y = 12;
  private static final int IY = 13;
  private static final int Y_LINE = 14;

  private final CodeBuilder code;
  private final boolean wide;
  private final ClassDesc type;
  private final int rows;
  private final int vectors;
  private final int[][] sums;
  private final int segment;
  private final int at;

  private TileCompiler(CodeBuilder code, boolean wide, int rows, int vectors) {
    this.code = code;
    this.wide = wide;
    this.type = HiddenClass.desc(wide ? DoubleVector.class : FloatVector.class);
    this.rows = rows;
    this.vectors = vectors;
    this.sums = new int[rows][vectors];
    this.segment = code.allocateLocal(TypeKind.REFERENCE);
    this.at = code.allocateLocal(TypeKind.LONG);
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
    for (int segment : new int[] {A, B, START, END, Y}) {
      int slot = code.parameterSlot(segment);
      code.aload(slot)
          .invokestatic(SCALARS, "offHeap", MethodTypeDesc.of(SEGMENT, SEGMENT))
          .astore(slot);
    }
    for (int r = 0; r < rows; r++) {
      for (int v = 0; v < vectors; v++) {
        sums[r][v] = code.allocateLocal(TypeKind.REFERENCE);
        position(START, IS, r, START_LINE, v);
        load(sums[r][v]);
      }
    }
    steps();
    store();
    code.return_();
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
      position(B, IB, 0, B_STEP, v);
      load(b[v]);
    }
    for (int r = 0; r < rows; r++) {
      species();
      position(A, IA, r, A_LINE, 0);
      broadcast();
      code.astore(x);
      for (int v = 0; v < vectors; v++) {
        code.aload(x)
            .aload(b[v])
            .aload(sums[r][v])
            .invokevirtual(type, "fma", MethodTypeDesc.of(type, VECTOR, VECTOR))
            .astore(sums[r][v]);
      }
    }
    advance(IA, A_STEP);
    advance(IB, B_STEP);
    code.iinc(step, 1).goto_(head).labelBinding(done);
  }

  private void store() {
    int[] end = new int[vectors];
    for (int v = 0; v < vectors; v++) {
      end[v] = code.allocateLocal(TypeKind.REFERENCE);
      code.aload(code.parameterSlot(END)).loadConstant(vector(v));
      load(end[v]);
    }
    for (int r = 0; r < rows; r++) {
      for (int v = 0; v < vectors; v++) {
        code.aload(sums[r][v])
            .aload(end[v])
            .invokevirtual(type, "add", MethodTypeDesc.of(type, VECTOR));
        position(Y, IY, r, Y_LINE, v);
        order();
        code.invokevirtual(
            type, "intoMemorySegment", MethodTypeDesc.of(CD_void, SEGMENT, CD_long, ORDER));
      }
    }
  }

  /** Pushes a segment and the position of a vector in it. */
  private void position(int segment, int start, int line, int stride, int vector) {
    code.aload(code.parameterSlot(segment)).lload(code.parameterSlot(start));
    if (line > 0) {
      code.lload(code.parameterSlot(stride)).loadConstant((long) line).lmul().ladd();
    }
    if (vector > 0) {
      code.loadConstant(vector(vector)).ladd();
    }
  }

  private static long vector(int number) {
    return (long) number * F32.vectorByteSize();
  }

  private void advance(int position, int stride) {
    code.lload(code.parameterSlot(position))
        .lload(code.parameterSlot(stride))
        .ladd()
        .lstore(code.parameterSlot(position));
  }

  /** Loads the vector at the segment and position on the stack to a local variable. */
  private void load(int local) {
    code.lstore(at).astore(segment);
    species().aload(segment).lload(at);
    order();
    code.invokestatic(
            type, "fromMemorySegment", MethodTypeDesc.of(type, SPECIES, SEGMENT, CD_long, ORDER))
        .astore(local);
  }

  /** Makes a vector of the element at the segment and position on the stack, over the species. */
  private void broadcast() {
    ClassDesc element = wide ? CD_double : CD_float;
    ClassDesc layout =
        HiddenClass.desc(wide ? ValueLayout.OfDouble.class : ValueLayout.OfFloat.class);
    code.lstore(at)
        .getstatic(
            HiddenClass.desc(ValueLayout.class),
            wide ? "JAVA_DOUBLE_UNALIGNED" : "JAVA_FLOAT_UNALIGNED",
            layout)
        .lload(at)
        .invokeinterface(SEGMENT, "get", MethodTypeDesc.of(element, layout, CD_long))
        .invokestatic(type, "broadcast", MethodTypeDesc.of(type, SPECIES, element));
  }

  private CodeBuilder species() {
    return code.getstatic(HERE, wide ? "F64" : "F32", SPECIES);
  }

  private void order() {
    code.invokestatic(ORDER, "nativeOrder", MethodTypeDesc.of(ORDER));
  }
}

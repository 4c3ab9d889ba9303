package dev.downhill.backend.cpu;

import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_float;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Writes the innermost loop of a product for a number of rows and vectors of columns, every sum a
 * local variable of its own:
 *
 * <pre>{@code
 * for (int p = 0; p < depth; p++) {
 *   b0 = vector 0 of b at p, b1 = vector 1, ...
 *   x = broadcast(row 0 of a at p);  y00 = x.fma(b0, y00), y01 = x.fma(b1, y01), ...
 *   x = broadcast(row 1 of a at p);  y10 = x.fma(b0, y10), ...
 * }
 * }</pre>
 *
 * <p>From the loop on only methods of the JDK are called that the JIT compiler always inlines:
 * after 18,000 nodes, which such a method has, it inlines no others, and the loop runs at a tenth
 * of the speed. Before the loop a method of its own loads the sums: with the JDK's in its place the
 * method is too large for the first compiler, and may then never reach the second.
 *
 * <p>That method is surely inlined only where the tile is compiled by itself. In a tile that is
 * compiled as a part of its caller, before it has run often, it would be called, and the sums would
 * be objects as long as the program runs. So every tile is too long to be a part of another method.
 */
abstract class TileCompiler {
  static final VectorSpecies<Float> F32 = Lanes.SPECIES;
  static final VectorSpecies<Double> F64 = F32.withLanes(double.class);

  static final ClassDesc SPECIES = HiddenClass.desc(VectorSpecies.class);
  private static final ClassDesc VECTOR = HiddenClass.desc(Vector.class);
  private static final ClassDesc HERE = HiddenClass.desc(TileCompiler.class);

  /** The JIT compiler makes no method of more bytes a part of another (FreqInlineSize). */
  private static final int INLINED = 325;

  final CodeBuilder code;
  final boolean wide;

  /** Of an element. */
  final ClassDesc element;

  /** Of a vector. */
  final ClassDesc type;

  final int rows;
  private final int vectors;

  /**
   * For one tile.
   *
   * @param wide {@code f64}, else {@code f32}
   */
  TileCompiler(CodeBuilder code, boolean wide, int rows, int vectors) {
    this.code = code;
    this.wide = wide;
    this.element = wide ? CD_double : CD_float;
    this.type = HiddenClass.desc(wide ? DoubleVector.class : FloatVector.class);
    this.rows = rows;
    this.vectors = vectors;
  }

  /** Writes what comes before all else. */
  abstract void prepare();

  /** Pushes what a sum begins with. */
  abstract void start(int row, int vector);

  /** Writes what a step of k begins with. */
  void begin(int step) {}

  /** Pushes a vector of b. */
  abstract void vector(int step, int vector);

  /** Pushes an element of a row of a. */
  abstract void element(int step, int row);

  /** Stores a sum, which lies on the stack. */
  abstract void store(int row, int vector);

  /**
   * Writes the method.
   *
   * @param depth the slot with the number of steps of k
   */
  final void write(int depth) {
    for (int i = 0; i < INLINED; i++) {
      code.nop();
    }
    prepare();
    int[][] sums = new int[rows][vectors];
    for (int r = 0; r < rows; r++) {
      for (int v = 0; v < vectors; v++) {
        sums[r][v] = code.allocateLocal(TypeKind.REFERENCE);
        start(r, v);
        code.astore(sums[r][v]);
      }
    }
    steps(depth, sums);
    for (int r = 0; r < rows; r++) {
      for (int v = 0; v < vectors; v++) {
        code.aload(sums[r][v]);
        store(r, v);
      }
    }
    code.return_();
  }

  private void steps(int depth, int[][] sums) {
    int step = code.allocateLocal(TypeKind.INT);
    int[] b = new int[vectors];
    int x = code.allocateLocal(TypeKind.REFERENCE);
    Label done = code.newLabel();
    code.iconst_0().istore(step);
    Label head = code.newBoundLabel();
    code.iload(step).iload(depth).if_icmpge(done);
    begin(step);
    for (int v = 0; v < vectors; v++) {
      b[v] = code.allocateLocal(TypeKind.REFERENCE);
      vector(step, v);
      code.astore(b[v]);
    }
    for (int r = 0; r < rows; r++) {
      species();
      element(step, r);
      code.invokestatic(type, "broadcast", MethodTypeDesc.of(type, SPECIES, element)).astore(x);
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

  /** Pushes the species of vectors. */
  final CodeBuilder species() {
    return code.getstatic(HERE, wide ? "F64" : "F32", SPECIES);
  }
}

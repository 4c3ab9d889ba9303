package dev.downhill.backend.cpu;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_float;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/** Writes a {@link WindowTile}: arrays, whose rows and columns start anywhere. */
final class WindowTileCompiler extends TileCompiler {
  private static final ClassDesc ARRAY = CD_float.arrayType();
  private static final ClassDesc HERE = HiddenClass.desc(WindowTileCompiler.class);

  // The parameters of WindowTile.multiply
  private static final int A = 0;
  private static final int ROWS = 1;
  private static final int IR = 2;
  private static final int IA = 3;
  private static final int B = 4;
  private static final int COLUMNS = 5;
  private static final int J = 6;
  private static final int DEPTH = 7;
  private static final int ADD = 8;
  private static final int C = 9;
  private static final int IC = 10;
  private static final int STRIDE = 11;

  private static final @Nullable WindowTile[][] COMPILED =
      new WindowTile[Tiles.ROWS][Tiles.VECTORS];

  private final int[] starts;
  private final int at;

  private WindowTileCompiler(CodeBuilder code, int rows, int vectors) {
    super(code, false, rows, vectors);
    starts = new int[rows];
    at = code.allocateLocal(TypeKind.INT);
  }

  /** The tile of a size. */
  static WindowTile tile(int rows, int vectors) {
    synchronized (COMPILED) {
      WindowTile tile = COMPILED[rows - 1][vectors - 1];
      if (tile == null) {
        tile =
            HiddenClass.implement(
                WindowTile.class,
                code ->
                    new WindowTileCompiler(code, rows, vectors).write(code.parameterSlot(DEPTH)));
        COMPILED[rows - 1][vectors - 1] = tile;
      }
      return tile;
    }
  }

  @Override
  void prepare() {
    for (int r = 0; r < rows; r++) {
      starts[r] = code.allocateLocal(TypeKind.INT);
      load(ROWS)
          .iload(code.parameterSlot(IR))
          .loadConstant(r)
          .iadd()
          .iaload()
          .iload(code.parameterSlot(IA))
          .iadd()
          .istore(starts[r]);
    }
  }

  @Override
  void start(int row, int vector) {
    code.iload(code.parameterSlot(ADD));
    place(row, vector)
        .invokestatic(
            HERE, "start", MethodTypeDesc.of(type, CD_boolean, CD_float.arrayType(), CD_int));
  }

  /** What a sum begins with. */
  static FloatVector start(boolean add, float[] c, int at) {
    return add ? FloatVector.fromArray(F32, c, at) : FloatVector.zero(F32);
  }

  /** Pushes c and where a vector of a row lies. */
  private CodeBuilder place(int row, int vector) {
    return load(C)
        .iload(code.parameterSlot(IC))
        .iload(code.parameterSlot(STRIDE))
        .loadConstant(row)
        .imul()
        .iadd()
        .loadConstant(vector * F32.length())
        .iadd();
  }

  @Override
  void begin(int step) {
    load(COLUMNS).iload(step).iaload().iload(code.parameterSlot(J)).iadd().istore(at);
  }

  @Override
  void vector(int step, int vector) {
    species();
    load(B)
        .iload(at)
        .loadConstant(vector * F32.length())
        .iadd()
        .invokestatic(type, "fromArray", MethodTypeDesc.of(type, SPECIES, ARRAY, CD_int));
  }

  @Override
  void element(int step, int row) {
    load(A).iload(starts[row]).iload(step).iadd().faload();
  }

  @Override
  void store(int row, int vector) {
    place(row, vector).invokevirtual(type, "intoArray", MethodTypeDesc.of(CD_void, ARRAY, CD_int));
  }

  private CodeBuilder load(int array) {
    return code.aload(code.parameterSlot(array));
  }
}

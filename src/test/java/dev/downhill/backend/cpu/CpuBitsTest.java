package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.OwnProcess;
import dev.downhill.backend.Reduce;
import dev.downhill.backend.Slide;
import dev.downhill.backend.Update;
import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The same bits with narrower vectors, with plain loops before vectors and without the Vector API,
 * each in a process of its own because these are constants of a process.
 */
final class CpuBitsTest {
  private static final String VECTORS =
      "--add-modules jdk.incubator.vector -Ddownhill.vector.first=true";

  @ParameterizedTest
  @ValueSource(
      strings = {
        VECTORS + " -Ddownhill.vector.bits=128",
        VECTORS + " -Ddownhill.vector.bits=256",
        VECTORS + " -Ddownhill.vector.bits=512",
        "--add-modules jdk.incubator.vector",
        "-Xshare:auto"
      })
  void bits_areThoseOfThisProcess(String flags) throws IOException, InterruptedException {
    assertThat(OwnProcess.output(CpuBitsTest.class, flags.split(" "))).isEqualTo(digest());
  }

  /** Prints the digest of this process. */
  public static void main(String[] args) {
    System.out.println(digest());
  }

  private static String digest() {
    List<String> lines = new ArrayList<>();
    try (Workers workers = new Workers(2)) {
      products(lines, new CpuMatmul(workers));
      reductions(lines, new CpuReduce(workers));
      sums(lines, new CpuIndexing(workers));
      norms(lines, new CpuLayerNorm(workers));
      softmax(lines, new CpuSoftmax(workers));
      crossEntropy(lines, new CpuCrossEntropy(workers));
      attention(lines, new CpuAttention(workers));
      steps(lines, new CpuUpdate(workers));
      convolutions(lines, new CpuConvolution(workers));
      pools(lines, new CpuPooling(workers));
    }
    return String.join(System.lineSeparator(), lines);
  }

  private static void products(List<String> lines, CpuMatmul matmul) {
    int[][] shapes = {{70, 37, 300}, {5, 90, 12}, {33, 3, 65}};
    for (int i = 0; i < 12; i++) {
      int[] s = shapes[i / 4];
      View a = (i & 1) != 0 ? transposed(normal(s[2], s[0])) : normal(s[0], s[2]);
      View b = (i & 2) != 0 ? transposed(normal(s[1], s[2])) : normal(s[2], s[1]);
      View y = normal(s[0], s[1]);
      matmul.matmul(a, b, 1, 0, y);
      lines.add("matmul " + i + " " + hash(y));
      matmul.matmul(a, b, -0.3, 1.1, y);
      lines.add("matmul " + i + " " + hash(y));
    }
  }

  private static View transposed(View x) {
    return x.with(x.layout().transpose(0, 1));
  }

  private static void reductions(List<String> lines, CpuReduce reduce) {
    for (View x : List.of(normal(5000, 43), normal(70, 600))) {
      Shape all = x.shape();
      for (Reduce op : Reduce.values()) {
        for (Shape shape : List.of(all.with(0, 1), all.with(1, 1), Shape.of(1, 1))) {
          View y = Elements.zeros(DType.F32, shape.toArray());
          reduce.reduce(op, x, y);
          lines.add(op + " " + shape + " " + hash(y));
        }
      }
    }
  }

  private static void sums(List<String> lines, CpuIndexing indexing) {
    View index = Elements.zeros(DType.I64, 100, 1);
    double[] rows = new double[100];
    Arrays.setAll(rows, i -> i * i % 7);
    Elements.set(index, rows);
    View y = normal(7, 45);
    View expanded = index.with(index.layout().expand(Shape.of(100, 45)));
    indexing.scatterAdd(normal(100, 45), 0, expanded, y);
    lines.add("scatterAdd " + hash(y));
  }

  private static void norms(List<String> lines, CpuLayerNorm norm) {
    for (int n : new int[] {5, 40, 128, 4133}) {
      View x = normal(40, n);
      View w = normal(n, 1).with(Layout.contiguous(Shape.of(n)));
      View y = normal(40, n);
      View mean = Elements.zeros(DType.F32, 40);
      View rstd = Elements.zeros(DType.F32, 40);
      norm.layerNorm(x, w, w, 1e-5, y, mean, rstd);
      lines.add("layerNorm %d %d %d %d".formatted(n, hash(y), hash(mean), hash(rstd)));
      View dw = Elements.zeros(DType.F32, n);
      View db = Elements.zeros(DType.F32, n);
      norm.layerNormBackward(x, w, mean, rstd, normal(40, n), y, dw, db);
      lines.add("layerNormBackward %d %d %d %d".formatted(n, hash(y), hash(dw), hash(db)));
    }
  }

  private static void softmax(List<String> lines, CpuSoftmax softmax) {
    for (int n : new int[] {5, 16, 133, 1000}) {
      for (boolean log : new boolean[] {false, true}) {
        View y = Elements.zeros(DType.F32, 9, n);
        View dx = Elements.zeros(DType.F32, 9, n);
        softmax.softmax(normal(9, n), log, y);
        softmax.softmaxBackward(y, normal(9, n), log, dx);
        lines.add("softmax %d %s %d %d".formatted(n, log, hash(y), hash(dx)));
      }
    }
  }

  private static void crossEntropy(List<String> lines, CpuCrossEntropy crossEntropy) {
    for (int n : new int[] {5, 16, 133, 1000}) {
      View x = normal(4, n);
      View classes = Elements.set(Elements.zeros(DType.I64, 4), 0, 2, -1, n - 1);
      View y = Elements.zeros(DType.F32, 4);
      View z = Elements.zeros(DType.F32, 4);
      View dx = Elements.zeros(DType.F32, 4, n);
      crossEntropy.crossEntropy(x, classes, -1, y, z);
      crossEntropy.crossEntropyBackward(x, classes, -1, z, y, dx);
      lines.add("crossEntropy %d %d %d %d".formatted(n, hash(y), hash(z), hash(dx)));
    }
  }

  private static void attention(List<String> lines, CpuAttention attention) {
    for (int n : new int[] {5, 33, 150}) {
      List<View> x = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        x.add(normal(n + i, 20).with(Layout.contiguous(Shape.of(n, 20))));
      }
      View z = Elements.zeros(DType.F32, n);
      View y = x.get(3);
      attention.attention(x.get(0), x.get(1), x.get(2), true, 0.3, y, z);
      lines.add("attention %d %d %d".formatted(n, hash(y), hash(z)));
      View dy = x.get(4);
      List<View> to = x.subList(5, 8);
      attention.attentionBackward(
          x.get(0), x.get(1), x.get(2), true, 0.3, y, z, dy, to.get(0), to.get(1), to.get(2));
      to.forEach(g -> lines.add("attentionBackward %d %d".formatted(n, hash(g))));
    }
  }

  private static void convolutions(List<String> lines, CpuConvolution convolution) {
    Slide rows = new Slide(3, 2, 1, 1);
    Slide columns = new Slide(2, 1, 2, 1);
    for (int o : new int[] {3, 8, 20}) {
      View x = normal(9 * 5, 11 * 13).with(Layout.contiguous(Shape.of(9, 5, 11, 13)));
      View w = normal(o * 5, 6).with(Layout.contiguous(Shape.of(o, 5, 3, 2)));
      View y = normal(9 * o, 6 * 13).with(Layout.contiguous(Shape.of(9, o, 6, 13)));
      convolution.convolution(x, w, null, rows, columns, y);
      lines.add("convolution " + hash(y));
      View dx = Elements.zeros(DType.F32, 9, 5, 11, 13);
      convolution.convolutionInput(y, w, rows, columns, dx);
      lines.add("convolutionInput " + hash(dx));
      convolution.convolutionWeight(x, y, rows, columns, 1, w);
      lines.add("convolutionWeight " + hash(w));
    }
  }

  private static void pools(List<String> lines, CpuPooling pooling) {
    View x = normal(6, 11 * 13).with(Layout.contiguous(Shape.of(2, 3, 11, 13)));
    View y = Elements.zeros(DType.F32, 2, 3, 5, 6);
    View at = Elements.zeros(DType.I64, 2, 3, 5, 6);
    pooling.maxPool(x, new Slide(2, 2, 1, 0), new Slide(2, 2, 1, 0), y, at);
    lines.add("maxPool " + hash(y) + " " + hash(at));
    pooling.maxPoolBackward(y, at, x);
    lines.add("maxPoolBackward " + hash(x));
  }

  private static void steps(List<String> lines, CpuUpdate updater) {
    Map<Update, double[]> all =
        Map.of(
            Update.SGD, new double[] {0.1, 0.9, 0.1, 0.01, 1, 0},
            Update.ADAM, new double[] {0.1, 0.9, 0.99, 1e-8, 0.01, 1, 0, 1},
            Update.RMSPROP, new double[] {0.1, 0.9, 1e-2, 0.01, 0.9, 1, 0},
            Update.ADAGRAD, new double[] {0.1, 0.1, 1e-8, 0.01, 0},
            Update.NADAM, new double[] {0.1, 0.9, 0.99, 1e-8, 0.01, 1, 0, 0.9});
    for (Update update : Update.values()) {
      double[] scalars = all.get(update);
      View p = normal(1, 53);
      View counters =
          Elements.set(Elements.zeros(DType.F64, update.counters()), update.firstCounters());
      List<View> states =
          Stream.generate(() -> Elements.zeros(DType.F32, 1, 53)).limit(update.states()).toList();
      UpdateTable table =
          new UpdateTable(List.of(new UpdateTable.Row(p, normal(1, 53), states, counters, 0)));
      View groups = Elements.set(Elements.zeros(DType.F64, 1, scalars.length), scalars);
      for (int i = 0; i < 3; i++) {
        updater.update(update, table, groups, Elements.zeros(DType.BOOL, 1));
      }
      lines.add(update + " " + hash(p));
    }
  }

  /** Standard normal, the same for the same sizes. */
  private static View normal(long rows, long cols) {
    SplittableRandom random = new SplittableRandom(rows * 1000 + cols);
    double[] values = new double[(int) (rows * cols)];
    Arrays.setAll(values, i -> random.nextGaussian());
    return Elements.set(Elements.zeros(DType.F32, rows, cols), values);
  }

  private static int hash(View y) {
    return Arrays.hashCode(Elements.get(y));
  }
}

package dev.downhill.backend.cpu;

import java.util.Arrays;

/**
 * Rows of {@code f32}, or of {@code bf16} computed in it. A row is copied and filled up to a
 * multiple of {@link CpuSoftmax#LANES} with elements that leave the sums as they are, so loops have
 * no rest.
 */
final class SoftmaxRowF32 implements SoftmaxRow {
  /** Elements that plain loops do in some 20 ms. */
  private static final Early EARLY = Early.until(1 << 20);

  private static final SoftmaxLoops PLAIN = new ScalarSoftmax();

  /** Made when it is first used. */
  private static final class Vectors {
    static final SoftmaxLoops LOOPS =
        HiddenClass.inlined(VectorSoftmax.class, SoftmaxLoops.class).get();
  }

  private final float[] lanes = new float[CpuSoftmax.LANES];
  private float[] a = {};
  private float[] b = {};

  @Override
  public void forward(Rows x, boolean log, Rows y, long row) {
    int length = Math.toIntExact(x.length());
    int n = room(length);
    x.load(row, a);
    Arrays.fill(a, length, n, Float.NEGATIVE_INFINITY);
    loops(n).forward(a, n, log, lanes);
    y.store(a, row);
  }

  @Override
  public void backward(Rows y, Rows dy, boolean log, Rows dx, long row) {
    int length = Math.toIntExact(y.length());
    int n = room(length);
    y.load(row, a);
    dy.load(row, b);
    Arrays.fill(a, length, n, 0);
    Arrays.fill(b, length, n, 0);
    loops(n).backward(a, b, n, log, lanes);
    dx.store(b, row);
  }

  @Override
  public void crossEntropy(Rows x, int target, Rows y, Rows z, long row) {
    int length = Math.toIntExact(x.length());
    int n = room(length);
    x.load(row, a);
    Arrays.fill(a, length, n, Float.NEGATIVE_INFINITY);
    SoftmaxLoops loops = loops(n);
    float max = loops.max(a, n);
    float sum = loops.sumExp(a, n, max, lanes);
    float logSum = CpuMath.log(sum);
    // Without a class there is a sum, 0, but no greatest element.
    z.setFirst(row, sum > 0 ? max + logSum : Float.NaN);
    // Not z - x: of great logits that would leave few digits.
    y.setFirst(row, target < 0 ? 0 : logSum - (a[target] - max));
  }

  @Override
  public void crossEntropyBackward(Rows x, int target, Rows z, Rows dy, Rows dx, long row) {
    int length = Math.toIntExact(x.length());
    int n = room(length);
    if (target < 0) {
      Arrays.fill(a, 0, n, 0);
    } else {
      x.load(row, a);
      Arrays.fill(a, length, n, 0);
      float logSum = (float) z.first(row);
      float scale = (float) dy.first(row);
      float hit = CpuMath.exp(a[target] - logSum) - 1;
      loops(n).scaledExp(a, n, logSum, scale);
      a[target] = scale * hit;
    }
    dx.store(a, row);
  }

  private static SoftmaxLoops loops(int n) {
    return Simd.AVAILABLE && !EARLY.is(n) ? Vectors.LOOPS : PLAIN;
  }

  private int room(int length) {
    int n = (length + CpuSoftmax.LANES - 1) / CpuSoftmax.LANES * CpuSoftmax.LANES;
    if (a.length < n) {
      a = new float[n];
      b = new float[n];
    }
    return n;
  }
}

package dev.downhill.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops of {@link ScalarSoftmax} on vectors, with the same bits. A template for {@link
 * HiddenClass#inlined}.
 */
final class VectorSoftmax implements SoftmaxLoops {
  private static final VectorSpecies<Float> SPECIES =
      Lanes.SPECIES.length() <= CpuSoftmax.LANES ? Lanes.SPECIES : FloatVector.SPECIES_512;

  private static final int STEP = SPECIES.length();

  @Override
  public void forward(float[] x, int n, boolean log, float[] lanes) {
    float max = max(x, n);
    for (int lane = 0; lane < CpuSoftmax.LANES; lane += STEP) {
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int i = lane; i < n; i += CpuSoftmax.LANES) {
        FloatVector z = FloatVector.fromArray(SPECIES, x, i).sub(max);
        FloatVector e = CpuVectorMath.exp(z);
        sum = sum.add(e);
        (log ? z : e).intoArray(x, i);
      }
      sum.intoArray(lanes, lane);
    }
    float sum = VectorFold.sum(lanes, 0);
    float logSum = CpuMath.log(sum);
    for (int i = 0; i < n; i += STEP) {
      FloatVector v = FloatVector.fromArray(SPECIES, x, i);
      (log ? v.sub(logSum) : v.div(sum)).intoArray(x, i);
    }
  }

  @Override
  public float max(float[] x, int n) {
    FloatVector max = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < n; i += STEP) {
      FloatVector v = FloatVector.fromArray(SPECIES, x, i);
      max = max.blend(v, v.compare(VectorOperators.GT, max));
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  @Override
  public float sumExp(float[] x, int n, float max, float[] lanes) {
    for (int lane = 0; lane < CpuSoftmax.LANES; lane += STEP) {
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int i = lane; i < n; i += CpuSoftmax.LANES) {
        sum = sum.add(CpuVectorMath.exp(FloatVector.fromArray(SPECIES, x, i).sub(max)));
      }
      sum.intoArray(lanes, lane);
    }
    return VectorFold.sum(lanes, 0);
  }

  @Override
  public void scaledExp(float[] x, int n, float z, float scale) {
    for (int i = 0; i < n; i += STEP) {
      FloatVector e = CpuVectorMath.exp(FloatVector.fromArray(SPECIES, x, i).sub(z));
      e.mul(scale).intoArray(x, i);
    }
  }

  @Override
  public void backward(float[] y, float[] dy, int n, boolean log, float[] lanes) {
    // Two methods: one for both stays two to four times slower once it was compiled for the first.
    if (log) {
      backwardOfLog(y, dy, n, lanes);
    } else {
      backward(y, dy, n, lanes);
    }
  }

  private static void backward(float[] y, float[] dy, int n, float[] lanes) {
    for (int lane = 0; lane < CpuSoftmax.LANES; lane += STEP) {
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int i = lane; i < n; i += CpuSoftmax.LANES) {
        FloatVector d = FloatVector.fromArray(SPECIES, dy, i);
        sum = FloatVector.fromArray(SPECIES, y, i).fma(d, sum);
      }
      sum.intoArray(lanes, lane);
    }
    float sum = VectorFold.sum(lanes, 0);
    for (int i = 0; i < n; i += STEP) {
      FloatVector d = FloatVector.fromArray(SPECIES, dy, i);
      FloatVector.fromArray(SPECIES, y, i).mul(d.sub(sum)).intoArray(dy, i);
    }
  }

  private static void backwardOfLog(float[] y, float[] dy, int n, float[] lanes) {
    for (int lane = 0; lane < CpuSoftmax.LANES; lane += STEP) {
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int i = lane; i < n; i += CpuSoftmax.LANES) {
        sum = sum.add(FloatVector.fromArray(SPECIES, dy, i));
      }
      sum.intoArray(lanes, lane);
    }
    float sum = VectorFold.sum(lanes, 0);
    for (int i = 0; i < n; i += STEP) {
      FloatVector d = FloatVector.fromArray(SPECIES, dy, i);
      FloatVector e = CpuVectorMath.exp(FloatVector.fromArray(SPECIES, y, i));
      e.fma(d.broadcast(-sum), d).intoArray(dy, i);
    }
  }
}

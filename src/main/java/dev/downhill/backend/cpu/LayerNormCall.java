package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The operands of one call of {@link CpuLayerNorm}, and what it keeps between its tasks. Set anew
 * for every call.
 */
final class LayerNormCall {
  final RowStarts x = new RowStarts();
  final RowStarts dy = new RowStarts();

  /** y, or dx. */
  final RowStarts out = new RowStarts();

  /** Whether dx is wanted; y always is. */
  boolean hasOut;

  /** Of rank 1; null for those not wanted. */
  @Nullable View dweight;

  @Nullable View dbias;

  long rows;
  int n;

  /** n, rounded up to whole lanes. */
  int padded;

  int blocks;
  double eps;

  /** Whether a mean is subtracted. */
  boolean centred;

  MemorySegment mean = MemorySegment.NULL;
  MemorySegment rstd = MemorySegment.NULL;
  private long meanAt;
  private long rstdAt;

  // Weight and bias as computed, 0 behind n; of these and of the shares one kind is in use.
  float[] weight = {};
  float[] bias = {};
  double[] wideWeight = {};
  double[] wideBias = {};

  private @Nullable View weightView;
  private @Nullable View biasView;
  private final Shares shares;

  /**
   * Per block the shares of dweight and dbias, {@link #padded} numbers each: memory for all calls,
   * of which one runs at a time.
   */
  static final class Shares {
    float[] narrow = {};
    double[] wide = {};
  }

  LayerNormCall(Shares shares) {
    this.shares = shares;
  }

  float[] shares() {
    return shares.narrow;
  }

  double[] wideShares() {
    return shares.wide;
  }

  boolean isWide() {
    return x.dtype() == DType.F64;
  }

  void setForward(
      View x,
      @Nullable View weight,
      @Nullable View bias,
      double eps,
      View y,
      @Nullable View mean,
      View rstd) {
    set(x, weight, bias, mean, rstd);
    this.eps = eps;
    out.set(y);
    hasOut = true;
  }

  void setBackward(
      View x,
      @Nullable View weight,
      @Nullable View mean,
      View rstd,
      View dy,
      @Nullable View dx,
      @Nullable View dweight,
      @Nullable View dbias) {
    set(x, weight, null, mean, rstd);
    this.dy.set(dy);
    hasOut = dx != null;
    if (dx != null) {
      out.set(dx);
    }
    this.dweight = dweight;
    this.dbias = dbias;
    blocks = Math.toIntExact(Math.ceilDiv(rows, CpuLayerNorm.BLOCK));
    int size = Math.toIntExact(2L * padded * blocks);
    if (isWide()) {
      shares.wide = shares.wide.length < size ? new double[size] : shares.wide;
    } else {
      shares.narrow = shares.narrow.length < size ? new float[size] : shares.narrow;
    }
  }

  private void set(
      View x, @Nullable View weight, @Nullable View bias, @Nullable View mean, View rstd) {
    this.x.set(x);
    rows = this.x.count();
    n = Math.toIntExact(this.x.length());
    padded = Math.ceilDiv(n, CpuLayerNorm.LANES) * CpuLayerNorm.LANES;
    centred = mean != null;
    if (mean != null) {
      this.mean = CpuBuffer.segment(mean);
      meanAt = mean.layout().offset();
    }
    this.rstd = CpuBuffer.segment(rstd);
    rstdAt = rstd.layout().offset();
    weightView = weight;
    biasView = bias;
  }

  /** Reads weight and bias, before anything else is done. */
  void readWeights() {
    if (isWide()) {
      wideWeight = read(weightView, 1, wideWeight);
      wideBias = read(biasView, 0, wideBias);
    } else {
      weight = read(weightView, 1, weight);
      bias = read(biasView, 0, bias);
    }
  }

  private float[] read(@Nullable View view, float otherwise, float[] to) {
    float[] all = to.length < padded ? new float[padded] : to;
    Arrays.fill(all, 0, n, otherwise);
    Arrays.fill(all, n, padded, 0);
    for (int i = 0; view != null && i < n; i++) {
      long at = view.layout().offset() + i * view.layout().stride(0);
      MemorySegment s = CpuBuffer.segment(view);
      all[i] =
          view.dtype() == DType.BF16
              ? Scalars.loadBf16(s, at * Short.BYTES)
              : Scalars.loadF32(s, at * Float.BYTES);
    }
    return all;
  }

  private double[] read(@Nullable View view, double otherwise, double[] to) {
    double[] all = to.length < padded ? new double[padded] : to;
    Arrays.fill(all, 0, n, otherwise);
    for (int i = 0; view != null && i < n; i++) {
      long at = view.layout().offset() + i * view.layout().stride(0);
      all[i] = Scalars.loadF64(CpuBuffer.segment(view), at * Double.BYTES);
    }
    return all;
  }

  float meanF32(long row) {
    return centred ? Scalars.loadF32(mean, (meanAt + row) * Float.BYTES) : 0;
  }

  float rstdF32(long row) {
    return Scalars.loadF32(rstd, (rstdAt + row) * Float.BYTES);
  }

  void keep(long row, float m, float r) {
    if (centred) {
      Scalars.storeF32(m, mean, (meanAt + row) * Float.BYTES);
    }
    Scalars.storeF32(r, rstd, (rstdAt + row) * Float.BYTES);
  }

  double meanF64(long row) {
    return centred ? Scalars.loadF64(mean, (meanAt + row) * Double.BYTES) : 0;
  }

  double rstdF64(long row) {
    return Scalars.loadF64(rstd, (rstdAt + row) * Double.BYTES);
  }

  void keep(long row, double m, double r) {
    if (centred) {
      Scalars.storeF64(m, mean, (meanAt + row) * Double.BYTES);
    }
    Scalars.storeF64(r, rstd, (rstdAt + row) * Double.BYTES);
  }

  /** Sets one element of dweight or dbias, if it is wanted. */
  static void set(@Nullable View view, int i, double value) {
    if (view == null) {
      return;
    }
    MemorySegment s = CpuBuffer.segment(view);
    long at = view.layout().offset() + i * view.layout().stride(0);
    switch (view.dtype()) {
      case F64 -> Scalars.storeF64(value, s, at * Double.BYTES);
      case F32 -> Scalars.storeF32((float) value, s, at * Float.BYTES);
      case BF16 -> Scalars.storeBf16((float) value, s, at * Short.BYTES);
      case I64, I32, U8, BOOL -> throw new AssertionError(view.dtype());
    }
  }
}

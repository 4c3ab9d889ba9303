package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Norm and scaling of many tensors as one vector, in place and in double, so that squares of floats
 * neither overflow nor vanish. Every task makes the partial result of one part of one tensor; they
 * are joined in order.
 */
final class CpuNorm {
  /** Elements of a part. */
  private static final int PART = 1 << 14;

  private final Workers workers;
  private final ThreadLocal<double[]> lanes =
      ThreadLocal.withInitial(() -> new double[NormKernel.LANES]);
  private final Map<NormKernel.Case, NormKernel> kernels = new HashMap<>();

  CpuNorm(Workers workers) {
    this.workers = workers;
  }

  /** What is done to a part of a tensor. */
  private interface Work {
    void on(NormKernel kernel, MemorySegment x, long at, int n, int task);
  }

  /** See {@link dev.downhill.backend.Backend#norm}. */
  void norm(double p, List<View> xs, View y) {
    NormKernel.Case total = new NormKernel.Case(p, DType.F64);
    double[] parts = new double[parts(xs)];
    run(p, xs, (kernel, x, at, n, task) -> parts[task] = kernel.part(x, at, n, lanes.get()));
    workers.run(
        1,
        _ -> {
          double sum = 0;
          for (double part : parts) {
            sum = total.join(sum, part);
          }
          double norm = p == 2 ? Math.sqrt(sum) : sum;
          norm = Double.isNaN(norm) ? Double.NaN : norm; // whichever NaN came first
          Scalars.storeF64(norm, CpuBuffer.segment(y), y.layout().offset() * Double.BYTES);
        });
  }

  /** See {@link dev.downhill.backend.Backend#scale}. */
  void scale(View factor, List<View> xs) {
    MemorySegment segment = CpuBuffer.segment(factor);
    long first = factor.layout().offset() * Double.BYTES;
    run(
        2,
        xs,
        (kernel, x, at, n, _) -> {
          double f = Scalars.loadF64(segment, first);
          if (f != 1) {
            kernel.scale(x, at, n, f);
          }
        });
  }

  private static int parts(List<View> xs) {
    long parts = 0;
    for (View x : xs) {
      parts += Math.ceilDiv(x.shape().numel(), PART);
    }
    return Math.toIntExact(parts);
  }

  private void run(double p, List<View> xs, Work work) {
    NormKernel[] kernelOf = new NormKernel[xs.size()];
    int[] ends = new int[xs.size()];
    for (int i = 0; i < kernelOf.length; i++) {
      assert xs.get(i).layout().isContiguous() : xs.get(i);
      kernelOf[i] =
          kernels.computeIfAbsent(new NormKernel.Case(p, xs.get(i).dtype()), NormKernel::of);
      ends[i] = parts(xs.subList(i, i + 1)) + (i == 0 ? 0 : ends[i - 1]);
    }
    workers.run(
        parts(xs),
        task -> {
          int i = 0;
          while (ends[i] <= task) {
            i++;
          }
          View x = xs.get(i);
          long from = (long) PART * (task - (i == 0 ? 0 : ends[i - 1]));
          int n = (int) Math.min(PART, x.shape().numel() - from);
          work.on(kernelOf[i], CpuBuffer.segment(x), x.layout().offset() + from, n, task);
        });
  }
}

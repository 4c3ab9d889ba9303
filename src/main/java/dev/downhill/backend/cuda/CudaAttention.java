package dev.downhill.backend.cuda;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Attention over the last two dimensions: kernels/attention.cu. */
final class CudaAttention {
  private static final int TILE = 32;

  /** Columns of a result that a block leaves. */
  private static final int COLUMNS = 4 * TILE;

  private static final int WARP = 32;

  private enum Form {
    ATTENTION,
    ATTENTION_DOTS,
    ATTENTION_QUERIES,
    ATTENTION_KEYS
  }

  private final CudaDevice device;
  private final KernelTable<Form> kernels;
  private final Lines two = new Lines(2, false);
  private final Lines four = new Lines(4, false);
  private final Lines five = new Lines(5, false);

  CudaAttention(CudaDevice device) {
    this.device = device;
    this.kernels = new KernelTable<>(device, "attention", "", Form.class);
  }

  /** See {@link dev.downhill.backend.Backend#attention}. */
  void attention(View q, View k, View v, boolean causal, double scale, View y, View z) {
    if (z.shape().numel() == 0) {
      return;
    }
    Lines sequences = lines(four, q, k, v, y, y);
    CudaKernel kernel = kernels.get(Form.ATTENTION, q.dtype());
    sequences.write(kernel.struct(0));
    kernel.view(1, q).view(2, k).view(3, v).view(4, y).view(5, z);
    strides(kernel, 6, q);
    strides(kernel, 7, k);
    strides(kernel, 8, v);
    strides(kernel, 9, y);
    sizes(kernel, 10, q, v, causal, scale);
    launch(kernel, sequences.count() * tiles(positions(q)), elements(v));
  }

  /** See {@link dev.downhill.backend.Backend#attentionBackward}. */
  void attentionBackward(
      View q,
      View k,
      View v,
      boolean causal,
      double scale,
      View y,
      View z,
      View dy,
      View dq,
      View dk,
      View dv) {
    int wide = q.dtype() == DType.F64 ? Double.BYTES : Float.BYTES;
    long d = device.workspace(Math.max(1, z.shape().numel()) * wide);
    if (z.shape().numel() > 0) {
      dots(dy, y, d);
    }
    if (dq.shape().numel() > 0) {
      queries(q, k, v, causal, scale, z, dy, dq, d);
    }
    if (dk.shape().numel() + dv.shape().numel() > 0) {
      keys(q, k, v, causal, scale, z, dy, dk, dv, d);
    }
  }

  private void dots(View dy, View y, long d) {
    Lines sequences = lines(two, dy, y, y, y, y);
    CudaKernel kernel = kernels.get(Form.ATTENTION_DOTS, y.dtype());
    sequences.write(kernel.struct(0));
    kernel.view(1, dy).view(2, y).i64(3, d);
    strides(kernel, 4, dy);
    strides(kernel, 5, y);
    kernel
        .i64(6, positions(y))
        .i64(7, elements(y))
        .launch(CudaSoftmax.blocks(sequences.count() * positions(y), WARP), CudaDevice.THREADS);
  }

  private void queries(
      View q, View k, View v, boolean causal, double scale, View z, View dy, View dq, long d) {
    Lines sequences = lines(five, q, k, v, dy, dq);
    CudaKernel kernel = kernels.get(Form.ATTENTION_QUERIES, q.dtype());
    sequences.write(kernel.struct(0));
    kernel.view(1, q).view(2, k).view(3, v).view(4, dy).view(5, dq).view(6, z).i64(7, d);
    strides(kernel, 8, q);
    strides(kernel, 9, k);
    strides(kernel, 10, v);
    strides(kernel, 11, dy);
    strides(kernel, 12, dq);
    sizes(kernel, 13, q, v, causal, scale);
    launch(kernel, sequences.count() * tiles(positions(q)), elements(q));
  }

  private void keys(
      View q,
      View k,
      View v,
      boolean causal,
      double scale,
      View z,
      View dy,
      View dk,
      View dv,
      long d) {
    Lines sequences = lines(four, q, k, v, dy, dy);
    CudaKernel kernel = kernels.get(Form.ATTENTION_KEYS, q.dtype());
    sequences.write(kernel.struct(0));
    lines(two, dk, dv, dv, dv, dv).write(kernel.struct(1));
    kernel
        .view(2, q)
        .view(3, k)
        .view(4, v)
        .view(5, dy)
        .view(6, dk)
        .view(7, dv)
        .view(8, z)
        .i64(9, d);
    strides(kernel, 10, q);
    strides(kernel, 11, k);
    strides(kernel, 12, v);
    strides(kernel, 13, dy);
    strides(kernel, 14, dk);
    strides(kernel, 15, dv);
    sizes(kernel, 16, q, v, causal, scale);
    launch(kernel, sequences.count() * tiles(positions(k)), Math.max(elements(q), elements(v)));
  }

  /** Where the sequences of several tensors start. */
  private static Lines lines(Lines lines, View a, View b, View c, View d, View e) {
    lines.clear();
    for (int i = 0; i < a.shape().rank() - 2; i++) {
      lines.add(
          a.shape().size(i),
          a.layout().stride(i),
          b.layout().stride(i),
          c.layout().stride(i),
          d.layout().stride(i),
          e.layout().stride(i));
    }
    return lines.merge();
  }

  private static void strides(CudaKernel kernel, int parameter, View x) {
    int rank = x.shape().rank();
    MemorySegment struct = kernel.struct(parameter);
    struct.set(ValueLayout.JAVA_LONG, 0, x.layout().stride(rank - 2));
    struct.set(ValueLayout.JAVA_LONG, Long.BYTES, x.layout().stride(rank - 1));
  }

  /** Queries, keys, their elements, those of values, scale and causal. */
  private static void sizes(
      CudaKernel kernel, int first, View q, View v, boolean causal, double scale) {
    kernel
        .i64(first, positions(q))
        .i64(first + 1, positions(v))
        .i64(first + 2, elements(q))
        .i64(first + 3, elements(v))
        .f64(first + 4, scale)
        .i32(first + 5, causal ? 1 : 0);
  }

  private static void launch(CudaKernel kernel, long blocks, long columns) {
    int slices = Math.toIntExact(Math.max(1, Math.ceilDiv(columns, COLUMNS)));
    kernel.launch(blocks, slices, CudaDevice.THREADS, 1, 0);
  }

  private static long positions(View x) {
    return x.shape().size(x.shape().rank() - 2);
  }

  private static long elements(View x) {
    return x.shape().size(x.shape().rank() - 1);
  }

  private static long tiles(long positions) {
    return Math.ceilDiv(positions, TILE);
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;

/** The operands of one call of {@link CpuAttention}; set anew for every call. */
final class AttentionCall {
  final Matrices q = new Matrices();
  final Matrices k = new Matrices();
  final Matrices v = new Matrices();
  final Matrices y = new Matrices();
  final Matrices dy = new Matrices();
  final Matrices dq = new Matrices();
  final Matrices dk = new Matrices();
  final Matrices dv = new Matrices();

  /** How many sequences: the product of the sizes before the last two. */
  long count;

  int queries;
  int keys;

  /** Elements of a query and of a key. */
  int size;

  /** Elements of a value. */
  int valueSize;

  boolean causal;
  double scale;
  boolean wide;

  private MemorySegment z = MemorySegment.NULL;
  private long zAt;

  void set(View q, View k, View v, boolean causal, double scale, View y, View z) {
    Shape shape = q.shape();
    int rank = shape.rank();
    this.q.rows(q);
    this.k.rows(k);
    this.v.rows(v);
    this.y.rows(y);
    this.causal = causal;
    this.scale = scale;
    count = 1;
    for (int d = 0; d < rank - 2; d++) {
      count *= shape.size(d);
    }
    queries = Math.toIntExact(shape.size(rank - 2));
    size = Math.toIntExact(shape.size(rank - 1));
    keys = Math.toIntExact(k.shape().size(rank - 2));
    valueSize = Math.toIntExact(v.shape().size(rank - 1));
    wide = q.dtype() == DType.F64;
    this.z = CpuBuffer.segment(z);
    zAt = z.layout().offset();
  }

  /** How many keys a query sees. */
  int seen(int query) {
    return causal ? Math.min(keys, query + 1) : keys;
  }

  double z(long sequence, int query) {
    long at = zAt + sequence * queries + query;
    return wide ? Scalars.loadF64(z, 8 * at) : Scalars.loadF32(z, 4 * at);
  }

  void setZ(double value, long sequence, int query) {
    long at = zAt + sequence * queries + query;
    if (wide) {
      Scalars.storeF64(value, z, 8 * at);
    } else {
      Scalars.storeF32((float) value, z, 4 * at);
    }
  }
}

package dev.downhill.tensor;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Attention in one kernel each way, which reads queries, keys and values where they lie. Saves
 * them, the result, and log Σ e^score of each query.
 */
final class FusedAttention {
  private final boolean causal;
  private final double factor;

  private FusedAttention(boolean causal, double factor) {
    this.causal = causal;
    this.factor = factor;
  }

  /** Views of a query, a key and a value, or of their gradients. */
  private record Three(View q, View k, View v) {}

  // Three tensors

  /** {@link Attention#scaledDotProductAttention} without a mask. */
  static Tensor of(Op op, Tensor query, Tensor key, Tensor value, boolean causal, double factor) {
    FusedAttention attention = new FusedAttention(causal, factor);
    Shape batch = Shape.broadcast(op.name(), batch(query), batch(key));
    batch = Shape.broadcast(op.name(), batch, batch(value));
    Three views = new Three(expanded(query, batch), expanded(key, batch), expanded(value, batch));
    try (Scope scope = Scope.internal()) {
      Shape shape = batch.append(Shape.of(query.size(-2), value.size(-1)));
      Tensor y = lying(shape, query);
      Tensor z = attention.forward(op, views, y.view());
      op.saving(query, key, value, y, z);
      return scope.keep(op.record(y, Rule.together(3, attention::gradients)));
    }
  }

  private static Shape batch(Tensor x) {
    return x.shape().slice(0, x.dim() - 2);
  }

  private static View expanded(Tensor x, Shape batch) {
    Shape shape = batch.append(x.shape().slice(x.dim() - 2, x.dim()));
    return x.view().with(x.layout().expand(shape));
  }

  /**
   * A new tensor whose heads and positions lie in the order of another's: heads that were taken
   * apart for attention are put together again without a copy.
   */
  private static Tensor lying(Shape shape, Tensor like) {
    int rank = shape.rank();
    Layout l = like.layout();
    int d = like.dim();
    boolean inside = rank == d && d >= 3 && l.stride(d - 3) < l.stride(d - 2);
    if (!inside) {
      return Tensor.empty(like.device(), like.dtype(), shape);
    }
    Shape memory = shape.with(rank - 3, shape.size(rank - 2)).with(rank - 2, shape.size(rank - 3));
    Tensor t = Tensor.empty(like.device(), like.dtype(), memory);
    return Tensor.alias(t.storage(), t.layout().transpose(rank - 3, rank - 2), null);
  }

  private @Nullable Tensor[] gradients(Rule.Pull p) {
    Tensor q = p.saved(0);
    Tensor k = p.saved(1);
    Tensor v = p.saved(2);
    if (p.createGraph()) {
      return composed(q, k, v, p.dy());
    }
    Shape batch = batch(p.saved(3));
    Tensor dq = lying(batch.append(q.shape().slice(q.dim() - 2, q.dim())), q);
    Tensor dk = lying(batch.append(k.shape().slice(k.dim() - 2, k.dim())), k);
    Tensor dv = lying(batch.append(v.shape().slice(v.dim() - 2, v.dim())), v);
    backward(
        p,
        new Three(expanded(q, batch), expanded(k, batch), expanded(v, batch)),
        p.saved(3).view(),
        p.saved(4).view(),
        p.dy().view(),
        new Three(dq.view(), dk.view(), dv.view()));
    return new @Nullable Tensor[] {
      p.wants(0) ? dq : null, p.wants(1) ? dk : null, p.wants(2) ? dv : null
    };
  }

  /** What the derivative kernel is held to. */
  private Tensor[] composed(Tensor q, Tensor k, Tensor v, Tensor dy) {
    Tensor shares = Attention.scores(q, k, factor, causal).softmax(-1);
    Tensor slopes = dy.matmul(v.transpose(-1, -2));
    Tensor sum = slopes.mul(shares).sum(new int[] {-1}, true);
    Tensor ds = shares.mul(slopes.sub(sum)).mul(factor);
    return new Tensor[] {
      ds.matmul(k).sumTo(q.shape()),
      ds.transpose(-1, -2).matmul(q).sumTo(k.shape()),
      shares.transpose(-1, -2).matmul(dy).sumTo(v.shape())
    };
  }

  // One tensor

  /** {@link Attention#selfAttention}. */
  static Tensor ofSelf(Op op, Tensor qkv, long heads, boolean causal, double factor) {
    FusedAttention attention = new FusedAttention(causal, factor);
    long size = qkv.size(2) / 3;
    try (Scope scope = Scope.internal()) {
      Tensor y = op.output(qkv.shape().with(2, size));
      View perHead = y.view().with(heads(y.layout(), heads));
      Tensor z = attention.forward(op, parts(qkv, heads), perHead);
      Tensor result = op.saving(qkv, y, z).record(y, p -> attention.gradientOfSelf(p, heads));
      return scope.keep(result);
    }
  }

  private @Nullable Tensor gradientOfSelf(Rule.Pull p, long heads) {
    Tensor qkv = p.saved(0);
    if (p.createGraph()) {
      return composed(qkv, p.dy(), heads);
    }
    Tensor dqkv = Tensor.empty(qkv.device(), qkv.dtype(), qkv.shape());
    Tensor y = p.saved(1);
    backward(
        p,
        parts(qkv, heads),
        y.view().with(heads(y.layout(), heads)),
        p.saved(2).view(),
        p.dy().view().with(heads(p.dy().layout(), heads)),
        parts(dqkv, heads));
    return dqkv;
  }

  private Tensor composed(Tensor qkv, Tensor dy, long heads) {
    long size = qkv.size(2) / 3;
    Tensor[] parts = new Tensor[3];
    for (int i = 0; i < 3; i++) {
      parts[i] = perHead(qkv.narrow(2, i * size, size), heads);
    }
    Tensor[] slopes = composed(parts[0], parts[1], parts[2], perHead(dy, heads));
    for (int i = 0; i < 3; i++) {
      parts[i] = slopes[i].transpose(1, 2).reshape(dy.shape().toArray());
    }
    return Tensor.cat(List.of(parts), 2);
  }

  private static Tensor perHead(Tensor x, long heads) {
    return x.reshape(x.size(0), x.size(1), heads, x.size(2) / heads).transpose(1, 2);
  }

  /** (N, T, 3 E) as three times (N, heads, T, E / heads). */
  private static Three parts(Tensor x, long heads) {
    long size = x.size(2) / 3;
    Layout all = x.layout();
    return new Three(
        x.view().with(heads(all.slice(2, 0, size, 1), heads)),
        x.view().with(heads(all.slice(2, size, size, 1), heads)),
        x.view().with(heads(all.slice(2, 2 * size, size, 1), heads)));
  }

  /** (N, T, E) as (N, heads, T, E / heads). */
  private static Layout heads(Layout l, long heads) {
    Shape shape = l.shape();
    long size = shape.size(2) / heads;
    return Layout.of(
        Shape.of(shape.size(0), heads, shape.size(1), size),
        new long[] {l.stride(0), size * l.stride(2), l.stride(1), l.stride(2)},
        l.offset());
  }

  // Both

  private Tensor forward(Op op, Three in, View y) {
    DType wide = y.dtype() == DType.BF16 ? DType.F32 : y.dtype();
    Tensor z = op.output(wide, y.shape().slice(0, y.shape().rank() - 1));
    op.device().run(b -> b.attention(in.q(), in.k(), in.v(), causal, factor, y, z.view()));
    count(in);
    return z;
  }

  /** The scores of all pairs, and what they weigh. */
  private static void count(Three in) {
    Shape q = in.q().shape();
    Shape v = in.v().shape();
    int last = q.rank() - 1;
    long queries = q.slice(0, last).numel();
    long keys = v.size(last - 1);
    Work.product(queries * keys, q.size(last));
    Work.product(queries * v.size(last), keys);
  }

  private void backward(Rule.Pull p, Three in, View y, View z, View dy, Three out) {
    p.dy()
        .device()
        .run(
            b ->
                b.attentionBackward(
                    in.q(), in.k(), in.v(), causal, factor, y, z, dy, out.q(), out.k(), out.v()));
    // Two products for each of the forward pass.
    count(in);
    count(in);
  }
}

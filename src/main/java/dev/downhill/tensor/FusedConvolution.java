package dev.downhill.tensor;

import dev.downhill.autograd.Destination;
import dev.downhill.backend.Binary;
import dev.downhill.backend.Reduce;
import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import org.jspecify.annotations.Nullable;

/**
 * The convolution of images and its two gradients as operators, which never make the windows: F(x,
 * w), I(y, w) and W(x, y). Each is linear in both of its arguments, and the gradients of one are
 * the other two, so that derivatives of any order are again these three.
 *
 * @param name of the operator, for people
 * @param rows how windows slide down
 * @param columns how they slide along a line
 * @param x (N, C, H, W)
 * @param w (O, C/G, K, L)
 * @param y (N, O, I, J)
 */
record FusedConvolution(String name, Slide rows, Slide columns, Shape x, Shape w, Shape y) {
  private static final int[] BUT_CHANNELS = {0, 2, 3};

  /**
   * y[n, o, i, j] = bias[o] + Σ w[o, c, k, l] x[n, c, i stride + k dilation - padding, ...].
   *
   * <p>dx = I(dy, w), dw = W(x, dy), dbias = the sum of dy over all but the channels.
   */
  Tensor forward(Tensor x, Tensor w, @Nullable Tensor bias) {
    Op op = bias == null ? Op.of(name, x, w) : Op.of(name, x, w, bias);
    Tensor z = op.output(y);
    if (w.numel() > 0) {
      if (bias == null) {
        op.device().run(b -> b.convolution(x.view(), w.view(), rows, columns, z.view()));
      } else {
        op.device()
            .run(b -> b.convolution(x.view(), w.view(), bias.view(), rows, columns, z.view()));
      }
      count();
    } else {
      op.device().run(b -> b.fill(z.view(), 0));
      addBias(z, bias);
    }
    Rule dx = p -> input(p.dy(), p.saved(1), null);
    Rule dw = p -> weight(p, p.saved(0), p.dy());
    op.saving(x, w);
    return bias == null ? op.record(z, dx, dw) : op.record(z, dx, dw, FusedConvolution::channels);
  }

  /**
   * The gradient with respect to the input: every element of y adds a weighted window.
   *
   * <p>dy = F(dx, w), dw = W(dx, y), dbias = the sum of dx over all but the channels.
   */
  Tensor input(Tensor y, Tensor w, @Nullable Tensor bias) {
    Op op = bias == null ? Op.of(name, y, w) : Op.of(name, y, w, bias);
    Tensor z = op.output(x);
    if (w.numel() > 0) {
      op.device().run(b -> b.convolutionInput(y.view(), w.view(), rows, columns, z.view()));
      count();
    } else {
      op.device().run(b -> b.fill(z.view(), 0));
    }
    addBias(z, bias);
    Rule dy = p -> forward(p.dy(), p.saved(1), null);
    Rule dw = p -> weight(p, p.dy(), p.saved(0));
    op.saving(y, w);
    return bias == null ? op.record(z, dy, dw) : op.record(z, dy, dw, FusedConvolution::channels);
  }

  /**
   * The gradient with respect to the weight, where the rule's destination is, if it has one.
   *
   * <p>dx = I(y, dw), dy = F(x, dw).
   */
  private @Nullable Tensor weight(Rule.Pull p, Tensor x, Tensor y) {
    Destination<Tensor> d = p.destination();
    if (d == null || !d.into().shape().equals(w)) {
      return weight(x, y);
    }
    multiply(x, y, d.accumulate() ? 1 : 0, d.into());
    return p.written();
  }

  private Tensor weight(Tensor x, Tensor y) {
    Op op = Op.of(name, x, y);
    Tensor z = op.output(w);
    multiply(x, y, 0, z);
    return op.saving(x, y)
        .record(z, p -> input(p.saved(1), p.dy(), null), p -> forward(p.saved(0), p.dy(), null));
  }

  private void multiply(Tensor x, Tensor y, double beta, Tensor z) {
    if (w.numel() > 0) {
      x.device().run(b -> b.convolutionWeight(x.view(), y.view(), rows, columns, beta, z.view()));
      count();
    }
  }

  private void count() {
    Work.product(y.numel(), w.size(1) * w.size(2) * w.size(3));
  }

  private static void addBias(Tensor z, @Nullable Tensor bias) {
    if (bias != null) {
      Layout repeated = bias.layout().unsqueeze(1).unsqueeze(2).expand(z.shape());
      View added = bias.view().with(repeated);
      z.device().run(b -> b.binary(Binary.ADD, z.view(), added, z.view()));
    }
  }

  /** The gradient of the bias, where it stays if nothing is there yet. */
  private static @Nullable Tensor channels(Rule.Pull p) {
    Tensor dy = p.dy();
    Destination<Tensor> d = p.destination();
    if (d == null || d.accumulate()) {
      return dy.sum(BUT_CHANNELS, false);
    }
    Layout kept = d.into().layout().unsqueeze(0).unsqueeze(2).unsqueeze(3);
    dy.device().run(b -> b.reduce(Reduce.SUM, dy.view(), d.into().view().with(kept)));
    return p.written();
  }
}

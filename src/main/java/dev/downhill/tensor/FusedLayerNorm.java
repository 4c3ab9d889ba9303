package dev.downhill.tensor;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Layer normalisation, and that by the root mean square, in one kernel each way. Two numbers a row
 * are kept for the gradients, which are computed together.
 */
final class FusedLayerNorm {
  private final Shape normalized;
  private final double eps;
  private final boolean centred;
  private final boolean weighted;
  private final boolean biased;

  private FusedLayerNorm(
      Shape normalized, double eps, boolean centred, boolean weighted, boolean biased) {
    this.normalized = normalized;
    this.eps = eps;
    this.centred = centred;
    this.weighted = weighted;
    this.biased = biased;
  }

  /**
   * y = z weight + bias with z = (x - μ) / √(v + eps) over the last dimensions, as {@link
   * Normalization#layerNorm}.
   *
   * @param op has been given x and then weight and bias, where they are there
   * @param centred whether μ is subtracted; if not, v is the mean square
   */
  static Tensor of(
      Op op,
      Tensor x,
      Shape normalized,
      @Nullable Tensor weight,
      @Nullable Tensor bias,
      double eps,
      boolean centred) {
    FusedLayerNorm norm =
        new FusedLayerNorm(normalized, eps, centred, weight != null, bias != null);
    try (Scope scope = Scope.internal()) {
      return scope.keep(norm.forward(op, x, weight, bias));
    }
  }

  private Tensor forward(Op op, Tensor x, @Nullable Tensor weight, @Nullable Tensor bias) {
    Tensor y = op.output(x.shape());
    Shape rows = x.shape().slice(0, x.dim() - normalized.rank());
    DType wide = x.dtype() == DType.BF16 ? DType.F32 : x.dtype();
    Tensor rstd = op.output(wide, rows);
    Tensor mean = centred ? op.output(wide, rows) : null;
    View in = rows(x);
    View w = row(weight);
    View b = row(bias);
    View m = mean == null ? null : mean.view();
    op.device().run(k -> k.layerNorm(in, w, b, eps, rows(y), m, rstd.view()));
    List<Tensor> saved = new ArrayList<>(List.of(x, rstd));
    if (mean != null) {
      saved.add(mean);
    }
    if (weight != null) {
      saved.add(weight);
    }
    int inputs = 1 + (weighted ? 1 : 0) + (biased ? 1 : 0);
    return op.saving(saved.toArray(Tensor[]::new))
        .record(y, Rule.together(inputs, this::gradients));
  }

  /** The normalised dimensions as one; a copy where they do not lie evenly. */
  private View rows(Tensor x) {
    if (normalized.rank() == 1) {
      return x.view();
    }
    Shape shape =
        x.shape().slice(0, x.dim() - normalized.rank()).append(Shape.of(normalized.numel()));
    Layout layout = x.layout().reshape(shape);
    return layout != null
        ? x.view().with(layout)
        : Conversion.copy(x.detach()).view().with(Layout.contiguous(shape));
  }

  private @Nullable View row(@Nullable Tensor perElement) {
    return perElement == null ? null : rows(perElement);
  }

  private @Nullable Tensor[] gradients(Rule.Pull p) {
    Tensor weight = weighted ? p.saved(centred ? 3 : 2) : null;
    return p.createGraph() ? composed(p, weight) : fused(p, weight);
  }

  private @Nullable Tensor[] fused(Rule.Pull p, @Nullable Tensor weight) {
    Tensor x = p.saved(0);
    @Nullable Tensor[] all = new Tensor[1 + (weighted ? 1 : 0) + (biased ? 1 : 0)];
    for (int i = 0; i < all.length; i++) {
      Shape shape = i == 0 ? x.shape() : normalized;
      all[i] = p.wants(i) ? Tensor.empty(x.device(), x.dtype(), shape) : null;
    }
    View in = rows(x);
    View dy = rows(p.dy());
    View w = row(weight);
    View mean = centred ? p.saved(2).view() : null;
    View rstd = p.saved(1).view();
    View dx = row(all[0]);
    View dweight = weighted ? row(all[1]) : null;
    View dbias = biased ? row(all[all.length - 1]) : null;
    x.device().run(k -> k.layerNormBackward(in, w, mean, rstd, dy, dx, dweight, dbias));
    return all;
  }

  /** What the derivative kernel is held to. */
  private @Nullable Tensor[] composed(Rule.Pull p, @Nullable Tensor weight) {
    Tensor x = Normalization.wide(p.saved(0));
    Tensor dy = Normalization.wide(p.dy());
    int[] dims = IntStream.range(x.dim() - normalized.rank(), x.dim()).toArray();
    Tensor deviation = centred ? x.sub(x.mean(dims, true)) : x;
    Tensor r = deviation.square().mean(dims, true).add(eps).rsqrt();
    Tensor z = deviation.mul(r);
    Tensor g = weight == null ? dy : dy.mul(Normalization.wide(weight));
    Tensor slope = centred ? g.sub(g.mean(dims, true)) : g;
    List<Tensor> all = new ArrayList<>();
    all.add(slope.sub(z.mul(g.mul(z).mean(dims, true))).mul(r));
    if (weighted) {
      all.add(dy.mul(z).sumTo(normalized));
    }
    if (biased) {
      all.add(dy.sumTo(normalized));
    }
    return all.stream().map(t -> t.to(p.dy().dtype())).toArray(Tensor[]::new);
  }
}

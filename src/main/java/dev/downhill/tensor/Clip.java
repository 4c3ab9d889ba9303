package dev.downhill.tensor;

import dev.downhill.backend.Binary;
import dev.downhill.backend.Device;
import dev.downhill.backend.Reduce;
import dev.downhill.backend.Unary;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.List;

/** Limits of gradients, in place and without waiting for the device. */
public final class Clip {
  // Sums are made in float64, so that squares do not overflow; a part at a time bounds the copy.
  private static final long PART = 1 << 20;

  private Clip() {}

  /**
   * The p-norm of all gradients as one vector: for 2 sqrt(sum g^2), for 1 sum |g|, for infinity max
   * |g|. NaN if any element is.
   *
   * @param gradients floating-point, on one device
   * @param p 1, 2 or infinity
   * @return 0-d, of the gradients' dtype, {@code float64} if they have several; 0 of no elements
   * @throws IllegalArgumentException for no gradients or another p
   */
  public static Tensor totalNorm(List<Tensor> gradients, double p) {
    if (gradients.isEmpty() || (p != 1 && p != 2 && p != Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "clip: expected gradients and a norm of 1, 2 or Infinity, got %d gradients and norm %s"
              .formatted(gradients.size(), p));
    }
    Device device = Op.of("clip", gradients.toArray(Tensor[]::new)).device();
    Unary measure = p == 2 ? Unary.SQUARE : Unary.ABS;
    Reduce join = p == Double.POSITIVE_INFINITY ? Reduce.MAX : Reduce.SUM;
    try (Scope scope = Scope.internal();
        Autograd.Mode _ = Autograd.noGrad()) {
      long most = gradients.stream().mapToLong(Tensor::numel).max().orElse(0);
      long count = gradients.stream().mapToLong(g -> Math.ceilDiv(g.numel(), PART)).sum();
      Tensor work = Tensor.empty(device, DType.F64, Shape.of(Math.min(PART, most)));
      Tensor parts = Tensor.zeros(device, DType.F64, Math.max(1, count));
      long done = 0;
      for (Tensor g : gradients) {
        Tensor dense = g.contiguous();
        for (long from = 0; from < g.numel(); from += PART) {
          Shape size = Shape.of(Math.min(PART, g.numel() - from));
          View x =
              dense.view().with(Layout.of(size, new long[] {1}, dense.layout().offset() + from));
          View w = work.view().with(Layout.contiguous(size));
          View y = parts.view().with(parts.layout().slice(0, done, 1, 1));
          device.run(
              b -> {
                b.copy(x, w);
                b.unary(measure, w, 0, 0, w);
                b.reduce(join, w, y);
              });
          done++;
        }
      }
      Tensor total = Tensor.empty(device, DType.F64, Shape.SCALAR);
      View whole = total.view().with(Layout.contiguous(Shape.of(1)));
      device.run(
          b -> {
            b.reduce(join, parts.view(), whole);
            if (p == 2) {
              b.unary(Unary.SQRT, whole, 0, 0, whole);
            }
          });
      DType dtype = gradients.get(0).dtype();
      boolean same = gradients.stream().allMatch(g -> g.dtype() == dtype);
      return scope.keep(total.to(same ? dtype : DType.F64));
    }
  }

  /**
   * g = g min(1, max / (total + 1e-6)) for each gradient, as {@code
   * torch.nn.utils.clip_grads_with_norm_}. An infinite total makes the factor 0, a total of NaN
   * makes all gradients NaN.
   *
   * @param total what {@link #totalNorm} gave
   * @throws IllegalArgumentException if {@code max} is negative or NaN
   */
  public static void scale(List<Tensor> gradients, double max, Tensor total) {
    if (!(max >= 0)) {
      throw new IllegalArgumentException("clip: expected a largest norm of 0 or more, got " + max);
    }
    total.check("clip");
    for (Tensor g : gradients) {
      InPlace.check("clip", g);
      if (total.numel() != 1 || g.device() != total.device()) {
        throw new IllegalArgumentException(
            "clip: expected a total of one element on the device of the gradients, got %s and %s (shapes %s and %s)"
                .formatted(g.device(), total.device(), g.shape(), total.shape()));
      }
    }
    try (Scope _ = Scope.internal();
        Autograd.Mode _ = Autograd.noGrad()) {
      Tensor factor = total.to(DType.F64).reshape().add(1e-6);
      View f = factor.view();
      factor
          .device()
          .run(
              b -> {
                b.binary(Binary.DIV, max, f, f);
                b.binary(Binary.MINIMUM, f, 1.0, f);
              });
      for (Tensor g : gradients) {
        Tensor own = factor.to(g.dtype());
        View by = own.view().with(own.layout().expand(g.shape()));
        g.device()
            .run(
                b -> {
                  b.binary(Binary.MUL, g.view(), by, g.view());
                  g.storage().changed();
                });
      }
    }
  }

  /**
   * g = min(max(g, -limit), limit) for each gradient, as {@code torch.nn.utils.clip_grad_value_}.
   *
   * @throws IllegalArgumentException if {@code limit} is negative or NaN
   */
  public static void value(List<Tensor> gradients, double limit) {
    if (!(limit >= 0)) {
      throw new IllegalArgumentException("clip: expected a limit of 0 or more, got " + limit);
    }
    gradients.forEach(g -> InPlace.check("clip", g));
    for (Tensor g : gradients) {
      g.device()
          .run(
              b -> {
                b.unary(Unary.CLAMP, g.view(), -limit, limit, g.view());
                g.storage().changed();
              });
    }
  }
}

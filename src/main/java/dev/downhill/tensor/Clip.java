package dev.downhill.tensor;

import dev.downhill.backend.Binary;
import dev.downhill.backend.Device;
import dev.downhill.backend.Unary;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.List;

/** Limits of gradients, in place and without waiting for the device. */
public final class Clip {
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
          "clip: expected gradients and a norm of 1, 2 or Infinity, got %s gradients and norm %s"
              .formatted(gradients.size(), p));
    }
    checkFloating(gradients);
    Device device = Op.of("clip", gradients.toArray(Tensor[]::new)).device();
    try (Scope scope = Scope.internal();
        Autograd.Mode _ = Autograd.noGrad()) {
      List<Tensor> dense = gradients.stream().map(Tensor::contiguous).toList();
      Tensor total = Tensor.empty(device, DType.F64, Shape.SCALAR);
      device.run(b -> b.norm(p, views(dense), total.view()));
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
    checkFloating(gradients);
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
      List<Tensor> dense = gradients.stream().map(Tensor::contiguous).toList();
      factor
          .device()
          .run(
              b -> {
                b.scale(f, views(dense));
                for (int i = 0; i < dense.size(); i++) {
                  Tensor g = gradients.get(i);
                  if (dense.get(i) != g) {
                    b.copy(dense.get(i).view(), g.view());
                  }
                  g.storage().changed();
                }
              });
    }
  }

  private static void checkFloating(List<Tensor> gradients) {
    for (Tensor g : gradients) {
      if (!g.dtype().isFloating()) {
        throw new IllegalArgumentException(
            "clip: expected floating-point gradients, got %s (shape %s)"
                .formatted(g.dtype(), g.shape()));
      }
    }
  }

  private static List<View> views(List<Tensor> dense) {
    return dense.stream().map(Tensor::view).toList();
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

package dev.downhill.cli.verify;

import dev.downhill.shape.Shape;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;

/**
 * Inputs that are not contiguous: the same values through a view of other memory. What lies between
 * the elements of the view is NaN (-1 in integers), so that an operator that reads it shows.
 */
final class Layouts {
  private Layouts() {}

  /**
   * A tensor placed as a case asks.
   *
   * @param x the values
   * @param kind {@code transpose}, {@code permute:...}, {@code step2}, {@code offset} or {@code
   *     expand:d}
   * @param needsGrad whether the view takes part in the backward pass
   * @throws Unsupported for another kind
   */
  static Tensor place(Tensor x, String kind, boolean needsGrad) {
    if (kind.matches("expand:\\d+")) {
      // A view whose elements share memory cannot be a leaf; gradients can be had for any tensor.
      Tensor base = x.slice(numbers(kind)[0], 0, 1, 1).contiguous();
      return (needsGrad ? base.requireGrad() : base).expand(x.shape().toArray());
    }
    Tensor view;
    try (Autograd.Mode _ = Autograd.noGrad()) {
      view = strided(x, kind);
    }
    return needsGrad ? view.requireGrad() : view;
  }

  private static Tensor strided(Tensor x, String kind) {
    if (kind.matches("permute:\\d+(,\\d+)*")) {
      int[] order = numbers(kind);
      int[] inverse = new int[order.length];
      for (int i = 0; i < order.length; i++) {
        inverse[order[i]] = i;
      }
      return x.permute(order).contiguous().permute(inverse);
    }
    Shape shape = x.shape();
    return switch (kind) {
      case "transpose" -> x.transpose(-1, -2).contiguous().transpose(-1, -2);
      case "step2" -> {
        int last = x.dim() - 1;
        Tensor base = between(x, shape.with(last, 2 * shape.size(last)));
        yield base.slice(last, 0, Long.MAX_VALUE, 2).copyFrom(x);
      }
      case "offset" -> {
        Tensor base = between(x, shape.with(0, shape.size(0) + 3));
        yield base.slice(0, 2, 2 + shape.size(0), 1).copyFrom(x);
      }
      default -> throw new Unsupported("no layout " + kind);
    };
  }

  private static int[] numbers(String kind) {
    String list = kind.substring(kind.indexOf(':') + 1);
    return Arrays.stream(list.split(",", -1)).mapToInt(Integer::parseInt).toArray();
  }

  private static Tensor between(Tensor x, Shape shape) {
    double filling = x.dtype().isFloating() ? Double.NaN : -1;
    return Tensor.full(x.device(), x.dtype(), filling, shape.toArray());
  }
}

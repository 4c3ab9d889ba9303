package dev.downhill.tensor;

import dev.downhill.shape.DType;
import java.util.Arrays;

/** Images made larger or smaller, as {@code torch.nn.functional.interpolate}. */
public final class Interpolation {
  private Interpolation() {}

  /** How a new element follows from the old ones. */
  public enum Mode {
    /** It is the old one where it lies, of any number of spatial dimensions. */
    NEAREST,
    /** It is a mean of the four old ones around it, weighted by their distances. */
    BILINEAR,
    /** Bilinear, with the outermost elements where they were: their centres are the corners. */
    BILINEAR_ALIGN_CORNERS
  }

  /**
   * The input with other sizes. Along a dimension of L elements that become M, with s = L / M:
   *
   * <ul>
   *   <li>nearest: y[i] = x[floor(i s)]
   *   <li>bilinear: y[i] = (1 - t) x[j] + t x[min(j + 1, L - 1)], where j + t = max((i + 1/2) s -
   *       1/2, 0), or with aligned corners i (L - 1) / (M - 1), or 0 if M is 1
   * </ul>
   *
   * <p>dx = the sum of dy over the new elements that an old one is part of, with the same weights.
   *
   * @param x (N, C, ...), with two spatial dimensions to interpolate bilinearly
   * @param sizes the new sizes, one for each spatial dimension or one for all
   */
  public static Tensor interpolate(Tensor x, long[] sizes, Mode mode) {
    Op op = operator(x, mode);
    int n = x.dim() - 2;
    long[] out = Windows.numbers(op, "size", Arrays.stream(sizes).boxed().toList(), n, 1);
    double[] steps = new double[n];
    Arrays.setAll(steps, d -> (double) x.size(2 + d) / out[d]);
    return interpolate(op, x, out, steps, mode);
  }

  /**
   * The input enlarged by factors: M = floor(L factor), and s = 1 / factor in the formulas of
   * {@link #interpolate(Tensor, long[], Mode)}.
   *
   * @param factors one for each spatial dimension or one for all, positive
   */
  public static Tensor interpolate(Tensor x, double[] factors, Mode mode) {
    Op op = operator(x, mode);
    int n = x.dim() - 2;
    boolean fits = factors.length == 1 || factors.length == n;
    long[] out = new long[n];
    double[] steps = new double[n];
    for (int d = 0; fits && d < n; d++) {
      double factor = factors[factors.length == 1 ? 0 : d];
      double size = Math.floor(x.size(2 + d) * factor);
      fits = factor > 0 && size >= 1 && size <= Integer.MAX_VALUE;
      out[d] = (long) size;
      steps[d] = 1 / factor;
    }
    if (!fits) {
      throw op.refuse(
          "expected 1 or %s positive factors that leave sizes of 1 to 2^31 - 1, got %s"
              .formatted(n, Arrays.toString(factors)));
    }
    return interpolate(op, x, out, steps, mode);
  }

  private static Op operator(Tensor x, Mode mode) {
    Op op = Op.of("interpolate", x).floating();
    if (x.dim() < 3 || (mode != Mode.NEAREST && x.dim() != 4)) {
      throw op.refuse(
          "expected an input (N, C, ...), with two spatial dimensions unless mode is NEAREST, got"
              + " mode "
              + mode);
    }
    return op;
  }

  private static Tensor interpolate(Op op, Tensor x, long[] out, double[] steps, Mode mode) {
    try (Scope scope = Scope.internal()) {
      if (x.shape().slice(2, x.dim()).numel() == 0) {
        throw op.refuse("expected spatial sizes of 1 or more");
      }
      Tensor y = x.reshape(x.shape().toArray());
      for (int d = out.length - 1; d >= 0; d--) {
        int dim = 2 + d;
        long length = x.size(dim);
        if (out[d] == length && x.dim() == 4) {
          continue; // As in PyTorch, whatever the factor was.
        }
        double corners = out[d] == 1 ? 0 : (length - 1.0) / (out[d] - 1.0);
        y =
            switch (mode) {
              case NEAREST -> nearest(y, dim, out[d], steps[d]);
              case BILINEAR -> linear(y, dim, out[d], steps[d], 0.5 * steps[d] - 0.5);
              case BILINEAR_ALIGN_CORNERS -> linear(y, dim, out[d], corners, 0);
            };
      }
      return scope.keep(y);
    }
  }

  /**
   * Along one dimension. As in PyTorch, positions are rounded to float32, so that a product that
   * should be whole is, and in images a size that doubles doubles every element whatever the factor
   * was.
   */
  private static Tensor nearest(Tensor x, int dim, long out, double step) {
    long length = x.size(dim);
    double exact = x.dim() == 4 && out == 2 * length ? 0.5 : step;
    Tensor at = Tensor.arange(x.device(), DType.F64, out).mul(exact).to(DType.F32).floor();
    return x.indexSelect(dim, at.to(DType.I64).minimum(length - 1.0));
  }

  /** Along one dimension: element i lies at i step + start. */
  private static Tensor linear(Tensor x, int dim, long out, double step, double start) {
    double last = x.size(dim) - 1.0;
    Tensor at =
        Tensor.arange(x.device(), DType.F64, out).mul(step).add(start).maximum(0).minimum(last);
    Tensor left = at.floor();
    long[] beside = new long[x.dim() - dim];
    Arrays.fill(beside, 1);
    beside[0] = out;
    Tensor weight = at.sub(left).to(x.dtype()).reshape(beside);
    Tensor low = x.indexSelect(dim, left.to(DType.I64));
    Tensor high = x.indexSelect(dim, left.add(1).minimum(last).to(DType.I64));
    return low.mul(weight.rsub(1)).add(high.mul(weight));
  }
}

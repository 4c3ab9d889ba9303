package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.backend.Unary;
import dev.downhill.shape.DType;
import dev.downhill.shape.ShapeException;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class PointwiseTest {
  private static final Device DEVICE = Device.cpu();
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;

  private static double[] values(UnaryOperator<Tensor> f, double... x) {
    return f.apply(Tensor.of(DEVICE, x, x.length)).toDoubles();
  }

  private static Tensor longs(long... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  /** The parameters with which a function is tried. */
  private static Tensor apply(Unary f, Tensor x) {
    return switch (f) {
      case POW -> Pointwise.apply(f, "f", x, 2.5, 0);
      case CLAMP, HARDTANH -> Pointwise.apply(f, "f", x, -1, 1);
      case LEAKY_RELU, ELU -> Pointwise.apply(f, "f", x, 0.3, 0);
      case SOFTPLUS -> Pointwise.apply(f, "f", x, 2, 6);
      default -> Pointwise.apply(f, "f", x);
    };
  }

  /** Kinks of all functions, numbers between them, and some far out. */
  private static final double[] POINTS = {
    0, -0.0, 1, -1, 3, -3, 6, -6, 0.5, -0.7, 1e-30, 2.5, -2.5, 20, -20, 21, 700, -700, 1e30, -1e30
  };

  @ParameterizedTest
  @EnumSource(
      value = Unary.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"NOT", "IS_FINITE"})
  void derivativeKernelIsTheComposedDerivative(Unary f) {
    double[] kernel = Slope.of(x -> apply(f, x), POINTS);
    double[] composed = Slope.composed(x -> apply(f, x), POINTS);
    for (int i = 0; i < POINTS.length; i++) {
      assertThat(kernel[i])
          .as("%s at %s", f, POINTS[i])
          .satisfiesAnyOf(
              k -> assertThat(k).isEqualTo(composed(composed, POINTS, k)),
              k -> assertThat(k).isNaN());
    }
    for (int i = 0; i < POINTS.length; i++) {
      if (Double.isNaN(kernel[i]) || Double.isInfinite(kernel[i])) {
        assertThat(composed[i]).as("%s at %s", f, POINTS[i]).isEqualTo(kernel[i]);
      } else {
        assertThat(composed[i])
            .as("%s at %s", f, POINTS[i])
            .isCloseTo(kernel[i], within(1e-13 * Math.max(1, Math.abs(kernel[i]))));
      }
    }
  }
}

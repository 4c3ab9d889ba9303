package dev.downhill.nn;

import dev.downhill.tensor.Interpolation;
import dev.downhill.tensor.Tensor;
import java.util.function.UnaryOperator;

/** Makes images larger or smaller. See {@link Interpolation#interpolate}. */
public final class Upsample extends Layer {
  private final String text;
  private final UnaryOperator<Tensor> function;

  private Upsample(String text, UnaryOperator<Tensor> function) {
    this.text = text;
    this.function = function;
  }

  /** By this factor in all directions. */
  public static Upsample by(double factor, Interpolation.Mode mode) {
    double[] factors = {factor};
    return new Upsample(
        "scale_factor=" + factor + mode(mode), x -> Interpolation.interpolate(x, factors, mode));
  }

  /** To these sizes, one for each direction or one for all. */
  public static Upsample to(Interpolation.Mode mode, long... sizes) {
    long[] all = sizes.clone();
    return new Upsample(
        "size=" + Printed.numbers(all) + mode(mode), x -> Interpolation.interpolate(x, all, mode));
  }

  private static String mode(Interpolation.Mode mode) {
    return switch (mode) {
      case NEAREST -> ", mode='nearest'";
      case BILINEAR -> ", mode='bilinear'";
      case BILINEAR_ALIGN_CORNERS -> ", mode='bilinear', align_corners=True";
    };
  }

  @Override
  public Tensor forward(Tensor x) {
    return function.apply(x);
  }

  @Override
  public String toString() {
    return "Upsample(" + text + ")";
  }
}

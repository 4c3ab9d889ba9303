package dev.downhill.cli.verify;

import dev.downhill.nn.AdaptiveAvgPool2d;
import dev.downhill.nn.AvgPool2d;
import dev.downhill.nn.Conv;
import dev.downhill.nn.Conv2d;
import dev.downhill.nn.Layer;
import dev.downhill.nn.MaxPool2d;
import dev.downhill.tensor.Convolution;
import dev.downhill.tensor.Interpolation;
import dev.downhill.tensor.Padding;
import dev.downhill.tensor.Pooling;
import dev.downhill.tensor.Ranked;
import dev.downhill.tensor.Tensor;
import java.util.Map;

/** Padding, and what is made of sliding windows: convolution, pooling, interpolation. */
final class ConvolutionOperators {
  private ConvolutionOperators() {}

  static void addTo(Operators table) {
    table.one("pad", ConvolutionOperators::pad);
    table.one(
        "conv1d",
        (call, a) ->
            Convolution.conv1d(
                call.in("input"), call.in("weight"), call.optional("bias"), options(a)));
    table.one(
        "conv2d",
        (call, a) ->
            Convolution.conv2d(
                call.in("input"), call.in("weight"), call.optional("bias"), options(a)));
    table.one(
        "conv_transpose2d",
        (call, a) ->
            Convolution.convTranspose2d(
                call.in("input"),
                call.in("weight"),
                call.optional("bias"),
                options(a).withOutputPadding(a.integers("output_padding"))));
    table.several("max_pool2d", ConvolutionOperators::maxPool2d);
    table.one("avg_pool2d", ConvolutionOperators::avgPool2d);
    table.one("adaptive_avg_pool2d", ConvolutionOperators::adaptiveAvgPool2d);
    table.one("interpolate", ConvolutionOperators::interpolate);
  }

  private static Tensor pad(Call call, Attributes a) {
    Tensor x = call.in("input");
    long[] pad = a.integers("pad");
    double value = a.isNull("value") ? 0 : a.number("value");
    return switch (a.text("mode")) {
      case "constant" -> Padding.pad(x, pad, value);
      case "reflect" -> Padding.pad(x, pad, Padding.Mode.REFLECT);
      case "replicate" -> Padding.pad(x, pad, Padding.Mode.REPLICATE);
      default -> throw a.unsupported("mode");
    };
  }

  private static Convolution.Options options(Attributes a) {
    return Convolution.Options.DEFAULT
        .withStride(a.integers("stride"))
        .withPadding(a.integers("padding"))
        .withDilation(a.integers("dilation"))
        .withGroups(a.integer("groups"));
  }

  static Layer conv2d(Attributes a) {
    Conv.Options options = new Conv.Options(options(a), a.flag("bias"));
    return new Conv2d(
        a.integer("in_channels"), a.integer("out_channels"), a.integers("kernel_size"), options);
  }

  static Layer maxPool2d(Attributes a) {
    Pooling.Max windows =
        Pooling.Max.of(a.integers("kernel_size")).withPadding(a.integers("padding"));
    return new MaxPool2d(a.isNull("stride") ? windows : windows.withStride(a.integers("stride")));
  }

  static Layer avgPool2d(Attributes a) {
    Pooling.Average windows =
        Pooling.Average.of(a.integers("kernel_size")).withPadding(a.integers("padding"));
    return new AvgPool2d(a.isNull("stride") ? windows : windows.withStride(a.integers("stride")));
  }

  static Layer adaptiveAvgPool2d(Attributes a) {
    long[] sizes = a.sizes("output_size");
    return new AdaptiveAvgPool2d(sizes[0], sizes[sizes.length - 1]);
  }

  private static Map<String, Tensor> maxPool2d(Call call, Attributes a) {
    Pooling.Max windows =
        Pooling.Max.of(a.integers("kernel_size"))
            .withPadding(a.integers("padding"))
            .withDilation(a.integers("dilation"));
    windows = a.isNull("stride") ? windows : windows.withStride(a.integers("stride"));
    windows = a.flag("ceil_mode") ? windows.withCeilMode() : windows;
    Ranked y = Pooling.maxPool2dWithIndices(call.in("input"), windows);
    return a.flag("return_indices")
        ? Map.of("output", y.values(), "indices", y.indices())
        : Map.of("output", y.values());
  }

  private static Tensor avgPool2d(Call call, Attributes a) {
    Pooling.Average windows =
        Pooling.Average.of(a.integers("kernel_size")).withPadding(a.integers("padding"));
    windows = a.isNull("stride") ? windows : windows.withStride(a.integers("stride"));
    windows = a.flag("ceil_mode") ? windows.withCeilMode() : windows;
    windows = a.flag("count_include_pad") ? windows : windows.withoutCountingPad();
    String divisor = "divisor_override";
    windows = a.isNull(divisor) ? windows : windows.withDivisor(a.number(divisor));
    return Pooling.avgPool2d(call.in("input"), windows);
  }

  private static Tensor adaptiveAvgPool2d(Call call, Attributes a) {
    long[] sizes = a.sizes("output_size");
    return Pooling.adaptiveAvgPool2d(call.in("input"), sizes[0], sizes[sizes.length - 1]);
  }

  private static Tensor interpolate(Call call, Attributes a) {
    Tensor x = call.in("input");
    boolean aligned = !a.isNull("align_corners") && a.flag("align_corners");
    Interpolation.Mode mode =
        switch (a.text("mode")) {
          case "nearest" -> Interpolation.Mode.NEAREST;
          case "bilinear" ->
              aligned ? Interpolation.Mode.BILINEAR_ALIGN_CORNERS : Interpolation.Mode.BILINEAR;
          default -> throw a.unsupported("mode");
        };
    if (!a.isNull("size")) {
      a.isNull("scale_factor");
      return Interpolation.interpolate(x, a.integers("size"), mode);
    }
    double[] factors =
        a.isList("scale_factor")
            ? a.numbers("scale_factor")
            : new double[] {a.number("scale_factor")};
    return Interpolation.interpolate(x, factors, mode);
  }
}

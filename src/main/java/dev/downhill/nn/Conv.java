package dev.downhill.nn;

import dev.downhill.shape.Shape;
import dev.downhill.tensor.Convolution;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A convolution with the parameters {@code weight} and {@code bias}, which start uniform on
 * ±1/sqrt(fan in), as in PyTorch (Kaiming's way with a slope of sqrt(5)).
 */
public abstract sealed class Conv extends Layer permits Conv1d, Conv2d, ConvTranspose2d {
  private final String name;
  private final Shape kernel;
  private final Options options;
  private final long in;
  private final long out;
  private final Parameter weight;
  private final @Nullable Parameter bias;

  /**
   * What a convolution has and how its windows lie.
   *
   * @param windows stride, padding, dilation and groups
   * @param bias whether there is a bias
   */
  public record Options(Convolution.Options windows, boolean bias) {
    /** Stride 1, no padding, no dilation, one group, with a bias. */
    public static final Options DEFAULT = new Options(Convolution.Options.DEFAULT, true);

    /** With this stride, one number for each direction or one for all. */
    public Options withStride(long... numbers) {
      return new Options(windows.withStride(numbers), bias);
    }

    /** With this padding, one number for each direction or one for all. */
    public Options withPadding(long... numbers) {
      return new Options(windows.withPadding(numbers), bias);
    }

    /** With this dilation, one number for each direction or one for all. */
    public Options withDilation(long... numbers) {
      return new Options(windows.withDilation(numbers), bias);
    }

    /** With a longer output, for transposed convolutions. */
    public Options withOutputPadding(long... numbers) {
      return new Options(windows.withOutputPadding(numbers), bias);
    }

    /** With channels divided into so many groups. */
    public Options withGroups(long number) {
      return new Options(windows.withGroups(number), bias);
    }

    /** Without a bias. */
    public Options withoutBias() {
      return new Options(windows, false);
    }
  }

  Conv(String name, long in, long out, Shape kernel, boolean transposed, Options options) {
    long groups = options.windows().groups();
    boolean fits = in > 0 && out > 0 && groups > 0 && in % groups == 0 && out % groups == 0;
    if (!fits || kernel.numel() == 0) {
      throw new IllegalArgumentException(
          "%s: expected 1 or more channels that the groups divide and a kernel of 1 or more, got in %s, out %s, %s groups and kernel %s"
              .formatted(name, in, out, groups, kernel));
    }
    this.name = name;
    this.in = in;
    this.out = out;
    this.kernel = kernel;
    this.options = options;
    Shape shape =
        (transposed ? Shape.of(in, out / groups) : Shape.of(out, in / groups)).append(kernel);
    Init standard = Init.kaimingUniform(Init.Fan.IN, Init.leakyRelu(Math.sqrt(5)));
    double bound = 1 / Math.sqrt((double) shape.remove(0).numel());
    weight = parameter("weight", shape, standard);
    bias = options.bias() ? parameter("bias", Shape.of(out), Init.uniform(-bound, bound)) : null;
  }

  /** One number for each of {@code n} directions, of that many or of one that holds for all. */
  static Shape kernel(String name, int n, long... numbers) {
    if (numbers.length != 1 && numbers.length != n) {
      throw new IllegalArgumentException(
          "%s: expected a kernel of 1 or %s numbers, got %s"
              .formatted(name, n, Arrays.toString(numbers)));
    }
    long[] all = new long[n];
    Arrays.setAll(all, d -> numbers[numbers.length == 1 ? 0 : d]);
    return Shape.of(all);
  }

  /** The weight. */
  public final Parameter weight() {
    return weight;
  }

  /** The bias, or null if there is none. */
  final @Nullable Tensor biasTensor() {
    return bias == null ? null : bias.tensor();
  }

  final Convolution.Options windows() {
    return options.windows();
  }

  /** As PyTorch prints it: what differs from the defaults, stride always. */
  @Override
  public final String toString() {
    Convolution.Options w = options.windows();
    return "%s(%s, %s, kernel_size=%s, stride=%s%s%s%s%s%s)"
        .formatted(
            name,
            in,
            out,
            text(Arrays.stream(kernel.toArray()).boxed().toList()),
            text(w.stride()),
            unless(w.padding(), 0, "padding"),
            unless(w.dilation(), 1, "dilation"),
            unless(w.outputPadding(), 0, "output_padding"),
            w.groups() == 1 ? "" : ", groups=" + w.groups(),
            options.bias() ? "" : ", bias=False");
  }

  private String unless(List<Long> numbers, long usual, String what) {
    return numbers.stream().allMatch(n -> n == usual)
        ? ""
        : ", %s=%s".formatted(what, text(numbers));
  }

  private String text(List<Long> numbers) {
    List<Long> all =
        numbers.size() == 1 ? Collections.nCopies(kernel.rank(), numbers.getFirst()) : numbers;
    return Printed.tuple(all);
  }
}

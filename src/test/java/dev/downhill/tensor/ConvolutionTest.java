package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Convolutions on small numbers, and what they refuse. */
final class ConvolutionTest {
  private static final Device DEVICE = Device.cpu();
  private static final Convolution.Options USUAL = Convolution.Options.DEFAULT;

  private static Tensor tensor(double[] values, long... sizes) {
    return Tensor.of(DEVICE, values, sizes);
  }

  private static Tensor range(long n, long... sizes) {
    return Tensor.arange(DEVICE, DType.F64, n).reshape(sizes);
  }

  /** A refusal leaves the device as it was. */
  @AfterEach
  void theDeviceStillWorks() {
    assertThat(range(3, 3).sum().item()).isEqualTo(3);
  }

  @Test
  void aConvolutionIsACrossCorrelation() {
    Tensor x = tensor(new double[] {1, 2, 3, 4}, 1, 1, 4);
    Tensor weight = tensor(new double[] {10, 1}, 1, 1, 2);
    Tensor bias = tensor(new double[] {0.5}, 1);
    assertThat(Convolution.conv1d(x, weight, bias, USUAL).toDoubles())
        .containsExactly(12.5, 23.5, 34.5);
    assertThat(Convolution.conv1d(x, weight, null, USUAL.withPadding(1).withStride(2)).toDoubles())
        .containsExactly(1, 23, 40);
    assertThat(Convolution.conv1d(x, weight, null, USUAL.withDilation(3)).toDoubles())
        .containsExactly(14);
  }

  @Test
  void groupsSeeTheirOwnChannels() {
    Tensor x = range(4, 1, 2, 2);
    Tensor weight = tensor(new double[] {1, 10, 100, 1000}, 4, 1, 1);
    assertThat(Convolution.conv1d(x, weight, null, USUAL.withGroups(2)).toDoubles())
        .containsExactly(0, 1, 0, 10, 200, 300, 2000, 3000);
  }

  @Test
  void directionsMayDiffer() {
    Tensor x = range(12, 1, 1, 3, 4);
    Tensor weight = Tensor.ones(DEVICE, DType.F64, 1, 1, 2, 1);
    Tensor y = Convolution.conv2d(x, weight, null, USUAL.withStride(1, 3).withPadding(0, 1));
    assertThat(y.shape()).isEqualTo(Shape.of(1, 1, 2, 2));
    assertThat(y.toDoubles()).containsExactly(0, 2 + 6, 0, 6 + 10);
    assertThat(Convolution.conv2d(x.squeeze(0), weight, null, USUAL).shape())
        .isEqualTo(Shape.of(1, 2, 4));
  }

  @Test
  void theTransposedOneIsTheGradientWithRespectToTheInput() {
    Convolution.Options options = USUAL.withStride(2, 1).withPadding(1).withDilation(1, 2);
    Tensor x = range(30, 1, 1, 5, 6).requireGrad();
    Tensor weight = range(12, 2, 1, 3, 2).sub(5);
    Tensor y = Convolution.conv2d(x, weight, null, options);
    Tensor dy = range(y.numel(), y.shape().toArray());
    y.backward(Autograd.Backward.DEFAULT.withGradient(dy));
    assertThat(Convolution.convTranspose2d(dy, weight, null, options).toDoubles())
        .containsExactly(Objects.requireNonNull(x.grad()).toDoubles(), within(1e-12));
  }

  @Test
  void outputPaddingMakesTheOutputLonger() {
    Tensor x = range(1, 1, 1, 1, 1).add(3);
    Tensor weight = tensor(new double[] {1, 2}, 1, 1, 1, 2);
    Convolution.Options options = USUAL.withStride(2).withOutputPadding(0, 1);
    assertThat(
            Convolution.convTranspose2d(x, weight, tensor(new double[] {1}, 1), options)
                .toDoubles())
        .containsExactly(4, 7, 1);
  }

  @Test
  void thereMayBeNoSamplesAndNoChannels() {
    Tensor weight = Tensor.ones(DEVICE, DType.F64, 3, 0, 2).requireGrad();
    Tensor bias = range(3, 3);
    Tensor y = Convolution.conv1d(range(0, 2, 0, 4), weight, bias, USUAL);
    assertThat(y.shape()).isEqualTo(Shape.of(2, 3, 3));
    assertThat(y.select(0, 1).select(1, 0).toDoubles()).containsExactly(0, 1, 2);
    Tensor full = Tensor.ones(DEVICE, DType.F64, 3, 1, 2).requireGrad();
    Convolution.conv1d(range(0, 0, 1, 4), full, bias, USUAL).sum().backward();
    assertThat(Objects.requireNonNull(full.grad()).toDoubles()).containsOnly(0.0).hasSize(6);
  }

  private static void refused(UnaryOperator<Tensor> call, Tensor x, String... parts) {
    Refusals.refused(
        () -> {
          Tensor _ = call.apply(x);
        },
        parts);
  }

  private static UnaryOperator<Tensor> conv(Convolution.Options options, long... weight) {
    Tensor w = Tensor.ones(DEVICE, DType.F64, weight);
    return x -> Convolution.conv2d(x, w, null, options);
  }

  private static UnaryOperator<Tensor> transposed(Convolution.Options options, long... weight) {
    Tensor w = Tensor.ones(DEVICE, DType.F64, weight);
    return x -> Convolution.convTranspose2d(x, w, null, options);
  }

  @Test
  void convolutionsRefuse() {
    Tensor x = range(18, 1, 2, 3, 3);
    refused(conv(USUAL, 1, 3, 2, 2), x, "conv2d: expected 3 input channels", "got 2", "(1, 3, 2");
    refused(conv(USUAL, 1, 2, 2), x, "a weight with 4", "(1, 2, 3, 3) and (1, 2, 2)");
    refused(conv(USUAL, 1, 2, 2, 2), range(9, 3, 3), "an input with 3 or 4 dimensions");
    refused(conv(USUAL, 1, 2, 4, 2), x, "no larger than the padded input, got 4 for 3", "-2");
    refused(conv(USUAL, 1, 2, 0, 2), x, "windows with a size", "got 0, 1 and 1");
    refused(conv(USUAL.withDilation(3), 1, 2, 1, 2), x, "got 4 for 3 along dimension -1");
    refused(conv(USUAL.withStride(0), 1, 2, 2, 2), x, "a stride of 1 or 2 numbers", "got [0]");
    refused(conv(USUAL.withStride(1, 1, 1), 1, 2, 2, 2), x, "got [1, 1, 1]");
    refused(conv(USUAL.withPadding(-1), 1, 2, 2, 2), x, "a padding of 1 or 2", "got [-1]");
    refused(conv(USUAL.withDilation(0), 1, 2, 2, 2), x, "a dilation of 1 or 2", "got [0]");
    refused(conv(USUAL.withDilation(1L << 40), 1, 2, 2, 2), x, "a dilation");
    refused(conv(USUAL.withGroups(0), 1, 2, 2, 2), x, "got 0 groups");
    refused(conv(USUAL.withGroups(2), 3, 1, 2, 2), x, "channels that 2 groups divide");
    refused(conv(USUAL.withOutputPadding(1), 1, 2, 2, 2), x, "no output padding, got [1]");
    refused(conv(USUAL, 1, 2, 2, 2), x.to(DType.F32), "dtypes differ", "float32 and float64");
    Tensor weight = Tensor.ones(DEVICE, DType.F64, 1, 2, 2, 2);
    refused(y -> Convolution.conv2d(y, weight, range(2, 2), USUAL), x, "a bias of 1", "and (2)");
    Tensor whole = weight.to(DType.I64);
    refused(y -> Convolution.conv2d(y, whole, null, USUAL), x.to(DType.I64), "floating-point");
  }

  private static UnaryOperator<Tensor> vectors(Convolution.Options options, long... weight) {
    Tensor w = Tensor.ones(DEVICE, DType.F64, weight);
    return x -> Convolution.conv1d(x, w, null, options);
  }

  @Test
  void convolutionsOfVectorsRefuse() {
    Tensor x = range(6, 1, 2, 3);
    refused(vectors(USUAL, 1, 3, 2), x, "conv1d: ", "(1, 2, 3) and (1, 3, 2)");
    refused(vectors(USUAL, 2, 2), x, "conv1d: ", "(1, 2, 3) and (2, 2)");
    refused(vectors(USUAL, 1, 2, 2), range(3, 3), "conv1d: ", "(3)");
    refused(vectors(USUAL, 1, 2, 2), range(6, 1, 1, 2, 3), "conv1d: ", "(1, 1, 2, 3)");
    refused(vectors(USUAL, 1, 2, 4), x, "conv1d: ", "got 4 for 3");
    refused(vectors(USUAL.withStride(0), 1, 2, 2), x, "conv1d: ", "got [0]");
    refused(vectors(USUAL.withStride(1, 1), 1, 2, 2), x, "conv1d: ", "got [1, 1]");
    refused(vectors(USUAL.withPadding(-1), 1, 2, 2), x, "conv1d: ", "got [-1]");
    refused(vectors(USUAL.withGroups(3), 3, 1, 2), x, "conv1d: ", "3 groups");
    refused(vectors(USUAL, 1, 2, 2), x.to(DType.F32), "conv1d: ", "dtypes differ");
  }

  @Test
  void transposedConvolutionsRefuse() {
    Tensor x = range(18, 1, 2, 3, 3);
    refused(transposed(USUAL, 3, 2, 2, 2), x, "convTranspose2d: expected 3 input channels");
    refused(transposed(USUAL, 2, 2, 2), x, "a weight with 4", "(2, 2, 2)");
    refused(transposed(USUAL, 2, 1, 2, 2), range(9, 3, 3), "3 or 4 dimensions");
    refused(transposed(USUAL.withOutputPadding(1), 2, 1, 2, 2), x, "output padding 1");
    refused(transposed(USUAL.withOutputPadding(-1), 2, 1, 2, 2), x, "got [-1]");
    refused(transposed(USUAL.withPadding(2), 2, 1, 2, 2), x, "output 0");
    refused(transposed(USUAL.withStride(0), 2, 1, 2, 2), x, "a stride", "got [0]");
    refused(transposed(USUAL.withGroups(3), 2, 1, 2, 2), x, "3 groups");
    refused(transposed(USUAL, 2, 1, 2, 2), range(0, 1, 2, 0, 3), "input 0");
    refused(transposed(USUAL, 2, 1, 2, 2), x.to(DType.F32), "dtypes differ");
  }
}

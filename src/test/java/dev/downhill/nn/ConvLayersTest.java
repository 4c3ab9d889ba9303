package dev.downhill.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Convolution;
import dev.downhill.tensor.Interpolation;
import dev.downhill.tensor.Pooling;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class ConvLayersTest {
  private static final Device CPU = Device.cpu();

  @Test
  void convolutionsAreTheirFunctions() {
    Conv.Options options = Conv.Options.DEFAULT.withStride(2).withPadding(1).withGroups(2);
    try (Conv2d conv = new Conv2d(4, 6, 3, options).on(CPU, 1, DType.F64);
        Scope _ = Scope.open()) {
      assertThat(conv.state().keySet()).containsExactly("weight", "bias");
      assertThat(conv.weight().shape()).isEqualTo(Shape.of(6, 2, 3, 3));
      Tensor x = Tensor.arange(CPU, DType.F64, 100).reshape(1, 4, 5, 5);
      Tensor y = conv.forward(x);
      assertThat(y.shape()).isEqualTo(Shape.of(1, 6, 3, 3));
      Tensor weight = conv.weight().tensor();
      Tensor bias = Objects.requireNonNull(conv.state().get("bias"));
      assertThat(y.toDoubles())
          .isEqualTo(Convolution.conv2d(x, weight, bias, options.windows()).toDoubles());
      y.sum().backward();
      assertThat(Objects.requireNonNull(bias.grad()).toDoubles()).containsOnly(9);
    }
  }

  @Test
  void convolutionsStartUniformAsInPyTorch() {
    try (Conv2d conv = new Conv2d(16, 8, 5).on(CPU, 3);
        Conv1d line = new Conv1d(100, 8, 4).on(CPU, 3);
        ConvTranspose2d back =
            new ConvTranspose2d(8, 32, 5, Conv.Options.DEFAULT.withGroups(2)).on(CPU, 3)) {
      for (Conv c : new Conv[] {conv, line, back}) {
        double most =
            Arrays.stream(c.weight().tensor().toDoubles()).map(Math::abs).max().orElseThrow();
        assertThat(most).as("%s", c).isBetween(0.049 - 1e-3, 0.05 * (1 + 1e-6));
        for (double b : Objects.requireNonNull(c.state().get("bias")).toDoubles()) {
          assertThat(Math.abs(b)).isLessThanOrEqualTo(0.05 * (1 + 1e-6));
        }
      }
      assertThat(back.weight().shape()).isEqualTo(Shape.of(8, 16, 5, 5));
    }
  }

  @Test
  void theyPrintAsInPyTorch() {
    Conv.Options usual = Conv.Options.DEFAULT;
    assertThat(new Conv1d(3, 8, 5)).hasToString("Conv1d(3, 8, kernel_size=(5,), stride=(1,))");
    assertThat(new Conv2d(3, 8, 3, usual.withStride(2).withPadding(1, 0).withoutBias()))
        .hasToString("Conv2d(3, 8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 0), bias=False)");
    assertThat(
            new ConvTranspose2d(
                4,
                8,
                new long[] {2, 3},
                usual.withStride(2).withDilation(2).withOutputPadding(1).withGroups(4)))
        .hasToString(
            "ConvTranspose2d(4, 8, kernel_size=(2, 3), stride=(2, 2), dilation=(2, 2),"
                + " output_padding=(1, 1), groups=4)");
    assertThat(new MaxPool2d(2))
        .hasToString("MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)");
    assertThat(new AvgPool2d(Pooling.Average.of(3, 2).withStride(1).withPadding(1)))
        .hasToString("AvgPool2d(kernel_size=(3, 2), stride=1, padding=1)");
    assertThat(new AdaptiveMaxPool2d(1)).hasToString("AdaptiveMaxPool2d(output_size=1)");
    assertThat(new AdaptiveMaxPool2d(-1, 2))
        .hasToString("AdaptiveMaxPool2d(output_size=(None, 2))");
    assertThat(new AdaptiveAvgPool2d(1)).hasToString("AdaptiveAvgPool2d(output_size=1)");
    assertThat(new AdaptiveAvgPool2d(-1, 2))
        .hasToString("AdaptiveAvgPool2d(output_size=(None, 2))");
    assertThat(Upsample.by(2, Interpolation.Mode.NEAREST))
        .hasToString("Upsample(scale_factor=2.0, mode='nearest')");
    assertThat(Upsample.to(Interpolation.Mode.BILINEAR, 4, 5))
        .hasToString("Upsample(size=(4, 5), mode='bilinear')");
  }

  @Test
  void aSmallNetworkHasTheShapesItShould() {
    try (Sequential net =
            new Sequential(
                    new Conv2d(1, 4, 3, Conv.Options.DEFAULT.withPadding(1)),
                    new MaxPool2d(2),
                    new Relu(),
                    new ConvTranspose2d(4, 2, 2, Conv.Options.DEFAULT.withStride(2)),
                    Upsample.by(2, Interpolation.Mode.BILINEAR),
                    new AvgPool2d(2),
                    new AdaptiveAvgPool2d(3),
                    new Flatten())
                .on(CPU, 7);
        Scope _ = Scope.open()) {
      Tensor y = net.forward(Tensor.ones(CPU, DType.F32, 5, 1, 8, 8));
      assertThat(y.shape()).isEqualTo(Shape.of(5, 18));
      y.sum().backward();
      assertThat(net.parameters()).allSatisfy(p -> assertThat(p.grad()).isNotNull());
      assertThat(net.state().keySet()).containsExactly("0.weight", "0.bias", "3.weight", "3.bias");
    }
  }

  @Test
  void badSizesAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Conv2d(0, 1, 3))
        .withMessageContaining("Conv2d: expected 1 or more channels");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Conv2d(3, 4, 3, Conv.Options.DEFAULT.withGroups(2)))
        .withMessageContaining("in 3, out 4, 2 groups");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Conv1d(1, 1, 0))
        .withMessageContaining("kernel (0)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Conv2d(1, 1, 1, 2, 3))
        .withMessageContaining("a kernel of 1 or 2 numbers, got [1, 2, 3]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new AdaptiveAvgPool2d(-2))
        .withMessageContaining("got -2");
  }
}

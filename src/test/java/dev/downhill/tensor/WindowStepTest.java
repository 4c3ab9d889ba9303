package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Convolutions and pools that are replayed give what they give at once, bit for bit. */
final class WindowStepTest {
  private static final Device DEVICE = Device.of("cpu:57");

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F64", "F32", "BF16"})
  void replayed_areTheSameBits(DType dtype) {
    Random random = new Random(9);
    Tensor w = random(random, dtype, 6, 2, 3, 3).requireGrad();
    Tensor bias = random(random, dtype, 6).requireGrad();
    Tensor turned = random(random, dtype, 6, 3, 2, 2).requireGrad();
    Step step = Step.of(x -> loss(x, w, bias, turned));
    for (int i = 0; i < 6; i++) {
      Tensor x = random(random, dtype, 5, 2, 9, 8);
      double replayed = step.run(x).item();
      double[] gradient = gradient(w);
      double[] biasGradient = gradient(bias);
      assertThat(loss(x, w, bias, turned).item()).as("run %d", i).isEqualTo(replayed);
      assertThat(gradient(w)).as("run %d", i).isEqualTo(gradient);
      assertThat(gradient(bias)).as("run %d", i).isEqualTo(biasGradient);
    }
  }

  private static double[] gradient(Tensor x) {
    return Objects.requireNonNull(x.grad()).toDoubles();
  }

  private static Tensor loss(Tensor x, Tensor w, Tensor bias, Tensor turned) {
    Convolution.Options options = Convolution.Options.DEFAULT.withPadding(1);
    Tensor y = Convolution.conv2d(x, w, bias, options);
    Tensor z = Pooling.avgPool2d(Pooling.maxPool2d(y, Pooling.Max.of(2)), Pooling.Average.of(2));
    Tensor loss = Convolution.convTranspose2d(z, turned, null, options.withStride(2)).square();
    Tensor sum = loss.sum();
    w.zeroGrad();
    bias.zeroGrad();
    turned.zeroGrad();
    sum.backward();
    return sum;
  }

  private static Tensor random(Random random, DType dtype, long... sizes) {
    long n = 1;
    for (long size : sizes) {
      n *= size;
    }
    double[] values = random.doubles(n, -1, 1).toArray();
    return Tensor.of(DEVICE, values, sizes).to(dtype);
  }
}

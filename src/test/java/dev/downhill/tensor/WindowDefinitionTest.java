package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.backend.Reduce;
import dev.downhill.shape.DType;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Convolutions and pools, which have kernels of their own, against their definitions in plain
 * operators: windows shown by unfold, then multiplied and added up, or compared.
 */
final class WindowDefinitionTest {
  private static final Device DEVICE = Device.cpu();

  private static Tensor normal(Random random, DType dtype, long... sizes) {
    double[] values = new double[(int) Arrays.stream(sizes).reduce(1, (a, b) -> a * b)];
    Arrays.setAll(values, i -> random.nextGaussian());
    return Tensor.of(DEVICE, values, sizes).to(dtype).requireGrad();
  }

  /** (N, C, H, W) as windows (N, C, I, J, K, L). */
  private static Tensor windows(Tensor x, long size, long step, long dilation, long pad, double v) {
    Tensor padded = Padding.pad(x, new long[] {pad, pad, pad, pad}, v);
    Windows windows = new Windows(size, step, dilation);
    Tensor rows = windows.unfold(padded, 2, windows.count(padded.size(2)));
    return windows.unfold(rows, 3, windows.count(padded.size(3)));
  }

  private static void assertSame(
      List<Tensor> inputs,
      Function<List<Tensor>, Tensor> fused,
      Function<List<Tensor>, Tensor> definition,
      double tolerance) {
    Tensor y = fused.apply(inputs);
    Tensor expected = definition.apply(inputs);
    assertThat(y.shape()).isEqualTo(expected.shape());
    assertThat(y.toDoubles()).containsExactly(expected.toDoubles(), within(tolerance));
    Tensor dy = normal(new Random(1), y.dtype(), y.shape().toArray()).detach();
    List<double[]> gradients = gradients(inputs, y, dy);
    List<double[]> definitions = gradients(inputs, expected, dy);
    for (int i = 0; i < inputs.size(); i++) {
      assertThat(gradients.get(i)).containsExactly(definitions.get(i), within(tolerance));
    }
  }

  private static List<double[]> gradients(List<Tensor> inputs, Tensor y, Tensor dy) {
    inputs.forEach(x -> x.zeroGrad());
    y.backward(Autograd.Backward.DEFAULT.withGradient(dy));
    return inputs.stream().map(x -> Objects.requireNonNull(x.grad()).toDoubles()).toList();
  }

  private static double tolerance(DType dtype) {
    return dtype == DType.F64 ? 1e-11 : 1e-3;
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F64", "F32"})
  void convolutions(DType dtype) {
    Random random = new Random(3);
    for (int i = 0; i < 60; i++) {
      long groups = 1 + random.nextInt(3);
      long c = 1 + random.nextInt(3);
      long o = 1 + random.nextInt(3);
      long size = 1 + random.nextInt(3);
      long step = 1 + random.nextInt(3);
      long dilation = 1 + random.nextInt(2);
      long pad = random.nextInt(3);
      long[] sizes = {1 + random.nextInt(3), groups * c, 5 + random.nextInt(9), 5};
      Convolution.Options options =
          Convolution.Options.DEFAULT
              .withStride(step)
              .withDilation(dilation)
              .withPadding(pad)
              .withGroups(groups);
      assertSame(
          List.of(
              normal(random, dtype, sizes),
              normal(random, dtype, groups * o, c, size, size),
              normal(random, dtype, groups * o)),
          x -> Convolution.conv2d(x.get(0), x.get(1), x.get(2), options),
          x -> {
            Tensor seen = windows(x.get(0), size, step, dilation, pad, 0);
            long[] split = seen.shape().remove(1).insert(1, c).insert(1, groups).toArray();
            Tensor y =
                Einsum.einsum(
                    "ngcijkl,gockl->ngoij",
                    seen.reshape(split),
                    x.get(1).reshape(groups, o, c, size, size));
            return y.flatten(1, 2).add(x.get(2).reshape(groups * o, 1, 1));
          },
          tolerance(dtype));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F64", "F32"})
  void pools(DType dtype) {
    Random random = new Random(4);
    for (int i = 0; i < 40; i++) {
      long size = 2 + random.nextInt(2);
      long step = 1 + random.nextInt(3);
      Tensor image = normal(random, dtype, 2, 3, 6 + random.nextInt(9), 7);
      assertSame(
          List.of(image),
          x -> Pooling.maxPool2d(x.get(0), Pooling.Max.of(size).withStride(step).withPadding(1)),
          x ->
              Extremum.of(
                  Reduce.MAX,
                  windows(x.get(0), size, step, 1, 1, Double.NEGATIVE_INFINITY),
                  new int[] {4, 5},
                  false),
          tolerance(dtype));
      assertSame(
          List.of(image),
          x ->
              Pooling.avgPool2d(x.get(0), Pooling.Average.of(size).withStride(step).withPadding(1)),
          x -> windows(x.get(0), size, step, 1, 1, 0).mean(new int[] {4, 5}, false),
          tolerance(dtype));
    }
  }
}

package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.backend.Philox;
import dev.downhill.shape.DType;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Random streams: what is drawn depends on seed, stream and position alone. */
final class GeneratorTest {
  private static final Device DEVICE = Device.of("cpu");

  @Test
  void drawsAreThoseOfTheHost() {
    try (Generator g = new Generator(DEVICE, 42, 7)) {
      Philox.Generator host = Philox.generator(42, 7);
      double[] expected = IntStream.range(0, 15).mapToDouble(i -> host.nextDouble()).toArray();
      assertThat(g.uniform(DType.F64, 3, 5).toDoubles()).containsExactly(expected);
      Philox block = Philox.at(42, 7, 15);
      assertThat(g.uniform(DType.F32).toFloats()).containsExactly(block.uniformFloat(0));
    }
  }

  @Test
  void normalsAreThoseOfTheHostToAFewUlp() {
    try (Generator g = new Generator(DEVICE, 3)) {
      double[] drawn = g.normal(DType.F64, 101).toDoubles();
      Philox.Generator host = Philox.generator(3, 0);
      for (double d : drawn) {
        double expected = host.nextGaussian();
        assertThat(d).isCloseTo(expected, org.assertj.core.api.Assertions.within(1e-14));
      }
    }
  }

  @Test
  void positionAdvancesByTheElements() {
    try (Generator g = new Generator(DEVICE, 1)) {
      assertThat(g.position()).isZero();
      assertThat(g.uniform(DType.F32, 3, 5).numel()).isEqualTo(15);
      assertThat(g.position()).isEqualTo(15);
      assertThat(g.bernoulli(0.5, 7).numel()).isEqualTo(7);
      assertThat(g.uniform(DType.F32, 0, 5).numel()).isZero();
      assertThat(g.normal(DType.F64).numel()).isEqualTo(1);
      assertThat(g.position()).isEqualTo(23);
    }
  }

  @Test
  void seekRepeatsAndResumes() {
    try (Generator a = new Generator(DEVICE, 9);
        Generator b = new Generator(DEVICE, 9)) {
      float[] all = a.uniform(DType.F32, 100).toFloats();
      b.seek(60);
      assertThat(b.position()).isEqualTo(60);
      float[] rest = b.uniform(DType.F32, 40).toFloats();
      assertThat(rest).containsExactly(java.util.Arrays.copyOfRange(all, 60, 100));
      b.seek(0);
      assertThat(b.uniform(DType.F32, 100).toFloats()).containsExactly(all);
    }
  }

  @Test
  void positionsBeyondThirtyTwoBits() {
    try (Generator g = new Generator(DEVICE, 9)) {
      long far = (1L << 40) + 3;
      g.seek(far);
      assertThat(g.uniform(DType.F64, 1).item()).isEqualTo(Philox.at(9, 0, far).uniform(0));
      assertThat(g.position()).isEqualTo(far + 1);
    }
  }

  @Test
  void seedsAndStreamsDiffer() {
    try (Generator a = new Generator(DEVICE, 9, 0);
        Generator b = new Generator(DEVICE, 9, 1);
        Generator c = new Generator(DEVICE, 10, 0)) {
      float[] x = a.uniform(DType.F32, 10).toFloats();
      assertThat(b.uniform(DType.F32, 10).toFloats()).isNotEqualTo(x);
      assertThat(c.uniform(DType.F32, 10).toFloats()).isNotEqualTo(x);
    }
  }

  @Test
  void masksHaveTheirProbability() {
    try (Generator g = new Generator(DEVICE, 5)) {
      double share = g.bernoulli(0.3, 10_000).to(DType.F64).sum().item() / 10_000;
      assertThat(share).isBetween(0.28, 0.32);
      assertThat(g.bernoulli(0, 1000).toBooleans()).containsOnly(false);
      assertThat(g.bernoulli(1, 1000).toBooleans()).containsOnly(true);
    }
  }

  @Test
  void stepDrawsWhatWouldBeDrawnWithoutIt() {
    Tensor x = Tensor.zeros(DEVICE, DType.F64, 5);
    try (Generator inside = new Generator(DEVICE, 2);
        Generator outside = new Generator(DEVICE, 2);
        Step step =
            Step.of(in -> in.add(inside.uniform(DType.F64, 5)).add(inside.normal(DType.F64, 5)))) {
      for (int run = 1; run <= 5; run++) {
        double[] y = step.run(x).toDoubles();
        Tensor u = outside.uniform(DType.F64, 5);
        assertThat(y).containsExactly(u.add(outside.normal(DType.F64, 5)).toDoubles());
        assertThat(inside.position()).isEqualTo(10 * run).isEqualTo(outside.position());
      }
      inside.seek(0);
      outside.seek(0);
      Tensor u = outside.uniform(DType.F64, 5);
      assertThat(step.run(x).toDoubles())
          .containsExactly(u.add(outside.normal(DType.F64, 5)).toDoubles());
    }
  }

  @Test
  void argumentsAreChecked() {
    try (Generator g = new Generator(DEVICE, 5)) {
      assertThatThrownBy(() -> g.bernoulli(1.5, 3))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("got 1.5");
      assertThatThrownBy(() -> g.bernoulli(Double.NaN, 3))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> g.uniform(DType.I64, 3))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("int64 (shape (3))");
    }
  }

  @Test
  void dropoutScalesWhatItKeeps() {
    Tensor x = Tensor.ones(DEVICE, DType.F64, 1000).requireGrad();
    try (Generator g = new Generator(DEVICE, 5);
        Generator same = new Generator(DEVICE, 5)) {
      Tensor y = Dropout.dropout(x, 0.25, g);
      boolean[] kept = same.bernoulli(0.75, 1000).toBooleans();
      double[] values = y.toDoubles();
      y.sum().backward();
      Tensor grad = x.grad();
      double[] dx = grad == null ? new double[0] : grad.toDoubles();
      for (int i = 0; i < values.length; i++) {
        assertThat(values[i]).isEqualTo(kept[i] ? 1 / 0.75 : 0);
        assertThat(dx[i]).isEqualTo(values[i]);
      }
      assertThat(Dropout.dropout(x, 1, g).toDoubles()).containsOnly(0);
      assertThat(Dropout.dropout(x, 0, g).toDoubles()).containsOnly(1);
      assertThatThrownBy(() -> Dropout.dropout(x, -0.1, g))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}

package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.cpu.CpuMathTest.Function;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The vector forms give every lane the bits of the scalar form, at every width. */
final class CpuVectorMathTest {
  private static final List<VectorSpecies<Float>> SPECIES =
      List.of(FloatVector.SPECIES_128, FloatVector.SPECIES_256, FloatVector.SPECIES_512);

  private static FloatVector vector(Function f, FloatVector x) {
    return switch (f) {
      case EXP -> CpuVectorMath.exp(x);
      case EXPM1 -> CpuVectorMath.expm1(x);
      case LOG -> CpuVectorMath.log(x);
      case LOG1P -> CpuVectorMath.log1p(x);
      case SIN -> CpuVectorMath.sin(x);
      case COS -> CpuVectorMath.cos(x);
      case TANH -> CpuVectorMath.tanh(x);
      case SIGMOID -> CpuVectorMath.sigmoid(x);
      case ERF -> CpuVectorMath.erf(x);
    };
  }

  @ParameterizedTest
  @EnumSource
  void lanes_equalTheScalarForm(Function f) {
    check(f, Floats.grid(8));
  }

  /** One lane that needs the slow path must not change the others. */
  @Test
  void lanes_ofLargeAngles_leaveTheirNeighboursAlone() {
    float[] x = {
      1, 2, 1e6f, -0.0f, 3, 1e30f, Float.POSITIVE_INFINITY, Float.NaN, 5, 6, 7, 8, 9, 1, 2, 3
    };
    check(Function.SIN, x);
    check(Function.COS, x);
  }

  private static void check(Function f, float[] x) {
    float[] expected = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      expected[i] = f.of(x[i]);
    }
    float[] y = new float[x.length];
    for (VectorSpecies<Float> species : SPECIES) {
      for (int i = 0; i < x.length; i += species.length()) {
        vector(f, FloatVector.fromArray(species, x, i)).intoArray(y, i);
      }
      for (int i = 0; i < x.length; i++) {
        if (Float.floatToIntBits(y[i]) != Float.floatToIntBits(expected[i])) {
          throw new AssertionError(
              f + "(" + x[i] + ") = " + y[i] + ", expected " + expected[i] + " on " + species);
        }
      }
    }
  }

  @Test
  void pow_equalsTheScalarForm() {
    float[] x = {0, 1, 2, -2, 0.5f, -0.0f, Float.NaN, 9};
    float[] y = {0, 5, 0.5f, 3, -1, -1, 0, Float.POSITIVE_INFINITY};
    float[] z =
        CpuVectorMath.pow(
                FloatVector.fromArray(FloatVector.SPECIES_256, x, 0),
                FloatVector.fromArray(FloatVector.SPECIES_256, y, 0))
            .toArray();
    for (int i = 0; i < z.length; i++) {
      assertThat(z[i]).isEqualTo(CpuMath.pow(x[i], y[i]));
    }
  }
}

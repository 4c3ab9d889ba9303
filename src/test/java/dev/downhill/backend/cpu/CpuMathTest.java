package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.SplittableRandom;
import org.apache.commons.math3.special.Erf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The f32 functions against double precision over all floats, and what is our own in f64. */
final class CpuMathTest {
  private static final MathContext DIGITS = new MathContext(60);

  /** A function of one float, and the bound on its error in ulp. */
  enum Function {
    EXP(1),
    EXPM1(1.5),
    LOG(1),
    LOG1P(1),
    SIN(1.6),
    COS(1.6),
    TANH(1.5),
    SIGMOID(1.5),
    ERF(1.2);

    final double bound;

    Function(double bound) {
      this.bound = bound;
    }

    float of(float x) {
      return switch (this) {
        case EXP -> CpuMath.exp(x);
        case EXPM1 -> CpuMath.expm1(x);
        case LOG -> CpuMath.log(x);
        case LOG1P -> CpuMath.log1p(x);
        case SIN -> CpuMath.sin(x);
        case COS -> CpuMath.cos(x);
        case TANH -> CpuMath.tanh(x);
        case SIGMOID -> CpuMath.sigmoid(x);
        case ERF -> CpuMath.erf(x);
      };
    }

    double truth(double x) {
      return switch (this) {
        case EXP -> StrictMath.exp(x);
        case EXPM1 -> StrictMath.expm1(x);
        case LOG -> StrictMath.log(x);
        case LOG1P -> StrictMath.log1p(x);
        case SIN -> StrictMath.sin(x);
        case COS -> StrictMath.cos(x);
        case TANH -> StrictMath.tanh(x);
        case SIGMOID -> CpuMath.sigmoid(x);
        case ERF -> CpuMath.erf(x);
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void f32_isCloseToTheTruth_everywhere(Function f) {
    for (long bits = 0; bits < 1L << 32; bits += 1997) {
      check(f, Float.intBitsToFloat((int) bits));
    }
  }

  /** Where most arguments lie: all magnitudes from 2^-8 to 2^7, more densely. */
  @ParameterizedTest
  @EnumSource
  void f32_isCloseToTheTruth_nearOne(Function f) {
    for (int bits = Float.floatToIntBits(0x1p-8f); bits < Float.floatToIntBits(128); bits += 197) {
      check(f, Float.intBitsToFloat(bits));
      check(f, -Float.intBitsToFloat(bits));
    }
  }

  private static void check(Function f, float x) {
    float y = f.of(x);
    double truth = f.truth(x);
    double error = ulps(y, truth);
    if (!(error <= f.bound)) {
      throw new AssertionError(f + "(" + x + ") = " + y + ", expected " + truth + ": " + error);
    }
  }

  /** How far y is from the truth, in units of the last place of a float as large as the truth. */
  private static double ulps(float y, double truth) {
    if (Double.compare(y, (float) truth) == 0) {
      return 0;
    }
    int exponent = Math.max(Math.getExponent(truth), Float.MIN_EXPONENT);
    double ulp = Math.scalb(1.0, exponent - 23);
    // Infinity stands where the next float after MAX_VALUE would be.
    double value = Float.isInfinite(y) ? Math.copySign(0x1p128, y) : y;
    boolean wrongSign = y == 0 && truth == 0;
    return wrongSign ? Double.NaN : Math.abs(value - truth) / ulp;
  }

  @ParameterizedTest
  @CsvSource({
    "EXP, 0, 1",
    "EXP, -0.0, 1",
    "EXP, Infinity, Infinity",
    "EXP, -Infinity, 0",
    "EXP, NaN, NaN",
    "EXP, 88.72284, Infinity",
    "EXP, -103, 1.4E-45",
    "EXP, -104, 0",
    "EXP, -3.4E38, 0",
    "EXPM1, -0.0, -0.0",
    "EXPM1, 1E-40, 1E-40",
    "EXPM1, Infinity, Infinity",
    "EXPM1, -Infinity, -1",
    "EXPM1, NaN, NaN",
    "EXPM1, 88.72284, Infinity",
    "LOG, 0, -Infinity",
    "LOG, -0.0, -Infinity",
    "LOG, 1, 0",
    "LOG, -1, NaN",
    "LOG, NaN, NaN",
    "LOG, Infinity, Infinity",
    "LOG, -Infinity, NaN",
    "LOG, -1E-45, NaN",
    "LOG, 1.4E-45, -103.27893",
    "LOG1P, -1, -Infinity",
    "LOG1P, -0.0, -0.0",
    "LOG1P, -2, NaN",
    "LOG1P, NaN, NaN",
    "LOG1P, Infinity, Infinity",
    "LOG1P, -Infinity, NaN",
    "LOG1P, 1E-40, 1E-40",
    "LOG1P, 3.4028235E38, 88.72284",
    "LOG1P, -0.99999994, -16.635532",
    "SIN, -0.0, -0.0",
    "SIN, Infinity, NaN",
    "SIN, -Infinity, NaN",
    "SIN, NaN, NaN",
    "SIN, 1E-40, 1E-40",
    "SIN, 3.4028235E38, -0.5218765",
    "COS, -0.0, 1",
    "COS, Infinity, NaN",
    "COS, NaN, NaN",
    "COS, 3.4028235E38, 0.85302103",
    "TANH, -0.0, -0.0",
    "TANH, Infinity, 1",
    "TANH, -Infinity, -1",
    "TANH, NaN, NaN",
    "TANH, -1E-40, -1E-40",
    "SIGMOID, 0, 0.5",
    "SIGMOID, Infinity, 1",
    "SIGMOID, -Infinity, 0",
    "SIGMOID, NaN, NaN",
    "SIGMOID, -100, 3.8E-44",
    "SIGMOID, -104, 0",
    "ERF, -0.0, -0.0",
    "ERF, Infinity, 1",
    "ERF, -Infinity, -1",
    "ERF, NaN, NaN",
    "ERF, 3.93, 1"
  })
  void f32_specialValues(Function f, float x, Float y) {
    assertThat(f.of(x)).isEqualTo(y);
    // The same holds in double where it does not speak of the limits of float.
    if (Math.abs(x) < 1e-30 || !Float.isFinite(x)) {
      assertThat((float) f.truth(x)).isEqualTo(y);
    }
  }

  @Test
  void f32_pow_isStrictMathRounded() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 10_000; i++) {
      float x = (float) random.nextDouble(20);
      float y = (float) random.nextDouble(-10, 10);
      assertThat(CpuMath.pow(x, y)).isEqualTo((float) StrictMath.pow(x, y));
    }
    assertThat(CpuMath.pow(-2f, 3f)).isEqualTo(-8f);
    assertThat(CpuMath.pow(-2f, 0.5f)).isNaN();
    assertThat(CpuMath.pow(Float.NaN, 0f)).isEqualTo(1f);
    assertThat(CpuMath.pow(1f, Float.NaN)).isEqualTo(1f);
    assertThat(CpuMath.pow(1f, Float.NEGATIVE_INFINITY)).isEqualTo(1f);
    assertThat(CpuMath.pow(-1f, Float.POSITIVE_INFINITY)).isEqualTo(1f);
    assertThat(CpuMath.pow(-1f, Float.NaN)).isNaN();
  }

  @Test
  void f64_erf_equalsItsSeries() {
    for (double x = 0x1p-30; x < 6; x += Math.min(x / 16, 0.01)) {
      double truth = erfSeries(x);
      assertThat(CpuMath.erf(x)).isCloseTo(truth, within(5e-16 * truth));
      assertThat(CpuMath.erf(-x)).isEqualTo(-CpuMath.erf(x));
    }
  }

  /** 2 / sqrt(pi) sum of (-1)^n x^(2n+1) / (n! (2n+1)), in 60 digits. */
  private static double erfSeries(double x) {
    BigDecimal square = new BigDecimal(x).pow(2, DIGITS);
    BigDecimal power = new BigDecimal(x);
    BigDecimal sum = power;
    for (int n = 1; power.abs().compareTo(new BigDecimal("1e-40")) > 0 || n < 5; n++) {
      power = power.multiply(square).divide(BigDecimal.valueOf(-n), DIGITS);
      sum = sum.add(power.divide(BigDecimal.valueOf(2L * n + 1), DIGITS));
    }
    BigDecimal factor = new BigDecimal("1.12837916709551257389615890312154517168810125865800");
    return sum.multiply(factor, DIGITS).doubleValue();
  }

  @Test
  void f64_erf_agreesWithCommonsMath() {
    for (double x = -7; x <= 7; x += 0.0173) {
      assertThat(CpuMath.erf(x)).isCloseTo(Erf.erf(x), within(2e-15));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "-0.0, -0.0",
    "4.9E-324, 4.9E-324",
    "1E-300, 1.1283791670955126E-300",
    "6, 1",
    "-30, -1",
    "Infinity, 1",
    "-Infinity, -1",
    "NaN, NaN"
  })
  void f64_erf_specialValues(double x, Double y) {
    assertThat(CpuMath.erf(x)).isEqualTo(y);
  }

  @Test
  void f64_sigmoid_isAccurateInBothTails() {
    for (double x = -740; x < 740; x += 0.37) {
      BigDecimal e = new BigDecimal(StrictMath.exp(-Math.abs(x)));
      BigDecimal numerator = x < 0 ? e : BigDecimal.ONE;
      double truth = numerator.divide(BigDecimal.ONE.add(e), new MathContext(30)).doubleValue();
      assertThat(CpuMath.sigmoid(x)).isCloseTo(truth, within(5e-16 * truth));
    }
    assertThat(CpuMath.sigmoid(Double.NEGATIVE_INFINITY)).isZero();
    assertThat(CpuMath.sigmoid(Double.POSITIVE_INFINITY)).isEqualTo(1);
    assertThat(CpuMath.sigmoid(Double.NaN)).isNaN();
  }
}

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

/** The f32 functions against double precision over all floats, and those of f64. */
final class CpuMathTest {
  private static final MathContext DIGITS = new MathContext(60);

  /** A function of one float, and its greatest error over all 2^32 floats in ulp, rounded up. */
  enum Function {
    EXP(0.99),
    EXPM1(1.45),
    LOG(0.93),
    LOG1P(1.27),
    SIN(1.54),
    COS(1.53),
    TANH(1.45),
    SIGMOID(1.48),
    ERF(1.12);

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

    double of(double x) {
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

    /** In double, by other means than ours. */
    double truth(double x) {
      return switch (this) {
        case EXP -> StrictMath.exp(x);
        case EXPM1 -> StrictMath.expm1(x);
        case LOG -> StrictMath.log(x);
        case LOG1P -> StrictMath.log1p(x);
        case SIN -> StrictMath.sin(x);
        case COS -> StrictMath.cos(x);
        case TANH -> StrictMath.tanh(x);
        case SIGMOID -> 1 / (1 + StrictMath.exp(-x));
        case ERF -> Math.copySign(Erf.erf(x), x);
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void f32_isCloseToTheTruth(Function f) {
    for (float x : Floats.grid(1)) {
      check(f, x);
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

  /** The same bits on every machine; Math's functions are the machine's own. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"SIGMOID", "ERF"})
  void f64_isStrictMath(Function f) {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 100_000; i++) {
      double x = random.nextDouble(-40, 40);
      assertThat(f.of(x)).isEqualTo((Double) f.truth(x));
    }
  }

  @Test
  void f64_erf_equalsItsSeries() {
    for (double x = 0x1p-30; x < 6; x += Math.min(x / 16, 0.001)) {
      assertThat(ulps(CpuMath.erf(x), erfSeries(x))).as("erf(%s)", x).isLessThan(4);
      assertThat(CpuMath.erf(-x)).isEqualTo(-CpuMath.erf(x));
    }
  }

  private static double ulps(double y, BigDecimal truth) {
    BigDecimal ulp = new BigDecimal(Math.ulp(truth.doubleValue()));
    return new BigDecimal(y).subtract(truth).abs().divide(ulp, DIGITS).doubleValue();
  }

  /** 2 / sqrt(pi) sum of (-1)^n x^(2n+1) / (n! (2n+1)), in 60 digits. */
  private static BigDecimal erfSeries(double x) {
    BigDecimal square = new BigDecimal(x).pow(2, DIGITS);
    BigDecimal power = new BigDecimal(x);
    BigDecimal sum = power;
    for (int n = 1; power.abs().compareTo(new BigDecimal("1e-40")) > 0 || n < 5; n++) {
      power = power.multiply(square).divide(BigDecimal.valueOf(-n), DIGITS);
      sum = sum.add(power.divide(BigDecimal.valueOf(2L * n + 1), DIGITS));
    }
    BigDecimal factor = new BigDecimal("1.12837916709551257389615890312154517168810125865800");
    return sum.multiply(factor, DIGITS);
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
    for (double x = -745; x < 745; x += Math.abs(x) < 40 ? 0.03 : 0.37) {
      BigDecimal e = expSeries(-Math.abs(x));
      BigDecimal numerator = x < 0 ? e : BigDecimal.ONE;
      BigDecimal truth = numerator.divide(BigDecimal.ONE.add(e), DIGITS);
      assertThat(ulps(CpuMath.sigmoid(x), truth)).as("sigmoid(%s)", x).isLessThan(2);
    }
    assertThat(CpuMath.sigmoid(Double.NEGATIVE_INFINITY)).isZero();
    assertThat(CpuMath.sigmoid(Double.POSITIVE_INFINITY)).isEqualTo(1);
    assertThat(CpuMath.sigmoid(Double.NaN)).isNaN();
  }

  /** (1 + r + r^2 / 2 + ...)^1024 for r = x / 1024, in 60 digits. */
  private static BigDecimal expSeries(double x) {
    BigDecimal r = new BigDecimal(x).divide(BigDecimal.valueOf(1024), DIGITS);
    BigDecimal term = BigDecimal.ONE;
    BigDecimal sum = term;
    for (int n = 1; n < 40; n++) {
      term = term.multiply(r).divide(BigDecimal.valueOf(n), DIGITS);
      sum = sum.add(term);
    }
    return sum.pow(1024, DIGITS);
  }
}

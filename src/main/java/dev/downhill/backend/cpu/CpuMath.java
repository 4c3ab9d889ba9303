package dev.downhill.backend.cpu;

/**
 * Elementary functions with the same bits on every machine. Those of {@code f32} are chains of
 * singly rounded operations, which {@link CpuVectorMath} repeats lane by lane; over all floats they
 * err by less than 1 (exp, log) to 1.6 units in the last place. Those of {@code f64} are {@link
 * StrictMath}'s or made of them: sigmoid, seen to err by less than 2 units in the last place, and
 * erf, by less than 4.
 */
final class CpuMath {
  private CpuMath() {}

  // f32

  static float exp(float x) {
    if (x > Minimax.EXP_MAX) {
      return Float.POSITIVE_INFINITY;
    }
    if (x < Minimax.EXP_MIN) {
      return 0;
    }
    float shifted = Math.fma(x, Minimax.LOG2_E, Minimax.ROUND);
    float p = 1 + expm1Reduced(reduceLn2(x, shifted - Minimax.ROUND));
    int n = Float.floatToRawIntBits(shifted) - Minimax.ROUND_BITS;
    int half = n >> 1;
    // Two steps, so that neither scale overflows and a subnormal result is rounded once.
    return p * powerOf2(half) * powerOf2(n - half);
  }

  static float expm1(float x) {
    if (x > Minimax.EXP_MAX) {
      return Float.POSITIVE_INFINITY;
    }
    if (x < Minimax.EXPM1_MIN) {
      return -1;
    }
    if (Math.abs(x) < Minimax.TINY) {
      return x;
    }
    float shifted = Math.fma(x, Minimax.LOG2_E, Minimax.ROUND);
    float p = expm1Reduced(reduceLn2(x, shifted - Minimax.ROUND));
    int n = Float.floatToRawIntBits(shifted) - Minimax.ROUND_BITS;
    // 2^n (1 + p) - 1, through half of it because 2^128 is no float.
    float scale = powerOf2(n - 1);
    return 2 * Math.fma(scale, p, scale - 0.5f);
  }

  private static float reduceLn2(float x, float k) {
    return Math.fma(k, -Minimax.LN2_REST, Math.fma(k, -Minimax.LN2, x));
  }

  private static float expm1Reduced(float r) {
    float p = Math.fma(Minimax.EXP_7, r, Minimax.EXP_6);
    p = Math.fma(p, r, Minimax.EXP_5);
    p = Math.fma(p, r, Minimax.EXP_4);
    p = Math.fma(p, r, Minimax.EXP_3);
    p = Math.fma(p, r, 0.5f);
    return Math.fma(p, r * r, r);
  }

  private static float powerOf2(int n) {
    return Float.intBitsToFloat((n + 127) << 23);
  }

  static float log(float x) {
    if (!(x > 0 && x < Float.POSITIVE_INFINITY)) {
      return x == 0 ? Float.NEGATIVE_INFINITY : x < 0 ? Float.NaN : x;
    }
    boolean subnormal = x < Float.MIN_NORMAL;
    int bits = Float.floatToRawIntBits(subnormal ? x * 0x1p23f : x);
    int e = (bits - Minimax.THREE_QUARTERS_BITS) & Minimax.EXPONENT_MASK;
    float k = (e >> 23) - (subnormal ? 23f : 0f);
    return Math.fma(k, Minimax.LN2, log1pReduced(Float.intBitsToFloat(bits - e) - 1));
  }

  static float log1p(float x) {
    if (!(x > -1 && x < Float.POSITIVE_INFINITY)) {
      return x == -1 ? Float.NEGATIVE_INFINITY : x < -1 ? Float.NaN : x;
    }
    if (Math.abs(x) < Minimax.TINY) {
      return x;
    }
    int e = (Float.floatToRawIntBits(1 + x) - Minimax.THREE_QUARTERS_BITS) & Minimax.EXPONENT_MASK;
    // m = 2^-k (1 + x) - 1 with one rounding; 4 2^-k because 2^-128 is no normal float.
    float scale4 = Float.intBitsToFloat(0x40800000 - e);
    float m = Float.intBitsToFloat(Float.floatToRawIntBits(x) - e) + Math.fma(scale4, 0.25f, -1);
    return Math.fma(e >> 23, Minimax.LN2, log1pReduced(m));
  }

  private static float log1pReduced(float m) {
    float p = Math.fma(Minimax.LOG_10, m, Minimax.LOG_9);
    p = Math.fma(p, m, Minimax.LOG_8);
    p = Math.fma(p, m, Minimax.LOG_7);
    p = Math.fma(p, m, Minimax.LOG_6);
    p = Math.fma(p, m, Minimax.LOG_5);
    p = Math.fma(p, m, Minimax.LOG_4);
    p = Math.fma(p, m, Minimax.LOG_3);
    p = Math.fma(p, m, -0.5f);
    return Math.fma(p, m * m, m);
  }

  static float sin(float x) {
    if (!(Math.abs(x) <= Minimax.TRIG_MAX)) {
      return (float) StrictMath.sin(x);
    }
    if (x == 0) {
      return x;
    }
    float shifted = Math.fma(x, Minimax.TWO_OVER_PI, Minimax.ROUND);
    float r = reduceHalfPi(x, shifted - Minimax.ROUND);
    int quadrant = Float.floatToRawIntBits(shifted);
    float y = (quadrant & 1) == 0 ? sinReduced(r) : cosReduced(r);
    return (quadrant & 2) == 0 ? y : -y;
  }

  static float cos(float x) {
    if (!(Math.abs(x) <= Minimax.TRIG_MAX)) {
      return (float) StrictMath.cos(x);
    }
    float shifted = Math.fma(x, Minimax.TWO_OVER_PI, Minimax.ROUND);
    float r = reduceHalfPi(x, shifted - Minimax.ROUND);
    int quadrant = Float.floatToRawIntBits(shifted) + 1;
    float y = (quadrant & 1) == 0 ? sinReduced(r) : cosReduced(r);
    return (quadrant & 2) == 0 ? y : -y;
  }

  private static float reduceHalfPi(float x, float k) {
    float r = Math.fma(k, -Minimax.HALF_PI, x);
    r = Math.fma(k, -Minimax.HALF_PI_REST, r);
    return Math.fma(k, -Minimax.HALF_PI_REST2, r);
  }

  private static float sinReduced(float r) {
    float s = r * r;
    float p = Math.fma(Minimax.SIN_7, s, Minimax.SIN_5);
    p = Math.fma(p, s, Minimax.SIN_3);
    return Math.fma(p * s, r, r);
  }

  private static float cosReduced(float r) {
    float s = r * r;
    float p = Math.fma(Minimax.COS_8, s, Minimax.COS_6);
    p = Math.fma(p, s, Minimax.COS_4);
    p = Math.fma(p, s, -0.5f);
    return Math.fma(p, s, 1);
  }

  static float tanh(float x) {
    float t = Math.abs(x);
    return Math.copySign(t < Minimax.TANH_SMALL ? tanhSmall(t) : 1 - 2 / (exp(2 * t) + 1), x);
  }

  private static float tanhSmall(float t) {
    float s = t * t;
    float p = Math.fma(Minimax.TANH_11, s, Minimax.TANH_9);
    p = Math.fma(p, s, Minimax.TANH_7);
    p = Math.fma(p, s, Minimax.TANH_5);
    p = Math.fma(p, s, Minimax.TANH_3);
    return Math.fma(p * s, t, t);
  }

  static float sigmoid(float x) {
    float z = exp(-Math.abs(x));
    float numerator = x < 0 ? z : 1;
    float d = 1 + z;
    float rest = z - (d - 1);
    float reciprocal = 1 / d;
    float y = numerator * reciprocal;
    // Without the correction by what y leaves of the numerator the error grows from 1.5 to 2.2 ulp.
    return Math.fma(Math.fma(-y, rest, Math.fma(-y, d, numerator)), reciprocal, y);
  }

  static float erf(float x) {
    float t = Math.abs(x);
    float y = t < Minimax.ERF_SMALL ? erfSmall(t) : 1 - exp(logErfc(Math.min(t, Minimax.ERF_MAX)));
    return Math.copySign(y, x);
  }

  private static float erfSmall(float t) {
    float s = t * t;
    float p = Math.fma(Minimax.ERF_13, s, Minimax.ERF_11);
    p = Math.fma(p, s, Minimax.ERF_9);
    p = Math.fma(p, s, Minimax.ERF_7);
    p = Math.fma(p, s, Minimax.ERF_5);
    p = Math.fma(p, s, Minimax.ERF_3);
    p = Math.fma(p, s, Minimax.ERF_1);
    return Math.fma(p, t, t);
  }

  private static float logErfc(float t) {
    float p = Math.fma(Minimax.ERFC_6, t, Minimax.ERFC_5);
    p = Math.fma(p, t, Minimax.ERFC_4);
    p = Math.fma(p, t, Minimax.ERFC_3);
    p = Math.fma(p, t, Minimax.ERFC_2);
    p = Math.fma(p, t, Minimax.ERFC_1);
    return Math.fma(p, t, Minimax.ERFC_0);
  }

  static float pow(float x, float y) {
    return (float) pow((double) x, (double) y);
  }

  // f64

  static double exp(double x) {
    return StrictMath.exp(x);
  }

  static double expm1(double x) {
    return StrictMath.expm1(x);
  }

  static double log(double x) {
    return StrictMath.log(x);
  }

  static double log1p(double x) {
    return StrictMath.log1p(x);
  }

  static double sin(double x) {
    return StrictMath.sin(x);
  }

  static double cos(double x) {
    return StrictMath.cos(x);
  }

  static double tanh(double x) {
    return StrictMath.tanh(x);
  }

  static double sigmoid(double x) {
    double z = StrictMath.exp(-Math.abs(x));
    return (x < 0 ? z : 1) / (1 + z);
  }

  /**
   * W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969).
   */
  static double erf(double x) {
    double t = Math.abs(x);
    if (t < 0.46875) {
      return x * erfRatio(x * x);
    }
    // Where erf is not yet 1 this form of erfc, made for t <= 4, is far better than needed.
    return Math.copySign(t > 6 ? 1 : 1 - StrictMath.exp(-t * t) * erfcRatio(t), x);
  }

  private static double erfRatio(double s) {
    double p = 0.18577770618460315;
    p = p * s + 3.1611237438705655;
    p = p * s + 113.86415415105016;
    p = p * s + 377.485237685302;
    p = p * s + 3209.3775891384694;
    double q = s + 23.601290952344122;
    q = q * s + 244.02463793444417;
    q = q * s + 1282.6165260773723;
    q = q * s + 2844.236833439171;
    return p / q;
  }

  private static double erfcRatio(double t) {
    double p = 2.1531153547440383E-8;
    p = p * t + 0.5641884969886701;
    p = p * t + 8.883149794388377;
    p = p * t + 66.11919063714163;
    p = p * t + 298.6351381974001;
    p = p * t + 881.952221241769;
    p = p * t + 1712.0476126340707;
    p = p * t + 2051.0783778260716;
    p = p * t + 1230.3393547979972;
    double q = t + 15.744926110709835;
    q = q * t + 117.6939508913125;
    q = q * t + 537.1811018620099;
    q = q * t + 1621.3895745666903;
    q = q * t + 3290.7992357334597;
    q = q * t + 4362.619090143247;
    q = q * t + 3439.3676741437216;
    q = q * t + 1230.3393548037495;
    return p / q;
  }

  /** C's and PyTorch's pow, which unlike Java's is 1 for 1 to any power and for -1 to infinity. */
  static double pow(double x, double y) {
    return x == 1 || (x == -1 && Double.isInfinite(y)) ? 1 : StrictMath.pow(x, y);
  }
}

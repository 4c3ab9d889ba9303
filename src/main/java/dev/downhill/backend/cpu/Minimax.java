package dev.downhill.backend.cpu;

/**
 * The constants of the {@code f32} functions, shared by {@link CpuMath} and {@link CpuVectorMath}.
 *
 * <p>Coefficients carry the power of their term. They are minimax fits of the relative error (Remez
 * exchange in 200-bit arithmetic) with the coefficients then rounded to float, lowest power first;
 * the error of the rounded polynomial stands with each.
 */
final class Minimax {
  private Minimax() {}

  /** Added and subtracted again, rounds a float below 2^22 to an integer, left in the low bits. */
  static final float ROUND = 0x1.8p23f;

  static final int ROUND_BITS = 0x4b400000;

  static final float LOG2_E = 0x1.715476p0f;
  static final float LN2 = 0x1.62e43p-1f;

  /** ln 2 - LN2. */
  static final float LN2_REST = -0x1.05c61p-29f;

  /** e^x is infinite above, 0 below. */
  static final float EXP_MAX = 89f;

  static final float EXP_MIN = -104f;

  /** e^x - 1 rounds to -1 below. */
  static final float EXPM1_MIN = -17.5f;

  /** x, e^x - 1 and log(1 + x) round to the same number where |x| is smaller. */
  static final float TINY = 0x1p-25f;

  // e^r - 1 = r + r^2 (1/2 + EXP_3 r + ...) for |r| <= ln(2) / 2, to 2^-29.8

  static final float EXP_3 = 0x1.555554p-3f;
  static final float EXP_4 = 0x1.5554f2p-5f;
  static final float EXP_5 = 0x1.1111cap-7f;
  static final float EXP_6 = 0x1.6d407ap-10f;
  static final float EXP_7 = 0x1.9fbdf8p-13f;

  // log(1 + m) = m + m^2 (-1/2 + LOG_3 m + ...) for -1/4 <= m <= 1/2, to 2^-27.4

  static final float LOG_3 = 0x1.5555a4p-2f;
  static final float LOG_4 = -0x1.00002cp-2f;
  static final float LOG_5 = 0x1.9968c6p-3f;
  static final float LOG_6 = -0x1.54f5aep-3f;
  static final float LOG_7 = 0x1.28a196p-3f;
  static final float LOG_8 = -0x1.0d6864p-3f;
  static final float LOG_9 = 0x1.aa6d56p-4f;
  static final float LOG_10 = -0x1.6cb9ccp-5f;

  /** The bits of 3/4: where the significand's range [3/4, 3/2) begins. */
  static final int THREE_QUARTERS_BITS = 0x3f400000;

  /** The bits of a float that hold its sign and exponent. */
  static final int EXPONENT_MASK = 0xff800000;

  /** Up to here three floats of pi/2 reduce an angle; beyond, StrictMath does. */
  static final float TRIG_MAX = 100_000f;

  static final float TWO_OVER_PI = 0x1.45f306p-1f;
  static final float HALF_PI = 0x1.921fb6p0f;

  /** pi/2 - HALF_PI. */
  static final float HALF_PI_REST = -0x1.777a5cp-25f;

  /** pi/2 - HALF_PI - HALF_PI_REST. */
  static final float HALF_PI_REST2 = -0x1.ee59dap-50f;

  // sin r = r + r^3 (SIN_3 + SIN_5 r^2 + ...) for |r| <= pi/4, to 2^-27.9

  static final float SIN_3 = -0x1.555546p-3f;
  static final float SIN_5 = 0x1.110778p-7f;
  static final float SIN_7 = -0x1.9953fep-13f;

  // cos r = 1 - r^2 / 2 + r^4 (COS_4 + COS_6 r^2 + ...) for |r| <= pi/4, to 2^-33.0

  static final float COS_4 = 0x1.55554ap-5f;
  static final float COS_6 = -0x1.6c0c28p-10f;
  static final float COS_8 = 0x1.99e80cp-16f;

  // tanh x = x + x^3 (TANH_3 + TANH_5 x^2 + ...) for |x| <= 0.55, to 2^-29.7

  static final float TANH_SMALL = 0.55f;
  static final float TANH_3 = -0x1.55554ap-2f;
  static final float TANH_5 = 0x1.110ceep-3f;
  static final float TANH_7 = -0x1.b91e7ep-5f;
  static final float TANH_9 = 0x1.58e518p-6f;
  static final float TANH_11 = -0x1.9921a2p-8f;

  // erf x = x + x (ERF_1 + ERF_3 x^2 + ...) for |x| <= 0.92, to 2^-30.0

  static final float ERF_SMALL = 0.92f;
  static final float ERF_1 = 0x1.06eba8p-3f;
  static final float ERF_3 = -0x1.81274p-2f;
  static final float ERF_5 = 0x1.ce2d64p-4f;
  static final float ERF_7 = -0x1.b80118p-6f;
  static final float ERF_9 = 0x1.5449e4p-8f;
  static final float ERF_11 = -0x1.a606c2p-11f;
  static final float ERF_13 = 0x1.4f562ep-14f;

  /** erf x rounds to 1 from here on. */
  static final float ERF_MAX = 4f;

  // erf x = 1 - e^(ERFC_0 + ERFC_1 x + ...) for 0.92 <= x <= 3.93, to 2^-29.0

  static final float ERFC_0 = -0x1.9a5dcp-13f;
  static final float ERFC_1 = -0x1.20af5ap0f;
  static final float ERFC_2 = -0x1.463cbcp-1f;
  static final float ERFC_3 = -0x1.a9b464p-4f;
  static final float ERFC_4 = 0x1.6c2b0ep-6f;
  static final float ERFC_5 = -0x1.8ee2fap-9f;
  static final float ERFC_6 = 0x1.9aec08p-13f;
}

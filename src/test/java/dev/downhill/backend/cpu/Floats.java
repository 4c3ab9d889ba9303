package dev.downhill.backend.cpu;

import java.util.Arrays;

/** The floats on which functions of one float are tried, of every sign and exponent. */
final class Floats {
  /** Where a function changes its form, or its result becomes 0, 1, subnormal or infinite. */
  private static final float[] BORDERS = {
    0,
    Float.MIN_NORMAL,
    Minimax.TINY,
    0.25f,
    0.5f,
    Minimax.TANH_SMALL,
    0.75f,
    Minimax.ERF_SMALL,
    1,
    1.5f,
    3.93f,
    Minimax.ERF_MAX,
    9.01f,
    16.63f,
    -Minimax.EXPM1_MIN,
    87.33655f,
    88.02969f,
    88.72284f,
    Minimax.EXP_MAX,
    103.27893f,
    103.97208f,
    -Minimax.EXP_MIN,
    Minimax.TRIG_MAX,
    0x1p23f,
    Float.MAX_VALUE,
    Float.NaN
  };

  private final float[] values = new float[1 << 22];
  private int size;

  private Floats() {}

  /**
   * A grid over all bit patterns, a finer one from 2^-8 to 2^7, and all floats beside the borders;
   * a multiple of 16 in number.
   *
   * @param coarseness what the steps of both grids are multiplied by; 1 makes 3.5 million floats
   */
  static float[] grid(int coarseness) {
    Floats floats = new Floats();
    for (long bits = 0; bits < 1L << 32; bits += 1999L * coarseness) {
      floats.add((int) bits);
    }
    floats.addBothSigns(0x1p-8f, 0x1p7f, 197 * coarseness);
    for (float border : BORDERS) {
      floats.addBothSigns(border, border, 1);
    }
    return Arrays.copyOf(floats.values, Math.ceilDiv(floats.size, 16) * 16);
  }

  /** Adds the floats from 300 below low to 300 above high, and their negatives. */
  private void addBothSigns(float low, float high, int step) {
    int end = Float.floatToIntBits(high) + 300;
    for (int bits = Math.max(0, Float.floatToIntBits(low) - 300); bits <= end; bits += step) {
      add(bits);
      add(bits | Integer.MIN_VALUE);
    }
  }

  private void add(int bits) {
    values[size++] = Float.intBitsToFloat(bits);
  }
}

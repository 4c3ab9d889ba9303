package dev.downhill.data;

import java.util.SplittableRandom;

/**
 * A stream of random numbers, a function of a seed and a stream number with the same bits on every
 * machine and JDK: only the 64-bit output of SplitMix64 is taken from the library, and elementary
 * functions are those of {@link StrictMath}.
 */
final class Draws {
  private final SplittableRandom random;

  Draws(long seed, long stream) {
    // The seed is scrambled first, so that neighbouring seeds and streams do not overlap.
    random = new SplittableRandom(new SplittableRandom(seed).nextLong() + stream);
  }

  /** Uniform in [0, 1), a multiple of 2^-53. */
  double uniform() {
    return (random.nextLong() >>> 11) * 0x1p-53;
  }

  /** Normal with mean 0 and standard deviation 1 (Box and Muller, 1958; the sine is not used). */
  double normal() {
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - uniform()));
    return radius * StrictMath.cos(2 * StrictMath.PI * uniform());
  }

  /** Uniform in 0 .. bound - 1; the bias is below bound / 2^64. */
  int below(int bound) {
    return (int) Math.unsignedMultiplyHigh(random.nextLong(), bound);
  }
}

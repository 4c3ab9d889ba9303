package dev.downhill.backend;

import java.nio.charset.StandardCharsets;

/**
 * Four random 32-bit words: what Philox4x32-10 gives at one position of one stream of a seed. Nothing
 * is carried from one position to the next, so that every device draws the same numbers in any order
 * and on any number of threads.
 *
 * <p>The key is the seed (low word first), the counter the position followed by the stream. Source:
 * Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
public record Philox(int x0, int x1, int x2, int x3) {
  private static final int ROUNDS = 10;
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;

  private static final long WORD = 0xFFFFFFFFL;

  /** The words at {@code position} of {@code stream}; all 64 bits of the three count. */
  public static Philox at(long seed, long stream, long position) {
    int c0 = (int) position;
    int c1 = (int) (position >>> 32);
    int c2 = (int) stream;
    int c3 = (int) (stream >>> 32);
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = MULTIPLIER_0 * (c0 & WORD);
      long p1 = MULTIPLIER_1 * (c2 & WORD);
      c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      c1 = (int) p1;
      c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c3 = (int) p0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    return new Philox(c0, c1, c2, c3);
  }

  /** The first word as an unsigned number, 0 to 2^32 - 1. */
  public long bits() {
    return x0 & WORD;
  }

  /** Uniform on [0, 1): the upper 24 bits of the first word times 2^-24. */
  public float uniformFloat() {
    return (x0 >>> 8) * 0x1p-24f;
  }

  /** Uniform on [0, 1): the upper 53 bits of the first word followed by the second, times 2^-53. */
  public double uniform() {
    return upper53(x0, x1) * 0x1p-53;
  }

  /**
   * Normal with mean 0 and deviation 1, by Box and Muller: sqrt(-2 ln u) cos(2 pi v) with u on (0, 1]
   * from the first two words and v on [0, 1) from the last two, 53 bits each.
   */
  public double normal() {
    double u = (upper53(x0, x1) + 1) * 0x1p-53;
    double v = upper53(x2, x3) * 0x1p-53;
    return Math.sqrt(-2 * StrictMath.log(u)) * StrictMath.cos(2 * Math.PI * v);
  }

  /** True with the probability whose {@link #threshold} is given. */
  public boolean bernoulli(long threshold) {
    return bits() < threshold;
  }

  /** How many of the 2^32 values of a word stand for true: p 2^32, rounded. */
  public static long threshold(double p) {
    return Math.round(p * 0x1p32);
  }

  private static long upper53(int high, int low) {
    return ((high & WORD) << 32 | low & WORD) >>> 11;
  }

  /** The stream that belongs to a name, such as a parameter's path: FNV-1a, 64 bits, of its UTF-8. */
  public static long streamOf(String name) {
    long hash = 0xCBF29CE484222325L;
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xFF)) * 0x100000001B3L;
    }
    return hash;
  }

  /** A generator that walks a stream from position 0, for use on the host. */
  public static Generator generator(long seed, long stream) {
    return new Generator(seed, stream);
  }

  /**
   * Draws one number after the other. Each takes one position, so the i-th {@link #nextDouble} or
   * {@link #nextGaussian} is what a device draws at position i. Not for use by several threads.
   */
  public static final class Generator {
    private final long seed;
    private final long stream;
    private long position;

    private Generator(long seed, long stream) {
      this.seed = seed;
      this.stream = stream;
    }

    private Philox next() {
      return at(seed, stream, position++);
    }

    /**
     * Uniform on 0 to {@code bound - 1}, without bias; may take more than one position.
     *
     * @throws IllegalArgumentException if {@code bound} is not positive
     */
    public int nextInt(int bound) {
      if (bound <= 0) {
        throw new IllegalArgumentException(
            "nextInt: bound out of range, expected a positive number, got " + bound);
      }
      // Lemire 2019: the upper word of bits * bound, where the lower is not in the short remainder.
      long product = next().bits() * bound;
      long reject = (1L << 32) % bound;
      while ((product & WORD) < reject) {
        product = next().bits() * bound;
      }
      return (int) (product >>> 32);
    }

    /** Uniform on [0, 1), 53 bits. */
    public double nextDouble() {
      return next().uniform();
    }

    /** Normal with mean 0 and deviation 1. */
    public double nextGaussian() {
      return next().normal();
    }
  }
}

package dev.downhill.backend;

import java.nio.charset.StandardCharsets;

/**
 * Random numbers by position: Philox4x32-10 gives four 32-bit words for every position of every
 * stream of a seed. Nothing is carried from one position to the next, so every device draws the
 * same numbers, in any order and on any number of threads.
 *
 * <p>The key is the seed and the counter the position followed by the stream, low words first. An
 * object draws a run of consecutive positions at a time. Source: Salmon, Moraes, Dror, Shaw,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
public final class Philox {
  private static final int ROUNDS = 10;
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final long WORD = 0xFFFFFFFFL;

  private long seed;
  private long stream;

  // One array per word, each word in the lower half of a long, and one loop per round: loops that
  // the
  // JIT turns into vector code (measured: 3 ns a position on AVX-512, 5 on AVX2, 11 one by one).
  private final long[] x0;
  private final long[] x1;
  private final long[] x2;
  private final long[] x3;

  /**
   * Room for the words of {@code n} positions of a stream; all 64 bits of seed and stream count.
   */
  public Philox(long seed, long stream, int n) {
    this.seed = seed;
    this.stream = stream;
    x0 = new long[n];
    x1 = new long[n];
    x2 = new long[n];
    x3 = new long[n];
  }

  /** Draws from another stream from now on. */
  public void reset(long newSeed, long newStream) {
    seed = newSeed;
    stream = newStream;
  }

  /** The words at one position, which are then found at 0. */
  public static Philox at(long seed, long stream, long position) {
    Philox philox = new Philox(seed, stream, 1);
    philox.draw(position, 1);
    return philox;
  }

  /**
   * Draws the words of n positions, from {@code position} on; they are then found at 0 to n - 1.
   */
  public void draw(long position, int n) {
    for (int i = 0; i < n; i++) {
      x0[i] = (position + i) & WORD;
      x1[i] = (position + i) >>> 32;
      x2[i] = stream & WORD;
      x3[i] = stream >>> 32;
    }
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      mix(k0 & WORD, k1 & WORD, n, x0, x1, x2, x3);
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
  }

  private static void mix(long k0, long k1, int n, long[] x0, long[] x1, long[] x2, long[] x3) {
    for (int i = 0; i < n; i++) {
      long p0 = MULTIPLIER_0 * x0[i];
      long p1 = MULTIPLIER_1 * x2[i];
      x0[i] = (p1 >>> 32) ^ x1[i] ^ k0;
      x1[i] = p1 & WORD;
      x2[i] = (p0 >>> 32) ^ x3[i] ^ k1;
      x3[i] = p0 & WORD;
    }
  }

  /** The four words at {@code i}. */
  int[] words(int i) {
    return new int[] {(int) x0[i], (int) x1[i], (int) x2[i], (int) x3[i]};
  }

  /** The first word, as an unsigned number from 0 to 2^32 - 1. */
  public long bits(int i) {
    return x0[i];
  }

  /** Uniform on [0, 1): the upper 24 bits of the first word, times 2^-24. */
  public float uniformFloat(int i) {
    return (x0[i] >>> 8) * 0x1p-24f;
  }

  /** Uniform on [0, 1): the upper 53 bits of the first word followed by the second, times 2^-53. */
  public double uniform(int i) {
    return upper53(x0[i], x1[i]) * 0x1p-53;
  }

  /**
   * Normal with mean 0 and deviation 1, by Box and Muller: sqrt(-2 log u) cos(2 pi v), with u on
   * (0, 1] from the first two words and v on [0, 1) from the last two, 53 bits each.
   */
  public double normal(int i) {
    double u = (upper53(x0[i], x1[i]) + 1) * 0x1p-53;
    double v = upper53(x2[i], x3[i]) * 0x1p-53;
    return Math.sqrt(-2 * StrictMath.log(u)) * StrictMath.cos(2 * Math.PI * v);
  }

  private static long upper53(long high, long low) {
    return ((high << 32) | low) >>> 11;
  }

  /** The number below which {@link #bits} lie with probability {@code p}: p 2^32, rounded. */
  public static long threshold(double p) {
    return Math.round(p * 0x1p32);
  }

  /**
   * The stream that belongs to a name, such as a parameter's path: FNV-1a, 64 bits, of its UTF-8.
   */
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
   * {@link #nextGaussian} is what a device draws at position i. For one thread at a time.
   */
  public static final class Generator {
    private static final int BLOCK = 64;

    private final Philox block;
    private long position;

    private Generator(long seed, long stream) {
      block = new Philox(seed, stream, BLOCK);
    }

    /** Takes the next position and returns where in the block it is. */
    private int next() {
      int i = (int) (position % BLOCK);
      if (i == 0) {
        block.draw(position, BLOCK);
      }
      position++;
      return i;
    }

    /**
     * Uniform on 0 to {@code bound - 1}, without bias; now and then takes more than one position.
     *
     * @throws IllegalArgumentException if {@code bound} is not positive
     */
    public int nextInt(int bound) {
      if (bound <= 0) {
        throw new IllegalArgumentException(
            "nextInt: bound out of range, expected a positive number, got " + bound);
      }
      // Lemire 2019: the upper word of bits * bound, unless the lower one is among the 2^32 mod
      // bound
      // values that would make some results likelier than others.
      long reject = (1L << 32) % bound;
      long product;
      do {
        product = block.bits(next()) * bound;
      } while ((product & WORD) < reject);
      return (int) (product >>> 32);
    }

    /** Uniform on [0, 1), 53 bits. */
    public double nextDouble() {
      return block.uniform(next());
    }

    /** Normal with mean 0 and deviation 1. */
    public double nextGaussian() {
      return block.normal(next());
    }
  }
}

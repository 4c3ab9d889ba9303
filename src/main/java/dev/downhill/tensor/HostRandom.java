package dev.downhill.tensor;

import dev.downhill.backend.Philox;

/**
 * Random numbers of the host, for initial values and orders: Philox4x32-10, the same numbers on
 * every machine. A stream is named by a seed and a text, such as the path of a parameter; what one
 * stream gives does not depend on whether and when others are used. Not for use by several threads.
 */
public final class HostRandom {
  private final Philox.Generator generator;

  /** The stream of this name, from its beginning. */
  public HostRandom(long seed, String name) {
    generator = Philox.generator(seed, streamOf(name));
  }

  /** The number of the stream that belongs to a name, for a {@link Generator} on a device. */
  public static long streamOf(String name) {
    return Philox.streamOf(name);
  }

  /** Uniform on [0, 1), a multiple of 2^-53. */
  public double uniform() {
    return generator.nextDouble();
  }

  /** Normal with mean 0 and standard deviation 1. */
  public double normal() {
    return generator.nextGaussian();
  }

  /** Uniform on 0 to {@code bound - 1}. */
  public int below(int bound) {
    return generator.nextInt(bound);
  }
}

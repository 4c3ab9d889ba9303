package dev.downhill.backend;

/** What random elements look like. Every element uses one position of its stream. */
public enum Draw {
  /** Uniform on [0, 1): 24 bits for {@code f32}, 53 for {@code f64}. */
  UNIFORM,
  /** Normal with mean 0 and deviation 1 (Box-Muller on the four words of one position). */
  NORMAL,
  /** True with probability {@code p}: the first word below {@code round(p 2^32)}; for bool. */
  BERNOULLI,
  /** Uniform 32-bit words, 0 to 2^32 - 1; for {@code i64}. */
  BITS
}

package dev.downhill.tensor;

import dev.downhill.backend.Binary;
import dev.downhill.backend.Device;
import dev.downhill.backend.Draw;
import dev.downhill.backend.Recording;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;

/**
 * A stream of random numbers on a device: Philox4x32-10, counter based (Salmon et al. 2011). A
 * number is a function of seed, stream and position alone, so the same draws come out on every
 * device, for any number of threads, whether a step runs for the first time or is replayed. Each
 * element drawn uses one position, in row-major order.
 */
public final class Generator implements AutoCloseable {
  private final Owner owner = new Owner();
  private final long seed;
  private final long stream;
  private final Tensor base;
  private long offset;

  /** The stream 0 of a seed, from its beginning. */
  public Generator(Device device, long seed) {
    this(device, seed, 0);
  }

  /**
   * A stream of a seed, from its beginning.
   *
   * @param stream streams of one seed are independent
   */
  public Generator(Device device, long seed, long stream) {
    this.seed = seed;
    this.stream = stream;
    this.base = owner.own(Tensor.zeros(device, DType.I64, 1));
  }

  /** Uniform on [0, 1): {@code float32} with 24 bits, {@code float64} with 53. */
  public Tensor uniform(DType dtype, long... sizes) {
    return draw(Draw.UNIFORM, dtype, 0, Shape.of(sizes));
  }

  /** Normal with mean 0 and standard deviation 1. */
  public Tensor normal(DType dtype, long... sizes) {
    return draw(Draw.NORMAL, dtype, 0, Shape.of(sizes));
  }

  /** True with probability {@code p}. */
  public Tensor bernoulli(double p, long... sizes) {
    if (!(p >= 0 && p <= 1)) {
      throw new IllegalArgumentException("bernoulli: expected a probability of 0 to 1, got " + p);
    }
    return draw(Draw.BERNOULLI, DType.BOOL, p, Shape.of(sizes));
  }

  private Tensor draw(Draw draw, DType dtype, double p, Shape shape) {
    if (draw != Draw.BERNOULLI && !dtype.isFloating()) {
      throw new IllegalArgumentException(
          "random: expected a floating-point dtype, got %s (shape %s)".formatted(dtype, shape));
    }
    base.check("random");
    Tensor y = Tensor.empty(base.device(), dtype, shape);
    long at = offset;
    base.device().run(b -> b.random(draw, seed, stream, base.view(), at, p, y.view()));
    offset += shape.numel();
    Recording recording = Recording.current();
    if (recording == null) {
      advance();
    } else {
      recording.atEnd(advance);
    }
    return y;
  }

  // One object, so that a recording notes it once however many draws there are.
  private final Runnable advance = this::advance;

  /** Moves the position in device memory on by what was drawn since. */
  private void advance() {
    double drawn = offset;
    offset = 0;
    base.device()
        .run(
            b -> {
              b.binary(Binary.ADD, base.view(), drawn, base.view());
              base.storage().changed();
            });
  }

  /** The position of the next draw; waits for the device. */
  public long position() {
    return base.toLongs()[0] + offset;
  }

  /** Continues at a position, for resuming. */
  public void seek(long position) {
    try (Scope _ = Scope.internal()) {
      base.copyFrom(Tensor.of(base.device(), new long[] {position}, 1));
    }
    offset = 0;
  }

  @Override
  public void close() {
    owner.close();
  }
}

package dev.downhill.cli.bench;

/**
 * The least that a step must do, whoever computes it.
 *
 * @param flops multiplications and additions of its matrix products
 * @param bytes that must cross the memory bus: those of the optimiser
 */
record Cost(double flops, double bytes) {
  /** A parameter of Adam: it, its gradient and two moments are read, it and they are written. */
  static final int ADAM = 7 * Float.BYTES;

  /** A parameter of SGD with momentum. */
  static final int MOMENTUM = 5 * Float.BYTES;

  /**
   * A linear map with bias, of {@code in} numbers to {@code out} at each of {@code rows} places.
   */
  record Map(long rows, long in, long out) {
    double flops() {
      return 2.0 * rows * in * out;
    }

    long parameters() {
      return in * out + out;
    }
  }

  /**
   * Maps one after the other: three products for each, but for the first, whose input wants no
   * gradient.
   */
  static Cost of(int optimizerBytes, Map... maps) {
    double flops = -maps[0].flops();
    long parameters = 0;
    for (Map map : maps) {
      flops += 3 * map.flops();
      parameters += map.parameters();
    }
    return new Cost(flops, (double) optimizerBytes * parameters);
  }

  /** A chain of linear maps between layers of these sizes. */
  static Cost mlp(int optimizerBytes, long rows, long... sizes) {
    Map[] maps = new Map[sizes.length - 1];
    for (int i = 0; i < maps.length; i++) {
      maps[i] = new Map(rows, sizes[i], sizes[i + 1]);
    }
    return of(optimizerBytes, maps);
  }

  /** The shortest time for it in microseconds: that of the scarcer of the two. */
  double micros(double flopsPerSecond, double bytesPerSecond) {
    return 1e6 * Math.max(flops / flopsPerSecond, bytes / bytesPerSecond);
  }
}

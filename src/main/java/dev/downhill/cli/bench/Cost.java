package dev.downhill.cli.bench;

/**
 * The least that a training step must do, whoever computes it.
 *
 * @param flops multiplications and additions of its matrix products
 * @param parameters how many numbers are trained
 * @param update how they are moved
 */
public record Cost(double flops, long parameters, Update update) {
  /** What an optimiser touches for each parameter. */
  public enum Update {
    /** Parameter, gradient and two moments are read, all but the gradient are written. */
    ADAM(4, 7),
    /** Parameter, gradient and momentum are read, all but the gradient are written. */
    MOMENTUM(3, 5);

    private final int numbers;
    private final int accesses;

    Update(int numbers, int accesses) {
      this.numbers = numbers;
      this.accesses = accesses;
    }

    double bytes(long parameters) {
      return (double) Float.BYTES * accesses * parameters;
    }
  }

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
  static Cost of(Update update, Map... maps) {
    double flops = -maps[0].flops();
    long parameters = 0;
    for (Map map : maps) {
      flops += 3 * map.flops();
      parameters += map.parameters();
    }
    return new Cost(flops, parameters, update);
  }

  /** A chain of linear maps between layers of these sizes. */
  static Cost mlp(Update update, long rows, long... sizes) {
    Map[] maps = new Map[sizes.length - 1];
    for (int i = 0; i < maps.length; i++) {
      maps[i] = new Map(rows, sizes[i], sizes[i + 1]);
    }
    return of(update, maps);
  }

  /** What the optimiser reads and writes. */
  public double bytes() {
    return update.bytes(parameters);
  }

  /** The shortest time for it in microseconds: that of the scarcer of arithmetic and memory. */
  double micros(Machine machine) {
    double resident = (double) Float.BYTES * update.numbers * parameters;
    return 1e6
        * Math.max(flops / machine.flopsPerSecond(), bytes() / machine.bytesPerSecond(resident));
  }
}

package dev.downhill.data;

/**
 * The normalisation {@code (x - mean) / std} and its inverse.
 *
 * @param mean finite
 * @param std finite and greater than 0
 */
public record Scale(double mean, double std) {
  /**
   * Checks the numbers.
   *
   * @throws DataException if one is not finite or {@code std} is not positive
   */
  public Scale {
    if (!Double.isFinite(mean) || !Double.isFinite(std) || std <= 0) {
      throw new DataException(
          "scale: expected a finite mean and a finite std above 0, got mean "
              + mean
              + " and std "
              + std);
    }
  }

  /**
   * The scale that gives these values mean 0 and (population) standard deviation 1; a std of 0, of
   * equal values, becomes 1.
   *
   * @param values at least one, all finite
   */
  static Scale of(double[] values) {
    double sum = 0;
    for (double v : values) {
      sum += v;
    }
    double mean = sum / values.length;
    double squares = 0;
    for (double v : values) {
      squares += (v - mean) * (v - mean);
    }
    double std = StrictMath.sqrt(squares / values.length);
    return new Scale(mean, std == 0 ? 1 : std);
  }

  /** {@code (x - mean) / std}. */
  public double normalize(double x) {
    return (x - mean) / std;
  }

  /** {@code y * std + mean}. */
  public double denormalize(double y) {
    return y * std + mean;
  }
}

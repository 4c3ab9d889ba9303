package dev.downhill.data;

import dev.downhill.backend.Device;
import dev.downhill.tensor.HostRandom;
import dev.downhill.tensor.Tensor;

/**
 * Generated points of two spirals that wind around each other: no straight line, and no few of
 * them, separates one from the other.
 *
 * <p>With t uniform on 0.15 to 1, a point lies at the distance t from the origin and at the angle 2
 * pi t {@value #TURNS}, turned by half a circle in the second class; both coordinates have normal
 * noise of deviation {@value #NOISE}.
 */
public final class Spirals {
  /** How often a spiral winds around the origin. */
  public static final double TURNS = 1.25;

  /** The deviation of the noise. */
  public static final double NOISE = 0.02;

  private Spirals() {}

  /**
   * Points (n, 2), whose coordinates have a deviation of about 1, and classes (n, 1), 0 and 1 in
   * turn.
   *
   * @param n the number of points; fewer of one seed are the first of more
   */
  public static Dataset dataset(Device device, int n, long seed) {
    HostRandom random = new HostRandom(seed, "spirals");
    float[] points = new float[2 * n];
    float[] classes = new float[n];
    for (int i = 0; i < n; i++) {
      double t = 0.15 + 0.85 * random.uniform();
      double angle = 2 * Math.PI * TURNS * t + Math.PI * (i % 2);
      // The mean of t squared is 0.38, half of it for each coordinate.
      points[2 * i] = (float) ((t * StrictMath.cos(angle) + NOISE * random.normal()) / 0.44);
      points[2 * i + 1] = (float) ((t * StrictMath.sin(angle) + NOISE * random.normal()) / 0.44);
      classes[i] = i % 2;
    }
    return new Dataset(Tensor.of(device, points, n, 2), Tensor.of(device, classes, n, 1));
  }
}

package dev.downhill.nn;

import dev.downhill.shape.Shape;
import dev.downhill.tensor.HostRandom;
import java.util.function.DoubleSupplier;

/** Random matrices with orthonormal rows or columns, for {@link Init#orthogonal}. */
final class Orthogonal {
  private Orthogonal() {}

  static DoubleSupplier values(Shape shape, double gain, HostRandom random) {
    if (shape.rank() < 2) {
      throw new IllegalArgumentException(
          "orthogonal: expected a weight (out, in, ...), got shape " + shape);
    }
    int rows = Math.toIntExact(shape.size(0));
    int columns = Math.toIntExact(shape.slice(1, shape.rank()).numel());
    boolean tall = rows > columns;
    double[][] q = orthonormal(Math.min(rows, columns), Math.max(rows, columns), random);
    int[] next = {0};
    return () -> {
      int row = next[0] / columns;
      int column = next[0] % columns;
      next[0]++;
      return gain * (tall ? q[column][row] : q[row][column]);
    };
  }

  /** {@code count} orthonormal vectors, by the modified Gram-Schmidt process. */
  private static double[][] orthonormal(int count, int length, HostRandom random) {
    double[][] q = new double[count][length];
    for (int i = 0; i < count; i++) {
      for (int k = 0; k < length; k++) {
        q[i][k] = random.normal();
      }
      for (int j = 0; j < i; j++) {
        subtract(q[i], q[j], dot(q[i], q[j]));
      }
      double norm = Math.sqrt(dot(q[i], q[i]));
      for (int k = 0; k < length; k++) {
        q[i][k] /= norm;
      }
    }
    return q;
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int k = 0; k < x.length; k++) {
      sum += x[k] * y[k];
    }
    return sum;
  }

  private static void subtract(double[] x, double[] y, double factor) {
    for (int k = 0; k < x.length; k++) {
      x[k] -= factor * y[k];
    }
  }
}

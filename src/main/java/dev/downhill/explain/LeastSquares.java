package dev.downhill.explain;

import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.SingularValueDecomposition;

/**
 * The best straight-line fit, the yardstick for what a network adds: the coefficients that make the
 * sum of squared errors smallest, the one of least norm where columns depend on each other.
 */
public final class LeastSquares {
  private final double[] coefficients;

  private LeastSquares(double[] coefficients) {
    this.coefficients = coefficients;
  }

  /**
   * Fits {@code y = c0 + c1 x1 + ... + cw xw}.
   *
   * @param x the features, row-major, {@code width} a row
   * @param y one target per row
   */
  public static LeastSquares fit(float[] x, float[] y, int width) {
    int n = width + 1;
    double[][] xx = new double[n][n];
    double[] xy = new double[n];
    double[] row = new double[n];
    row[0] = 1;
    for (int r = 0; r < y.length; r++) {
      for (int c = 0; c < width; c++) {
        row[c + 1] = x[r * width + c];
      }
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          xx[i][j] += row[i] * row[j];
        }
        xy[i] += row[i] * y[r];
      }
    }
    return new LeastSquares(
        new SingularValueDecomposition(new Array2DRowRealMatrix(xx, false))
            .getSolver()
            .solve(new ArrayRealVector(xy, false))
            .toArray());
  }

  /** The prediction for row {@code r} of row-major features. */
  public double predict(float[] x, int r) {
    int width = coefficients.length - 1;
    double y = coefficients[0];
    for (int c = 0; c < width; c++) {
      y += coefficients[c + 1] * x[r * width + c];
    }
    return y;
  }
}

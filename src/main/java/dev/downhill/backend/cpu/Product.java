package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.Shape;
import org.jspecify.annotations.Nullable;

/**
 * What is to be computed: y = bias + alpha a b or y = beta y + alpha a b for a stack of matrices.
 * One object is set to product after product.
 */
final class Product {
  final Matrices y = new Matrices();

  Operand a = y;
  Operand b = y;
  long count;
  long m;
  long n;
  long k;
  double alpha;
  double beta;

  /** What y begins with where beta is 0, the same row in every row; null for zeros. */
  @Nullable Matrices bias;

  private final Matrices someBias = new Matrices();

  void set(Operand a, Operand b, long k, double alpha, double beta, View y, @Nullable View bias) {
    Shape shape = y.shape();
    int rank = shape.rank();
    assert shape.size(rank - 1) == 1 || y.layout().stride(rank - 1) == 1 : y.layout();
    this.a = a;
    this.b = b;
    this.y.rows(y);
    this.k = k;
    this.alpha = alpha;
    this.beta = beta;
    this.bias = bias == null ? null : someBias.repeated(bias, false);
    m = shape.size(rank - 2);
    n = shape.size(rank - 1);
    count = 1;
    for (int d = 0; d < rank - 2; d++) {
      count *= shape.size(d);
    }
  }

  /** Makes this yᵀ = bᵀ aᵀ. */
  void swap(View y, @Nullable View bias) {
    this.y.columns(y);
    this.bias = bias == null ? null : someBias.repeated(bias, true);
    Operand left = a;
    a = b;
    b = left;
    long rows = m;
    m = n;
    n = rows;
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.UpdateTable;

/** {@link dev.downhill.backend.Update#NADAM} for one parameter. */
final class NAdamRow extends MomentsRow {
  /** lr (1 - mu(t)) / (1 - M). */
  double ofGradient;

  /** lr mu(t+1) / (1 - M mu(t+1)). */
  double ofMean;

  /** 1 / sqrt(1 - beta2^t). */
  double scale;

  NAdamRow(UpdateTable.Row row) {
    super(row);
  }

  @Override
  void start(double[] scalars) {
    super.start(scalars);
    double factor = scalars[7];
    setCounter(0, counter(0) + 1);
    setCounter(1, counter(1) * beta2);
    setCounter(2, counter(2) * factor);
    double now = beta1 * (1 - 0.5 * counter(2));
    double next = beta1 * (1 - 0.5 * (counter(2) * factor));
    setCounter(3, counter(3) * now);
    ofGradient = lr * (1 - now) / (1 - counter(3));
    ofMean = lr * next / (1 - counter(3) * next);
    scale = 1 / Math.sqrt(1 - counter(1));
  }

  @Override
  long vectors(long from, long to) {
    return CpuVectorUpdate.nadam(this, from, to);
  }

  @Override
  void f32(long from, long to) {
    float rest1 = (float) (1 - beta1);
    float rest2 = (float) (1 - beta2);
    for (long i = from; i < to; i++) {
      float x = Scalars.loadF32(p, 4 * (pi + i));
      float dx = Math.fma((float) decay, x, (float) sign * Scalars.loadF32(g, 4 * (gi + i)));
      float mean = Math.fma((float) beta1, Scalars.loadF32(m, 4 * (mi + i)), rest1 * dx);
      float square = Math.fma((float) beta2, Scalars.loadF32(v, 4 * (vi + i)), rest2 * dx * dx);
      float root = Math.fma(Scalars.sqrt(square), (float) scale, (float) eps);
      float step = Math.fma((float) ofMean, mean, (float) ofGradient * dx);
      Scalars.storeF32(mean, m, 4 * (mi + i));
      Scalars.storeF32(square, v, 4 * (vi + i));
      Scalars.storeF32(x * (float) keep - step / root, p, 4 * (pi + i));
    }
  }

  @Override
  void f64(long from, long to) {
    double rest1 = 1 - beta1;
    double rest2 = 1 - beta2;
    for (long i = from; i < to; i++) {
      double x = Scalars.loadF64(p, 8 * (pi + i));
      double dx = Math.fma(decay, x, sign * Scalars.loadF64(g, 8 * (gi + i)));
      double mean = Math.fma(beta1, Scalars.loadF64(m, 8 * (mi + i)), rest1 * dx);
      double square = Math.fma(beta2, Scalars.loadF64(v, 8 * (vi + i)), rest2 * dx * dx);
      double root = Math.fma(Math.sqrt(square), scale, eps);
      double step = Math.fma(ofMean, mean, ofGradient * dx);
      Scalars.storeF64(mean, m, 8 * (mi + i));
      Scalars.storeF64(square, v, 8 * (vi + i));
      Scalars.storeF64(x * keep - step / root, p, 8 * (pi + i));
    }
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Convolutions in {@code f32} and their gradients, as products of a matrix with {@link Planes}:
 * {@link WindowProduct} and {@link WeightGradient}. What follows from shapes alone is kept from
 * call to call. {@link ConvolutionReference} says what is computed, bit for bit.
 */
final class CpuConvolution implements Convolutions {
  private static final int KEPT = 256;

  private final Workers workers;
  private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);
  private final List<Known<WindowProduct>> forward = new ArrayList<>();
  private final List<Known<WindowProduct[]>> adjoint = new ArrayList<>();
  private final List<Known<WeightGradient>> weights = new ArrayList<>();

  CpuConvolution(Workers workers) {
    this.workers = workers;
  }

  @Override
  public void convolution(View x, View w, @Nullable View bias, Slide rows, Slide columns, View y) {
    if (y.shape().numel() > 0) {
      Shape a = x.shape();
      Shape b = w.shape();
      find(forward, a, b, rows, columns, () -> WindowProduct.of(scratch, y, w, a, rows, columns))
          .run(workers, x, w, bias, y);
    }
  }

  @Override
  public void convolutionInput(View dy, View w, Slide rows, Slide columns, View dx) {
    if (dx.shape().numel() == 0) {
      return;
    }
    WindowProduct[] phases =
        find(
            adjoint,
            dx.shape(),
            w.shape(),
            rows,
            columns,
            () -> WindowProduct.adjoint(scratch, dx, w, dy.shape(), rows, columns));
    for (WindowProduct phase : phases) {
      phase.run(workers, dy, w, null, dx);
    }
  }

  @Override
  public void convolutionWeight(View x, View dy, Slide rows, Slide columns, double beta, View dw) {
    if (dw.shape().numel() > 0) {
      Shape a = x.shape();
      Shape b = dw.shape();
      find(weights, a, b, rows, columns, () -> WeightGradient.of(scratch, x, dy, dw, rows, columns))
          .run(workers, x, dy, (float) beta, dw);
    }
  }

  /** What is known of calls with these shapes: the image's, the weight's, and how windows slide. */
  private record Known<P>(Shape image, Shape weight, Slide rows, Slide columns, P plan) {}

  /** What is known, or a plan of its own for work that is kept: nobody else may set that. */
  private <P> P find(
      List<Known<P>> known,
      Shape image,
      Shape weight,
      Slide rows,
      Slide columns,
      Supplier<P> make) {
    if (workers.isCapturing()) {
      return make.get();
    }
    for (int i = 0; i < known.size(); i++) {
      Known<P> k = known.get(i);
      if (k.image.equals(image)
          && k.weight.equals(weight)
          && k.rows.equals(rows)
          && k.columns.equals(columns)) {
        return k.plan;
      }
    }
    if (known.size() == KEPT) {
      known.clear();
    }
    P plan = make.get();
    known.add(new Known<>(image, weight, rows, columns, plan));
    return plan;
  }
}

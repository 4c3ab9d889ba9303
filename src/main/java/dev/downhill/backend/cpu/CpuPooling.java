package dev.downhill.backend.cpu;

import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.List;

/** The largest element of every window: {@link MaxPool} and {@link MaxPoolGradient}. */
final class CpuPooling {
  private static final int KEPT = 256;

  private final Workers workers;
  private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);
  private final List<Known> known = new ArrayList<>();
  private final MaxPoolGradient gradient = new MaxPoolGradient();

  CpuPooling(Workers workers) {
    this.workers = workers;
  }

  /** See {@link dev.downhill.backend.Backend#maxPool}. */
  void maxPool(View x, Slide rows, Slide columns, View y, View indices) {
    if (y.shape().numel() > 0) {
      plan(x.shape(), y.shape(), rows, columns).run(workers, x, y, indices);
    }
  }

  /** See {@link dev.downhill.backend.Backend#maxPoolBackward}. */
  void maxPoolBackward(View dy, View indices, View dx) {
    if (dx.shape().numel() > 0) {
      (workers.isCapturing() ? new MaxPoolGradient() : gradient).run(workers, dy, indices, dx);
    }
  }

  private record Known(Shape x, Shape y, Slide rows, Slide columns, MaxPool plan) {}

  private MaxPool plan(Shape x, Shape y, Slide rows, Slide columns) {
    if (workers.isCapturing()) {
      // Work that is kept has a plan of its own.
      return new MaxPool(scratch, x, y, rows, columns);
    }
    for (int i = 0; i < known.size(); i++) {
      Known k = known.get(i);
      if (k.x.equals(x) && k.y.equals(y) && k.rows.equals(rows) && k.columns.equals(columns)) {
        return k.plan;
      }
    }
    if (known.size() == KEPT) {
      known.clear();
    }
    MaxPool plan = new MaxPool(scratch, x, y, rows, columns);
    known.add(new Known(x, y, rows, columns, plan));
    return plan;
  }
}

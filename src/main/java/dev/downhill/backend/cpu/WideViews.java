package dev.downhill.backend.cpu;

import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Lets a family that knows no {@code bf16} work on it: inputs are widened to {@code f32} scratch,
 * and results rounded once, to the nearest, by {@link #finish}. Other types pass through. Used for
 * one call at a time:
 *
 * <pre>{@code
 * try (WideViews w = wide) {
 *   family.op(w.in(x), w.out(y));
 *   w.finish();
 * }
 * }</pre>
 */
final class WideViews implements AutoCloseable {
  private final CpuPool pool;
  private final Workers workers;
  private final CpuElementwise elementwise;
  private final List<CpuBuffer> scratch = new ArrayList<>();

  /** Wide results, each followed by the view it belongs to. */
  private final List<View> results = new ArrayList<>();

  /** Scratch of work that was captured, and is to be done later. */
  private List<CpuBuffer> kept = new ArrayList<>();

  WideViews(CpuPool pool, Workers workers, CpuElementwise elementwise) {
    this.pool = pool;
    this.workers = workers;
    this.elementwise = elementwise;
  }

  /** What an operator reads. */
  View in(View x) {
    if (x.dtype() != DType.BF16) {
      return x;
    }
    // One element for all that a stride of 0 repeats.
    Layout narrow = x.layout();
    for (int d = 0; d < narrow.shape().rank(); d++) {
      if (narrow.stride(d) == 0 && narrow.shape().size(d) > 1) {
        narrow = narrow.slice(d, 0, 1, 1);
      }
    }
    View wide = scratch(narrow.shape());
    elementwise.copy(x.with(narrow), wide);
    return wide.with(wide.layout().expand(x.shape()));
  }

  /** What an operator overwrites. */
  View out(View y) {
    if (y.dtype() != DType.BF16) {
      return y;
    }
    View wide = scratch(y.shape());
    results.add(wide);
    results.add(y);
    return wide;
  }

  /** What an operator reads and changes. */
  View inOut(View y) {
    View wide = out(y);
    if (y.dtype() == DType.BF16) {
      elementwise.copy(y, wide);
    }
    return wide;
  }

  /** The table of an optimiser step. */
  UpdateTable inOut(UpdateTable table) {
    if (table.rows().stream().noneMatch(row -> row.parameter().dtype() == DType.BF16)) {
      return table;
    }
    return new UpdateTable(
        table.rows().stream()
            .map(
                row ->
                    new UpdateTable.Row(
                        inOut(row.parameter()),
                        in(row.gradient()),
                        row.states().stream().map(this::inOut).toList(),
                        row.counters(),
                        row.group()))
            .toList());
  }

  /** Rounds the results. */
  void finish() {
    for (int i = 0; i < results.size(); i += 2) {
      elementwise.copy(results.get(i), results.get(i + 1));
    }
  }

  /** The scratch of captured work, which has to be freed with it. */
  List<CpuBuffer> takeKept() {
    List<CpuBuffer> taken = kept;
    kept = new ArrayList<>();
    return taken;
  }

  /** Frees the scratch memory. */
  @Override
  public void close() {
    if (workers.isCapturing()) {
      kept.addAll(scratch);
    } else {
      scratch.forEach(pool::free);
    }
    scratch.clear();
    results.clear();
  }

  private View scratch(Shape shape) {
    return take(DType.F32, shape);
  }

  /** Scratch memory for the rest of the call, contents undefined. */
  View take(DType dtype, Shape shape) {
    CpuBuffer buffer = pool.allocate(dtype, shape.numel());
    scratch.add(buffer);
    return new View(buffer, Layout.contiguous(shape));
  }
}

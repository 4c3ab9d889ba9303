package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.LongConsumer;

/**
 * A view as a stack of rows: its last dimension, once for every index of the others. Positions and
 * the stride are counted in elements; a view of rank 0 is one row of one.
 */
record Rows(MemorySegment segment, DType dtype, Layout layout, long length, long stride) {
  /** The most elements of a task, and how many the begin of a row counts for. */
  private static final int CHUNK = 1 << 13;

  private static final int START = 64;

  static Rows of(View view) {
    Layout layout = view.shape().rank() == 0 ? view.layout().unsqueeze(0) : view.layout();
    int last = layout.shape().rank() - 1;
    return new Rows(
        CpuBuffer.segment(view),
        view.dtype(),
        layout,
        layout.shape().size(last),
        layout.stride(last));
  }

  /** How many rows there are; they may be empty. */
  long count() {
    long count = 1;
    for (int d = 0; d < layout.shape().rank() - 1; d++) {
      count *= layout.shape().size(d);
    }
    return count;
  }

  /** Hands every row to a body, in tasks of about the same number of rows. */
  void forEach(Workers workers, LongConsumer body) {
    long count = count();
    long most = Math.max(1, CHUNK / (length + START));
    long tasks = Math.ceilDiv(count, most);
    long perTask = Math.ceilDiv(count, Math.max(1, tasks));
    workers.run(
        Math.toIntExact(tasks),
        task -> {
          long end = Math.min(count, (task + 1) * perTask);
          for (long row = task * perTask; row < end; row++) {
            body.accept(row);
          }
        });
  }

  /** Where a row starts; rows are counted in row-major order. */
  long start(long row) {
    Shape shape = layout.shape();
    long start = layout.offset();
    for (int d = shape.rank() - 2; d >= 0; d--) {
      start += row % shape.size(d) * layout.stride(d);
      row /= shape.size(d);
    }
    return start;
  }

  /** The first element of a row of a floating type. */
  double first(long row) {
    long at = start(row);
    return switch (dtype) {
      case F64 -> Scalars.loadF64(segment, at * Double.BYTES);
      case BF16 -> Scalars.loadBf16(segment, at * Short.BYTES);
      default -> Scalars.loadF32(segment, at * Float.BYTES);
    };
  }

  /** Sets the first element of a row of a floating type. */
  void setFirst(long row, double value) {
    long at = start(row);
    switch (dtype) {
      case F64 -> Scalars.storeF64(value, segment, at * Double.BYTES);
      case BF16 -> Scalars.storeBf16((float) value, segment, at * Short.BYTES);
      default -> Scalars.storeF32((float) value, segment, at * Float.BYTES);
    }
  }

  /** Copies a row of {@code f32} or {@code bf16} to the front of an array. */
  void load(long row, float[] x) {
    int n = (int) length;
    long start = start(row);
    if (dtype == DType.BF16) {
      for (int i = 0; i < n; i++) {
        x[i] = Scalars.loadBf16(segment, (start + i * stride) * Short.BYTES);
      }
    } else if (stride == 1) {
      MemorySegment.copy(segment, ValueLayout.JAVA_FLOAT, start * Float.BYTES, x, 0, n);
    } else {
      for (int i = 0; i < n; i++) {
        x[i] = Scalars.loadF32(segment, (start + i * stride) * Float.BYTES);
      }
    }
  }

  /** Copies the front of an array to a row of {@code f32} or {@code bf16}. */
  void store(float[] x, long row) {
    int n = (int) length;
    long start = start(row);
    if (dtype == DType.BF16) {
      for (int i = 0; i < n; i++) {
        Scalars.storeBf16(x[i], segment, (start + i * stride) * Short.BYTES);
      }
    } else if (stride == 1) {
      MemorySegment.copy(x, 0, segment, ValueLayout.JAVA_FLOAT, start * Float.BYTES, n);
    } else {
      for (int i = 0; i < n; i++) {
        Scalars.storeF32(x[i], segment, (start + i * stride) * Float.BYTES);
      }
    }
  }

  /** Copies a row of {@code f64} to the front of an array. */
  void load(long row, double[] x) {
    int n = (int) length;
    long start = start(row);
    for (int i = 0; i < n; i++) {
      x[i] = Scalars.loadF64(segment, (start + i * stride) * Double.BYTES);
    }
  }

  /** Copies the front of an array to a row of {@code f64}. */
  void store(double[] x, long row) {
    int n = (int) length;
    long start = start(row);
    for (int i = 0; i < n; i++) {
      Scalars.storeF64(x[i], segment, (start + i * stride) * Double.BYTES);
    }
  }
}

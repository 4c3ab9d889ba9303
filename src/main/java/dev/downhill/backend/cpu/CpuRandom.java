package dev.downhill.backend.cpu;

import dev.downhill.backend.Draw;
import dev.downhill.backend.Philox;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Random elements: each is a function of its position alone. */
final class CpuRandom {
  /** Elements per task. */
  private static final int CHUNK = 1 << 13;

  /** Elements drawn at a time: their words stay in the first cache. */
  private static final int BLOCK = 256;

  private final Workers workers;
  private final ThreadLocal<Philox> local = ThreadLocal.withInitial(() -> new Philox(0, 0, BLOCK));

  CpuRandom(Workers workers) {
    this.workers = workers;
  }

  /** See {@link dev.downhill.backend.Backend#random}. */
  void random(Draw draw, long seed, long stream, View base, long offset, double p, View y) {
    MemorySegment start = CpuBuffer.segment(base);
    long startAt = base.layout().offset();
    long numel = y.shape().numel();
    Layout layout = y.layout();
    Layout line = Layout.of(Shape.of(numel), new long[] {1}, layout.offset());
    Rows rows = Rows.of(layout.isContiguous() ? y.with(line) : y);
    long threshold = Philox.threshold(p);
    workers.run(
        Math.toIntExact((numel + CHUNK - 1) / CHUNK),
        task -> {
          Philox philox = local.get();
          philox.reset(seed, stream);
          long first = start.getAtIndex(ValueLayout.JAVA_LONG, startAt) + offset;
          long end = Math.min(numel, (task + 1L) * CHUNK);
          for (long i = (long) task * CHUNK; i < end; ) {
            long column = i % rows.length();
            int n = (int) Math.min(BLOCK, Math.min(rows.length() - column, end - i));
            long at = rows.start(i / rows.length()) + column * rows.stride();
            philox.draw(first + i, n);
            write(draw, philox, n, threshold, y.dtype(), rows.segment(), at, rows.stride());
            i += n;
          }
        });
  }

  private static void write(
      Draw draw,
      Philox philox,
      int n,
      long threshold,
      DType dtype,
      MemorySegment y,
      long at,
      long stride) {
    boolean wide = dtype == DType.F64;
    switch (draw) {
      case UNIFORM -> {
        for (int i = 0; i < n; i++) {
          if (wide) {
            y.setAtIndex(ValueLayout.JAVA_DOUBLE, at + i * stride, philox.uniform(i));
          } else {
            y.setAtIndex(ValueLayout.JAVA_FLOAT, at + i * stride, philox.uniformFloat(i));
          }
        }
      }
      case NORMAL -> {
        for (int i = 0; i < n; i++) {
          if (wide) {
            y.setAtIndex(ValueLayout.JAVA_DOUBLE, at + i * stride, philox.normal(i));
          } else {
            y.setAtIndex(ValueLayout.JAVA_FLOAT, at + i * stride, (float) philox.normal(i));
          }
        }
      }
      case BERNOULLI -> {
        for (int i = 0; i < n; i++) {
          byte truth = (byte) (philox.bits(i) < threshold ? 1 : 0);
          y.set(ValueLayout.JAVA_BYTE, at + i * stride, truth);
        }
      }
      case BITS -> {
        for (int i = 0; i < n; i++) {
          y.setAtIndex(ValueLayout.JAVA_LONG, at + i * stride, philox.bits(i));
        }
      }
    }
  }
}

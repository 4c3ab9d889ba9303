package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.util.function.IntConsumer;

/** Adds every element of dy where its window has found the largest element, plane by plane. */
final class MaxPoolGradient implements IntConsumer {
  /** Elements of dx that a task makes. */
  private static final int SHARE = 1 << 15;

  private final Image dy = new Image();
  private MemorySegment indices = MemorySegment.NULL;
  private MemorySegment dx = MemorySegment.NULL;
  private long indicesAt;
  private long dxAt;
  private long area;
  private int channels;
  private int count;
  private int perTask;
  private boolean f32;

  /** What each task makes of dx. */
  private MemorySegment[] parts = {};

  /** Runs it on the planes of a call. */
  void run(Workers workers, View gradient, View chosen, View result) {
    assert chosen.layout().isContiguous() && result.layout().isContiguous();
    dy.set(gradient);
    indices = CpuBuffer.segment(chosen);
    dx = CpuBuffer.segment(result);
    indicesAt = chosen.layout().offset();
    dxAt = result.layout().offset();
    area = result.shape().size(2) * result.shape().size(3);
    channels = Math.toIntExact(result.shape().size(1));
    count = Math.toIntExact(result.shape().size(0) * channels);
    perTask = (int) Math.max(1, SHARE / area);
    f32 = result.dtype() == DType.F32;
    parts = CpuBuffer.parts(result, perTask * area * result.dtype().bytes());
    workers.run(parts.length, this);
  }

  @Override
  public void accept(int task) {
    int first = task * perTask;
    int end = Math.min(count, first + perTask);
    parts[task].fill((byte) 0);
    // Rows that follow each other are one long row.
    int rows = dy.row == dy.column * dy.columns ? dy.rows : 1;
    for (int plane = first; plane < end; plane++) {
      for (int row = 0; row < dy.rows; row += rows) {
        long from = dy.at(plane / channels, plane % channels, row, 0);
        long at = indicesAt + ((long) plane * dy.rows + row) * dy.columns;
        if (f32) {
          addF32(from, at, dxAt + plane * area, rows * dy.columns);
        } else {
          addF64(from, at, dxAt + plane * area, rows * dy.columns);
        }
      }
    }
  }

  private void addF32(long from, long at, long to, int count) {
    MemorySegment s = Scalars.offHeap(dy.segment);
    MemorySegment chosen = Scalars.offHeap(indices);
    MemorySegment sums = Scalars.offHeap(dx);
    for (int i = 0; i < count; i++) {
      long place = 4 * (to + Scalars.loadI64(chosen, 8 * (at + i)));
      float added = Scalars.loadF32(s, 4 * (from + i * dy.column));
      Scalars.storeF32(Scalars.loadF32(sums, place) + added, sums, place);
    }
  }

  private void addF64(long from, long at, long to, int count) {
    for (int i = 0; i < count; i++) {
      long place = 8 * (to + Scalars.loadI64(indices, 8 * (at + i)));
      double added = Scalars.loadF64(dy.segment, 8 * (from + i * dy.column));
      Scalars.storeF64(Scalars.loadF64(dx, place) + added, dx, place);
    }
  }
}

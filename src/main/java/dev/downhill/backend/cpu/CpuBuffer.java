package dev.downhill.backend.cpu;

import dev.downhill.backend.Buffer;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Off-heap memory, 64-byte aligned; the segment is exactly as long as the elements. */
final class CpuBuffer implements Buffer {
  private final DType dtype;
  private final long numel;
  private final CpuPool.@Nullable Block block;
  private @Nullable MemorySegment segment;

  /** A buffer of memory that belongs to somebody else. */
  CpuBuffer(DType dtype, long numel, MemorySegment segment) {
    this(dtype, numel, segment, null);
  }

  CpuBuffer(DType dtype, long numel, MemorySegment segment, CpuPool.@Nullable Block block) {
    this.dtype = dtype;
    this.numel = numel;
    this.segment = segment;
    this.block = block;
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  @Override
  public long numel() {
    return numel;
  }

  MemorySegment segment() {
    if (segment == null) {
      throw new AssertionError("use of a freed buffer of %s %s".formatted(numel, dtype));
    }
    return segment;
  }

  /** Gives the pool's memory back; from now on a use of this is noticed. */
  CpuPool.Block end() {
    if (segment == null || block == null) {
      throw new AssertionError("free of a freed buffer of %s %s".formatted(numel, dtype));
    }
    segment = null;
    return block;
  }

  /** The memory below a view. */
  static MemorySegment segment(View view) {
    return ((CpuBuffer) view.buffer()).segment();
  }

  /**
   * The memory of a contiguous view in parts of so many bytes, the last of what is left: for tasks
   * that run again and again, since a slice is an object.
   */
  static MemorySegment[] parts(View view, long size) {
    long start = view.layout().offset() * view.dtype().bytes();
    long bytes = view.shape().numel() * view.dtype().bytes();
    MemorySegment[] parts = new MemorySegment[Math.toIntExact(Math.ceilDiv(bytes, size))];
    for (int i = 0; i < parts.length; i++) {
      long from = i * size;
      parts[i] = segment(view).asSlice(start + from, Math.min(size, bytes - from));
    }
    return parts;
  }
}

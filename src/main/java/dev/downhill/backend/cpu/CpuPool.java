package dev.downhill.backend.cpu;

import com.sun.management.OperatingSystemMXBean;
import dev.downhill.backend.MemoryUse;
import dev.downhill.backend.OutOfMemoryException;
import dev.downhill.shape.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Off-heap memory in blocks, 64-byte aligned. A freed block waits for the next request of its size,
 * so that a steady program allocates nothing and touches no new pages; sizes are rounded up by at
 * most an eighth, so that neighbouring requests share blocks.
 */
final class CpuPool {
  private static final String LIMIT = "downhill.cpu.memory";
  private static final long ALIGNMENT = 64;

  /** Memory with a life of its own. */
  record Block(Arena arena, MemorySegment segment) {}

  private final long limit;
  private final boolean poison;
  private final Map<Long, ArrayDeque<Block>> free = new HashMap<>();
  private long used;
  private long held;

  /**
   * An empty pool.
   *
   * @param limit the most bytes to use and hold
   * @param poison whether new buffers are filled with bytes 0xFF: NaN in all floating types
   */
  CpuPool(long limit, boolean poison) {
    // More than any machine has; so that no sum of sizes overflows.
    this.limit = Math.min(limit, 1L << 60);
    this.poison = poison;
  }

  /** A pool as the system properties say. */
  static CpuPool configured() {
    return new CpuPool(limit(System.getProperty(LIMIT)), Boolean.getBoolean("downhill.poison"));
  }

  private static long limit(@Nullable String bytes) {
    if (bytes == null) {
      var machine = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
      return machine.getTotalMemorySize() / 5 * 4;
    }
    if (!bytes.matches("[1-9]\\d{0,17}")) {
      throw new IllegalArgumentException(
          "%s: expected a number of bytes, got '%s'".formatted(LIMIT, bytes));
    }
    return Long.parseLong(bytes);
  }

  /** See {@link dev.downhill.backend.Backend#allocate}. */
  CpuBuffer allocate(DType dtype, long numel) {
    if (numel > limit / dtype.bytes()) {
      throw outOfMemory(dtype, numel, "");
    }
    long bytes = numel * dtype.bytes();
    long size = blockSize(bytes);
    ArrayDeque<Block> waiting = free.get(size);
    Block block = waiting == null ? null : waiting.poll();
    if (block == null) {
      block = create(dtype, numel, size);
    } else {
      held -= size;
    }
    used += size;
    MemorySegment segment = block.segment.asSlice(0, bytes);
    if (poison) {
      segment.fill((byte) 0xff);
    }
    return new CpuBuffer(dtype, numel, segment, block);
  }

  /** Takes a buffer back; a second time is an {@link AssertionError}. */
  void free(CpuBuffer buffer) {
    Block block = buffer.end();
    long size = block.segment.byteSize();
    free.computeIfAbsent(size, _ -> new ArrayDeque<>()).push(block);
    used -= size;
    held += size;
    if (poison) {
      block.segment.fill((byte) 0xff);
    }
  }

  /** Bytes of the blocks in use and waiting. */
  MemoryUse use() {
    return new MemoryUse(used, held, limit);
  }

  /** Eight sizes for each power of two. */
  private static long blockSize(long bytes) {
    long step = Math.max(ALIGNMENT, Long.highestOneBit(Math.max(bytes, 1) - 1) >>> 3);
    return Math.max(1, Math.ceilDiv(bytes, step)) * step;
  }

  private Block create(DType dtype, long numel, long size) {
    if (size > limit - used - held) {
      releaseHeld();
    }
    if (size > limit - used) {
      throw outOfMemory(dtype, numel, "");
    }
    try {
      return create(size);
    } catch (OutOfMemoryError noRoom) {
      releaseHeld();
    }
    try {
      return create(size);
    } catch (OutOfMemoryError noRoom) {
      throw outOfMemory(
          dtype,
          numel,
          "; the JVM: %s (see -XX:MaxDirectMemorySize)".formatted(noRoom.getMessage()));
    }
  }

  private static Block create(long size) {
    Arena arena = Arena.ofShared();
    try {
      return new Block(arena, arena.allocate(size, ALIGNMENT));
    } catch (OutOfMemoryError e) {
      arena.close();
      throw e;
    }
  }

  private void releaseHeld() {
    free.values().forEach(blocks -> blocks.forEach(b -> b.arena.close()));
    free.clear();
    held = 0;
  }

  private OutOfMemoryException outOfMemory(DType dtype, long numel, String more) {
    return new OutOfMemoryException(
        ("allocate: out of memory, asked for %s %s of %s bytes, got %s bytes in use, %s held for"
                + " reuse, %s free (limit %s, see -D%s)%s")
            .formatted(
                numel, dtype, dtype.bytes(), used, held, limit - used - held, limit, LIMIT, more));
  }
}

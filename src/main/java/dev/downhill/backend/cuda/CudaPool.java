package dev.downhill.backend.cuda;

import dev.downhill.backend.MemoryUse;
import dev.downhill.backend.OutOfMemoryException;
import dev.downhill.shape.DType;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Device memory in blocks. A freed block waits for the next request of its size, so that a steady
 * program asks the driver for nothing; sizes are rounded up by at most an eighth, so that
 * neighbouring requests share blocks, and small blocks are cut from slabs. Whoever gets a block
 * again works in the same stream as the one before, hence after it.
 */
final class CudaPool {
  private static final String LIMIT = "downhill.cuda.memory";
  private static final String MODE = "downhill.cuda.pool";
  private static final long ALIGNMENT = 512;
  private static final long SLAB = 2 << 20;
  private static final long SMALL = SLAB / 8;

  /** Where the memory comes from. */
  interface Source {
    /** The address of memory of so many bytes, or 0 if there is no room. */
    long allocate(long bytes);

    /** Ends memory after all work on it is done. */
    void free(long address);

    /** Fills memory with bytes 0xFF, in stream order. */
    void poison(long address, long bytes);
  }

  /** A large piece of memory from which small blocks are cut, front to back. */
  static final class Slab {
    private final long address;
    private long cut;
    private int inUse;

    private Slab(long address) {
      this.address = address;
    }
  }

  /**
   * A piece of device memory.
   *
   * @param slab what it was cut from, or null
   */
  record Block(long address, long bytes, @Nullable Slab slab) {}

  private final Source source;
  private final long limit;
  private final boolean reusing;
  private final boolean poison;
  private final Map<Long, ArrayDeque<Block>> free = new HashMap<>();
  private final Set<Slab> slabs = new HashSet<>();
  private @Nullable Slab newest;
  private long used;
  private long held;
  private long created;
  private long reused;

  /**
   * An empty pool.
   *
   * @param limit the most bytes to use and hold
   * @param reusing whether freed blocks wait for reuse; else each goes back to the source at once
   * @param poison whether new buffers are filled with bytes 0xFF: NaN in all floating types
   */
  CudaPool(Source source, long limit, boolean reusing, boolean poison) {
    this.source = source;
    // More than any device has; so that no sum of sizes overflows.
    this.limit = Math.min(limit, 1L << 60);
    this.reusing = reusing;
    this.poison = poison;
  }

  /**
   * A pool as the system properties say.
   *
   * @param total the device's memory
   */
  static CudaPool configured(Source source, long total) {
    String bytes = System.getProperty(LIMIT);
    if (bytes != null && !bytes.matches("[1-9]\\d{0,17}")) {
      throw new IllegalArgumentException(
          "%s: expected a number of bytes, got '%s'".formatted(LIMIT, bytes));
    }
    String mode = System.getProperty(MODE);
    if (mode != null && !mode.equals("none")) {
      throw new IllegalArgumentException(
          "%s: expected none or nothing, got '%s'".formatted(MODE, mode));
    }
    return new CudaPool(
        source,
        bytes == null ? total : Long.parseLong(bytes),
        mode == null,
        Boolean.getBoolean("downhill.poison"));
  }

  /** See {@link dev.downhill.backend.Backend#allocate}. */
  CudaBuffer allocate(DType dtype, long numel) {
    if (numel > limit / dtype.bytes()) {
      throw outOfMemory(dtype, numel, "");
    }
    long bytes = numel * dtype.bytes();
    Block block = block(dtype, numel, bytes);
    if (poison && bytes > 0) {
      source.poison(block.address, bytes);
    }
    return new CudaBuffer(dtype, numel, block);
  }

  /** Memory that is not a tensor's. */
  Block allocate(long bytes) {
    return block(DType.U8, bytes, bytes);
  }

  /** Takes a buffer back; a second time is an {@link AssertionError}. */
  void free(CudaBuffer buffer) {
    Block block = buffer.end();
    if (poison && reusing) {
      source.poison(block.address, block.bytes);
    }
    free(block);
  }

  /** Takes memory back. */
  void free(Block block) {
    used -= block.bytes;
    if (!reusing) {
      source.free(block.address);
      return;
    }
    free.computeIfAbsent(block.bytes, _ -> new ArrayDeque<>()).push(block);
    held += block.bytes;
    if (block.slab != null) {
      block.slab.inUse--;
    }
  }

  /** Bytes of the blocks in use and waiting. */
  MemoryUse use() {
    return new MemoryUse(used, held, limit);
  }

  /** How often the source gave memory. */
  long created() {
    return created;
  }

  /** How often a waiting block served a request. */
  long reused() {
    return reused;
  }

  private Block block(DType dtype, long numel, long bytes) {
    long size = reusing ? blockSize(bytes) : Math.max(1, bytes);
    ArrayDeque<Block> waiting = free.get(size);
    Block block = waiting == null ? null : waiting.poll();
    if (block != null) {
      held -= size;
      reused++;
    } else if (reusing && size <= SMALL) {
      block = cut(dtype, numel, size);
    } else {
      block = new Block(create(dtype, numel, size), size, null);
    }
    used += size;
    if (block.slab != null) {
      block.slab.inUse++;
    }
    return block;
  }

  /** Eight sizes for each power of two. */
  private static long blockSize(long bytes) {
    long step = Math.max(ALIGNMENT, Long.highestOneBit(Math.max(bytes, 1) - 1) >>> 3);
    return Math.max(1, Math.ceilDiv(bytes, step)) * step;
  }

  /** The next block of the newest slab; what is left of a slab that is too full stays unused. */
  private Block cut(DType dtype, long numel, long size) {
    if (newest == null || newest.cut + size > SLAB) {
      if (SLAB > limit - used - held) {
        // A slab is more than is left, the block alone perhaps not.
        return new Block(create(dtype, numel, size), size, null);
      }
      newest = new Slab(create(dtype, numel, SLAB));
      slabs.add(newest);
      held += SLAB;
    }
    Block block = new Block(newest.address + newest.cut, size, newest);
    newest.cut += size;
    held -= size;
    return block;
  }

  private long create(DType dtype, long numel, long size) {
    if (size > limit - used - held) {
      releaseHeld();
    }
    if (size > limit - used - held) {
      throw outOfMemory(dtype, numel, "");
    }
    long address = source.allocate(size);
    if (address == 0) {
      releaseHeld();
      address = source.allocate(size);
    }
    if (address == 0) {
      throw outOfMemory(dtype, numel, "; the driver has no room for %s bytes more".formatted(size));
    }
    created++;
    return address;
  }

  /** Gives back what waits: blocks that are not of a slab, and slabs of which nothing is in use. */
  private void releaseHeld() {
    for (ArrayDeque<Block> blocks : free.values()) {
      for (Block block : blocks) {
        if (block.slab == null) {
          source.free(block.address);
          held -= block.bytes;
        }
      }
      blocks.removeIf(block -> block.slab == null || block.slab.inUse == 0);
    }
    for (Slab slab : slabs) {
      if (slab.inUse == 0) {
        source.free(slab.address);
        held -= SLAB;
      }
    }
    slabs.removeIf(slab -> slab.inUse == 0);
    if (newest != null && newest.inUse == 0) {
      newest = null;
    }
  }

  private OutOfMemoryException outOfMemory(DType dtype, long numel, String more) {
    return new OutOfMemoryException(
        ("allocate: out of memory, asked for %s %s of %s bytes, got %s bytes in use, %s held for"
                + " reuse, %s free (limit %s, see -D%s)%s")
            .formatted(
                numel, dtype, dtype.bytes(), used, held, limit - used - held, limit, LIMIT, more));
  }
}

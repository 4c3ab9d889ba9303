package dev.downhill.backend.cuda;

/**
 * Scratch memory of a device, one block for everybody: it grows to the largest request and stays.
 * Kernels of one stream use it one after the other; an outgrown block goes back to the pool, which
 * gives it to later work only.
 */
final class Workspace {
  private final CudaPool pool;
  private Hold current;

  Workspace(CudaPool pool) {
    this.pool = pool;
    this.current = new Hold(pool.allocate(0));
  }

  /** A block, kept by the workspace itself and by captured launches that write to it. */
  final class Hold {
    private final CudaPool.Block block;
    private int holders = 1;

    private Hold(CudaPool.Block block) {
      this.block = block;
    }

    /** Lets go of the block; the last one gives it back. */
    void release() {
      if (--holders == 0) {
        pool.free(block);
      }
    }
  }

  /** Keeps the present block alive until the result is released. */
  Hold hold() {
    current.holders++;
    return current;
  }

  /** The address of at least so many bytes; valid for what is launched until the next call. */
  long address(long bytes) {
    if (bytes > current.block.bytes()) {
      Hold larger = new Hold(pool.allocate(bytes));
      current.release();
      current = larger;
    }
    return current.block.address();
  }
}

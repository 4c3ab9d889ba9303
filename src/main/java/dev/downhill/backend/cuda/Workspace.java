package dev.downhill.backend.cuda;

/**
 * Scratch memory of a device, one block for everybody: it grows to the largest request and stays.
 * Kernels of one stream use it one after the other; an outgrown block goes back to the pool, which
 * gives it to later work only.
 */
final class Workspace {
  private final CudaPool pool;
  private CudaPool.Block block;

  Workspace(CudaPool pool) {
    this.pool = pool;
    this.block = pool.allocate(0);
  }

  /** The address of at least so many bytes; valid for what is launched until the next call. */
  long address(long bytes) {
    if (bytes > block.bytes()) {
      CudaPool.Block larger = pool.allocate(bytes);
      pool.free(block);
      block = larger;
    }
    return block.address();
  }
}

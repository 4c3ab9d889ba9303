package dev.downhill.backend.cuda;

import dev.downhill.backend.Buffer;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;

/** A block of device memory. */
final class CudaBuffer implements Buffer {
  private final DType dtype;
  private final long numel;
  private final CudaPool.Block block;
  private boolean ended;

  CudaBuffer(DType dtype, long numel, CudaPool.Block block) {
    this.dtype = dtype;
    this.numel = numel;
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

  /** The device address of the first element. */
  long address() {
    assert !ended : "buffer used after it was freed";
    return block.address();
  }

  /** Ends the buffer and gives its memory; a second time is an {@link AssertionError}. */
  CudaPool.Block end() {
    if (ended) {
      throw new AssertionError("buffer freed twice");
    }
    ended = true;
    return block;
  }

  /** The device address of the first element of a view; of an empty one, that of its buffer. */
  static long address(View view) {
    CudaBuffer buffer = (CudaBuffer) view.buffer();
    // An empty view may start beyond the end, where there is no device memory to point to.
    long offset = view.layout().reach() == 0 ? 0 : view.layout().offset();
    return buffer.address() + offset * buffer.dtype.bytes();
  }
}

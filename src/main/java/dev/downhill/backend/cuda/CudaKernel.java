package dev.downhill.backend.cuda;

import dev.downhill.backend.View;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import jcuda.CudaException;
import jcuda.driver.CUfunction;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * A kernel entry with its argument block in native memory. Arguments are put in place by number and
 * stay until they are put again; the driver copies them at the launch, so that the next launch may
 * change them at once. Nothing is allocated after the first use.
 */
final class CudaKernel {
  private final CudaDevice device;
  private final String name;
  private final CUfunction function;
  private final List<Signature.Parameter> parameters;
  private final MemorySegment[] values;

  // The table of the values' addresses that cuLaunchKernel wants, in one piece with the values:
  // JCuda would take far longer to walk a tree of pointers than to launch.
  private final Address arguments;

  private long missing;
  private boolean launched;

  /**
   * A kernel.
   *
   * @param name of the entry
   */
  CudaKernel(CudaDevice device, String name, CUfunction function, Signature signature) {
    this.device = device;
    this.name = name;
    this.function = function;
    this.parameters = signature.parameters();
    int count = parameters.size();
    this.values = new MemorySegment[count];
    this.missing = (1L << count) - 1;
    assert count < Long.SIZE : name;
    long bytes = (long) Long.BYTES * count;
    for (Signature.Parameter p : parameters) {
      bytes = aligned(bytes, p) + p.bytes();
    }
    MemorySegment block = Arena.ofAuto().allocate(Math.max(bytes, 1), 16);
    long at = (long) Long.BYTES * count;
    for (int i = 0; i < count; i++) {
      Signature.Parameter p = parameters.get(i);
      at = aligned(at, p);
      values[i] = block.asSlice(at, p.bytes());
      block.setAtIndex(ValueLayout.JAVA_LONG, i, values[i].address());
      at += p.bytes();
    }
    this.arguments = new Address(block.address());
  }

  private static long aligned(long at, Signature.Parameter p) {
    return Math.ceilDiv(at, p.alignment()) * p.alignment();
  }

  /** Puts a device address, or any 64-bit number. */
  CudaKernel i64(int parameter, long value) {
    put(parameter, Signature.Kind.INTEGER, Long.BYTES).set(ValueLayout.JAVA_LONG, 0, value);
    return this;
  }

  /** Puts a 32-bit number. */
  CudaKernel i32(int parameter, int value) {
    put(parameter, Signature.Kind.INTEGER, Integer.BYTES).set(ValueLayout.JAVA_INT, 0, value);
    return this;
  }

  /** Puts a double. */
  CudaKernel f64(int parameter, double value) {
    put(parameter, Signature.Kind.FLOAT, Double.BYTES).set(ValueLayout.JAVA_DOUBLE, 0, value);
    return this;
  }

  /** Puts the address of the first element of a view. */
  CudaKernel view(int parameter, View view) {
    return i64(parameter, CudaBuffer.address(view));
  }

  /** The native memory of one parameter, exactly as large as the struct that it takes by value. */
  MemorySegment struct(int parameter) {
    return put(parameter, Signature.Kind.STRUCT, 0);
  }

  /** The place of a parameter of this kind and, if not 0, size. */
  private MemorySegment put(int parameter, Signature.Kind kind, int bytes) {
    if (parameter < 0 || parameter >= values.length) {
      throw new AssertionError(
          "kernel %s: has %s parameters, got number %s".formatted(name, values.length, parameter));
    }
    Signature.Parameter p = parameters.get(parameter);
    if (p.kind() != kind || (bytes != 0 && p.bytes() != bytes)) {
      throw new AssertionError(
          "kernel %s, parameter %s: expected %s, got %s"
              .formatted(name, parameter, p, new Signature.Parameter(kind, bytes, 1)));
    }
    missing &= ~(1L << parameter);
    return values[parameter];
  }

  /** Launches with a one-dimensional grid and block. */
  void launch(long blocks, int threads) {
    launch(blocks, 1, threads, 1, 0);
  }

  /**
   * Launches with a two-dimensional grid and block.
   *
   * @param sharedBytes dynamic shared memory
   * @throws dev.downhill.backend.DeviceException naming kernel, grid and arguments
   */
  void launch(long blocksX, int blocksY, int threadsX, int threadsY, int sharedBytes) {
    if (missing != 0) {
      throw new AssertionError(
          "kernel %s: parameter %s was never put"
              .formatted(name, Long.numberOfTrailingZeros(missing)));
    }
    assert blocksX > 0 && blocksX <= Integer.MAX_VALUE && blocksY > 0 : blocksX + " x " + blocksY;
    CudaContext context = device.context();
    context.enter();
    int code;
    try {
      code =
          JCudaDriver.cuLaunchKernel(
              function,
              (int) blocksX,
              blocksY,
              1,
              threadsX,
              threadsY,
              1,
              sharedBytes,
              device.stream(),
              arguments,
              null);
    } catch (CudaException e) {
      code = CudaContext.code(e);
    }
    if (code == CUresult.CUDA_SUCCESS) {
      code = device.launched(!launched);
      launched = true;
    }
    if (code != CUresult.CUDA_SUCCESS) {
      throw context.failure(
          "kernel %s on grid (%s, %s), block (%s, %s), %s bytes shared, arguments (%s)"
              .formatted(name, blocksX, blocksY, threadsX, threadsY, sharedBytes, written()),
          code);
    }
  }

  private String written() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < values.length; i++) {
      Signature.Parameter p = parameters.get(i);
      text.append(i == 0 ? "" : ", ");
      if (p.kind() == Signature.Kind.STRUCT) {
        text.append(p);
      } else if (p.kind() == Signature.Kind.FLOAT) {
        text.append(values[i].get(ValueLayout.JAVA_DOUBLE, 0));
      } else if (p.bytes() == Long.BYTES) {
        text.append("0x").append(Long.toHexString(values[i].get(ValueLayout.JAVA_LONG, 0)));
      } else {
        text.append(values[i].get(ValueLayout.JAVA_INT, 0));
      }
    }
    return text.toString();
  }

  @Override
  public String toString() {
    return name;
  }
}

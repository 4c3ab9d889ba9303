package dev.downhill.backend.cuda;

import dev.downhill.backend.DeviceException;
import jcuda.CudaException;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasStatus;
import jcuda.libraryPropertyType;
import jcuda.runtime.cudaStream_t;
import org.jspecify.annotations.Nullable;

/**
 * NVIDIA's library of matrix products, in the stream of a device and with scratch memory of its
 * own, so that equal calls give equal bits. It takes a while to start: with the first product.
 */
final class Cublas {
  private static final int HOPPER = 90;
  private static final long WORKSPACE = 4 << 20;
  private static final long HOPPER_WORKSPACE = 32 << 20;

  /** A call of the library; returns its {@link cublasStatus}. */
  @FunctionalInterface
  interface Call {
    int run(cublasHandle handle);
  }

  private final CudaDevice device;
  private @Nullable cublasHandle handle;

  Cublas(CudaDevice device) {
    this.device = device;
  }

  /**
   * Makes a call.
   *
   * @param function of the library, for the message
   * @param work what it is to do, for the message
   * @throws DeviceException if it fails
   */
  void call(String function, Object work, Call call) {
    device.context().enter();
    cublasHandle started = handle;
    if (started == null) {
      started = start();
      handle = started;
    }
    check(function, work, call, started);
  }

  private cublasHandle start() {
    cublasHandle fresh = new cublasHandle();
    check("cublasCreate", "", JCublas2::cublasCreate, fresh);
    check(
        "cublasSetStream",
        "",
        h -> JCublas2.cublasSetStream(h, new cudaStream_t(device.stream())),
        fresh);
    long bytes = device.capability() >= HOPPER ? HOPPER_WORKSPACE : WORKSPACE;
    Address workspace = new Address(device.allocate(bytes));
    check(
        "cublasSetWorkspace", bytes, h -> JCublas2.cublasSetWorkspace(h, workspace, bytes), fresh);
    // Partial sums of a bf16 product stay in f32.
    int mode = cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
    check("cublasSetMathMode", mode, h -> JCublas2.cublasSetMathMode(h, mode), fresh);
    return fresh;
  }

  private static void check(String function, Object work, Call call, cublasHandle handle) {
    String status;
    try {
      status = cublasStatus.stringFor(call.run(handle));
    } catch (CudaException e) {
      status = String.valueOf(e.getMessage());
    }
    if (!status.equals("CUBLAS_STATUS_SUCCESS")) {
      throw new DeviceException("cuBLAS: %s failed: %s (%s)".formatted(function, status, work));
    }
  }

  /** The version of the library, {@code 13.1.0}. */
  static String version() {
    int[] number = new int[1];
    StringBuilder text = new StringBuilder();
    int[] parts = {
      libraryPropertyType.MAJOR_VERSION,
      libraryPropertyType.MINOR_VERSION,
      libraryPropertyType.PATCH_LEVEL
    };
    for (int part : parts) {
      JCublas2.cublasGetProperty(part, number);
      text.append(text.isEmpty() ? "" : ".").append(number[0]);
    }
    return text.toString();
  }
}

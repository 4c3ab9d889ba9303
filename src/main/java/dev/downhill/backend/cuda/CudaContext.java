package dev.downhill.backend.cuda;

import dev.downhill.backend.DeviceException;
import java.util.Set;
import java.util.stream.IntStream;
import jcuda.CudaException;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * The primary context of a device: every call to the driver is made through it. A call that fails
 * becomes a {@link DeviceException}. After some failures the driver refuses all further work; then
 * the device is lost, later calls say so without asking the driver, and the program goes on.
 */
final class CudaContext {
  // The driver keeps a current context for each thread of the operating system.
  private static final ThreadLocal<@Nullable CudaContext> CURRENT = new ThreadLocal<>();

  private static final Set<Integer> FATAL =
      Set.of(
          CUresult.CUDA_ERROR_ECC_UNCORRECTABLE,
          CUresult.CUDA_ERROR_NVLINK_UNCORRECTABLE,
          CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
          CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
          CUresult.CUDA_ERROR_CONTEXT_IS_DESTROYED,
          CUresult.CUDA_ERROR_ASSERT,
          CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
          CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
          CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
          CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
          CUresult.CUDA_ERROR_INVALID_PC,
          CUresult.CUDA_ERROR_LAUNCH_FAILED,
          CUresult.CUDA_ERROR_UNKNOWN);

  /** A call of the driver; returns its {@link CUresult}. */
  @FunctionalInterface
  interface Call {
    int run();
  }

  private final String device;
  private final CUcontext context = new CUcontext();
  private volatile @Nullable String lost;

  /**
   * Retains the primary context.
   *
   * @param device the name for messages, {@code cuda:0}
   */
  CudaContext(String device, CUdevice handle) {
    this.device = device;
    ask(
        device,
        "cuDevicePrimaryCtxRetain",
        () -> JCudaDriver.cuDevicePrimaryCtxRetain(context, handle));
  }

  /** Makes a call that needs no context. */
  static void ask(String device, String name, Call call) {
    int code = result(call);
    if (code != CUresult.CUDA_SUCCESS) {
      throw new DeviceException("device %s: %s".formatted(device, error(name, code)));
    }
  }

  /** Whether an error has ended all use of the device. */
  boolean isLost() {
    return lost != null;
  }

  /**
   * Prepares the calling thread for calls of the driver.
   *
   * @throws DeviceException if the device is lost
   */
  void enter() {
    if (lost != null) {
      throw new DeviceException(
          "device %s: no longer usable after an earlier error; start the program again (%s)"
              .formatted(device, lost));
    }
    // A virtual thread may have moved to another thread of the operating system meanwhile.
    if (CURRENT.get() != this || Thread.currentThread().isVirtual()) {
      int code = result(() -> JCudaDriver.cuCtxSetCurrent(context));
      if (code != CUresult.CUDA_SUCCESS) {
        throw failure("cuCtxSetCurrent", code);
      }
      CURRENT.set(this);
    }
  }

  /**
   * Makes a call.
   *
   * @param name of the driver's function, for the message
   * @throws DeviceException if it fails
   */
  void call(String name, Call call) {
    int code = attempt(call);
    if (code != CUresult.CUDA_SUCCESS) {
      throw failure(name, code);
    }
  }

  /** Makes a call that may fail; returns its {@link CUresult}. */
  int attempt(Call call) {
    enter();
    return result(call);
  }

  private static int result(Call call) {
    try {
      return call.run();
    } catch (CudaException e) {
      return code(e);
    }
  }

  /** The {@link CUresult} of an exception, whose message is the name of the error. */
  static int code(CudaException e) {
    return IntStream.range(1, CUresult.CUDA_ERROR_UNKNOWN)
        .filter(code -> CUresult.stringFor(code).equals(e.getMessage()))
        .findFirst()
        .orElse(CUresult.CUDA_ERROR_UNKNOWN);
  }

  /**
   * The exception for a call that failed; notes when the device is lost by it.
   *
   * @param what the call
   */
  DeviceException failure(String what, int code) {
    String error = error(what, code);
    if (FATAL.contains(code)) {
      lost = error;
      error +=
          "; start the program again to use the device, with -Ddownhill.cuda.sync=true to see which"
              + " launch is at fault";
    }
    return new DeviceException("device %s: %s".formatted(device, error));
  }

  private static String error(String what, int code) {
    String[] text = {"no text"};
    // Of a code that the driver does not know the text stays as it is.
    int _ = result(() -> JCudaDriver.cuGetErrorString(code, text));
    return "%s failed: %s (%s): %s".formatted(what, CUresult.stringFor(code), code, text[0]);
  }
}

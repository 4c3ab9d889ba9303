package dev.downhill.backend.cuda;

import dev.downhill.backend.Backend;
import dev.downhill.backend.BackendProvider;
import dev.downhill.backend.DeviceException;
import dev.downhill.backend.Finding;
import dev.downhill.backend.OutOfMemoryException;
import dev.downhill.shape.DType;
import java.util.List;
import java.util.Optional;

/** NVIDIA GPUs: {@code cuda:0} and so on, in the order of the driver. */
public final class CudaProvider implements BackendProvider {
  /** For the service loader. */
  public CudaProvider() {}

  @Override
  public String kind() {
    return "cuda";
  }

  @Override
  public int preference() {
    return 100;
  }

  @Override
  public Optional<String> unavailable() {
    return CudaLibraries.get().problem().map(CudaLibraries::sentence);
  }

  @Override
  public int devices() {
    return CudaLibraries.get().gpus().size();
  }

  @Override
  public List<Finding> diagnose() {
    return CudaLibraries.get().findings();
  }

  @Override
  public Backend open(int index) {
    CudaLibraries.load();
    try {
      CudaDevice device = new CudaDevice(index);
      // Any kernel will do: a driver that refuses one refuses all, and here the caller can still
      // take another device.
      CudaKernel _ = device.kernel("copy", DType.U8, KernelName.of("fill", DType.U8));
      return new CudaBackend(device);
    } catch (OutOfMemoryException e) {
      throw new DeviceException(
          "device cuda:%s: no room in its memory to begin with (%s); end what else uses the GPU,"
                  .formatted(index, e.getMessage())
              + " or use --device cpu",
          e);
    }
  }
}

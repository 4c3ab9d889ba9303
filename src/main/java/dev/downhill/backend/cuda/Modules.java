package dev.downhill.backend.cuda;

import dev.downhill.backend.DeviceException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import jcuda.driver.CUfunction;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * The kernels of a device. A module is loaded when the first of its kernels is asked for: its PTX,
 * a resource of this package, is compiled by the driver, which remembers the result on disk.
 */
final class Modules {
  private static final int LOG_BYTES = 8192;

  private record Module(CUmodule handle, Map<String, Signature> signatures) {}

  private final CudaDevice device;
  private final int capability;
  private final Map<String, Module> modules = new HashMap<>();
  private final Map<String, CudaKernel> kernels = new HashMap<>();

  /**
   * No kernels yet.
   *
   * @param capability the device's compute capability times ten, at least 75
   */
  Modules(CudaDevice device, int capability) {
    this.device = device;
    this.capability = capability;
  }

  /** The entry of a module; the same object each time. */
  CudaKernel kernel(String module, String entry) {
    return kernels.computeIfAbsent(entry, _ -> create(module, entry));
  }

  private CudaKernel create(String name, String entry) {
    Module module = modules.computeIfAbsent(name, this::load);
    Signature signature = module.signatures.get(entry);
    if (signature == null) {
      throw new AssertionError(
          "%s has no entry %s, only %s"
              .formatted(resource(name), entry, module.signatures.keySet()));
    }
    CUfunction function = new CUfunction();
    device
        .context()
        .call(
            "cuModuleGetFunction of " + entry,
            () -> JCudaDriver.cuModuleGetFunction(function, module.handle, entry));
    return new CudaKernel(device, entry, function, signature);
  }

  private Module load(String name) {
    String resource = resource(name);
    String ptx = read(resource);
    CUmodule handle = new CUmodule();
    try (Arena arena = Arena.ofConfined()) {
      // Allocated as a C string: the driver reads up to the NUL.
      Address image = new Address(arena.allocateFrom(ptx, StandardCharsets.US_ASCII).address());
      MemorySegment log = arena.allocate(LOG_BYTES);
      int[] options = {
        CUjit_option.CU_JIT_ERROR_LOG_BUFFER, CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES
      };
      // The second value is a number in the place of a pointer.
      MemorySegment values =
          arena.allocateFrom(ValueLayout.JAVA_LONG, log.address(), LOG_BYTES - 1);
      Address table = new Address(values.address());
      int code =
          device
              .context()
              .attempt(
                  () ->
                      JCudaDriver.cuModuleLoadDataEx(
                          handle, image, options.length, options, table));
      if (code != CUresult.CUDA_SUCCESS) {
        String said = log.getString(0, StandardCharsets.ISO_8859_1).strip();
        throw device
            .context()
            .failure(
                "cuModuleLoadDataEx of %s%s"
                    .formatted(resource, said.isEmpty() ? "" : " (" + said + ")"),
                code);
      }
    }
    return new Module(handle, Signature.parse(ptx));
  }

  /** Only modules that gain by the newer instructions are there for 8.0, too. */
  private String resource(String name) {
    String newer = "compute_80/" + name + ".ptx";
    boolean there = capability >= 80 && Modules.class.getResource(newer) != null;
    return there ? newer : "compute_75/" + name + ".ptx";
  }

  private static String read(String resource) {
    try (InputStream in = Modules.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new DeviceException(
            "kernels: this build lacks %s of %s; build it again with ci/kernels"
                .formatted(resource, Modules.class.getPackageName()));
      }
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

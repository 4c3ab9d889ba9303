package dev.downhill.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.downhill.backend.Finding;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What NVIDIA's driver says of itself and its devices, asked without JCuda: a class of JCuda whose
 * library does not load is broken for the life of the JVM.
 *
 * @param version 12080 for a driver of CUDA 12.8; 0 if there is none
 * @param gpus the devices, whether they can be used or not
 * @param findings on the driver itself
 */
record CudaDriver(int version, List<Gpu> gpus, List<Finding> findings) {
  /**
   * A device as the driver describes it.
   *
   * @param capability 75 for 7.5
   */
  record Gpu(int index, String model, int capability, long bytes) {
    /** Whether there are kernels for it. */
    boolean usable() {
      return capability >= LEAST_CAPABILITY;
    }

    Finding finding() {
      String name = "cuda:" + index;
      String found =
          String.format(
              Locale.ROOT,
              "%s, compute capability %s, %,d MiB",
              model,
              decimal(capability, 10),
              bytes >> 20);
      return usable()
          ? Finding.fine(name, found)
          : new Finding(
              name,
              false,
              "a GPU that is too old, %s: %s".formatted(name, found),
              "compute capability %s or newer".formatted(decimal(LEAST_CAPABILITY, 10)),
              "use another GPU (Turing, 2018, or newer)");
    }
  }

  private static final String LIBRARY = "libcuda.so.1";

  private static final int LEAST_VERSION = 12000;
  private static final int LEAST_CAPABILITY = 75;

  // Of CUdevice_attribute and CUresult in cuda.h.
  private static final int CAPABILITY_MAJOR = 75;
  private static final int CAPABILITY_MINOR = 76;
  private static final int NO_DEVICE = 100;

  private static final String NEEDED = "a driver of version 525 (CUDA 12.0) or newer";
  private static final String DRIVER = "driver";

  /** Why no device can be used, as far as the driver knows. */
  Optional<Finding> problem() {
    return findings.stream()
        .filter(finding -> !finding.ok())
        .findFirst()
        .or(
            () ->
                gpus.stream().anyMatch(Gpu::usable)
                    ? Optional.empty()
                    : Optional.of(gpus.getFirst().finding()));
  }

  /** Asks the driver. Never fails: what is wrong is in the findings. */
  static CudaDriver probe() {
    try {
      // Stays open: JCuda's library needs it by this name.
      return probe(DynamicLibrary.open(LIBRARY));
    } catch (IllegalCallerException e) {
      return none(
          new Finding(
              "native access",
              false,
              "native access denied to Downhill: " + e.getMessage(),
              "leave to call native code",
              "start java with --enable-native-access=ALL-UNNAMED"));
    } catch (DynamicLibrary.NotLoaded e) {
      return none(
          e.missing
              ? new Finding(
                  DRIVER,
                  false,
                  "no NVIDIA driver: %s was not found".formatted(LIBRARY),
                  NEEDED,
                  "install it")
              : new Finding(
                  DRIVER,
                  false,
                  "an NVIDIA driver that cannot be loaded: " + e.getMessage(),
                  NEEDED,
                  "install it again"));
    }
  }

  private static CudaDriver none(Finding why) {
    return new CudaDriver(0, List.of(), List.of(why));
  }

  private static CudaDriver probe(DynamicLibrary library) throws DynamicLibrary.NotLoaded {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(JAVA_INT);
      int status = library.call("cuDriverGetVersion", number);
      int version = status == 0 ? number.get(JAVA_INT, 0) : 0;
      String found =
          "a driver of CUDA %s at %s"
              .formatted(decimal(version / 10, 100), library.file("cuDriverGetVersion"));
      List<Finding> findings = new ArrayList<>();
      findings.add(
          version >= LEAST_VERSION
              ? Finding.fine(DRIVER, found)
              : new Finding(DRIVER, false, found, NEEDED, "install a newer driver"));

      status = library.call("cuInit", 0);
      if (status == 0) {
        status = library.call("cuDeviceGetCount", number);
      }
      int count = status == 0 ? number.get(JAVA_INT, 0) : 0;
      List<Gpu> gpus = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        gpus.add(gpu(library, i, arena));
      }
      if (count == 0) {
        findings.add(noDevice(library, status, arena));
      }
      return new CudaDriver(version, List.copyOf(gpus), List.copyOf(findings));
    }
  }

  private static Gpu gpu(DynamicLibrary library, int index, Arena arena)
      throws DynamicLibrary.NotLoaded {
    MemorySegment number = arena.allocate(JAVA_INT);
    check(library, "cuDeviceGet", number, index);
    int device = number.get(JAVA_INT, 0);
    MemorySegment name = arena.allocate(256);
    check(library, "cuDeviceGetName", name, 256, device);
    check(library, "cuDeviceGetAttribute", number, CAPABILITY_MAJOR, device);
    int major = number.get(JAVA_INT, 0);
    check(library, "cuDeviceGetAttribute", number, CAPABILITY_MINOR, device);
    MemorySegment bytes = arena.allocate(JAVA_LONG);
    check(library, "cuDeviceTotalMem_v2", bytes, device);
    return new Gpu(
        index, name.getString(0), 10 * major + number.get(JAVA_INT, 0), bytes.get(JAVA_LONG, 0));
  }

  private static void check(DynamicLibrary library, String function, Object... arguments)
      throws DynamicLibrary.NotLoaded {
    int status = library.call(function, arguments);
    if (status != 0) {
      throw new DynamicLibrary.NotLoaded("%s failed: error %s".formatted(function, status), false);
    }
  }

  private static Finding noDevice(DynamicLibrary library, int status, Arena arena)
      throws DynamicLibrary.NotLoaded {
    String visible = System.getenv("CUDA_VISIBLE_DEVICES");
    String hint = visible == null ? "" : ", with CUDA_VISIBLE_DEVICES='%s'".formatted(visible);
    if (status == 0 || status == NO_DEVICE) {
      return new Finding(
          "devices",
          false,
          "no CUDA device: the driver sees none" + hint,
          "an NVIDIA GPU",
          visible == null
              ? "look at nvidia-smi, and in a container give it the GPU"
              : "set CUDA_VISIBLE_DEVICES to the GPU, or unset it");
    }
    MemorySegment text = arena.allocate(ADDRESS);
    String name =
        library.call("cuGetErrorName", status, text) == 0
            ? DynamicLibrary.text(text.get(ADDRESS, 0))
            : "no name";
    return new Finding(
        "devices",
        false,
        "a driver that does not start: cuInit says %s (%s)%s".formatted(name, status, hint),
        "a driver that starts",
        "look at nvidia-smi; after an update of the driver restart the machine");
  }

  private static String decimal(int value, int point) {
    return value / point + "." + value % point;
  }
}

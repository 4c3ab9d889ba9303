package dev.downhill.backend.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Loads a cuBLAS that this driver and this backend can use. It stays loaded. */
final class CublasLoader implements CublasSearch.Loader {
  // Those that this backend calls: without one of them the process would end at the call.
  private static final List<String> FUNCTIONS =
      List.of(
          "cublasGetProperty",
          "cublasCreate_v2",
          "cublasDestroy_v2",
          "cublasSetStream_v2",
          "cublasSetWorkspace_v2",
          "cublasSetMathMode",
          "cublasGemmEx",
          "cublasGemmBatchedEx",
          "cublasGemmStridedBatchedEx");

  private static final int CUDA_13 = 13000;

  private final int driver;

  /**
   * A loader.
   *
   * @param driver the version of the driver, 12080 for CUDA 12.8; 0 if there is none
   */
  CublasLoader(int driver) {
    this.driver = driver;
  }

  @Override
  public CublasSearch.Cublas load(String name) throws DynamicLibrary.NotLoaded {
    Path path = Path.of(name);
    if (path.isAbsolute()) {
      loadBeside(path);
    }
    DynamicLibrary library = DynamicLibrary.open(name);
    try {
      for (String function : FUNCTIONS) {
        if (!library.has(function)) {
          throw no("it has no function " + function);
        }
      }
      int version = version(library);
      CublasSearch.Cublas found =
          new CublasSearch.Cublas(library.file("cublasGetProperty"), version);
      if (found.major() != 12 && found.major() != 13) {
        throw no("not version 12 or 13 but %s".formatted(found.major()));
      }
      if (found.major() == 13 && driver > 0 && driver < CUDA_13) {
        throw no("version 13 needs a driver of version 580 (CUDA 13.0) or newer");
      }
      return found;
    } catch (DynamicLibrary.NotLoaded e) {
      library.close();
      throw e;
    }
  }

  private static int version(DynamicLibrary library) throws DynamicLibrary.NotLoaded {
    int version = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment part = arena.allocate(JAVA_INT);
      // Major, minor and patch level.
      for (int property = 0; property < 3; property++) {
        if (library.call("cublasGetProperty", property, part) != 0) {
          throw no("it does not tell its version");
        }
        version = 100 * version + part.get(JAVA_INT, 0);
      }
    }
    return version;
  }

  /**
   * Loads the part of cuBLAS that it needs from the same folder, before the loader looks for it.
   */
  private static void loadBeside(Path cublas) {
    String part = cublas.getFileName().toString().replace("libcublas.", "libcublasLt.");
    Path file = cublas.resolveSibling(part);
    if (!file.equals(cublas) && Files.exists(file)) {
      try {
        DynamicLibrary _ = DynamicLibrary.open(file.toString());
      } catch (DynamicLibrary.NotLoaded e) {
        // cuBLAS itself will fail to load, and say why.
      }
    }
  }

  private static DynamicLibrary.NotLoaded no(String why) {
    return new DynamicLibrary.NotLoaded(why, false);
  }
}

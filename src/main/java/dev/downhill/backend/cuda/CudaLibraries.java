package dev.downhill.backend.cuda;

import dev.downhill.backend.DeviceException;
import dev.downhill.backend.Finding;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import jcuda.LogLevel;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import org.jspecify.annotations.Nullable;

/**
 * The libraries of CUDA in this process: the driver, cuBLAS, and JCuda's own two. Each is looked at
 * and loaded once, in this order, and what was found is kept. No class of JCuda is touched before
 * all that it needs was seen to load, so a failure leaves nothing broken behind.
 */
final class CudaLibraries {
  private static final CudaLibraries OF_THIS_PROCESS = new CudaLibraries();

  private static final String JCUDA = "12.6.0";
  private static final String TEMPORARY = "java.io.tmpdir";

  private @Nullable CudaDriver driver;
  private @Nullable Finding cublas;
  private CublasSearch.@Nullable Cublas blas;
  private List<CublasSearch.Tried> tried = List.of();
  private @Nullable Finding bindings;

  private CudaLibraries() {}

  /** Those of this process. */
  static CudaLibraries get() {
    return OF_THIS_PROCESS;
  }

  /**
   * Loads all; JCuda can be used afterwards, and throws where a call fails.
   *
   * @throws DeviceException with what was found, is needed, and is to be done
   */
  static void load() {
    get()
        .problem()
        .ifPresent(
            problem -> {
              throw new DeviceException(sentence(problem));
            });
  }

  /** A finding that says why there is no CUDA, as a sentence. */
  static String sentence(Finding problem) {
    return "%s; %s is needed; %s, or use --device cpu"
        .formatted(problem.found(), problem.needed(), problem.remedy());
  }

  /** Why CUDA cannot be used; looks no further than the first reason. */
  synchronized Optional<Finding> problem() {
    return platform()
        .or(() -> driver().problem())
        .or(() -> failed(cublas()))
        .or(() -> failed(bindings()));
  }

  /** The devices of this machine, whether they can be used or not. */
  synchronized List<CudaDriver.Gpu> gpus() {
    return platform().isPresent() ? List.of() : driver().gpus();
  }

  /** All there is to know, also what comes after the first problem. */
  synchronized List<Finding> findings() {
    if (platform().isPresent()) {
      return List.of(platform().get());
    }
    List<Finding> all = new ArrayList<>(driver().findings());
    gpus().forEach(gpu -> all.add(gpu.finding()));
    if (all.stream().noneMatch(finding -> finding.what().equals("native access"))) {
      Finding found = cublas();
      tried.forEach(each -> all.add(Finding.fine("cuBLAS tried", each.toString())));
      all.add(found);
    }
    if (problem().isEmpty() || bindings != null) {
      all.add(bindings());
    }
    all.add(kernels());
    return all;
  }

  /** What the kernels of this build are; all modules are of one version. */
  private static Finding kernels() {
    try (InputStream in = CudaLibraries.class.getResourceAsStream("compute_75/copy_u8.ptx")) {
      if (in == null) {
        return new Finding(
            "kernels", false, "no kernels", "kernels in this build", "run ci/kernels and build");
      }
      String version =
          new String(in.readAllBytes(), StandardCharsets.US_ASCII)
              .lines()
              .filter(line -> line.startsWith(".version"))
              .findFirst()
              .map(line -> line.substring(".version".length()).strip())
              .orElse("of no version");
      return Finding.fine(
          "kernels", "PTX %s for compute capability 7.5, and for 8.0 or newer".formatted(version));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Optional<Finding> failed(Finding finding) {
    return Optional.of(finding).filter(each -> !each.ok());
  }

  private static Optional<Finding> platform() {
    String here = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    return here.equals("Linux amd64")
        ? Optional.empty()
        : Optional.of(
            new Finding(
                "platform",
                false,
                "no CUDA libraries for " + here + " in this build",
                "Linux on x86-64",
                "run there"));
  }

  private CudaDriver driver() {
    CudaDriver known = driver;
    if (known == null) {
      known = CudaDriver.probe();
      driver = known;
    }
    return known;
  }

  // cuBLAS

  private Finding cublas() {
    Finding known = cublas;
    if (known == null) {
      CublasSearch search =
          new CublasSearch(System.getenv(), Path.of("/"), new CublasLoader(driver().version()));
      blas = search.find().orElse(null);
      tried = search.tried();
      known = blas == null ? noCublas(tried) : Finding.fine("cuBLAS", blas.toString());
      cublas = known;
    }
    return known;
  }

  private static Finding noCublas(List<CublasSearch.Tried> tried) {
    String closest =
        tried.stream()
            .filter(each -> each.path().startsWith("/"))
            .findFirst()
            .map(each -> "no cuBLAS that can be used: " + each)
            .orElse("no cuBLAS: libcublas.so.12 and libcublas.so.13 were not found");
    return new Finding(
        "cuBLAS",
        false,
        closest,
        "cuBLAS 12 or 13",
        "install it (part of CUDA; or: pip install nvidia-cublas-cu12) or name its file in "
            + CublasSearch.VARIABLE);
  }

  // JCuda

  private Finding bindings() {
    Finding known = bindings;
    if (known == null) {
      known = bind(Natives.ofUser(System.getenv()), Objects.requireNonNull(blas));
      bindings = known;
    }
    return known;
  }

  private static Finding bind(Natives natives, CublasSearch.Cublas blas) {
    try {
      byte[] blasNative = resource("JCublas2");
      if (blas.major() == 13) {
        blasNative = CublasRetarget.to13(blasNative);
      }
      Path driverFile = natives.unpack(fileName("JCudaDriver"), resource("JCudaDriver"));
      Path blasFile = natives.unpack(fileName("JCublas2"), blasNative);
      for (Path file : new Path[] {driverFile, blasFile}) {
        DynamicLibrary _ = DynamicLibrary.open(file.toString());
      }
      from(
          driverFile,
          () -> {
            JCudaDriver.setExceptionsEnabled(true);
            JCudaDriver.setLogLevel(LogLevel.LOG_QUIET);
          });
      from(
          blasFile,
          () -> {
            JCublas2.setExceptionsEnabled(true);
            JCublas2.setLogLevel(LogLevel.LOG_QUIET);
          });
      return Finding.fine("JCuda", JCUDA + " in " + natives.root());
    } catch (IOException e) {
      return jcuda(
          "no place to unpack JCuda's libraries: " + e.getMessage(),
          "a folder that only you can write",
          "set XDG_CACHE_HOME to one");
    } catch (DynamicLibrary.NotLoaded e) {
      return jcuda(
          "a library of JCuda that cannot be loaded: " + e.getMessage(),
          "a glibc and a libstdc++ that are newer",
          "update the system");
    } catch (IllegalArgumentException | LinkageError e) {
      return jcuda(
          "libraries of JCuda that do not fit: " + e.toString().lines().findFirst().orElse(""),
          "JCuda " + JCUDA,
          "put jcuda, jcublas and their natives of this version on the class path");
    }
  }

  private static Finding jcuda(String found, String needed, String remedy) {
    return new Finding("JCuda", false, found, needed, remedy);
  }

  private static String fileName(String library) {
    return "lib%s-%s-linux-x86_64.so".formatted(library, JCUDA);
  }

  private static byte[] resource(String library) throws IOException {
    String name = fileName(library);
    try (InputStream in = CudaLibraries.class.getResourceAsStream("/lib/" + name)) {
      if (in == null) {
        throw new IllegalArgumentException("the class path has no lib/" + name);
      }
      return in.readAllBytes();
    }
  }

  /**
   * Initialises a class of JCuda, which loads the file of its library's name that lies in the
   * temporary folder, or writes one there.
   */
  private static void from(Path library, Runnable initialise) {
    String before = System.setProperty(TEMPORARY, library.resolveSibling("").toString());
    try {
      initialise.run();
    } finally {
      if (before != null) {
        System.setProperty(TEMPORARY, before);
      }
    }
  }
}

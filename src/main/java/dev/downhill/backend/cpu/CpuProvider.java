package dev.downhill.backend.cpu;

import dev.downhill.backend.Backend;
import dev.downhill.backend.BackendProvider;
import dev.downhill.backend.DeviceException;
import dev.downhill.backend.Finding;
import java.util.List;
import java.util.Optional;

/**
 * The CPU: always there. The devices {@code cpu:0} to {@code cpu:63} have each a memory pool and
 * threads of their own, on the same processor. The system property {@code downhill.threads} says
 * how many threads, by default one for each processor.
 */
public final class CpuProvider implements BackendProvider {
  private static final String THREADS = "downhill.threads";
  private static final int DEVICES = 64;

  /** For the service loader. */
  public CpuProvider() {}

  @Override
  public String kind() {
    return "cpu";
  }

  @Override
  public int preference() {
    return 0;
  }

  @Override
  public Optional<String> unavailable() {
    return Optional.empty();
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if a {@code downhill} system property has a value that makes
   *     no sense
   */
  @Override
  public Backend open(int index) {
    if (index < 0 || index >= DEVICES) {
      throw new DeviceException(
          "device cpu:%s: expected cpu:0 to cpu:%s".formatted(index, DEVICES - 1));
    }
    // Here, so that a wrong width is not met by a static initialiser.
    Simd.bits();
    return new CpuBackend(CpuPool.configured(), new Workers(threads()));
  }

  /** The machine has one, however many devices share it. */
  @Override
  public int devices() {
    return 1;
  }

  @Override
  public List<Finding> diagnose() {
    return List.of(
        Finding.fine(
            "processors",
            "%s, %s"
                .formatted(
                    Runtime.getRuntime().availableProcessors(), System.getProperty("os.arch"))),
        Finding.fine("threads", Integer.toString(threads())),
        Simd.AVAILABLE
            ? Finding.fine("vectors", Lanes.SPECIES.vectorBitSize() + " bits")
            : new Finding(
                "vectors",
                false,
                "scalar loops only, several times slower",
                "the module jdk.incubator.vector",
                "start java with --add-modules jdk.incubator.vector"));
  }

  private static int threads() {
    String value = System.getProperty(THREADS);
    if (value == null) {
      return Runtime.getRuntime().availableProcessors();
    }
    if (!value.matches("[1-9]\\d{0,3}")) {
      throw new IllegalArgumentException(
          "%s: expected a number of threads from 1 to 9999, got '%s'".formatted(THREADS, value));
    }
    return Integer.parseInt(value);
  }
}

package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import dev.downhill.backend.DeviceException;
import java.util.List;

/** What is measured: a {@link Workload} or a {@link Kernel}. */
public sealed interface Subject permits Workload, Kernel {
  /** What it is called on the command line. */
  String id();

  /** The option of the command line that names it. */
  String option();

  /** The memory that it needs on a GPU; 0 if it runs on a CPU too. */
  long deviceBytes();

  /** The precision of its matrix products on a GPU, as {@code downhill.cuda.matmul} has it. */
  String matmul();

  /**
   * Throws unless the device is one that it is meant for.
   *
   * @throws DeviceException saying what is needed
   */
  default void check(Device device) {
    if (deviceBytes() > 0 && device.name().startsWith("cpu")) {
      throw new DeviceException(
          "%s: needs a GPU with %s GiB of memory, got %s; leave it out or choose --device cuda"
              .formatted(id(), deviceBytes() >> 30, device.name()));
    }
  }

  /**
   * Those of some ids.
   *
   * @throws IllegalArgumentException if there is none of an id
   */
  static <S extends Subject> List<S> named(List<S> all, List<String> ids) {
    return ids.stream()
        .map(
            id ->
                all.stream()
                    .filter(s -> s.id().equals(id))
                    .findFirst()
                    .orElseThrow(
                        () ->
                            new IllegalArgumentException(
                                "%s: expected some of %s, got '%s'"
                                    .formatted(
                                        all.get(0).option(),
                                        String.join(",", all.stream().map(Subject::id).toList()),
                                        id))))
        .toList();
  }
}

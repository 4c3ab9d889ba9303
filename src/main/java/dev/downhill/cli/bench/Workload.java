package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import dev.downhill.backend.DeviceException;
import java.util.List;
import java.util.function.Function;

/**
 * A training that is measured.
 *
 * @param id what it is called on the command line
 * @param name what it is
 * @param item what a step works through
 * @param items how many of them in a step
 * @param cost the least work of a step
 * @param deviceBytes the memory that it needs on a GPU; 0 if it runs on a CPU too
 * @param start places the model and makes the optimiser
 */
public record Workload(
    String id,
    String name,
    String item,
    long items,
    Cost cost,
    long deviceBytes,
    Function<Device, Training> start) {
  /** All of them, in order. */
  public static final List<Workload> ALL = Workloads.all();

  /**
   * The workload of this id.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Workload named(String id) {
    return ALL.stream()
        .filter(w -> w.id.equals(id))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "--workload: expected some of %s, got '%s'"
                        .formatted(String.join(",", ALL.stream().map(Workload::id).toList()), id)));
  }

  /**
   * Throws unless the device is one that the workload is meant for.
   *
   * @throws DeviceException saying what is needed
   */
  public void check(Device device) {
    if (deviceBytes > 0 && device.name().startsWith("cpu")) {
      throw new DeviceException(
          "%s: needs a GPU with %d GiB of memory, got %s; leave it out or choose --device cuda"
              .formatted(id, deviceBytes >> 30, device.name()));
    }
  }
}

package dev.downhill.backend;

import java.util.List;
import java.util.Optional;

/** A kind of device, found through {@link java.util.ServiceLoader}. */
public interface BackendProvider {
  /** The first half of a device name: {@code cpu}, {@code cuda}. */
  String kind();

  /** The rank among the kinds for {@code auto}: the usable provider with the highest wins. */
  int preference();

  /** Why no device of this kind can be used here, in one sentence; empty if one can. */
  Optional<String> unavailable();

  /** How many devices of this kind the machine has, whether they can be used or not. */
  int devices();

  /** What devices of this kind need and whether it is there, in the order in which it is needed. */
  List<Finding> diagnose();

  /**
   * Opens the device {@code kind:index}.
   *
   * @throws DeviceException if there is no such device
   */
  Backend open(int index);
}

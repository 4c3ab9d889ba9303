package dev.downhill.backend;

import java.util.Optional;

/** A kind of device, found through {@link java.util.ServiceLoader}. */
public interface BackendProvider {
  /** The first half of a device name: {@code cpu}, {@code cuda}. */
  String kind();

  /** The rank among the kinds for {@code auto}: the usable provider with the highest wins. */
  int preference();

  /** Why no device of this kind can be used here, in one sentence; empty if one can. */
  Optional<String> unavailable();

  /**
   * Opens the device {@code kind:index}.
   *
   * @throws DeviceException if there is no such device
   */
  Backend open(int index);
}

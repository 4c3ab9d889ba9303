package dev.downhill.tensor;

import dev.downhill.backend.Device;

/** Steps that are replayed on the CPU. */
final class ReplayTest extends Replays {
  ReplayTest() {
    super(Device.of("cpu:2"));
  }
}

package dev.downhill.cli.verify;

import dev.downhill.backend.Device;

/** How the cases of one kind are run. */
@FunctionalInterface
interface Replay {
  /**
   * Runs a case and compares all that it expects.
   *
   * @throws Unsupported if the runtime lacks what the case asks for
   */
  void run(Case c, Device device, Checks checks);
}

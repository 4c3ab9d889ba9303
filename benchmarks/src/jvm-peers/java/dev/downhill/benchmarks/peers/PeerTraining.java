package dev.downhill.benchmarks.peers;

/** A training of another library. */
interface PeerTraining {
  /** The library's version. */
  String version();

  /** Does a step on the batch of this number: forward, loss, backward, optimiser. */
  void step(int batch);

  /** The loss that the last step began with. */
  double loss();
}

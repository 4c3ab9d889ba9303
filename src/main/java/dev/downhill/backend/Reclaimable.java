package dev.downhill.backend;

/** Something whose memory comes back after its owner was garbage collected. */
public interface Reclaimable {
  /** Gives the memory back; called under the lock of its device. */
  void reclaim();
}

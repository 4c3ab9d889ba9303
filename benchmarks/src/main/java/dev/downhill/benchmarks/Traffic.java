package dev.downhill.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Counts the least bytes that must be read and written. */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class Traffic {
  /** In units of 10^9: reported a second. */
  public double gigabytes;

  void add(double bytes) {
    gigabytes += bytes / 1e9;
  }
}

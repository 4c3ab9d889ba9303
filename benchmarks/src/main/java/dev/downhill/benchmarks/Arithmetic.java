package dev.downhill.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Counts multiplications and additions. */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class Arithmetic {
  /** In units of 10^9: reported a second. */
  public double gigaflops;

  void add(double flops) {
    gigaflops += flops / 1e9;
  }
}

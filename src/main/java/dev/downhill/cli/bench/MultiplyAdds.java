package dev.downhill.cli.bench;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** As many multiply-adds at once as the processor can: nothing waits for memory or a result. */
final class MultiplyAdds {
  private static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;
  private static final int CHAINS = 12;
  private static final int ROUNDS = 1 << 10;

  /** Written, so that the work is not left out. */
  static volatile float result;

  private MultiplyAdds() {}

  /** How many operations so many {@link #run}s are. */
  static double flops(int runs) {
    return 2.0 * CHAINS * LANES.length() * ROUNDS * runs;
  }

  static void run(int runs) {
    float sum = 0;
    for (int i = 0; i < runs; i++) {
      // A call, and not a loop in a loop: the JIT compiles what is called often.
      sum += once();
    }
    result = sum;
  }

  /** Twelve sums, each of which waits only for itself: more than are under way at once. */
  private static float once() {
    FloatVector x = FloatVector.broadcast(LANES, 0.999f);
    FloatVector y = FloatVector.broadcast(LANES, 0.001f);
    FloatVector a = y;
    FloatVector b = y;
    FloatVector c = y;
    FloatVector d = y;
    FloatVector e = y;
    FloatVector f = y;
    FloatVector g = y;
    FloatVector h = y;
    FloatVector i = y;
    FloatVector j = y;
    FloatVector k = y;
    FloatVector l = y;
    for (int n = 0; n < ROUNDS; n++) {
      a = a.fma(x, y);
      b = b.fma(x, y);
      c = c.fma(x, y);
      d = d.fma(x, y);
      e = e.fma(x, y);
      f = f.fma(x, y);
      g = g.fma(x, y);
      h = h.fma(x, y);
      i = i.fma(x, y);
      j = j.fma(x, y);
      k = k.fma(x, y);
      l = l.fma(x, y);
    }
    FloatVector sum =
        a.add(b).add(c).add(d).add(e).add(f).add(g).add(h).add(i).add(j).add(k).add(l);
    return sum.lane(0);
  }
}

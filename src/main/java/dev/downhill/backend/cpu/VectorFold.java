package dev.downhill.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** The sum of 16 lanes, with the bits of {@link ScalarSoftmax#fold}. */
final class VectorFold {
  /** Vectors of at most 16 lanes. */
  static final VectorSpecies<Float> SPECIES =
      Lanes.SPECIES.length() <= 16 ? Lanes.SPECIES : FloatVector.SPECIES_512;

  private static final int STEP = SPECIES.length();

  static final VectorShuffle<Float> BY_8 = VectorShuffle.fromOp(SPECIES, i -> i ^ 8 % STEP);
  static final VectorShuffle<Float> BY_4 = VectorShuffle.fromOp(SPECIES, i -> i ^ 4 % STEP);
  static final VectorShuffle<Float> BY_2 = VectorShuffle.fromOp(SPECIES, i -> i ^ 2);
  static final VectorShuffle<Float> BY_1 = VectorShuffle.fromOp(SPECIES, i -> i ^ 1);

  private VectorFold() {}

  /** The sum of 16 lanes: 8 and 8, 4 and 4, 2 and 2, 1 and 1. */
  static float sum(float[] lanes, int at) {
    FloatVector sum = FloatVector.fromArray(SPECIES, lanes, at);
    if (STEP == 8) {
      sum = sum.add(FloatVector.fromArray(SPECIES, lanes, at + 8));
    }
    if (STEP == 4) {
      FloatVector others = FloatVector.fromArray(SPECIES, lanes, at + 4);
      sum = sum.add(FloatVector.fromArray(SPECIES, lanes, at + 8));
      sum = sum.add(others.add(FloatVector.fromArray(SPECIES, lanes, at + 12)));
    }
    if (STEP >= 16) {
      sum = sum.add(sum.rearrange(BY_8));
    }
    if (STEP >= 8) {
      sum = sum.add(sum.rearrange(BY_4));
    }
    sum = sum.add(sum.rearrange(BY_2));
    return sum.add(sum.rearrange(BY_1)).lane(0);
  }
}

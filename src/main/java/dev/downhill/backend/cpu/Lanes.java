package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The instructions of a {@link Formula} on vectors of {@code f32}; positions are counted in bytes.
 */
final class Lanes {
  /** The vectors of all {@code f32} loops. */
  static final VectorSpecies<Float> SPECIES =
      Simd.bits() == 0
          ? FloatVector.SPECIES_PREFERRED
          : VectorSpecies.of(float.class, VectorShape.forBitSize(Simd.bits()));

  private Lanes() {}

  static FloatVector load(MemorySegment s, long at) {
    return FloatVector.fromMemorySegment(SPECIES, s, at, ByteOrder.nativeOrder());
  }

  static void store(FloatVector value, MemorySegment s, long at) {
    value.intoMemorySegment(s, at, ByteOrder.nativeOrder());
  }

  static FloatVector broadcast(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }

  static FloatVector neg(FloatVector x) {
    return x.neg();
  }

  static FloatVector abs(FloatVector x) {
    return x.abs();
  }

  static FloatVector add(FloatVector x, FloatVector y) {
    return x.add(y);
  }

  static FloatVector sub(FloatVector x, FloatVector y) {
    return x.sub(y);
  }

  static FloatVector mul(FloatVector x, FloatVector y) {
    return x.mul(y);
  }

  static FloatVector div(FloatVector x, FloatVector y) {
    return x.div(y);
  }

  static FloatVector max(FloatVector x, FloatVector y) {
    return x.max(y);
  }

  static FloatVector min(FloatVector x, FloatVector y) {
    return x.min(y);
  }

  static FloatVector sqrt(FloatVector x) {
    return x.sqrt();
  }

  static VectorMask<Float> eq(FloatVector x, FloatVector y) {
    return x.compare(VectorOperators.EQ, y);
  }

  static VectorMask<Float> ne(FloatVector x, FloatVector y) {
    return x.compare(VectorOperators.NE, y);
  }

  static VectorMask<Float> lt(FloatVector x, FloatVector y) {
    return x.compare(VectorOperators.LT, y);
  }

  static VectorMask<Float> le(FloatVector x, FloatVector y) {
    return x.compare(VectorOperators.LE, y);
  }

  static FloatVector select(VectorMask<Float> condition, FloatVector x, FloatVector y) {
    return y.blend(x, condition);
  }
}

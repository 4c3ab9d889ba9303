package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The instructions of a {@link Formula} on single elements that Java has no operator or {@link
 * Math} function for. {@code f32} and {@code bf16} are computed in float, {@code f64} in double,
 * integers and truth values in long; positions are counted in bytes.
 */
final class Scalars {
  private Scalars() {}

  // Memory; unaligned layouts spare the check at each access

  /**
   * The segment itself. Called before a loop, this tells the JIT compiler what the segment is:
   * memory off the heap. Else, from the first time that the JDK uses a segment on the heap (the
   * Vector API does, before it is compiled), every access is fenced, and simple loops take three
   * times as long.
   */
  static MemorySegment offHeap(MemorySegment s) {
    if (!s.isNative()) {
      throw new AssertionError("a buffer on the heap: " + s);
    }
    return s;
  }

  static double loadF64(MemorySegment s, long at) {
    return s.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, at);
  }

  static float loadF32(MemorySegment s, long at) {
    return s.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
  }

  static float loadBf16(MemorySegment s, long at) {
    return Float.intBitsToFloat(s.get(ValueLayout.JAVA_SHORT_UNALIGNED, at) << 16);
  }

  static long loadI64(MemorySegment s, long at) {
    return s.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
  }

  static long loadI32(MemorySegment s, long at) {
    return s.get(ValueLayout.JAVA_INT_UNALIGNED, at);
  }

  static long loadU8(MemorySegment s, long at) {
    return s.get(ValueLayout.JAVA_BYTE, at) & 0xff;
  }

  static boolean loadBool(MemorySegment s, long at) {
    return s.get(ValueLayout.JAVA_BYTE, at) != 0;
  }

  static void storeF64(double value, MemorySegment s, long at) {
    s.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, at, value);
  }

  static void storeF32(float value, MemorySegment s, long at) {
    s.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, value);
  }

  static void storeBf16(float value, MemorySegment s, long at) {
    s.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, bf16(value));
  }

  static void storeI64(long value, MemorySegment s, long at) {
    s.set(ValueLayout.JAVA_LONG_UNALIGNED, at, value);
  }

  static void storeI32(int value, MemorySegment s, long at) {
    s.set(ValueLayout.JAVA_INT_UNALIGNED, at, value);
  }

  static void storeU8(int value, MemorySegment s, long at) {
    s.set(ValueLayout.JAVA_BYTE, at, (byte) value);
  }

  static void storeBool(boolean value, MemorySegment s, long at) {
    s.set(ValueLayout.JAVA_BYTE, at, (byte) (value ? 1 : 0));
  }

  /** The upper half of the bits, rounded to the nearest, ties to even; NaN stays NaN. */
  static short bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int rounded = bits + 0x7fff + (bits >>> 16 & 1);
    return (short) ((Float.isNaN(value) ? bits | 0x400000 : rounded) >>> 16);
  }

  // Arithmetic

  static float sqrt(float x) {
    return (float) Math.sqrt(x);
  }

  static double sqrt(double x) {
    return Math.sqrt(x);
  }

  static float floor(float x) {
    return (float) Math.floor(x);
  }

  static double floor(double x) {
    return Math.floor(x);
  }

  static long floor(long x) {
    return x;
  }

  static boolean eq(float x, float y) {
    return x == y;
  }

  static boolean eq(double x, double y) {
    return x == y;
  }

  static boolean eq(long x, long y) {
    return x == y;
  }

  static boolean ne(float x, float y) {
    return x != y;
  }

  static boolean ne(double x, double y) {
    return x != y;
  }

  static boolean ne(long x, long y) {
    return x != y;
  }

  static boolean lt(float x, float y) {
    return x < y;
  }

  static boolean lt(double x, double y) {
    return x < y;
  }

  static boolean lt(long x, long y) {
    return x < y;
  }

  static boolean le(float x, float y) {
    return x <= y;
  }

  static boolean le(double x, double y) {
    return x <= y;
  }

  static boolean le(long x, long y) {
    return x <= y;
  }

  static float select(boolean condition, float x, float y) {
    return condition ? x : y;
  }

  static double select(boolean condition, double x, double y) {
    return condition ? x : y;
  }

  static long select(boolean condition, long x, long y) {
    return condition ? x : y;
  }
}

package dev.downhill.backend.cpu;

import java.util.Arrays;

/** The arrays of one thread, and its loops; they grow to the largest need and stay. */
final class Scratch {
  final WindowLoops loops = WindowLoops.of();
  private float[] inputs = {};
  private float[] planes = {};
  private float[] sums = {};
  private float[] lines = {};
  private int[] chosen = {};

  float[] inputs(int size) {
    inputs = grown(inputs, size);
    return inputs;
  }

  float[] planes(int size) {
    planes = grown(planes, size);
    return planes;
  }

  float[] sums(int size) {
    sums = grown(sums, size);
    return sums;
  }

  float[] lines(int size) {
    lines = grown(lines, size);
    return lines;
  }

  int[] chosen(int size) {
    chosen = chosen.length >= size ? chosen : new int[size];
    return chosen;
  }

  static float[] grown(float[] array, int size) {
    return array.length >= size ? array : new float[size];
  }

  /** Adds {@code n} elements. */
  static void add(float[] x, int ix, float[] y, int iy, int n) {
    for (int i = 0; i < n; i++) {
      y[iy + i] += x[ix + i];
    }
  }

  static void zero(float[] x, int n) {
    Arrays.fill(x, 0, n, 0);
  }
}

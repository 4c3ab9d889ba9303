package dev.downhill.backend.cpu;

import dev.downhill.backend.Slide;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The elements of a window along one dimension, and what {@link Planes} must hold so that each of
 * them finds its inputs for neighbouring outputs side by side.
 *
 * <p>Tap j of output i reads input {@code first[j] + i step}. Taps whose firsts differ by a
 * multiple of the step read the same inputs, later or earlier: such taps share a plane, if wanted,
 * in which line r holds input {@code start + r step}.
 *
 * @param window which element of the window each tap is
 * @param plane which plane a tap reads
 * @param shift at which line of its plane a tap starts
 * @param more how many lines a plane has beyond those of its first tap
 * @param start which input the first line of a plane holds
 * @param step from line to line, in the input
 * @param count outputs
 * @param outStart where the first output lies
 * @param outStep from output to output
 */
record Taps(
    int[] window,
    int[] plane,
    int[] shift,
    int more,
    int[] start,
    int step,
    int count,
    int outStart,
    int outStep) {

  /** Those of outputs that each see a window of the input. */
  static Taps of(Slide slide, int count, boolean share) {
    int[] all = IntStream.range(0, (int) slide.size()).toArray();
    int[] firsts = Arrays.stream(all).map(k -> (int) slide.position(0, k)).toArray();
    return of(all, firsts, (int) slide.step(), count, 0, 1, share);
  }

  /**
   * Those of every step-th element of an input, from {@code phase} on, as the sum over the windows
   * that see it: output of this is input of the slide, and the taps are those elements of a window
   * that such an input can be.
   */
  static Taps adjoint(Slide slide, int length, int phase, boolean share) {
    int step = (int) slide.step();
    int[] seen =
        IntStream.range(0, (int) slide.size())
            .filter(k -> Math.floorMod(phase - slide.position(0, k), step) == 0)
            .toArray();
    int[] firsts =
        Arrays.stream(seen)
            .map(k -> Math.toIntExact((phase - slide.position(0, k)) / step))
            .toArray();
    return of(seen, firsts, 1, Math.ceilDiv(length - phase, step), phase, step, share);
  }

  private static Taps of(
      int[] window, int[] first, int step, int count, int outStart, int outStep, boolean share) {
    int[] plane = new int[first.length];
    int[] shift = new int[first.length];
    int[] start = new int[first.length];
    int planes = 0;
    for (int j = 0; j < first.length; j++) {
      int q = share ? 0 : planes;
      while (q < planes && Math.floorMod(first[j] - start[q], step) != 0) {
        q++;
      }
      start[q] = q < planes ? Math.min(start[q], first[j]) : first[j];
      planes = Math.max(planes, q + 1);
      plane[j] = q;
    }
    for (int j = 0; j < first.length; j++) {
      shift[j] = (first[j] - start[plane[j]]) / step;
    }
    int more = Arrays.stream(shift).max().orElse(0);
    int[] starts = Arrays.copyOf(start, planes);
    return new Taps(window, plane, shift, more, starts, step, count, outStart, outStep);
  }

  /** How many taps there are. */
  int size() {
    return window.length;
  }
}

package dev.downhill.backend.cpu;

import java.util.Arrays;

/**
 * A part of an image, laid out in a heap array so that sliding over it is reading straight on.
 *
 * <p>Outputs of a part are counted by p: sample by sample, line by line, column by column. For each
 * tap of a window there is a place in the array from which on, at p = 0, 1, 2, ..., the inputs of
 * that tap lie side by side; padding is there as what the operator takes for it. For this the
 * columns are copied once for each tap along a line. Lines are not: taps below each other read the
 * same copy, a few lines later, unless several samples shall follow each other without a gap.
 *
 * <p>The product of a weight with all windows of a part is then that of a weight and a matrix whose
 * rows are such places: it needs neither the matrix of all windows, with a copy of the image for
 * every tap, nor any test for edges. A window of 3 x 3 is copied three times in place of nine.
 *
 * @param rows the taps along a column of the image
 * @param columns the taps along a line, each with a plane of its own
 * @param samples of a part
 * @param height lines of a part
 * @param width columns of a part
 */
record Planes(Taps rows, Taps columns, int samples, int height, int width) {

  /** Lines of one sample in a plane. */
  int lines() {
    return height + rows.more();
  }

  /** Elements of a plane. */
  int size() {
    return Math.multiplyExact(samples * lines(), width);
  }

  /** Elements of all planes of a channel. */
  int channel() {
    return Math.multiplyExact(size(), rows.start().length * columns.start().length);
  }

  /** For every tap of every channel - channel first, column last - where its inputs start. */
  int[] places(int channels) {
    int taps = rows.size() * columns.size();
    int[] places = new int[channels * taps];
    for (int k = 0; k < places.length; k++) {
      int row = k % taps / columns.size();
      int plane = k % columns.size() * rows.start().length + rows.plane()[row];
      places[k] = k / taps * channel() + plane * size() + rows.shift()[row] * width;
    }
    return places;
  }

  /**
   * Lays out channels of a part. Their inputs are brought to the heap first, all in one copy where
   * they are dense: lines are short, and to reach into memory off the heap costs more than to move
   * one.
   *
   * @param n the first sample, of {@code count}
   * @param c the first channel, of {@code channels}
   * @param y the first line of outputs, of {@code high}
   * @param x the first column of outputs, of {@code wide}
   * @param outside what padding is
   */
  void fill(
      Scratch mine,
      Image image,
      int n,
      int count,
      int c,
      int channels,
      int y,
      int high,
      int x,
      int wide,
      float outside,
      float[] to) {
    int top = first(rows, y);
    int left = first(columns, x);
    int height = end(rows, y + high + rows.more(), image.rows) - top;
    int width = end(columns, x + wide, image.columns) - left;
    if (height <= 0 || width <= 0) {
      Arrays.fill(to, 0, channels * channel(), outside);
      return;
    }
    int area = height * width;
    float[] inputs = mine.inputs(count * channels * area + 2 * WindowLoops.COLUMNS);
    for (int sample = 0; sample < count; sample++) {
      long at = image.at(n + sample, c, top, left);
      int to0 = sample * channels * area;
      mine.loops.load(image, at, channels, height, width, inputs, to0);
    }
    int at = 0;
    for (int channel = 0; channel < channels; channel++) {
      for (int column : columns.start()) {
        int x0 = column + x * columns.step();
        int from = before(x0, columns.step());
        int end = Math.clamp(Math.ceilDiv(image.columns - x0, columns.step()), from, wide);
        for (int row : rows.start()) {
          int y0 = row + y * rows.step();
          int line = before(y0, rows.step());
          int last =
              Math.clamp(Math.ceilDiv(image.rows - y0, rows.step()), line, high + rows.more());
          for (int sample = 0; sample < count; sample++) {
            int start = at + sample * lines() * width();
            Arrays.fill(to, start, start + line * width(), outside);
            mine.loops.lines(
                inputs,
                (sample * channels + channel) * area
                    + (y0 + line * rows.step() - top) * width
                    + x0
                    + from * columns.step()
                    - left,
                rows.step() * width,
                columns.step(),
                last - line,
                end - from,
                to,
                start + line * width(),
                width(),
                from,
                outside);
            Arrays.fill(to, start + last * width(), start + lines() * width(), outside);
          }
          at += size();
        }
      }
    }
  }

  /** The first position in the image that output i sees. */
  private static int first(Taps taps, int i) {
    int first = Integer.MAX_VALUE;
    for (int start : taps.start()) {
      first = Math.min(first, start + i * taps.step());
    }
    return Math.max(0, first);
  }

  /** The end of the positions in the image that outputs before {@code i} see. */
  private static int end(Taps taps, int i, int length) {
    int end = 0;
    for (int start : taps.start()) {
      end = Math.max(end, start + (i - 1) * taps.step() + 1);
    }
    return Math.min(end, length);
  }

  /** How many positions, {@code step} apart, lie before the image. */
  private static int before(int start, int step) {
    return start >= 0 ? 0 : Math.ceilDiv(-start, step);
  }
}

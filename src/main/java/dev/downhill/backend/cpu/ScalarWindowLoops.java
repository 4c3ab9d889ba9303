package dev.downhill.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * {@link WindowLoops} for want of the Vector API, and what {@link VectorWindowLoops} is held to.
 */
final class ScalarWindowLoops implements WindowLoops {
  @Override
  public void product(
      float[] a,
      int[] rows,
      int ir,
      int ia,
      float[] b,
      int[] columns,
      int depth,
      int height,
      int width,
      boolean add,
      float[] c,
      int stride) {
    for (int i = 0; i < height; i++) {
      int ic = i * stride;
      if (!add) {
        Arrays.fill(c, ic, ic + width, 0);
      }
      for (int k = 0; k < depth; k++) {
        addRow(a[rows[ir + i] + ia + k], b, columns[k], c, ic, width);
      }
    }
  }

  private static void addRow(float x, float[] b, int ib, float[] c, int ic, int width) {
    for (int j = 0; j < width; j++) {
      c[ic + j] = Math.fma(x, b[ib + j], c[ic + j]);
    }
  }

  @Override
  public void load(Image image, long at, int planes, int lines, int width, float[] to, int it) {
    boolean dense = image.column == 1 && image.row == width;
    if (dense && image.channel == (long) lines * width) {
      copy(image, at, planes * lines * width, to, it);
      return;
    }
    for (int p = 0; p < planes; p++) {
      long from = at + p * image.channel;
      int plane = it + p * lines * width;
      if (dense) {
        copy(image, from, lines * width, to, plane);
        continue;
      }
      for (int r = 0; r < lines; r++) {
        if (image.column == 1) {
          copy(image, from + r * image.row, width, to, plane + r * width);
        } else {
          gather(image, from + r * image.row, width, to, plane + r * width);
        }
      }
    }
  }

  private static void copy(Image image, long at, int n, float[] to, int it) {
    MemorySegment.copy(image.segment, JAVA_FLOAT_UNALIGNED, 4 * at, to, it, n);
  }

  private static void gather(Image image, long at, int n, float[] to, int it) {
    MemorySegment s = Scalars.offHeap(image.segment);
    for (int i = 0; i < n; i++) {
      to[it + i] = s.get(JAVA_FLOAT_UNALIGNED, 4 * (at + i * image.column));
    }
  }

  @Override
  public void lines(
      float[] from,
      int i,
      int down,
      int across,
      int lines,
      int width,
      float[] to,
      int it,
      int stride,
      int before,
      float outside) {
    for (int r = 0; r < lines; r++) {
      int line = it + r * stride + before;
      for (int j = 0; j < width; j++) {
        to[line + j] = from[i + r * down + j * across];
      }
    }
    around(to, it, stride, lines, before, width, outside);
  }

  /** What lies around the elements of lines. */
  static void around(
      float[] to, int it, int stride, int lines, int before, int width, float outside) {
    for (int j = 0; j < stride; j++) {
      if (j == before) {
        j += width;
      }
      for (int r = 0; r < lines && j < stride; r++) {
        to[it + r * stride + j] = outside;
      }
    }
  }

  @Override
  public void store(
      float[] from, int i, int width, float added, MemorySegment s, long at, long across) {
    put(from, i, width, added, s, at, across);
  }

  static void put(
      float[] from, int i, int width, float added, MemorySegment s, long at, long across) {
    for (int j = 0; j < width; j++) {
      s.set(JAVA_FLOAT_UNALIGNED, 4 * (at + j * across), from[i + j] + added);
    }
  }

  @Override
  public void transpose(
      MemorySegment segment,
      long at,
      long down,
      long across,
      int lines,
      int width,
      float[] to,
      int it,
      int stride) {
    MemorySegment s = Scalars.offHeap(segment);
    for (int o = 0; o < lines; o++) {
      for (int i = 0; i < width; i++) {
        to[it + i * stride + o] = s.get(JAVA_FLOAT_UNALIGNED, 4 * (at + o * down + i * across));
      }
    }
  }

  @Override
  public void largest(
      float[] a,
      int ia,
      int[] places,
      int[] first,
      int[] origin,
      int at,
      int[] delta,
      int width,
      float[] best,
      int[] chosen) {
    for (int p = 0; p < width; p++) {
      float most = Float.NEGATIVE_INFINITY;
      int choice = first[at + p];
      for (int k = 0; k < places.length; k++) {
        float value = a[ia + places[k] + p];
        if (value > most || (Float.isNaN(value) && !Float.isNaN(most))) {
          most = value;
          choice = origin[at + p] + delta[k];
        }
      }
      best[p] = most;
      chosen[p] = choice;
    }
  }

  @Override
  public void largestInside(
      MemorySegment s,
      long at,
      long down,
      int across,
      long[] taps,
      int[] origin,
      int io,
      int[] delta,
      int high,
      int wide,
      float[] best,
      int[] chosen) {
    for (int p = 0; p < high * wide; p++) {
      long from = at + p / wide * down + (long) (p % wide) * across;
      float most = Float.NEGATIVE_INFINITY;
      int choice = origin[io + p];
      for (int k = 0; k < taps.length; k++) {
        float value = Scalars.loadF32(s, 4 * (from + taps[k]));
        if (value > most || (Float.isNaN(value) && !Float.isNaN(most))) {
          most = value;
          choice = origin[io + p] + delta[k];
        }
      }
      best[p] = most;
      chosen[p] = choice;
    }
  }

  @Override
  public void store(int[] from, int width, MemorySegment s, long at) {
    for (int i = 0; i < width; i++) {
      Scalars.storeI64(from[i], s, 8 * (at + i));
    }
  }
}

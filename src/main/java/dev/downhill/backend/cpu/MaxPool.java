package dev.downhill.backend.cpu;

import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.util.function.IntConsumer;

/**
 * The largest elements of the windows of planes. In {@code f32} the windows of neighbouring outputs
 * are compared tap by tap, a vector at a time. Windows inside their plane, one or two columns
 * apart, are read where they lie, which is four times as fast as to lay out a band of a plane as
 * {@link Planes}, with -infinity as padding; so are the others. The choice starts with the first
 * element that a window sees, so that padding is never chosen. Other types take window after
 * window: {@link #reference}.
 */
final class MaxPool implements IntConsumer {
  /** Outputs of a band. */
  private static final int MOST = 2048;

  /** Outputs of a task: channels of one sample. */
  private static final int SHARE = 1 << 13;

  private static final float[] NONE = {};

  private final ThreadLocal<Scratch> scratch;
  private final Slide rows;
  private final Slide columns;
  private final int samples;
  private final int channels;
  private final int high;
  private final int wide;
  private final int perTask;
  private final Planes planes;
  private final int[] places;
  private final int[] origin;
  private final int[] first;
  private final int[] delta;

  /** Whether all windows lie inside the plane, and their neighbours side by side or every other. */
  private final boolean inside;

  private final long[] taps;

  // Of the call that runs
  private final Image x = new Image();
  private MemorySegment y = MemorySegment.NULL;
  private MemorySegment indices = MemorySegment.NULL;
  private long yAt;
  private long indicesAt;
  private boolean f32;

  MaxPool(ThreadLocal<Scratch> scratch, Shape image, Shape result, Slide rows, Slide columns) {
    this.scratch = scratch;
    this.rows = rows;
    this.columns = columns;
    this.channels = Math.toIntExact(image.size(1));
    this.samples = Math.toIntExact(image.size(0));
    this.high = Math.toIntExact(result.size(2));
    this.wide = Math.toIntExact(result.size(3));
    this.perTask = Math.clamp(SHARE / Math.multiplyExact(high, wide), 1, Math.max(1, channels));
    int height = Math.clamp(MOST / wide, 1, high);
    this.planes =
        new Planes(Taps.of(rows, high, true), Taps.of(columns, wide, false), 1, height, wide);
    this.places = planes.places(1);
    int spare = WindowLoops.COLUMNS;
    this.origin = new int[high * wide + spare];
    this.first = new int[high * wide + spare];
    this.delta = new int[places.length];
    this.taps = new long[places.length];
    this.inside =
        columns.step() <= 2
            && inside(rows, high, image.size(2))
            && inside(columns, wide, image.size(3));
    int across = Math.toIntExact(image.size(3));
    for (int p = 0; p < high * wide; p++) {
      origin[p] =
          Math.toIntExact(rows.position(p / wide, 0) * across + columns.position(p % wide, 0));
      first[p] = Math.toIntExact(firstSeen(rows, p / wide) * across + firstSeen(columns, p % wide));
    }
    for (int k = 0; k < delta.length; k++) {
      long down = k / columns.size() * rows.dilation();
      delta[k] = Math.toIntExact(down * across + k % columns.size() * columns.dilation());
    }
  }

  private static boolean inside(Slide slide, int windows, long length) {
    return slide.padding() == 0 && slide.position(windows - 1, slide.size() - 1) < length;
  }

  /** The first position that window i sees. */
  private static long firstSeen(Slide slide, long i) {
    long before = Math.max(0, -slide.position(i, 0));
    return slide.position(i, Math.ceilDiv(before, slide.dilation()));
  }

  /** Runs it on the planes of a call. */
  void run(Workers workers, View image, View result, View chosen) {
    assert result.layout().isContiguous() && chosen.layout().isContiguous();
    x.set(image);
    y = CpuBuffer.segment(result);
    indices = CpuBuffer.segment(chosen);
    yAt = result.layout().offset();
    indicesAt = chosen.layout().offset();
    f32 = image.dtype() == DType.F32;
    for (int k = 0; k < taps.length; k++) {
      long down = k / columns.size() * rows.dilation();
      taps[k] = down * x.row + k % columns.size() * columns.dilation();
    }
    workers.run(Math.multiplyExact(samples, Math.ceilDiv(channels, perTask)), this);
  }

  @Override
  public void accept(int task) {
    int parts = Math.ceilDiv(channels, perTask);
    int n = task / parts;
    int c = task % parts * perTask;
    int count = Math.min(perTask, channels - c);
    if (f32) {
      compare(scratch.get(), n, c, count);
    } else {
      for (int i = 0; i < count; i++) {
        reference(n * channels + c + i);
      }
    }
  }

  private void compare(Scratch mine, int n, int c, int count) {
    int direct = direct(n, c, count);
    int most = planes.height() * wide + WindowLoops.COLUMNS;
    int others = count - direct;
    float[] laid =
        others == 0 ? NONE : mine.planes(others * planes.channel() + WindowLoops.COLUMNS);
    float[] best = mine.sums(most);
    int[] chosen = mine.chosen(most);
    for (int row = 0; row < high; row += planes.height()) {
      int lines = Math.min(planes.height(), high - row);
      if (others > 0) {
        float none = Float.NEGATIVE_INFINITY;
        planes.fill(mine, x, n, 1, c + direct, others, row, lines, 0, wide, none, laid);
      }
      int p = row * wide;
      int width = lines * wide;
      for (int i = 0; i < count; i++) {
        if (i < direct) {
          long from = x.at(n, c + i, row * rows.step(), 0);
          long down = rows.step() * x.row;
          int across = (int) columns.step();
          mine.loops.largestInside(
              x.segment, from, down, across, taps, origin, p, delta, lines, wide, best, chosen);
        } else {
          int plane = (i - direct) * planes.channel();
          mine.loops.largest(laid, plane, places, first, origin, p, delta, width, best, chosen);
        }
        long at = (n * channels + c + i) * (long) high * wide + p;
        mine.loops.store(best, 0, width, -0f, y, yAt + at, 1);
        mine.loops.store(chosen, width, indices, indicesAt + at);
      }
    }
  }

  /** How many of the channels can be read where they lie: all but the last one of the memory. */
  private int direct(int n, int c, int count) {
    int direct = inside && x.column == 1 ? count : 0;
    while (direct > 0 && reach(n, c + direct - 1) > x.segment.byteSize()) {
      direct--;
    }
    return direct;
  }

  /** Up to where the vectors of a plane's last row read, in bytes. */
  private long reach(int n, int channel) {
    long last = x.at(n, channel, (high - 1) * rows.step(), 0) + taps[taps.length - 1];
    return Float.BYTES * (last + columns.step() * (wide + WindowLoops.COLUMNS));
  }

  /** The definition, for one plane. */
  void reference(int plane) {
    for (int p = 0; p < high * wide; p++) {
      long chosen = first[p];
      double best = get(plane, chosen);
      for (long k = 0; k < rows.size(); k++) {
        for (long l = 0; l < columns.size(); l++) {
          long row = rows.position(p / wide, k);
          long column = columns.position(p % wide, l);
          boolean inside = row >= 0 && row < x.rows && column >= 0 && column < x.columns;
          double value = inside ? get(plane, row * x.columns + column) : Double.NEGATIVE_INFINITY;
          if (value > best || (Double.isNaN(value) && !Double.isNaN(best))) {
            best = value;
            chosen = row * x.columns + column;
          }
        }
      }
      long at = (long) plane * high * wide + p;
      Scalars.storeI64(chosen, indices, 8 * (indicesAt + at));
      if (f32) {
        Scalars.storeF32((float) best, y, 4 * (yAt + at));
      } else {
        Scalars.storeF64(best, y, 8 * (yAt + at));
      }
    }
  }

  private double get(int plane, long at) {
    long place = x.at(plane / channels, plane % channels, at / x.columns, at % x.columns);
    return f32 ? Scalars.loadF32(x.segment, 4 * place) : Scalars.loadF64(x.segment, 8 * place);
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * dw[o, k] = Σ dy[n, o, p] x[n, place of k + p] over samples n and outputs p, for the channels and
 * taps k of o's group.
 *
 * <p>The rows of the product are the places of {@link Planes}, its columns the output channels, for
 * which dy alone is transposed: that is a small part of what the windows would be. The batch is cut
 * into stretches by shapes alone. A stretch is one chain of multiply-adds, in the order of samples
 * and outputs; the sums of stretches are added one after the other.
 */
final class WeightGradient implements IntConsumer {
  /** Outputs multiplied at a time: 256 of 32 channels are what the first level of the cache has. */
  private static final int LEAST = 128;

  private static final int MOST = 256;

  /** Elements laid out at a time: 256 KiB. */
  private static final int LAID_OUT = 1 << 16;

  /** The most stretches of a batch, and the most sums in all of them. */
  private static final int STRETCHES = 16;

  private static final int SUMS = 1 << 20;

  /** Rows of a task below which dividing the channels would not pay. */
  private static final int ROWS = 48;

  /** Sums of stretches that a task joins. */
  private static final int JOINED = 1 << 15;

  /** Tasks wanted. */
  private static final int ENOUGH = 8;

  private final ThreadLocal<Scratch> scratch;
  private final int groups;
  private final int inputs;
  private final int outputs;
  private final int taps;
  private final Cut cut;
  private final Planes planes;
  private final int stretches;
  private final int perStretch;
  private final int block;
  private final int rowsJoined;
  private final int[] places;
  private final int[] columns;
  private final int stride;
  private final IntConsumer joining = this::join;

  // Of the call that runs
  private float[] sums = {};
  private final Image x = new Image();
  private final Image dy = new Image();
  private final Image dw = new Image();
  private float beta;

  private WeightGradient(
      ThreadLocal<Scratch> scratch, Cut cut, Planes planes, int groups, int inputs, int outputs) {
    this.scratch = scratch;
    this.groups = groups;
    this.inputs = inputs;
    this.outputs = outputs;
    this.cut = cut;
    this.planes = planes;
    this.taps = planes.rows().size() * planes.columns().size();
    this.stride = Math.ceilDiv(outputs, WindowLoops.COLUMNS) * WindowLoops.COLUMNS;
    long weights = (long) groups * inputs * taps * outputs;
    this.perStretch = perStretch(cut.samples(), cut.group(), weights);
    this.stretches = Math.max(1, Math.ceilDiv(cut.samples(), perStretch));
    int atOnce = Math.clamp(LAID_OUT / Math.max(1, planes.channel()), 1, Math.max(1, inputs));
    int blocks = Math.ceilDiv(inputs, atOnce);
    while (stretches * groups * blocks < ENOUGH && inputs / blocks * taps >= 2 * ROWS) {
      blocks *= 2;
    }
    this.block = Math.ceilDiv(inputs, blocks);
    this.rowsJoined =
        Math.clamp(JOINED / ((long) stride * stretches), 1, Math.max(1, block * taps));
    this.places = planes.places(block);
    this.columns = new int[cut.group() * cut.height() * cut.width()];
    Arrays.setAll(columns, p -> p * stride);
  }

  /** How many samples make one chain of sums; a multiple of {@code group}. */
  static int perStretch(int samples, int group, long weights) {
    int most = Math.clamp(SUMS / weights, 1, STRETCHES);
    return Math.max(1, Math.ceilDiv(Math.ceilDiv(samples, most), group) * group);
  }

  /** The plan for these shapes. */
  static WeightGradient of(
      ThreadLocal<Scratch> scratch, View x, View dy, View dw, Slide rows, Slide columns) {
    int inputs = Math.toIntExact(dw.shape().size(1));
    int groups = Math.toIntExact(x.shape().size(1) / inputs);
    int outputs = Math.toIntExact(dy.shape().size(1) / groups);
    Cut cut = cut(dy);
    Planes planes =
        new Planes(
            Taps.of(rows, cut.rows(), cut.group() == 1),
            Taps.of(columns, cut.columns(), false),
            cut.group(),
            cut.height(),
            cut.width());
    return new WeightGradient(scratch, cut, planes, groups, inputs, outputs);
  }

  /** How dy is cut. */
  static Cut cut(View dy) {
    return Cut.of(
        Math.toIntExact(dy.shape().size(0)),
        Math.toIntExact(dy.shape().size(2)),
        Math.toIntExact(dy.shape().size(3)),
        LEAST,
        MOST);
  }

  /** Runs it on the images of a call: dw = the sum, plus beta dw where beta is not 0. */
  void run(Workers workers, View image, View gradient, float scale, View weights) {
    x.set(image);
    dy.set(gradient);
    dw.set(weights);
    beta = scale;
    int blocks = Math.ceilDiv(inputs, block);
    sums = Scratch.grown(sums, Math.multiplyExact(stretches * groups * blocks, size()));
    workers.run(stretches * groups * blocks, this);
    workers.run(groups * blocks * joins(), joining);
  }

  /** How many tasks join the stretches of a block. */
  private int joins() {
    return Math.ceilDiv(block * taps, rowsJoined);
  }

  /** Sums of a task. */
  private int size() {
    return block * taps * stride;
  }

  @Override
  public void accept(int task) {
    Scratch mine = scratch.get();
    int blocks = Math.ceilDiv(inputs, block);
    int c = task % blocks * block;
    int g = task / blocks % groups;
    int stretch = task / blocks / groups;
    int channels = Math.min(block, inputs - c);
    int depth = cut.group() * cut.height() * cut.width();
    float[] laid = mine.planes(block * planes.channel() + WindowLoops.COLUMNS);
    float[] lines = mine.lines(depth * stride);
    float[] own = mine.sums(size());
    int group = cut.group();
    int first = stretch * perStretch / group * cut.perGroup();
    int end = Math.min(cut.count(), (stretch + 1) * perStretch / group * cut.perGroup());
    if (first >= end) {
      Scratch.zero(own, channels * taps * stride);
    }
    for (int part = first; part < end; part++) {
      planes.fill(
          mine,
          x,
          cut.sample(part),
          cut.samplesOf(part),
          g * inputs + c,
          channels,
          cut.row(part),
          cut.heightOf(part),
          cut.column(part),
          cut.widthOf(part),
          0,
          laid);
      mine.loops.product(
          laid,
          places,
          0,
          0,
          lines,
          columns,
          transpose(mine.loops, part, g, lines),
          channels * taps,
          outputs,
          part > first,
          own,
          stride);
    }
    System.arraycopy(own, 0, sums, task * size(), channels * taps * stride);
  }

  /** Lays out dy with the channels of a group side by side; returns how many outputs there are. */
  private int transpose(WindowLoops loops, int part, int g, float[] lines) {
    int high = cut.heightOf(part);
    int wide = cut.widthOf(part);
    int samples = cut.samplesOf(part);
    int depth = samples * high * planes.width();
    Scratch.zero(lines, depth * stride);
    boolean oneRun = wide == planes.width() && dy.row == dy.column * wide;
    for (int n = 0; n < samples; n++) {
      long first = dy.at(cut.sample(part) + n, (long) g * outputs, cut.row(part), cut.column(part));
      int at = n * high * planes.width() * stride;
      if (oneRun) {
        loops.transpose(
            dy.segment, first, dy.channel, dy.column, outputs, high * wide, lines, at, stride);
      } else {
        for (int r = 0; r < high; r++) {
          loops.transpose(
              dy.segment,
              first + r * dy.row,
              dy.channel,
              dy.column,
              outputs,
              wide,
              lines,
              at + r * planes.width() * stride,
              stride);
        }
      }
    }
    return depth;
  }

  /** Adds up the stretches of some rows of a block of channels and stores these weights. */
  private void join(int task) {
    int blocks = Math.ceilDiv(inputs, block);
    int part = task / joins();
    int c = part % blocks * block;
    int g = part / blocks;
    int channels = Math.min(block, inputs - c);
    int first = task % joins() * rowsJoined;
    int end = Math.min(first + rowsJoined, channels * taps);
    for (int stretch = 1; stretch < stretches && first < end; stretch++) {
      int more = (stretch * groups * blocks + part) * size();
      int n = (end - first) * stride;
      Scratch.add(sums, more + first * stride, sums, part * size() + first * stride, n);
    }
    int wide = planes.columns().size();
    for (int k = first; k < end; k++) {
      int at = part * size() + k * stride;
      long place = dw.at((long) g * outputs, c + k / taps, k % taps / wide, k % wide);
      for (int o = 0; o < outputs; o++) {
        long to = 4 * (place + o * dw.sample);
        float old = beta == 0 ? 0 : Scalars.loadF32(dw.segment, to);
        float sum = sums[at + o];
        Scalars.storeF32(beta == 0 ? sum : Math.fma(beta, old, sum), dw.segment, to);
      }
    }
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * y[n, o] = Σ w[o, k] x[n, place of k + p] over the channels and taps k of o's group, for all
 * samples n and outputs p: a convolution, or the gradient of one for every step-th row and column.
 *
 * <p>A task makes a block of channels of a part of the outputs. It lays out the inputs of as many
 * channels as stay in the second level of the cache, multiplies, and goes on with the next
 * channels; then the sums, which are the size of a part, are stored with the bias.
 */
final class WindowProduct implements IntConsumer {
  /** Outputs of a part: samples are joined below the first, divided above the second. */
  private static final int LEAST = 128;

  private static final int MOST = 512;

  /** Channels of a task. */
  private static final int BLOCK = 128;

  /** Elements laid out at a time: 256 KiB. */
  private static final int LAID_OUT = 1 << 16;

  /** Tasks wanted, if only few samples are there. */
  private static final int ENOUGH = 8;

  /** Weights that are packed in less time than sharing them would take. */
  private static final int SMALL = 1 << 13;

  private final IntConsumer packing = this::pack;
  private final ThreadLocal<Scratch> scratch;
  private final boolean adjoint;
  private final int groups;
  private final int inputs;
  private final int outputs;
  private final Cut cut;
  private final Planes planes;
  private final int atOnce;
  private final int block;
  private final int[] places;
  private final int[] rows;
  private final int depth;
  private final int distance;
  private final int packed;

  // Of the call that runs
  private float[] weight = {};
  private final Image from = new Image();
  private final Image w = new Image();
  private final Image to = new Image();
  private @Nullable View added;

  private WindowProduct(
      ThreadLocal<Scratch> scratch,
      boolean adjoint,
      Cut cut,
      Planes planes,
      int groups,
      int inputs,
      int outputs) {
    this.scratch = scratch;
    this.adjoint = adjoint;
    this.cut = cut;
    this.planes = planes;
    this.groups = groups;
    this.inputs = inputs;
    this.outputs = outputs;
    int taps = planes.rows().size() * planes.columns().size();
    this.depth = inputs * taps;
    // An odd number of cache lines: rows that lie a power of two apart crowd a few sets.
    this.distance = (depth / 16 | 1) * 16 + 16;
    this.atOnce = Math.clamp(LAID_OUT / Math.max(1, planes.channel()), 1, Math.max(1, inputs));
    this.places = planes.places(atOnce);
    int all = groups * outputs;
    this.rows = new int[all];
    Arrays.setAll(rows, r -> r * distance);
    int blocks = Math.ceilDiv(outputs, BLOCK);
    while (cut.count() * groups * blocks < ENOUGH && outputs / blocks >= 32) {
      blocks *= 2;
    }
    this.block = Math.ceilDiv(outputs, blocks);
    this.packed = Math.max(1, SMALL / Math.max(1, depth));
  }

  /** The plan of a convolution. */
  static WindowProduct of(
      ThreadLocal<Scratch> scratch, View y, View w, Shape x, Slide rows, Slide columns) {
    int[] out = ints(y.shape());
    int inputs = (int) w.shape().size(1);
    int groups = (int) (x.size(1) / inputs);
    Cut cut = Cut.of(out[0], out[2], out[3], LEAST, MOST);
    Planes planes =
        new Planes(
            Taps.of(rows, out[2], cut.group() == 1),
            Taps.of(columns, out[3], false),
            cut.group(),
            cut.height(),
            cut.width());
    return new WindowProduct(scratch, false, cut, planes, groups, inputs, out[1] / groups);
  }

  /** The plans of the gradient with respect to a convolution's input, one for each phase. */
  static WindowProduct[] adjoint(
      ThreadLocal<Scratch> scratch, View dx, View w, Shape dy, Slide rows, Slide columns) {
    int[] out = ints(dx.shape());
    int outputs = (int) w.shape().size(1);
    int groups = out[1] / outputs;
    int high = (int) Math.min(rows.step(), out[2]);
    int wide = (int) Math.min(columns.step(), out[3]);
    WindowProduct[] phases = new WindowProduct[high * wide];
    for (int i = 0; i < phases.length; i++) {
      int row = i / wide;
      int column = i % wide;
      Taps across = Taps.adjoint(columns, out[3], column, false);
      int count = Math.ceilDiv(out[2] - row, (int) rows.step());
      Cut cut = Cut.of(out[0], count, across.count(), LEAST, MOST);
      Taps down = Taps.adjoint(rows, out[2], row, cut.group() == 1);
      Planes planes = new Planes(down, across, cut.group(), cut.height(), cut.width());
      phases[i] =
          new WindowProduct(
              scratch, true, cut, planes, groups, (int) (dy.size(1) / groups), outputs);
    }
    return phases;
  }

  private static int[] ints(Shape shape) {
    return Arrays.stream(shape.toArray()).mapToInt(Math::toIntExact).toArray();
  }

  /** Runs it on the images and the weight of a call. */
  void run(Workers workers, View x, View weights, @Nullable View bias, View y) {
    from.set(x);
    w.set(weights);
    to.set(y);
    added = bias;
    weight = Scratch.grown(weight, groups * outputs * distance);
    workers.run(Math.ceilDiv(groups * outputs, packed), packing);
    int blocks = Math.ceilDiv(outputs, block);
    workers.run(Math.multiplyExact(cut.count() * groups, blocks), this);
  }

  private void pack(int task) {
    for (int r = task * packed; r < Math.min(groups * outputs, (task + 1) * packed); r++) {
      packRow(r);
    }
  }

  /** Row r of the matrix: the weights of one output channel, in the order of the places. */
  private void packRow(int r) {
    int g = r / outputs;
    Taps down = planes.rows();
    Taps across = planes.columns();
    MemorySegment s = Scalars.offHeap(w.segment);
    int at = r * distance;
    for (int c = 0; c < inputs; c++) {
      long first = adjoint ? w.at((long) g * inputs + c, r % outputs, 0, 0) : w.at(r, c, 0, 0);
      for (int i : down.window()) {
        for (int j : across.window()) {
          weight[at++] = Scalars.loadF32(s, 4 * (first + i * w.row + j * w.column));
        }
      }
    }
  }

  @Override
  public void accept(int task) {
    Scratch mine = scratch.get();
    int blocks = Math.ceilDiv(outputs, block);
    int o = task % blocks * block;
    int g = task / blocks % groups;
    int part = task / blocks / groups;
    int height = Math.min(block, outputs - o);
    int samples = cut.samplesOf(part);
    int high = cut.heightOf(part);
    int width = cut.group() > 1 ? samples * high * planes.width() : high * planes.width();
    int stride = Math.ceilDiv(width, WindowLoops.COLUMNS) * WindowLoops.COLUMNS;
    float[] laid = mine.planes(atOnce * planes.channel() + WindowLoops.COLUMNS);
    float[] sums = mine.sums(height * stride);
    int taps = planes.rows().size() * planes.columns().size();
    int c = 0;
    do {
      int channels = Math.min(atOnce, inputs - c);
      planes.fill(
          mine,
          from,
          cut.sample(part),
          samples,
          g * inputs + c,
          channels,
          cut.row(part),
          high,
          cut.column(part),
          cut.widthOf(part),
          0,
          laid);
      mine.loops.product(
          weight,
          rows,
          g * outputs + o,
          c * taps,
          laid,
          places,
          channels * taps,
          height,
          width,
          c > 0,
          sums,
          stride);
      c += channels;
    } while (c < inputs);
    for (int i = 0; i < height; i++) {
      store(mine.loops, part, g * outputs + o + i, sums, i * stride);
    }
  }

  /** What is added to an output channel; without a bias -0, which changes nothing. */
  private float plus(int o) {
    if (added == null) {
      return -0f;
    }
    long at = added.layout().offset() + o * added.layout().stride(0);
    return Scalars.loadF32(CpuBuffer.segment(added), 4 * at);
  }

  /** Stores a part of one output channel. */
  private void store(WindowLoops loops, int part, int o, float[] sums, int at) {
    int downStep = planes.rows().outStep();
    int acrossStep = planes.columns().outStep();
    long across = acrossStep * to.column;
    long down = downStep * to.row;
    int high = cut.heightOf(part);
    int wide = cut.widthOf(part);
    boolean oneRun = wide == planes.width() && down == across * wide;
    for (int n = 0; n < cut.samplesOf(part); n++) {
      long first =
          to.at(
              cut.sample(part) + n,
              o,
              planes.rows().outStart() + (long) cut.row(part) * downStep,
              planes.columns().outStart() + (long) cut.column(part) * acrossStep);
      int line = at + n * high * planes.width();
      if (oneRun) {
        loops.store(sums, line, high * wide, plus(o), to.segment, first, across);
      } else {
        for (int r = 0; r < high; r++) {
          loops.store(
              sums, line + r * planes.width(), wide, plus(o), to.segment, first + r * down, across);
        }
      }
    }
  }
}

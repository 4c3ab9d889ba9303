package dev.downhill.backend.cpu;

import dev.downhill.backend.Activity;
import dev.downhill.backend.Backend;
import dev.downhill.backend.Binary;
import dev.downhill.backend.Buffer;
import dev.downhill.backend.Draw;
import dev.downhill.backend.MemoryUse;
import dev.downhill.backend.Pending;
import dev.downhill.backend.Program;
import dev.downhill.backend.Reduce;
import dev.downhill.backend.Slide;
import dev.downhill.backend.Unary;
import dev.downhill.backend.Update;
import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One CPU device: hands each call of the contract to its family. {@code bf16} goes through {@link
 * WideViews} here, so that the families compute in {@code f32} and {@code f64} alone; those that
 * only move elements take it as it is, and so do softmax, cross-entropy and layer normalisation,
 * which copy such rows.
 */
final class CpuBackend implements Backend {
  private final CpuPool pool;
  private final Workers workers;
  private final CpuElementwise elementwise;
  private final CpuReduce reduce;
  private final CpuSort sort;
  private final CpuMatmul matmul;
  private final CpuConvolution convolution;
  private final CpuPatches patches;
  private final CpuPooling pooling;
  private final CpuIndexing indexing;
  private final CpuRandom random;
  private final CpuSoftmax softmax;
  private final CpuCrossEntropy crossEntropy;
  private final CpuAttention attention;
  private final CpuLayerNorm layerNorm;
  private final CpuUpdate update;
  private final CpuNorm norm;
  private final WideViews wide;

  CpuBackend(CpuPool pool, Workers workers) {
    this.pool = pool;
    this.workers = workers;
    this.elementwise = new CpuElementwise(workers);
    this.reduce = new CpuReduce(workers);
    this.sort = new CpuSort(workers);
    this.matmul = new CpuMatmul(workers);
    this.wide = new WideViews(pool, workers, elementwise);
    this.convolution = new CpuConvolution(workers);
    this.patches = new CpuPatches(wide, elementwise, matmul);
    this.pooling = new CpuPooling(workers);
    this.indexing = new CpuIndexing(workers);
    this.random = new CpuRandom(workers);
    this.softmax = new CpuSoftmax(workers);
    this.crossEntropy = new CpuCrossEntropy(workers);
    this.attention = new CpuAttention(workers);
    this.layerNorm = new CpuLayerNorm(workers);
    this.update = new CpuUpdate(workers);
    this.norm = new CpuNorm(workers);
  }

  // Memory and control

  @Override
  public Buffer allocate(DType dtype, long numel) {
    return pool.allocate(dtype, numel);
  }

  @Override
  public void free(Buffer buffer) {
    pool.free((CpuBuffer) buffer);
  }

  @Override
  public void upload(MemorySegment source, View y) {
    MemorySegment.copy(source, 0, CpuBuffer.segment(y), start(y), bytes(y));
  }

  @Override
  public Pending download(View x, MemorySegment target) {
    MemorySegment.copy(CpuBuffer.segment(x), start(x), target, 0, bytes(x));
    return Pending.DONE;
  }

  private static long start(View view) {
    assert view.layout().isContiguous() : view;
    return bytes(view) == 0 ? 0 : view.layout().offset() * view.dtype().bytes();
  }

  private static long bytes(View view) {
    return view.shape().numel() * view.dtype().bytes();
  }

  /** Nothing to wait for: every call has done its work when it returns. */
  @Override
  public Pending synchronize() {
    return Pending.DONE;
  }

  @Override
  public Program prepare(Runnable calls) {
    Program work = workers.capture(calls);
    List<CpuBuffer> scratch = wide.takeKept();
    return new Program() {
      @Override
      public void run() {
        work.run();
      }

      @Override
      public void close() {
        scratch.forEach(pool::free);
      }
    };
  }

  @Override
  public MemoryUse memory() {
    return pool.use();
  }

  @Override
  public Activity activity() {
    return Activity.NONE;
  }

  @Override
  public String describe() {
    return "%s, %s thread%s, %s"
        .formatted(
            model(),
            workers.threads(),
            workers.threads() == 1 ? "" : "s",
            Simd.AVAILABLE ? Lanes.SPECIES.vectorBitSize() + "-bit vectors" : "no vectors");
  }

  private static String model() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }

  // Elementwise

  @Override
  public void copy(View x, View y) {
    elementwise.copy(x, y);
  }

  @Override
  public void fill(View y, double value) {
    elementwise.fill(y, value);
  }

  @Override
  public void arange(View y, double start, double step) {
    elementwise.arange(y, start, step);
  }

  @Override
  public void unary(Unary op, View x, double a, double b, View y) {
    try (WideViews w = wide) {
      elementwise.unary(op, w.in(x), a, b, w.out(y));
      w.finish();
    }
  }

  @Override
  public void unaryBackward(Unary op, View saved, View dy, double a, double b, View dx) {
    try (WideViews w = wide) {
      elementwise.unaryBackward(op, w.in(saved), w.in(dy), a, b, w.out(dx));
      w.finish();
    }
  }

  @Override
  public void binary(Binary op, View x, View y, View z) {
    try (WideViews w = wide) {
      elementwise.binary(op, w.in(x), w.in(y), w.out(z));
      w.finish();
    }
  }

  @Override
  public void binary(Binary op, View x, double y, View z) {
    try (WideViews w = wide) {
      elementwise.binary(op, w.in(x), CpuElementwise.round(y, x.dtype()), w.out(z));
      w.finish();
    }
  }

  @Override
  public void binary(Binary op, double x, View y, View z) {
    try (WideViews w = wide) {
      elementwise.binary(op, CpuElementwise.round(x, y.dtype()), w.in(y), w.out(z));
      w.finish();
    }
  }

  @Override
  public void where(View condition, View x, View y, View z) {
    elementwise.where(condition, x, y, z);
  }

  // Reductions

  @Override
  public void reduce(Reduce op, View x, View y) {
    try (WideViews w = wide) {
      reduce.reduce(op, w.in(x), w.out(y));
      w.finish();
    }
  }

  @Override
  public void argReduce(Reduce op, View x, int dim, View y) {
    try (WideViews w = wide) {
      reduce.argReduce(op, w.in(x), dim, y);
    }
  }

  @Override
  public void cumsum(View x, int dim, View y) {
    try (WideViews w = wide) {
      reduce.cumsum(w.in(x), dim, w.out(y));
      w.finish();
    }
  }

  // Order

  @Override
  public void sort(View x, int dim, boolean descending, View values, View indices) {
    sort.sort(x, dim, descending, values, indices);
  }

  // Matrix product

  @Override
  public void matmul(View a, View b, double alpha, double beta, View y) {
    try (WideViews w = wide) {
      matmul.matmul(w.in(a), w.in(b), alpha, beta, beta == 0 ? w.out(y) : w.inOut(y));
      w.finish();
    }
  }

  @Override
  public void matmul(View a, View b, View bias, View y) {
    if (y.dtype() == DType.BF16) {
      matmul(a, b, 1, 0, y);
      binary(Binary.ADD, y, bias.with(bias.layout().expand(y.shape())), y);
    } else {
      matmul.matmul(a, b, bias, y);
    }
  }

  // Windows

  @Override
  public void convolution(View x, View w, Slide rows, Slide columns, View y) {
    try (WideViews v = wide) {
      convolutions(y).convolution(v.in(x), v.in(w), null, rows, columns, v.out(y));
      v.finish();
    }
  }

  @Override
  public void convolution(View x, View w, View bias, Slide rows, Slide columns, View y) {
    if (y.dtype() == DType.BF16) {
      convolution(x, w, rows, columns, y);
      Layout repeated = bias.layout().unsqueeze(1).unsqueeze(2).expand(y.shape());
      binary(Binary.ADD, y, bias.with(repeated), y);
    } else {
      try (WideViews v = wide) {
        convolutions(y).convolution(x, w, bias, rows, columns, y);
        v.finish();
      }
    }
  }

  @Override
  public void convolutionInput(View dy, View w, Slide rows, Slide columns, View dx) {
    try (WideViews v = wide) {
      convolutions(dx).convolutionInput(v.in(dy), v.in(w), rows, columns, v.out(dx));
      v.finish();
    }
  }

  @Override
  public void convolutionWeight(View x, View dy, Slide rows, Slide columns, double beta, View dw) {
    try (WideViews v = wide) {
      View sum = beta == 0 ? v.out(dw) : v.inOut(dw);
      convolutions(dw).convolutionWeight(v.in(x), v.in(dy), rows, columns, beta, sum);
      v.finish();
    }
  }

  private Convolutions convolutions(View result) {
    return result.dtype() == DType.F64 ? patches : convolution;
  }

  @Override
  public void maxPool(View x, Slide rows, Slide columns, View y, View indices) {
    try (WideViews v = wide) {
      pooling.maxPool(v.in(x), rows, columns, v.out(y), indices);
      v.finish();
    }
  }

  @Override
  public void maxPoolBackward(View dy, View indices, Slide rows, Slide columns, View dx) {
    try (WideViews v = wide) {
      pooling.maxPoolBackward(v.in(dy), indices, v.out(dx));
      v.finish();
    }
  }

  // Indexing

  @Override
  public void gather(View x, int dim, View index, View y) {
    indexing.gather(x, dim, index, y);
  }

  @Override
  public void scatterAdd(View x, int dim, View index, View y) {
    try (WideViews w = wide) {
      indexing.scatterAdd(w.in(x), dim, index, w.inOut(y));
      w.finish();
    }
  }

  // Random numbers

  @Override
  public void random(Draw draw, long seed, long stream, View base, long offset, double p, View y) {
    try (WideViews w = wide) {
      random.random(draw, seed, stream, base, offset, p, w.out(y));
      w.finish();
    }
  }

  // Softmax and cross-entropy

  @Override
  public void softmax(View x, boolean log, View y) {
    softmax.softmax(x, log, y);
  }

  @Override
  public void softmaxBackward(View y, View dy, boolean log, View dx) {
    softmax.softmaxBackward(y, dy, log, dx);
  }

  @Override
  public void crossEntropy(View x, View target, long ignore, View y, View z) {
    crossEntropy.crossEntropy(x, target, ignore, y, z);
  }

  @Override
  public void crossEntropyBackward(View x, View target, long ignore, View z, View dy, View dx) {
    crossEntropy.crossEntropyBackward(x, target, ignore, z, dy, dx);
  }

  // Attention

  @Override
  public void attention(View q, View k, View v, boolean causal, double scale, View y, View z) {
    try (WideViews w = wide) {
      attention.attention(w.in(q), w.in(k), w.in(v), causal, scale, w.out(y), z);
      w.finish();
    }
  }

  @Override
  public void attentionBackward(
      View q,
      View k,
      View v,
      boolean causal,
      double scale,
      View y,
      View z,
      View dy,
      View dq,
      View dk,
      View dv) {
    try (WideViews w = wide) {
      attention.attentionBackward(
          w.in(q), w.in(k), w.in(v), causal, scale, w.in(y), z, w.in(dy), w.out(dq), w.out(dk),
          w.out(dv));
      w.finish();
    }
  }

  // Layer normalisation

  @Override
  public void layerNorm(
      View x,
      @Nullable View weight,
      @Nullable View bias,
      double eps,
      View y,
      @Nullable View mean,
      View rstd) {
    layerNorm.layerNorm(x, weight, bias, eps, y, mean, rstd);
  }

  @Override
  public void layerNormBackward(
      View x,
      @Nullable View weight,
      @Nullable View mean,
      View rstd,
      View dy,
      @Nullable View dx,
      @Nullable View dweight,
      @Nullable View dbias) {
    layerNorm.layerNormBackward(x, weight, mean, rstd, dy, dx, dweight, dbias);
  }

  // Training

  @Override
  public void update(Update update, UpdateTable table, View groups, View skip) {
    try (WideViews w = wide) {
      this.update.update(update, w.inOut(table), groups, skip);
      w.finish();
    }
  }

  @Override
  public void norm(double p, List<View> xs, View y) {
    norm.norm(p, xs, y);
  }

  @Override
  public void scale(View factor, List<View> xs) {
    norm.scale(factor, xs);
  }
}

package dev.downhill.backend.cuda;

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
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One CUDA device: hands each call of the contract to its family. Nothing waits for the device save
 * a large download, and nothing comes back from it but downloads and their faults.
 */
final class CudaBackend implements Backend {
  private final CudaDevice device;
  private final CudaElementwise elementwise;
  private final CudaReduce reduce;
  private final CudaSort sort;
  private final CudaMatmul matmul;
  private final CudaConvolution convolution;
  private final CudaPooling pooling;
  private final CudaIndexing indexing;
  private final CudaRandom random;
  private final CudaSoftmax softmax;
  private final CudaAttention attention;
  private final CudaLayerNorm layerNorm;
  private final CudaUpdate update;
  private final CudaNorm norm;

  CudaBackend(CudaDevice device) {
    this.device = device;
    this.elementwise = new CudaElementwise(device);
    this.reduce = new CudaReduce(device);
    this.sort = new CudaSort(device);
    this.matmul = new CudaMatmul(device, elementwise);
    this.convolution = new CudaConvolution(device, elementwise, matmul);
    this.pooling = new CudaPooling(device);
    this.indexing = new CudaIndexing(device);
    this.random = new CudaRandom(device);
    this.softmax = new CudaSoftmax(device);
    this.attention = new CudaAttention(device);
    this.layerNorm = new CudaLayerNorm(device);
    this.update = new CudaUpdate(device);
    this.norm = new CudaNorm(device);
  }

  // Memory and control

  @Override
  public Buffer allocate(DType dtype, long numel) {
    return device.pool().allocate(dtype, numel);
  }

  @Override
  public void free(Buffer buffer) {
    device.pool().free((CudaBuffer) buffer);
  }

  @Override
  public void upload(MemorySegment source, View y) {
    device.upload(source.asSlice(0, bytes(y)), CudaBuffer.address(y));
  }

  @Override
  public Pending download(View x, MemorySegment target) {
    return device.download(CudaBuffer.address(x), target.asSlice(0, bytes(x)));
  }

  private static long bytes(View view) {
    assert view.layout().isContiguous() : view;
    return view.shape().numel() * view.dtype().bytes();
  }

  @Override
  public Pending synchronize() {
    return device.synchronize();
  }

  @Override
  public Program prepare(Runnable calls) {
    return device.prepare(calls);
  }

  @Override
  public MemoryUse memory() {
    return device.pool().use();
  }

  @Override
  public Activity activity() {
    return device.activity();
  }

  @Override
  public String describe() {
    return device.describe() + ", " + matmul.describe();
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
    elementwise.unary(op, x, a, b, y);
  }

  @Override
  public void unaryBackward(Unary op, View saved, View dy, double a, double b, View dx) {
    elementwise.unaryBackward(op, saved, dy, a, b, dx);
  }

  @Override
  public void binary(Binary op, View x, View y, View z) {
    elementwise.binary(op, x, y, z);
  }

  @Override
  public void binary(Binary op, View x, double y, View z) {
    elementwise.binary(op, x, y, z);
  }

  @Override
  public void binary(Binary op, double x, View y, View z) {
    elementwise.binary(op, x, y, z);
  }

  @Override
  public void where(View condition, View x, View y, View z) {
    elementwise.where(condition, x, y, z);
  }

  // Reductions

  @Override
  public void reduce(Reduce op, View x, View y) {
    reduce.reduce(op, x, y);
  }

  @Override
  public void argReduce(Reduce op, View x, int dim, View y) {
    reduce.argReduce(op, x, dim, y);
  }

  @Override
  public void cumsum(View x, int dim, View y) {
    reduce.cumsum(x, dim, y);
  }

  // Order

  @Override
  public void sort(View x, int dim, boolean descending, View values, View indices) {
    sort.sort(x, dim, descending, values, indices);
  }

  // Matrix product

  @Override
  public void matmul(View a, View b, double alpha, double beta, View y) {
    matmul.matmul(a, b, alpha, beta, y);
  }

  @Override
  public void matmul(View a, View b, View bias, View y) {
    matmul.matmul(a, b, 1, 0, y);
    elementwise.binary(Binary.ADD, y, bias.with(bias.layout().expand(y.shape())), y);
  }

  // Windows

  @Override
  public void convolution(View x, View w, Slide rows, Slide columns, View y) {
    convolution.convolution(x, w, rows, columns, y);
  }

  @Override
  public void convolution(View x, View w, View bias, Slide rows, Slide columns, View y) {
    convolution.convolution(x, w, rows, columns, y);
    Layout repeated = bias.layout().unsqueeze(1).unsqueeze(2).expand(y.shape());
    elementwise.binary(Binary.ADD, y, bias.with(repeated), y);
  }

  @Override
  public void convolutionInput(View dy, View w, Slide rows, Slide columns, View dx) {
    convolution.convolutionInput(dy, w, rows, columns, dx);
  }

  @Override
  public void convolutionWeight(View x, View dy, Slide rows, Slide columns, double beta, View dw) {
    convolution.convolutionWeight(x, dy, rows, columns, beta, dw);
  }

  @Override
  public void maxPool(View x, Slide rows, Slide columns, View y, View indices) {
    pooling.maxPool(x, rows, columns, y, indices);
  }

  @Override
  public void maxPoolBackward(View dy, View indices, Slide rows, Slide columns, View dx) {
    pooling.maxPoolBackward(dy, indices, rows, columns, dx);
  }

  // Indexing

  @Override
  public void gather(View x, int dim, View index, View y) {
    indexing.gather(x, dim, index, y);
  }

  @Override
  public void scatterAdd(View x, int dim, View index, View y) {
    indexing.scatterAdd(x, dim, index, y);
  }

  // Random numbers

  @Override
  public void random(Draw draw, long seed, long stream, View base, long offset, double p, View y) {
    random.random(draw, seed, stream, base, offset, p, y);
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
    softmax.crossEntropy(x, target, ignore, y, z);
  }

  @Override
  public void crossEntropyBackward(View x, View target, long ignore, View z, View dy, View dx) {
    softmax.crossEntropyBackward(x, target, ignore, z, dy, dx);
  }

  // Attention

  @Override
  public void attention(View q, View k, View v, boolean causal, double scale, View y, View z) {
    attention.attention(q, k, v, causal, scale, y, z);
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
    attention.attentionBackward(q, k, v, causal, scale, y, z, dy, dq, dk, dv);
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
    this.update.update(update, table, groups, skip);
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

package dev.downhill.backend;

import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a device can do. Methods work on views, outputs last, and overwrite unless they say
 * otherwise; outputs have the shape that the operator's definition gives them and never share
 * elements with inputs, save that elementwise methods may write over an input seen through the same
 * layout. Inputs may have any strides, 0 included; outputs have no two indices for one element.
 *
 * <p>Arguments have been checked by the caller: a backend asserts, it does not explain. The
 * exception is what only the data can tell: an index out of range is an {@link
 * IllegalArgumentException} (on an asynchronous device at the next wait) and nothing is written
 * through it. Methods are called by one thread at a time, the one that holds the device's lock.
 */
public interface Backend {

  // Memory and control

  /**
   * Memory for {@code numel} elements, contents undefined; 64-byte aligned.
   *
   * @throws OutOfMemoryException if the device has no room
   */
  Buffer allocate(DType dtype, long numel);

  /** Takes a buffer back; its memory may serve the next {@link #allocate}. */
  void free(Buffer buffer);

  /** Copies host memory, row-major, to a contiguous view. */
  void upload(MemorySegment source, View y);

  /** Copies a contiguous view to host memory, which has the values once the result was awaited. */
  Pending download(View x, MemorySegment target);

  /** The end of all work so far; awaiting it reports what went wrong meanwhile. */
  Pending synchronize();

  /**
   * Prepares work to be done many times. {@code calls} calls methods of this backend from
   * Elementwise on, all of which it did before on views of the same layouts; what they name stays
   * alive as long as the result. Nothing is done yet.
   */
  Program prepare(Runnable calls);

  /** Bytes handed out, bytes held for reuse, and the limit. */
  MemoryUse memory();

  /** What has been launched on the device and copied back from it. */
  Activity activity();

  /** One line about the device for people: model, threads, vector width. */
  String describe();

  // Elementwise

  /** y = x, converting to y's type: floats to integers cut off, anything but 0 is true. */
  void copy(View x, View y);

  /** Every element of y = value, converted to y's type. */
  void fill(View y, double value);

  /**
   * y[i] = start + i step, for a contiguous y; computed in {@code f64}, or {@code i64} for
   * integers.
   */
  void arange(View y, double start, double step);

  /** y = op(x); a and b are the scalars of the op. */
  void unary(Unary op, View x, double a, double b, View y);

  /** dx = dy op'(saved), where saved is the op's input or output as {@link Unary#reads} says. */
  void unaryBackward(Unary op, View saved, View dy, double a, double b, View dx);

  /** z = op(x, y). */
  void binary(Binary op, View x, View y, View z);

  /** z = op(x, y) with the same y everywhere, rounded to x's type first. */
  void binary(Binary op, View x, double y, View z);

  /** z = op(x, y) with the same x everywhere, rounded to y's type first. */
  void binary(Binary op, double x, View y, View z);

  /** z = condition ? x : y; the condition is bool. */
  void where(View condition, View x, View y, View z);

  // Reductions: y has x's rank, with size 1 where x was reduced

  /** y = op over the dimensions in which y has size 1. */
  void reduce(Reduce op, View x, View y);

  /** y = the first index along {@code dim} of the MAX or MIN, as {@code i64}; NaN wins. */
  void argReduce(Reduce op, View x, int dim, View y);

  /** y[i] = x[0] + ... + x[i] along {@code dim}. */
  void cumsum(View x, int dim, View y);

  // Order

  /**
   * values = x in order along {@code dim} and indices ({@code i64}) = where each element was. Equal
   * elements stay in their order in both directions; NaN is larger than everything, 0 equals -0.
   */
  void sort(View x, int dim, boolean descending, View values, View indices);

  // Matrix product

  /**
   * y = alpha a b + beta y over the last two dimensions; a, b and y have the same rank and equal
   * batch sizes (stride 0 repeats a matrix). Where beta is 0, y is not read. Within a matrix of a
   * and b one of the two strides is 1 and the other at least the row length; y's columns have
   * stride 1.
   */
  void matmul(View a, View b, double alpha, double beta, View y);

  /** y = a b, likewise, then y += bias: a row (n), added to every row of what was rounded. */
  void matmul(View a, View b, View bias, View y);

  // Windows over images: (samples, channels, rows, columns)

  /**
   * y[n, o, i, j] = the sum of w[o, c, k, l] x[n, c, rows at (i, k), columns at (j, l)], where x is
   * 0 outside, over the channels c of o's group. The sum is one chain in the order of c, k, l;
   * bias[o] is added to what was rounded.
   *
   * @param x (N, C, H, W)
   * @param w (O, C/G, K, L), for G groups of channels
   * @param y (N, O, I, J), contiguous
   */
  void convolution(View x, View w, Slide rows, Slide columns, View y);

  /** The same, then y += bias (O), added to every element of what was rounded. */
  void convolution(View x, View w, View bias, Slide rows, Slide columns, View y);

  /** dx = the gradient of {@link #convolution}, given dy; contiguous. */
  void convolutionInput(View dy, View w, Slide rows, Slide columns, View dx);

  /**
   * dw = the gradient of {@link #convolution}, given dy, + beta dw; contiguous. Where beta is 0, dw
   * is not read.
   */
  void convolutionWeight(View x, View dy, Slide rows, Slide columns, double beta, View dw);

  /**
   * y = the largest element of every window, the first of equal ones, NaN if there is one; indices
   * ({@code i64}, of y's shape) = its place in the plane, row W + column. Every window sees an
   * element; y and indices are contiguous.
   */
  void maxPool(View x, Slide rows, Slide columns, View y, View indices);

  /**
   * dx = the sum of dy over the windows that chose an element, in their order; indices and dx are
   * contiguous.
   */
  void maxPoolBackward(View dy, View indices, Slide rows, Slide columns, View dx);

  // Indexing

  /** y[p] = x[p with p[dim] replaced by index[p]]; index is {@code i64} and has y's shape. */
  void gather(View x, int dim, View index, View y);

  /** y[p with p[dim] replaced by index[p]] += x[p], in the order of p; index has x's shape. */
  void scatterAdd(View x, int dim, View index, View y);

  // Random numbers

  /**
   * y[i] = draw at position {@code base[0] + offset + i} of a Philox4x32-10 stream, i counted in
   * row-major order of y's shape. {@code p} is the probability for {@link Draw#BERNOULLI}; base is
   * {@code i64}.
   */
  void random(Draw draw, long seed, long stream, View base, long offset, double p, View y);

  // Softmax over the last dimension

  /** y = softmax(x), or its logarithm. */
  void softmax(View x, boolean log, View y);

  /** dx = y (dy - sum(dy y)), or for the logarithm dy - e^y sum(dy). */
  void softmaxBackward(View y, View dy, boolean log, View dx);

  // Cross-entropy: classes are the last dimension of x, all other views have x's shape without it

  /**
   * z = log(sum(e^x)) and y = z - x[target], 0 where the target is {@code ignore}; both NaN where
   * no probabilities are defined, as {@link #softmax} has it. z is {@code f32} for {@code bf16},
   * else of x's type. A target ({@code i64}) that is neither a class nor {@code ignore} is an index
   * out of range.
   */
  void crossEntropy(View x, View target, long ignore, View y, View z);

  /**
   * dx[c] = dy (e^(x[c] - z) - (c == target ? 1 : 0)), 0 where the target is {@code ignore};
   * targets have passed {@link #crossEntropy}.
   */
  void crossEntropyBackward(View x, View target, long ignore, View z, View dy, View dx);

  // Attention over the last two dimensions: positions, and the elements of a query, key or value

  /**
   * y = softmax(scale q kᵀ) v and z = log Σ e^(scale q kᵀ), over all keys or, if {@code causal},
   * for query i over keys 0 to i. Without a key y is 0 and z is -inf. All views have the same rank
   * and sizes before the last two dimensions, save z, which is contiguous, has no last one, and is
   * {@code f32} for {@code bf16}.
   */
  void attention(View q, View k, View v, boolean causal, double scale, View y, View z);

  /**
   * The gradients of {@link #attention}, whose results y and z are: with p the shares and s the
   * scores, ds = p (dy vᵀ - Σ dy y), dq = scale ds k, dk = scale dsᵀ q, dv = pᵀ dy.
   */
  void attentionBackward(
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
      View dv);

  // Layer normalisation: rows are the last dimension

  /**
   * y = z weight + bias with z = (x - mean) rstd: mean is that of the row, and rstd = 1/√(v + eps)
   * with v the mean of (x - mean)². Without a view for the mean nothing is subtracted. The last two
   * results are contiguous, of x's shape without its last dimension and of its type, {@code f32}
   * for {@code bf16}.
   *
   * @param weight one number an element of a row, or null for 1
   * @param bias likewise, or null for 0
   */
  void layerNorm(
      View x,
      @Nullable View weight,
      @Nullable View bias,
      double eps,
      View y,
      @Nullable View mean,
      View rstd);

  /**
   * With g = dy weight: dx = rstd (g - mean(g) - z mean(g z)), without mean(g) where {@link
   * #layerNorm} had no mean; dweight = Σ dy z and dbias = Σ dy over all rows. Results that are null
   * are not wanted.
   */
  void layerNormBackward(
      View x,
      @Nullable View weight,
      @Nullable View mean,
      View rstd,
      View dy,
      @Nullable View dx,
      @Nullable View dweight,
      @Nullable View dbias);

  // Training

  /**
   * One optimiser step over all rows of the table. Nothing changes, counters included, where {@code
   * skip[0]} (bool) is true.
   *
   * @param groups {@code f64}, one row of scalars per group as {@link Update#scalars} orders them
   */
  void update(Update update, UpdateTable table, View groups, View skip);

  /**
   * y[0] = the p-norm of all elements of all xs as one vector, {@code f64}: for 2 sqrt(sum x^2),
   * for 1 sum |x|, for infinity max |x|; NaN if any element is. Each x is contiguous and floating.
   *
   * @param p 1, 2 or infinity
   */
  void norm(double p, List<View> xs, View y);

  /**
   * x *= factor[0] for each x, contiguous and floating; factor is {@code f64}. Products are made in
   * {@code f64} and rounded once ({@code bf16} by way of {@code f32}); a factor of 1 touches
   * nothing.
   */
  void scale(View factor, List<View> xs);
}

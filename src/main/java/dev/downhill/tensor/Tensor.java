package dev.downhill.tensor;

import dev.downhill.autograd.Node;
import dev.downhill.backend.Binary;
import dev.downhill.backend.Device;
import dev.downhill.backend.Reduce;
import dev.downhill.backend.Storage;
import dev.downhill.backend.Unary;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An n-dimensional array on a device: values of one {@link DType}, seen through a strided view of
 * memory that other tensors may share. If it {@linkplain #requiresGrad requires a gradient},
 * operators on it record a graph, and {@link #backward()} of a result adds to its {@link #grad()}.
 *
 * <p>Operators never change their operands. A tensor lives until its {@link Scope} closes, it is
 * closed itself, or it becomes unreachable; its memory until the last view and graph that need it
 * are gone. Using a tensor after its end is an error that names the line that ended it.
 *
 * <p>Methods have PyTorch's names; the full description of each operator stands with its family.
 */
public final class Tensor implements AutoCloseable {
  private final Storage storage;
  private final View view;
  private final Lease lease;
  private @Nullable Node<Tensor> node;

  private Tensor(Storage storage, Layout layout, @Nullable Node<Tensor> node) {
    this.storage = storage;
    this.view = new View(storage.buffer(), layout);
    this.node = node;
    this.lease = new Lease(this, storage.device());
    lease.hold(storage);
  }

  /** A contiguous tensor with undefined contents. */
  static Tensor empty(Device device, DType dtype, Shape shape) {
    String site = device.tracking() ? Site.caller() : null;
    return new Tensor(device.allocate(dtype, shape.numel(), site), Layout.contiguous(shape), null);
  }

  /** Another tensor on the same memory. */
  static Tensor alias(Storage storage, Layout layout, @Nullable Node<Tensor> node) {
    return new Tensor(storage.retain(), layout, node);
  }

  // Making tensors

  /** A {@code float32} tensor of these values, row-major; see {@link Creation#of}. */
  public static Tensor of(Device device, float[] values, long... sizes) {
    return Creation.of(device, values, sizes);
  }

  /** A {@code float64} tensor of these values, row-major; see {@link Creation#of}. */
  public static Tensor of(Device device, double[] values, long... sizes) {
    return Creation.of(device, values, sizes);
  }

  /** An {@code int64} tensor of these values, row-major; see {@link Creation#of}. */
  public static Tensor of(Device device, long[] values, long... sizes) {
    return Creation.of(device, values, sizes);
  }

  /** A {@code bool} tensor of these values, row-major; see {@link Creation#of}. */
  public static Tensor of(Device device, boolean[] values, long... sizes) {
    return Creation.of(device, values, sizes);
  }

  /** A tensor of elements in their dtype's own bits, row-major; the reverse of {@link #toBytes}. */
  public static Tensor ofBytes(Device device, DType dtype, Shape shape, MemorySegment bytes) {
    return Creation.ofBytes(device, dtype, shape, bytes);
  }

  /** A tensor of zeros. */
  public static Tensor zeros(Device device, DType dtype, long... sizes) {
    return full(device, dtype, 0, sizes);
  }

  /** A tensor of ones. */
  public static Tensor ones(Device device, DType dtype, long... sizes) {
    return full(device, dtype, 1, sizes);
  }

  /** A tensor with the same value everywhere. */
  public static Tensor full(Device device, DType dtype, double value, long... sizes) {
    return Creation.full(device, dtype, value, sizes);
  }

  /** The numbers {@code 0, 1, ..., n - 1}. */
  public static Tensor arange(Device device, DType dtype, long n) {
    return Creation.arange(device, dtype, n);
  }

  // What it is

  /** The sizes. */
  public Shape shape() {
    return view.shape();
  }

  /** The size of a dimension, which may count from the end. */
  public long size(int dim) {
    int d = shape().dim("size", dim);
    if (dim() == 0) {
      throw new ShapeException("size: expected a tensor with dimensions, got shape " + shape());
    }
    return shape().size(d);
  }

  /** The number of dimensions. */
  public int dim() {
    return shape().rank();
  }

  /** The number of elements. */
  public long numel() {
    return shape().numel();
  }

  /** The element type. */
  public DType dtype() {
    return view.dtype();
  }

  /** Where it is. */
  public Device device() {
    return storage.device();
  }

  /** Where its elements lie in memory. */
  public Layout layout() {
    return view.layout();
  }

  /** Whether the elements lie in row-major order without gaps. */
  public boolean isContiguous() {
    return layout().isContiguous();
  }

  Storage storage() {
    return storage;
  }

  View view() {
    return view;
  }

  Lease lease() {
    return lease;
  }

  // Lifetime

  /**
   * Ends this tensor; views and graphs that share its memory keep it. Closing twice does nothing.
   */
  @Override
  public void close() {
    lease.end("it was closed at " + (device().tracking() ? Site.caller() : "an earlier line"));
  }

  /** Whether it has ended and can no longer be used. */
  public boolean isEnded() {
    return lease.ended() != null;
  }

  /** Throws if it has ended; {@code op} is the operator that wants to use it. */
  void check(String op) {
    String ended = lease.ended();
    if (ended != null) {
      throw new IllegalStateException(
          "%s: the tensor %s can no longer be used: %s".formatted(op, shape(), ended));
    }
  }

  // Gradients

  @Nullable Node<Tensor> node() {
    return node;
  }

  void setNode(Node<Tensor> made) {
    node = made;
  }

  /** Makes this a leaf that gradients are computed for; see {@link Leaves#requireGrad}. */
  public Tensor requireGrad() {
    return Leaves.requireGrad(this);
  }

  /** Whether operators on this tensor record a graph. */
  public boolean requiresGrad() {
    return node != null;
  }

  /** Whether gradients arrive here: it requires a gradient and no operator made it. */
  public boolean isLeaf() {
    return !(node instanceof OpNode);
  }

  /** The gradient that {@link #backward()} left here; null before, and after {@link #zeroGrad}. */
  public @Nullable Tensor grad() {
    return Leaves.grad(this);
  }

  /** Forgets the gradient, so that the next backward pass starts anew; nothing is written. */
  public void zeroGrad() {
    Leaves.zeroGrad(this);
  }

  /** Keeps the gradient of this leaf in {@code place}; see {@link Leaves#bindGrad}. */
  public void bindGrad(Tensor place) {
    Leaves.bindGrad(this, place);
  }

  /** Adds the gradient of this tensor with respect to every leaf to the leaf's {@link #grad()}. */
  public void backward() {
    backward(Autograd.Backward.DEFAULT);
  }

  /** {@link #backward()} with options: another start, keeping the graph, second derivatives. */
  public void backward(Autograd.Backward options) {
    Autograd.backward(this, options);
  }

  /** The same values without a graph, sharing memory. */
  public Tensor detach() {
    check("detach");
    return alias(storage, layout(), null);
  }

  // In place

  /** Overwrites this tensor with {@code x}; see {@link InPlace#copyFrom}. */
  public Tensor copyFrom(Tensor x) {
    return InPlace.copyFrom(this, x);
  }

  /** Sets every element; see {@link InPlace#fill}. */
  public Tensor fill(double value) {
    return InPlace.fill(this, value);
  }

  /** Adds {@code x} to this tensor; see {@link InPlace#add}. */
  public Tensor addInPlace(Tensor x) {
    return InPlace.add(this, x);
  }

  // Reading

  /** The value of a tensor with one element; see {@link Reading#item}. */
  public double item() {
    return Reading.item(this);
  }

  /** The values of a {@code float32} tensor, row-major. */
  public float[] toFloats() {
    return Reading.floats(this);
  }

  /** The values of a tensor of any numeric type as doubles, row-major. */
  public double[] toDoubles() {
    return Reading.doubles(this);
  }

  /** The values of an integer tensor, row-major. */
  public long[] toLongs() {
    return Reading.longs(this);
  }

  /** The values of a {@code bool} tensor, row-major. */
  public boolean[] toBooleans() {
    return Reading.booleans(this);
  }

  /** The elements in their dtype's own bits, row-major, little-endian: for files. */
  public MemorySegment toBytes() {
    return Reading.bytes(this);
  }

  // Conversions

  /** This tensor in another dtype; see {@link Conversion#to}. */
  public Tensor to(DType dtype) {
    return Conversion.to(this, dtype);
  }

  /** This tensor on another device; see {@link Conversion#to}. */
  public Tensor to(Device device) {
    return Conversion.to(this, device);
  }

  /** This tensor in row-major memory; itself if it is already. */
  public Tensor contiguous() {
    return Conversion.contiguous(this);
  }

  // Arithmetic

  /** this + x; see {@link Arithmetic#add}. */
  public Tensor add(Tensor x) {
    return Arithmetic.add(this, x);
  }

  /** this + x. */
  public Tensor add(double x) {
    return Arithmetic.add(this, x);
  }

  /** this + alpha x. */
  public Tensor add(Tensor x, double alpha) {
    return Arithmetic.add(this, x, alpha);
  }

  /** this - x; see {@link Arithmetic#sub}. */
  public Tensor sub(Tensor x) {
    return Arithmetic.sub(this, x);
  }

  /** this - x. */
  public Tensor sub(double x) {
    return Arithmetic.sub(this, x);
  }

  /** this - alpha x. */
  public Tensor sub(Tensor x, double alpha) {
    return Arithmetic.sub(this, x, alpha);
  }

  /** x - this. */
  public Tensor rsub(double x) {
    return Arithmetic.sub(x, this);
  }

  /** this * x, element by element; see {@link Arithmetic#mul}. */
  public Tensor mul(Tensor x) {
    return Arithmetic.mul(this, x);
  }

  /** this * x. */
  public Tensor mul(double x) {
    return Arithmetic.mul(this, x);
  }

  /** this / x, of floating-point tensors; see {@link Arithmetic#div}. */
  public Tensor div(Tensor x) {
    return Arithmetic.div(this, x);
  }

  /** this / x. */
  public Tensor div(double x) {
    return Arithmetic.div(this, x);
  }

  /** x / this. */
  public Tensor rdiv(double x) {
    return Arithmetic.div(x, this);
  }

  /** this to the power of x; see {@link Arithmetic#pow}. */
  public Tensor pow(Tensor x) {
    return Arithmetic.pow(this, x);
  }

  /** this to the power of x; see {@link Pointwise#pow}. */
  public Tensor pow(double x) {
    return Pointwise.pow(this, x);
  }

  /** x to the power of this. */
  public Tensor rpow(double x) {
    return Arithmetic.pow(x, this);
  }

  /** The larger of this and x; see {@link Arithmetic#maximum}. */
  public Tensor maximum(Tensor x) {
    return Arithmetic.maximum(this, x);
  }

  /** The larger of this and x. */
  public Tensor maximum(double x) {
    return Arithmetic.maximum(this, x);
  }

  /** The smaller of this and x; see {@link Arithmetic#minimum}. */
  public Tensor minimum(Tensor x) {
    return Arithmetic.minimum(this, x);
  }

  /** The smaller of this and x. */
  public Tensor minimum(double x) {
    return Arithmetic.minimum(this, x);
  }

  // Functions of one element

  /** -this. */
  public Tensor neg() {
    return Pointwise.apply(Unary.NEG, "neg", this);
  }

  /** |this|; the derivative at 0 is 0. */
  public Tensor abs() {
    return Pointwise.apply(Unary.ABS, "abs", this);
  }

  /** -1, 0 or 1; the derivative is 0. */
  public Tensor sign() {
    return Pointwise.apply(Unary.SIGN, "sign", this);
  }

  /** The largest integer not above; the derivative is 0. */
  public Tensor floor() {
    return Pointwise.apply(Unary.FLOOR, "floor", this);
  }

  /** Limited to [low, high], where infinities stand for no bound; see {@link Pointwise#clamp}. */
  public Tensor clamp(double low, double high) {
    return Pointwise.clamp(this, low, high);
  }

  /** The square. */
  public Tensor square() {
    return Pointwise.apply(Unary.SQUARE, "square", this);
  }

  /** The square root; the derivative at 0 is infinite. */
  public Tensor sqrt() {
    return Pointwise.apply(Unary.SQRT, "sqrt", this);
  }

  /** 1 / sqrt(this). */
  public Tensor rsqrt() {
    return Pointwise.apply(Unary.RSQRT, "rsqrt", this);
  }

  /** 1 / this. */
  public Tensor reciprocal() {
    return Pointwise.apply(Unary.RECIPROCAL, "reciprocal", this);
  }

  /** e to the power of this. */
  public Tensor exp() {
    return Pointwise.apply(Unary.EXP, "exp", this);
  }

  /** e to the power of this, less 1, exact near 0. */
  public Tensor expm1() {
    return Pointwise.apply(Unary.EXPM1, "expm1", this);
  }

  /** The natural logarithm. */
  public Tensor log() {
    return Pointwise.apply(Unary.LOG, "log", this);
  }

  /** log(1 + this), exact near 0. */
  public Tensor log1p() {
    return Pointwise.apply(Unary.LOG1P, "log1p", this);
  }

  /** The sine. */
  public Tensor sin() {
    return Pointwise.apply(Unary.SIN, "sin", this);
  }

  /** The cosine. */
  public Tensor cos() {
    return Pointwise.apply(Unary.COS, "cos", this);
  }

  /** The hyperbolic tangent. */
  public Tensor tanh() {
    return Pointwise.apply(Unary.TANH, "tanh", this);
  }

  /** 1 / (1 + e^-this). */
  public Tensor sigmoid() {
    return Pointwise.apply(Unary.SIGMOID, "sigmoid", this);
  }

  /** The error function. */
  public Tensor erf() {
    return Pointwise.apply(Unary.ERF, "erf", this);
  }

  /** max(this, 0); see {@link Activation#relu}. */
  public Tensor relu() {
    return Activation.relu(this);
  }

  // Comparisons and choices

  /** this = x, a truth value; see {@link Comparison#compare}. */
  public Tensor eq(Tensor x) {
    return Comparison.compare(Binary.EQ, this, x);
  }

  /** this = x. */
  public Tensor eq(double x) {
    return Comparison.compare(Binary.EQ, this, x);
  }

  /** this ≠ x. */
  public Tensor ne(Tensor x) {
    return Comparison.compare(Binary.NE, this, x);
  }

  /** this ≠ x. */
  public Tensor ne(double x) {
    return Comparison.compare(Binary.NE, this, x);
  }

  /** this &lt; x. */
  public Tensor lt(Tensor x) {
    return Comparison.compare(Binary.LT, this, x);
  }

  /** this &lt; x. */
  public Tensor lt(double x) {
    return Comparison.compare(Binary.LT, this, x);
  }

  /** this ≤ x. */
  public Tensor le(Tensor x) {
    return Comparison.compare(Binary.LE, this, x);
  }

  /** this ≤ x. */
  public Tensor le(double x) {
    return Comparison.compare(Binary.LE, this, x);
  }

  /** this &gt; x. */
  public Tensor gt(Tensor x) {
    return Comparison.compare(Binary.GT, this, x);
  }

  /** this &gt; x. */
  public Tensor gt(double x) {
    return Comparison.compare(Binary.GT, this, x);
  }

  /** this ≥ x. */
  public Tensor ge(Tensor x) {
    return Comparison.compare(Binary.GE, this, x);
  }

  /** this ≥ x. */
  public Tensor ge(double x) {
    return Comparison.compare(Binary.GE, this, x);
  }

  /** Not this, of truth values. */
  public Tensor logicalNot() {
    return Comparison.logicalNot(this);
  }

  /** this and x, of truth values. */
  public Tensor logicalAnd(Tensor x) {
    return Comparison.logicalAnd(this, x);
  }

  /** this or x, of truth values. */
  public Tensor logicalOr(Tensor x) {
    return Comparison.logicalOr(this, x);
  }

  /** Whether elements are neither infinite nor NaN; see {@link Comparison#isFinite}. */
  public Tensor isFinite() {
    return Comparison.isFinite(this);
  }

  /** this where the condition is true, else {@code other}; see {@link Comparison#where}. */
  public Tensor where(Tensor condition, Tensor other) {
    return Comparison.where(condition, this, other);
  }

  /** this where the condition is true, else a number. */
  public Tensor where(Tensor condition, double other) {
    return Comparison.where(condition, this, other);
  }

  /** {@code value} where the mask is true, else this; see {@link Comparison#maskedFill}. */
  public Tensor maskedFill(Tensor mask, double value) {
    return Comparison.maskedFill(this, mask, value);
  }

  /** The lower triangle, up to the main diagonal; see {@link Comparison#tril}. */
  public Tensor tril() {
    return tril(0);
  }

  /** The lower triangle, up to a diagonal; see {@link Comparison#tril}. */
  public Tensor tril(long diagonal) {
    return Comparison.tril(this, diagonal);
  }

  /** The upper triangle, from the main diagonal; see {@link Comparison#triu}. */
  public Tensor triu() {
    return triu(0);
  }

  /** The upper triangle, from a diagonal; see {@link Comparison#triu}. */
  public Tensor triu(long diagonal) {
    return Comparison.triu(this, diagonal);
  }

  // Reductions

  /** The sum of all elements, 0-d; see {@link Reduction#sum}. */
  public Tensor sum() {
    return Reduction.sum(this, null, false);
  }

  /** The sum over a dimension, which goes. */
  public Tensor sum(int dim) {
    return sum(new int[] {dim}, false);
  }

  /** The sum over dimensions, all if null. */
  public Tensor sum(int @Nullable [] dims, boolean keepdim) {
    return Reduction.sum(this, dims, keepdim);
  }

  /** The sum over the dimensions in which {@code shape} was broadcast to this one. */
  public Tensor sumTo(Shape shape) {
    return Reduction.sumTo(this, shape);
  }

  /** The mean of all elements, 0-d; see {@link Reduction#mean}. */
  public Tensor mean() {
    return Reduction.mean(this, null, false);
  }

  /** The mean over a dimension, which goes. */
  public Tensor mean(int dim) {
    return mean(new int[] {dim}, false);
  }

  /** The mean over dimensions, all if null. */
  public Tensor mean(int @Nullable [] dims, boolean keepdim) {
    return Reduction.mean(this, dims, keepdim);
  }

  /** The product of all elements, 0-d; see {@link Reduction#prod}. */
  public Tensor prod() {
    return Reduction.prod(this);
  }

  /** The product over a dimension. */
  public Tensor prod(int dim, boolean keepdim) {
    return Reduction.prod(this, dim, keepdim);
  }

  /** The largest element, 0-d; see {@link Extremum#of}. */
  public Tensor max() {
    return Extremum.of(Reduce.MAX, this, null, false);
  }

  /** The largest elements along a dimension and where they are; see {@link Extremum#along}. */
  public Ranked max(int dim, boolean keepdim) {
    return Extremum.along(Reduce.MAX, this, dim, keepdim);
  }

  /** The smallest element, 0-d; see {@link Extremum#of}. */
  public Tensor min() {
    return Extremum.of(Reduce.MIN, this, null, false);
  }

  /** The smallest elements along a dimension and where they are; see {@link Extremum#along}. */
  public Ranked min(int dim, boolean keepdim) {
    return Extremum.along(Reduce.MIN, this, dim, keepdim);
  }

  /** Where the largest element is in row-major order; see {@link Extremum#index}. */
  public Tensor argmax() {
    return Extremum.index(Reduce.MAX, this);
  }

  /** Where the largest elements are along a dimension; see {@link Extremum#index}. */
  public Tensor argmax(int dim, boolean keepdim) {
    return Extremum.index(Reduce.MAX, this, dim, keepdim);
  }

  /** Where the smallest element is in row-major order; see {@link Extremum#index}. */
  public Tensor argmin() {
    return Extremum.index(Reduce.MIN, this);
  }

  /** Where the smallest elements are along a dimension; see {@link Extremum#index}. */
  public Tensor argmin(int dim, boolean keepdim) {
    return Extremum.index(Reduce.MIN, this, dim, keepdim);
  }

  /** The unbiased variance of all elements, 0-d; see {@link Statistics#var}. */
  public Tensor var() {
    return Statistics.var(this, null, 1, false);
  }

  /** The variance over dimensions, all if null. */
  public Tensor var(int @Nullable [] dims, double correction, boolean keepdim) {
    return Statistics.var(this, dims, correction, keepdim);
  }

  /** The unbiased standard deviation of all elements, 0-d; see {@link Statistics#std}. */
  public Tensor std() {
    return Statistics.std(this, null, 1, false);
  }

  /** The standard deviation over dimensions, all if null. */
  public Tensor std(int @Nullable [] dims, double correction, boolean keepdim) {
    return Statistics.std(this, dims, correction, keepdim);
  }

  /** The root of the sum of squares of all elements, 0-d; see {@link Statistics#norm}. */
  public Tensor norm() {
    return Statistics.norm(this, 2, null, false);
  }

  /** The p-norm over dimensions, all if null. */
  public Tensor norm(double p, int @Nullable [] dims, boolean keepdim) {
    return Statistics.norm(this, p, dims, keepdim);
  }

  /**
   * The logarithm of the sum of e^this over a dimension, which goes; see {@link Softmax#logsumexp}.
   */
  public Tensor logsumexp(int dim) {
    return logsumexp(new int[] {dim}, false);
  }

  /** The logarithm of the sum of e^this over dimensions, all if null. */
  public Tensor logsumexp(int @Nullable [] dims, boolean keepdim) {
    return Softmax.logsumexp(this, dims, keepdim);
  }

  /** The sums of all elements up to each, along a dimension; see {@link Reduction#cumsum}. */
  public Tensor cumsum(int dim) {
    return Reduction.cumsum(this, dim);
  }

  /** The elements in order along a dimension and where they were; see {@link Sorting#sort}. */
  public Ranked sort(int dim, boolean descending) {
    return Sorting.sort(this, dim, descending);
  }

  /** Where the elements are, in order along a dimension; see {@link Sorting#argsort}. */
  public Tensor argsort(int dim, boolean descending) {
    return Sorting.argsort(this, dim, descending);
  }

  /** The k largest or smallest elements along a dimension, in order; see {@link Sorting#topk}. */
  public Ranked topk(long k, int dim, boolean largest) {
    return Sorting.topk(this, k, dim, largest);
  }

  /** Positive numbers along a dimension whose sum is 1; see {@link Softmax#softmax}. */
  public Tensor softmax(int dim) {
    return Softmax.softmax(this, dim);
  }

  /** The logarithm of {@link #softmax(int)}; see {@link Softmax#logSoftmax}. */
  public Tensor logSoftmax(int dim) {
    return Softmax.logSoftmax(this, dim);
  }

  // Shape

  /** The same elements in another shape; see {@link Views#reshape}. */
  public Tensor reshape(long... sizes) {
    return Views.reshape(this, sizes);
  }

  /** All dimensions as one. */
  public Tensor flatten() {
    return flatten(0, -1);
  }

  /** The dimensions {@code start} to {@code end} as one; see {@link Views#flatten}. */
  public Tensor flatten(int start, int end) {
    return Views.flatten(this, start, end);
  }

  /** The view with two dimensions swapped; see {@link Views#transpose}. */
  public Tensor transpose(int a, int b) {
    return Views.transpose(this, a, b);
  }

  /** The view whose dimension i is dimension {@code dims[i]} of this; see {@link Views#permute}. */
  public Tensor permute(int... dims) {
    return Views.permute(this, dims);
  }

  /** Broadcast to larger sizes without a copy; see {@link Views#expand}. */
  public Tensor expand(long... sizes) {
    return Views.expand(this, sizes);
  }

  /** Copies side by side; see {@link Joining#repeat}. */
  public Tensor repeat(long... repeats) {
    return Joining.repeat(this, repeats);
  }

  /** Turned round along dimensions; see {@link Rearranging#flip}. */
  public Tensor flip(int... dims) {
    return Rearranging.flip(this, dims);
  }

  /** All elements moved on in row-major order; see {@link Rearranging#roll}. */
  public Tensor roll(long shift) {
    return Rearranging.roll(this, new long[] {shift}, null);
  }

  /** Elements moved on along dimensions; see {@link Rearranging#roll}. */
  public Tensor roll(long[] shifts, int[] dims) {
    return Rearranging.roll(this, shifts, dims);
  }

  /** The diagonal of two dimensions; see {@link Views#diagonal}. */
  public Tensor diagonal(long offset, int a, int b) {
    return Views.diagonal(this, offset, a, b);
  }

  /** A dimension of size 1 inserted before {@code dim}; see {@link Views#unsqueeze}. */
  public Tensor unsqueeze(int dim) {
    return Views.unsqueeze(this, dim);
  }

  /** Without all dimensions of size 1. */
  public Tensor squeeze() {
    return Views.squeeze(this, (int[]) null);
  }

  /** Without these dimensions, if they have size 1; see {@link Views#squeeze}. */
  public Tensor squeeze(int... dims) {
    return Views.squeeze(this, dims);
  }

  /** Every {@code step}-th element from {@code start} up to {@code end} along a dimension. */
  public Tensor slice(int dim, long start, long end, long step) {
    return Views.slice(this, dim, start, end, step);
  }

  /** {@code length} elements from {@code start} along a dimension; see {@link Views#narrow}. */
  public Tensor narrow(int dim, long start, long length) {
    return Views.narrow(this, dim, start, length);
  }

  /** The elements at one index along a dimension, which goes; see {@link Views#select}. */
  public Tensor select(int dim, long index) {
    return Views.select(this, dim, index);
  }

  /** Windows of {@code size} elements along a dimension, as a last one; see {@link Windows}. */
  public Tensor unfold(int dim, long size, long step) {
    return Windows.unfold(this, dim, size, step);
  }

  /** Views of {@code size} elements each along a dimension; see {@link Joining#split}. */
  public List<Tensor> split(long size, int dim) {
    return Joining.split(this, size, dim);
  }

  /** Views of these sizes along a dimension. */
  public List<Tensor> split(long[] sizes, int dim) {
    return Joining.split(this, sizes, dim);
  }

  /** Tensors one after the other along a dimension; see {@link Joining#cat}. */
  public static Tensor cat(List<Tensor> tensors, int dim) {
    return Joining.cat(tensors, dim);
  }

  /** Tensors of one shape along a new dimension; see {@link Joining#stack}. */
  public static Tensor stack(List<Tensor> tensors, int dim) {
    return Joining.stack(tensors, dim);
  }

  // Linear algebra, indexing

  /** The matrix product; see {@link Matmul#matmul}. */
  public Tensor matmul(Tensor x) {
    return Matmul.matmul(this, x);
  }

  /** The products of equally many matrices; see {@link Matmul#bmm}. */
  public Tensor bmm(Tensor x) {
    return Matmul.bmm(this, x);
  }

  /** This times beta plus alpha times a matrix product; see {@link Matmul#addmm}. */
  public Tensor addmm(Tensor a, Tensor b, double beta, double alpha) {
    return Matmul.addmm(this, a, b, beta, alpha);
  }

  /** All products of an element of this and one of x; see {@link Matmul#outer}. */
  public Tensor outer(Tensor x) {
    return Matmul.outer(this, x);
  }

  /** Elements picked by index along a dimension; see {@link Indexing#gather}. */
  public Tensor gather(int dim, Tensor index) {
    return Indexing.gather(this, dim, index);
  }

  /** Slices picked by index along a dimension; see {@link Indexing#indexSelect}. */
  public Tensor indexSelect(int dim, Tensor index) {
    return Indexing.indexSelect(this, dim, index);
  }

  /** this with elements added at indices along a dimension; see {@link Indexing#scatterAdd}. */
  public Tensor scatterAdd(int dim, Tensor index, Tensor src) {
    return Indexing.scatterAdd(this, dim, index, src);
  }

  /** Dtype, shape, device and, if there are few, the values. */
  @Override
  public String toString() {
    return Reading.text(this);
  }
}

package dev.downhill.tensor;

import dev.downhill.autograd.Node;
import dev.downhill.backend.Device;
import dev.downhill.backend.Storage;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import org.jspecify.annotations.Nullable;

/**
 * An n-dimensional array on a device: values of one {@link DType}, seen through a strided view of
 * memory that other tensors may share. If it {@linkplain #requiresGrad requires a gradient}, operators
 * on it record a graph, and {@link #backward()} of a result adds to its {@link #grad()}.
 *
 * <p>Operators never change their operands. A tensor lives until its {@link Scope} closes, it is
 * closed itself, or it becomes unreachable; its memory until the last view and graph that need it are
 * gone. Using a tensor after its end is an error that names the line that ended it.
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
    return shape().size(shape().dim("size", dim));
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

  /** Ends this tensor; views and graphs that share its memory keep it. Closing twice does nothing. */
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

  /** this * x, element by element; see {@link Arithmetic#mul}. */
  public Tensor mul(Tensor x) {
    return Arithmetic.mul(this, x);
  }

  /** this * x. */
  public Tensor mul(double x) {
    return Arithmetic.mul(this, x);
  }

  // Functions of one element

  /** max(this, 0); see {@link Pointwise}. */
  public Tensor relu() {
    return Pointwise.relu(this);
  }

  // Reductions

  /** The sum of all elements, 0-d; see {@link Reduction#sum}. */
  public Tensor sum() {
    return Reduction.sum(this);
  }

  /** The sum over dimensions; see {@link Reduction#sum}. */
  public Tensor sum(int[] dims, boolean keepdim) {
    return Reduction.sum(this, dims, keepdim);
  }

  /** The sum over the dimensions in which {@code shape} was broadcast to this one. */
  public Tensor sumTo(Shape shape) {
    return Reduction.sumTo(this, shape);
  }

  // Shape

  /** Every {@code step}-th element from {@code start} up to {@code end} along a dimension. */
  public Tensor slice(int dim, long start, long end, long step) {
    return Views.slice(this, dim, start, end, step);
  }

  /** The view with two dimensions swapped; see {@link Views#transpose}. */
  public Tensor transpose(int a, int b) {
    return Views.transpose(this, a, b);
  }

  /** The view whose dimension i is dimension {@code dims[i]} of this; see {@link Views#permute}. */
  public Tensor permute(int... dims) {
    return Views.permute(this, dims);
  }

  /** The same elements in another shape; see {@link Views#reshape}. */
  public Tensor reshape(long... sizes) {
    return Views.reshape(this, sizes);
  }

  /** Broadcast to larger sizes without a copy; see {@link Views#expand}. */
  public Tensor expand(long... sizes) {
    return Views.expand(this, sizes);
  }

  // Linear algebra, indexing

  /** The matrix product; see {@link Matmul#matmul}. */
  public Tensor matmul(Tensor x) {
    return Matmul.matmul(this, x);
  }

  /** Elements picked by index along a dimension; see {@link Indexing#gather}. */
  public Tensor gather(int dim, Tensor index) {
    return Indexing.gather(this, dim, index);
  }

  /** Dtype, shape, device and, if there are few, the values. */
  @Override
  public String toString() {
    return Reading.text(this);
  }
}

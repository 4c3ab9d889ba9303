package dev.downhill.data;

import dev.downhill.backend.Device;
import dev.downhill.tensor.Owner;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * Examples that live on a device as a whole, so that a batch costs no copy from the host.
 *
 * <pre>{@code
 * for (var b : houses.batches(256, seed, epoch)) {
 *   step.run(b.x(), b.y());
 * }
 * }</pre>
 */
public final class Dataset implements AutoCloseable {
  private final Owner owner = new Owner();
  private final Tensor x;
  private final Tensor y;

  /**
   * A data set of these tensors, which it owns from now on.
   *
   * @param x the features, one example per index of the first dimension
   * @param y the targets, in the same order
   * @throws IllegalArgumentException if the numbers of examples differ
   */
  public Dataset(Tensor x, Tensor y) {
    if (x.dim() == 0 || y.dim() == 0 || x.size(0) != y.size(0)) {
      throw new IllegalArgumentException(
          "dataset: expected as many features as targets, got shapes %s and %s"
              .formatted(x.shape(), y.shape()));
    }
    this.x = owner.own(x);
    this.y = owner.own(y);
  }

  /**
   * Rows of a table as an encoder sees them: features (rows, width) and targets (rows, 1).
   *
   * @param rows which rows of the table, in this order
   */
  public static Dataset of(Device device, Encoder encoder, Table table, int[] rows) {
    float[] features = encoder.encode(table, rows);
    float[] targets = encoder.encodeTarget(table, rows);
    return new Dataset(
        Tensor.of(device, features, rows.length, encoder.width()),
        Tensor.of(device, targets, rows.length, 1));
  }

  /** The number of examples. */
  public long size() {
    return x.size(0);
  }

  /** All features. */
  public Tensor x() {
    return x;
  }

  /** All targets. */
  public Tensor y() {
    return y;
  }

  /** The batches of epoch 0; see {@link #batches(int, long, long)}. */
  public Iterable<Batch> batches(int size, long seed) {
    return batches(size, seed, 0);
  }

  /**
   * All examples once, in an order that follows from seed and epoch alone. The last batch has what
   * is left. A batch is valid until the next one is asked for.
   *
   * @param size examples a batch, at least 1
   */
  public Iterable<Batch> batches(int size, long seed, long epoch) {
    return () -> new Iteration(size, Order.shuffled(Math.toIntExact(size()), seed, epoch));
  }

  /** All examples once, in their own order, {@code size} at a time. */
  public Iterable<Batch> inOrder(int size) {
    int[] rows = new int[Math.toIntExact(size())];
    Arrays.setAll(rows, i -> i);
    return () -> new Iteration(size, rows);
  }

  @Override
  public void close() {
    owner.close();
  }

  private final class Iteration implements Iterator<Batch> {
    private final int size;
    private final Tensor order;
    private int next;
    private Owner current = new Owner();
    private final Owner index = new Owner();

    Iteration(int size, int[] rows) {
      if (size < 1) {
        throw new IllegalArgumentException("batches: expected a size of 1 or more, got " + size);
      }
      this.size = size;
      long[] indices = Arrays.stream(rows).asLongStream().toArray();
      this.order = index.own(Tensor.of(x.device(), indices, rows.length));
    }

    @Override
    public boolean hasNext() {
      boolean more = next < size();
      if (!more) {
        current.close();
        index.close();
      }
      return more;
    }

    @Override
    public Batch next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      current.close();
      current = new Owner();
      int end = Math.min(next + size, Math.toIntExact(size()));
      try (Tensor rows = order.slice(0, next, end, 1)) {
        next = end;
        return new Batch(current.own(x.indexSelect(0, rows)), current.own(y.indexSelect(0, rows)));
      }
    }
  }
}

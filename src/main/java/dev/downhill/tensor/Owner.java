package dev.downhill.tensor;

/**
 * Tensors that belong to an object and not to the scope they happen to be made in: the moments of
 * an optimiser, the running statistics of a layer. They end when the owner is closed, or some time
 * after they became unreachable.
 *
 * <pre>{@code
 * private final Owner owner = new Owner();
 * private final Tensor mean = owner.own(Tensor.zeros(device, DType.F32, 8));
 * }</pre>
 */
public final class Owner implements AutoCloseable {
  private final java.util.List<Lease> leases = new java.util.ArrayList<>();

  /** Creates an owner of nothing. */
  public Owner() {}

  /**
   * Takes a tensor out of the scope it was made in.
   *
   * @return {@code t}
   * @throws IllegalArgumentException if the tensor was computed with gradients; own {@code
   *     t.detach()}
   */
  public Tensor own(Tensor t) {
    t.check("own");
    if (t.node() instanceof OpNode node) {
      throw new IllegalArgumentException(
          "own: expected a tensor without a graph, got the result of %s %s; own its detach()"
              .formatted(node.op(), t.shape()));
    }
    t.lease().moveTo(null);
    leases.add(t.lease());
    return t;
  }

  /** Ends what it owns. Closing twice does nothing. */
  @Override
  public void close() {
    leases.forEach(l -> l.end("its owner was closed"));
    leases.clear();
  }
}

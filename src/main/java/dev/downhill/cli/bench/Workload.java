package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * A training that is measured.
 *
 * @param id what it is called on the command line
 * @param name what it is
 * @param item what a step works through
 * @param sizes of its batch and its model
 * @param kind what is trained in these sizes
 * @param deviceBytes the memory that it needs on a GPU; 0 if it runs on a CPU too
 * @param matmul the precision of its matrix products on a GPU, as {@code downhill.cuda.matmul}
 */
public record Workload(
    String id, String name, String item, Sizes sizes, Kind kind, long deviceBytes, String matmul)
    implements Subject {
  /** All of them, in order. */
  public static final List<Workload> ALL = Workloads.all();

  /**
   * A training in any sizes.
   *
   * @param items how many of them in a step
   * @param cost the least work of a step
   * @param start places the model and makes the optimiser
   */
  public record Kind(
      ToLongFunction<Sizes> items,
      Function<Sizes, Cost> cost,
      BiFunction<Device, Sizes, Training> start) {}

  /** How many items are in a step. */
  public long items() {
    return kind.items().applyAsLong(sizes);
  }

  /** The least work of a step. */
  public Cost cost() {
    return kind.cost().apply(sizes);
  }

  /** Places the model and makes the optimiser. */
  public Training start(Device device) {
    return kind.start().apply(device, sizes);
  }

  /** The same in other sizes. */
  public Workload in(Sizes others) {
    return new Workload(id, name, item, others, kind, deviceBytes, matmul);
  }

  @Override
  public String option() {
    return "--workload";
  }
}

package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import java.util.List;
import java.util.function.Function;

/**
 * A training that is measured.
 *
 * @param id what it is called on the command line
 * @param name what it is
 * @param item what a step works through
 * @param items how many of them in a step
 * @param cost the least work of a step
 * @param deviceBytes the memory that it needs on a GPU; 0 if it runs on a CPU too
 * @param matmul the precision of its matrix products on a GPU, as {@code downhill.cuda.matmul}
 * @param start places the model and makes the optimiser
 */
public record Workload(
    String id,
    String name,
    String item,
    long items,
    Cost cost,
    long deviceBytes,
    String matmul,
    Function<Device, Training> start)
    implements Subject {
  /** All of them, in order. */
  public static final List<Workload> ALL = Workloads.all();

  @Override
  public String option() {
    return "--workload";
  }
}

package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import java.util.List;

/**
 * Operators that are measured alone.
 *
 * @param id what it is called on the command line
 * @param deviceBytes the memory that it needs on a GPU; 0 if it runs on a CPU too
 */
public record Kernel(String id, long deviceBytes, List<Case> cases) implements Subject {
  /** All of them, in order. */
  public static final List<Kernel> ALL = Kernels.all();

  /**
   * One operator on inputs of one size.
   *
   * @param name the operator and the size
   * @param unit of what counts: {@link #FLOPS} or {@link #BYTES}
   * @param amount of it, the least for one run
   */
  record Case(String name, String unit, double amount, Prepare prepare) {
    static final String FLOPS = "gflop_per_s";
    static final String BYTES = "gb_per_s";
  }

  /** Makes the inputs. */
  @FunctionalInterface
  interface Prepare {
    Run on(Device device);
  }

  /**
   * An operator whose inputs are ready.
   *
   * @param once runs it
   * @param end gives back its memory
   */
  record Run(Runnable once, Runnable end) implements AutoCloseable {
    @Override
    public void close() {
      end.run();
    }
  }

  @Override
  public String option() {
    return "--kernel";
  }

  @Override
  public String matmul() {
    return "f32";
  }
}

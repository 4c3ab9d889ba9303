package dev.downhill.benchmarks;

import dev.downhill.cli.bench.Child;
import dev.downhill.cli.bench.Cost;
import dev.downhill.cli.bench.Measurement;
import dev.downhill.cli.bench.Sizes;
import dev.downhill.cli.bench.Subject;
import dev.downhill.cli.bench.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Whether the workloads of {@code downhill bench} are fast at their own sizes only: each size in
 * turn is made a little smaller and larger, and the time of a step for each of its operations is
 * compared. Where a step computes less than one operation for each byte that its optimiser moves,
 * the bytes are counted instead.
 *
 * <pre>{@code
 * java --add-modules jdk.incubator.vector -cp benchmarks/target/benchmarks.jar \
 *     dev.downhill.benchmarks.NeighbouringSizes W1 W2 W3 W4 W5
 * }</pre>
 *
 * <p>Every time is that of a process of its own, and the unchanged workload is measured again for
 * each size: what lies minutes apart is not compared.
 */
public final class NeighbouringSizes {
  private static final int[] CHANGES = {-1, 9};
  private static final double SECONDS = 3;

  /** How many times as much an operation may cost. */
  private static final double LIMIT = 1.5;

  private NeighbouringSizes() {}

  /** Measures the neighbours of the workloads named. */
  public static void main(String[] ids) {
    System.out.println(Operands.DEVICE.describe());
    for (Workload workload : Subject.named(Workload.ALL, List.of(ids))) {
      System.out.printf("%n%-26s %12s %14s %10s%n", heading(workload), "us a step", "", "cost");
      workload.sizes().byName().forEach((name, size) -> measure(workload, name, size));
    }
  }

  private static String heading(Workload workload) {
    return workload.id() + " " + workload.name();
  }

  private static void measure(Workload workload, String name, long size) {
    double usual = row(workload, name, size, 0);
    for (int change : CHANGES) {
      if (size + change > 0) {
        row(workload.in(workload.sizes().with(name, size + change)), name, size + change, usual);
      }
    }
  }

  /**
   * Measures and prints.
   *
   * @param usual the rate to compare with; 0 for none
   * @return operations or bytes a microsecond
   */
  private static double row(Workload workload, String name, long size, double usual) {
    double micros = micros(workload.id(), name, size);
    Cost cost = workload.cost();
    boolean arithmetic = cost.flops() > cost.bytes();
    double rate = (arithmetic ? cost.flops() : cost.bytes()) / micros;
    double ratio = usual / rate;
    System.out.printf(
        "  %-18s %5d %,12.1f %7.1f %s %10s %s%n",
        name,
        size,
        micros,
        rate / 1e3,
        arithmetic ? "GFLOP/s" : "   GB/s",
        usual == 0 ? "" : "%.2fx".formatted(ratio),
        ratio > LIMIT ? "more than %sx".formatted(LIMIT) : "");
    return rate;
  }

  /** The median time of a step, by another process. */
  private static double micros(String id, String name, long size) {
    List<String> command = Child.java(Case.class.getName());
    command.addAll(List.of(id, name, Long.toString(size)));
    List<String> lines = new ArrayList<>();
    int exit = Child.run(command, lines::add);
    if (exit != 0) {
      throw new IllegalStateException(
          "%s ended with exit code %s: %s".formatted(command, exit, lines));
    }
    return Double.parseDouble(lines.getLast());
  }

  /** A process that measures one workload with one size changed, and prints microseconds. */
  static final class Case {
    private Case() {}

    public static void main(String[] arguments) {
      Workload workload = Subject.named(Workload.ALL, List.of(arguments[0])).get(0);
      Sizes sizes = workload.sizes().with(arguments[1], Long.parseLong(arguments[2]));
      int threads = Runtime.getRuntime().availableProcessors();
      Map<String, Object> line =
          new Measurement(Operands.DEVICE, threads, SECONDS).of(workload.in(sizes));
      System.out.println(line.get("median_us"));
    }
  }
}

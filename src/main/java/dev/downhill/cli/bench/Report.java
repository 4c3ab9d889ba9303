package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Results as a table for people. */
public final class Report {
  private static final String WORKLOAD = "%-16s %-9s %11s %22s %7s %9s %8s  %-18s %s%n";
  private static final String KERNEL = "%-44s %-9s %11s %14s %7s  %s%n";

  private final PrintWriter out;
  private final @Nullable Machine machine;
  private String header = "";

  /**
   * A table of results of this device.
   *
   * @param machine what the processor can do; null if that is not measured
   */
  public Report(PrintWriter out, Device device, @Nullable Machine machine) {
    this.out = out;
    this.machine = machine;
    out.println(device.describe());
    if (machine != null) {
      long copied = Machine.LARGEST;
      out.printf(
          "At most %.0f GFLOP/s (float32 multiply-adds) and %.0f GB/s (a copy in %d MiB).%n",
          machine.flopsPerSecond() / 1e9,
          machine.bytesPerSecond((double) copied) / 1e9,
          copied >> 20);
    }
    out.flush();
  }

  /** Adds the lines of a subject: of several for one case and peer, the median. */
  public void add(Subject subject, List<Map<String, Object>> lines) {
    Map<Object, Map<Object, List<Map<String, Object>>>> cases = new LinkedHashMap<>();
    for (Map<String, Object> line : lines) {
      cases
          .computeIfAbsent(line.getOrDefault("case", ""), _ -> new LinkedHashMap<>())
          .computeIfAbsent(line.getOrDefault("peer", ""), _ -> new ArrayList<>())
          .add(line);
    }
    cases.values().forEach(peers -> add(subject, peers));
    out.flush();
  }

  private void add(Subject subject, Map<Object, List<Map<String, Object>>> peers) {
    double ours = 0;
    for (List<Map<String, Object>> repeats : peers.values()) {
      repeats.sort(Comparator.comparingDouble(line -> number(line, "median_us")));
      Map<String, Object> line = repeats.get((repeats.size() - 1) / 2);
      double micros = number(line, "median_us");
      boolean first = ours == 0;
      ours = first ? micros : ours;
      String ratio = first ? "" : "%.2fx".formatted(micros / ours);
      switch (subject) {
        case Workload w -> row(w, line, ratio);
        case Kernel _ -> row(line, ratio);
      }
    }
  }

  private void row(Workload w, Map<String, Object> line, String ratio) {
    header(
        WORKLOAD.formatted(
            "", "", "us a step", "", "% floor", "peak MiB", "first ms", "loss", "takes"));
    double micros = number(line, "median_us");
    out.printf(
        WORKLOAD,
        ratio.isEmpty() ? w.id() + " " + w.name() : "",
        line.get("peer"),
        "%,.1f".formatted(micros),
        "%,.0f %ss/s".formatted(number(line, "items_per_s"), w.item()),
        machine == null ? "" : "%.0f".formatted(100 * w.cost().micros(machine) / micros),
        "%,.0f".formatted(number(line, "peak_bytes") / (1 << 20)),
        "%,.0f".formatted(number(line, "first_step_ms")),
        "%.4g to %.3g".formatted(number(line, "loss_first"), number(line, "loss_last")),
        ratio);
  }

  private void row(Map<String, Object> line, String ratio) {
    header(KERNEL.formatted("", "", "us", "", "% peak", "takes"));
    boolean bytes = line.containsKey(Kernel.Case.BYTES);
    double rate = number(line, bytes ? Kernel.Case.BYTES : Kernel.Case.FLOPS);
    double micros = number(line, "median_us");
    String share = "";
    if (machine != null) {
      double most = bytes ? machine.bytesPerSecond(rate * micros * 1e3) : machine.flopsPerSecond();
      share = "%.0f".formatted(100e9 * rate / most);
    }
    out.printf(
        KERNEL,
        ratio.isEmpty() ? line.get("kernel") + " " + line.get("case") : "",
        line.get("peer"),
        "%,.1f".formatted(micros),
        "%,.1f %s".formatted(rate, bytes ? "GB/s" : "GFLOP/s"),
        share,
        ratio);
  }

  private void header(String names) {
    if (!header.equals(names)) {
      out.println();
      out.print(names);
      header = names;
    }
  }

  private static double number(Map<String, Object> line, String field) {
    return line.get(field) instanceof Number n ? n.doubleValue() : Double.NaN;
  }
}

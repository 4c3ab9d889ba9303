package dev.downhill.benchmarks.peers;

import dev.downhill.cli.bench.ProcessFacts;
import dev.downhill.cli.bench.Stopwatch;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Times the workloads W1 to W3 of {@code downhill bench} in other libraries for the JVM, one JSON
 * object a line.
 *
 * <pre>{@code
 * mvn install -DskipTests && mvn -f benchmarks -P jvm-peers package
 * ./downhill bench --workload W1,W2,W3 --compare djl,nd4j
 * }</pre>
 *
 * <p>{@code bench} starts this program. By itself it repeats the first losses of a dump, or trains
 * from there:
 *
 * <pre>{@code
 * ./downhill bench --workload W1,W2,W3 --dump dump
 * java -jar benchmarks/target/jvm-peers/jvm-peers.jar djl --replay dump
 * java -jar benchmarks/target/jvm-peers/jvm-peers.jar djl --data dump --workload W1
 * }</pre>
 *
 * <p>Neither library downloads anything: their native code comes from Maven, and is unpacked into a
 * folder beside the jar at first use.
 */
final class Peers {
  private static final List<String> WORKLOADS = List.of("W1", "W2", "W3");

  /**
   * Of a replayed loss, relative to the first. Adam's epsilon is added to the root of the second
   * moment after its correction in Downhill and PyTorch, and before it in DJL and ND4J: tiny
   * gradients count for less in the first steps.
   */
  private static final double TOLERANCE = 5e-3;

  private final String name;
  private final int threads;

  private Peers(String name, int threads) {
    this.name = name;
    this.threads = threads;
  }

  /** Takes the name of a library and then options in pairs, as {@code benchmarks/peers} do. */
  public static void main(String[] args) throws URISyntaxException {
    Map<String, String> options = new HashMap<>();
    for (int i = 1; i + 1 < args.length; i += 2) {
      options.put(args[i], args[i + 1]);
    }
    String device = options.getOrDefault("--device", "cpu:0");
    if (!device.startsWith("cpu")) {
      System.err.printf("%s: expected --device cpu:0, got %s%n", args[0], device);
      System.exit(2);
    }
    Path jar = Path.of(Peers.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    String natives = jar.resolveSibling("natives").toString();
    System.setProperty("DJL_CACHE_DIR", natives);
    System.setProperty("org.bytedeco.javacpp.cachedir", natives);
    // With the OpenBLAS that ND4J comes with, W2 and W3 took longer.
    System.setProperty("org.bytedeco.openblas.load", "mkl");
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("slf4j.internal.verbosity", "ERROR");

    int cores = Runtime.getRuntime().availableProcessors();
    int threads = Integer.parseInt(options.getOrDefault("--threads", "" + cores));
    if (args[0].equals("nd4j") && threads != cores) {
      System.err.printf(
          "nd4j: takes all processors, expected --threads %d, got %d; use taskset%n",
          cores, threads);
      System.exit(2);
    }
    Peers peers = new Peers(args[0], threads);
    if (options.containsKey("--replay")) {
      peers.replay(Path.of(options.get("--replay")));
      return;
    }
    double seconds = Double.parseDouble(options.getOrDefault("--seconds", "3"));
    for (String subject : options.getOrDefault("--workload", "kernels").split(",", -1)) {
      if (WORKLOADS.contains(subject)) {
        peers.train(subject, Path.of(options.get("--data")), seconds);
      } else {
        System.err.printf("%s: no %s, only %s%n", args[0], subject, WORKLOADS);
      }
    }
  }

  private PeerTraining start(String workload, Start start) {
    return name.equals("djl")
        ? new DjlTraining(workload, start, threads)
        : new Nd4jTraining(workload, start);
  }

  private void replay(Path folder) {
    boolean failed = false;
    for (String workload : WORKLOADS) {
      if (!Files.isDirectory(folder.resolve(workload))) {
        continue;
      }
      Start start = Start.read(folder, workload);
      PeerTraining peer = start(workload, start);
      double[] expected = Start.losses(folder, workload);
      double worst = 0;
      for (int i = 0; i < expected.length; i++) {
        peer.step(i % start.batches().size());
        worst = Math.max(worst, Math.abs(peer.loss() - expected[i]) / Math.abs(expected[0]));
      }
      boolean ok = worst <= TOLERANCE;
      failed |= !ok;
      System.out.print(
          String.format(
              Locale.ROOT,
              "%s: %d steps, loss %.6f -> %.6f, %s %.6f, largest deviation %.1e %s%n",
              workload,
              expected.length,
              expected[0],
              expected[expected.length - 1],
              name,
              peer.loss(),
              worst,
              ok ? "ok" : "TOO LARGE"));
    }
    System.exit(failed ? 1 : 0);
  }

  private void train(String workload, Path folder, double seconds) {
    Start start = Start.read(folder, workload);
    PeerTraining peer = start(workload, start);
    peer.step(0);
    double lossFirst = peer.loss();
    double firstStepMillis = ProcessFacts.aliveMillis();
    int count = start.batches().size();
    int[] next = {1};
    Stopwatch.Time time = Stopwatch.steady(seconds, 2 * count, () -> peer.step(next[0]++ % count));

    Map<String, Object> line = new LinkedHashMap<>();
    line.put("workload", workload);
    line.put("peer", name);
    line.put("version", peer.version());
    line.put("device", "cpu:0");
    line.put("threads", threads);
    line.put("steps", time.steps());
    line.put("median_us", Math.round(1e2 * time.medianMicros()) / 1e2);
    line.put("items_per_s", Math.round(start.items() * 1e6 / time.medianMicros()));
    line.put("peak_bytes", ProcessFacts.peakBytes());
    line.put("first_step_ms", Math.round(firstStepMillis));
    line.put("wall_s", Math.round(1e3 * time.wallSeconds()) / 1e3);
    line.put("loss_first", lossFirst);
    line.put("loss_last", peer.loss());
    System.out.println(new JsonMapper().writeValueAsString(line));
  }
}

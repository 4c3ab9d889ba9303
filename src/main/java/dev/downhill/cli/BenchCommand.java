package dev.downhill.cli;

import dev.downhill.backend.Device;
import dev.downhill.cli.bench.Dump;
import dev.downhill.cli.bench.Kernel;
import dev.downhill.cli.bench.Machine;
import dev.downhill.cli.bench.Measurement;
import dev.downhill.cli.bench.Peer;
import dev.downhill.cli.bench.Report;
import dev.downhill.cli.bench.Sitting;
import dev.downhill.cli.bench.Subject;
import dev.downhill.cli.bench.Workload;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code downhill bench}: times training steps and single operators, here and in other libraries.
 */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description =
        "Times whole training steps (workloads W1 to W7) and single operators (kernels K1 to K7),"
            + " and compares them with other libraries in the same sitting. Several are measured"
            + " each in a process of its own.",
    sortOptions = false)
final class BenchCommand implements Callable<Integer> {
  private static final int MOST_THREADS = 1024;
  private static final double MOST_SECONDS = 3600;
  private static final int MOST_REPEATS = 99;
  private static final double WORKLOAD_SECONDS = 3;
  private static final double KERNEL_SECONDS = 1;
  private static final List<String> ON_A_CPU = List.of("W1", "W2", "W3", "W4", "W5");
  private static final String MATMUL = "downhill.cuda.matmul";

  /** Made when it is first used: every command is made at each start. */
  private static final class Json {
    static final JsonMapper MAPPER = new JsonMapper();
  }

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--workload",
      paramLabel = "LIST",
      split = ",",
      description =
          "Some of W1 house, W2 digits-mlp, W3 digits-cnn, W4 char-gpt, W5 recommender, and on a"
              + " GPU W6 and W6-4 gpt2-124m, W7 mlp-large; default: W1 to W5, unless there are"
              + " kernels.")
  private List<String> workloads = List.of();

  @Option(
      names = "--kernel",
      paramLabel = "LIST",
      split = ",",
      description =
          "Some of K1 AdamW, K2 layer norm, K3 elementwise, K4 cross-entropy, K5 matrix products,"
              + " K6 convolutions, and on a GPU K7 attention.")
  private List<String> kernels = List.of();

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "auto, cpu, cuda or cuda:N; default ${DEFAULT-VALUE}.")
  private String device = "auto";

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU; default: all cores.")
  private @Nullable Integer threads;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      description = "How long steps are timed, after as long a warm-up; default 3, for kernels 1.")
  private @Nullable Double seconds;

  @Option(
      names = "--compare",
      paramLabel = "LIST",
      split = ",",
      description =
          "Peers to run beside it. pytorch and jax need a Python that has them: python3, or the one"
              + " that DOWNHILL_PYTHON names. djl and nd4j have W1 to W3 on a CPU, and are built"
              + " with mvn -f benchmarks -P jvm-peers package.")
  private List<String> compare = List.of();

  @Option(
      names = "--repeat",
      paramLabel = "N",
      defaultValue = "1",
      description = "How often each is measured, in turns; the table has the medians.")
  private int repeat = 1;

  @Option(
      names = "--dump",
      paramLabel = "DIR",
      description =
          "Measure nothing: write initial weights, batches and the first 50 losses of the workloads"
              + " as safetensors, for benchmarks/peers/replay_pytorch.py.")
  private @Nullable Path dump;

  @Option(names = "--json", description = "Print one JSON object a line and no table.")
  private boolean json;

  BenchCommand() {}

  @Override
  public Integer call() {
    check();
    List<Subject> subjects = subjects();
    int count = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    System.setProperty("downhill.threads", Integer.toString(count));
    // Before the device is opened, which reads it. Several subjects get a process each.
    if (subjects.size() == 1 && !subjects.get(0).matmul().equals("f32")) {
      System.setProperty(MATMUL, subjects.get(0).matmul());
    }
    Device on = Device.of(device);
    subjects.forEach(s -> s.check(on));
    CommandLine line = Objects.requireNonNull(spec).commandLine();
    if (dump != null) {
      return dump(dump, subjects, on, line.getOut());
    }
    Measurement settings = new Measurement(on, count, seconds != null ? seconds : usual());
    List<Peer> peers = compare.stream().map(Peer::named).toList();
    if (subjects.size() == 1 && peers.isEmpty() && repeat == 1) {
      return one(subjects.get(0), settings, line.getOut());
    }
    return several(subjects, new Sitting(settings, peers, repeat), line);
  }

  private void check() {
    List<String> problems = new ArrayList<>();
    if (threads != null && (threads < 1 || threads > MOST_THREADS)) {
      problems.add("--threads: expected 1 to %s, got %s".formatted(MOST_THREADS, threads));
    }
    if (seconds != null && !(seconds > 0 && seconds <= MOST_SECONDS)) {
      problems.add(
          String.format(
              Locale.ROOT,
              "--seconds: expected a number above 0, at most %.0f, got %s",
              MOST_SECONDS,
              seconds));
    }
    if (repeat < 1 || repeat > MOST_REPEATS) {
      problems.add("--repeat: expected 1 to %s, got %s".formatted(MOST_REPEATS, repeat));
    }
    if (dump != null && !(kernels.isEmpty() && compare.isEmpty())) {
      problems.add("--dump: expected workloads alone, got --kernel or --compare beside it");
    }
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", problems));
    }
  }

  private List<Subject> subjects() {
    boolean usual = workloads.isEmpty() && kernels.isEmpty();
    List<Subject> all = new ArrayList<>(Subject.named(Workload.ALL, usual ? ON_A_CPU : workloads));
    if (!kernels.isEmpty()) {
      all.addAll(Subject.named(Kernel.ALL, kernels));
    }
    return all;
  }

  private double usual() {
    return workloads.isEmpty() && !kernels.isEmpty() ? KERNEL_SECONDS : WORKLOAD_SECONDS;
  }

  private static int dump(Path to, List<Subject> subjects, Device on, PrintWriter out) {
    for (Subject subject : subjects) {
      if (subject instanceof Workload w) {
        Dump.write(w, on, to);
        out.println(to.resolve(w.id()));
        out.flush();
      }
    }
    return ExitCode.OK.code();
  }

  /** Measures in this process, whose start is that of the measurement. */
  private int one(Subject subject, Measurement settings, PrintWriter out) {
    List<Map<String, Object>> results = new ArrayList<>();
    Consumer<Map<String, Object>> sink =
        result -> {
          results.add(result);
          if (json) {
            out.println(Json.MAPPER.writeValueAsString(result));
            out.flush();
          }
        };
    switch (subject) {
      case Workload w -> sink.accept(settings.of(w));
      case Kernel k -> settings.of(k, sink);
    }
    if (!json) {
      report(settings, out).add(subject, results);
    }
    return ExitCode.OK.code();
  }

  private int several(List<Subject> subjects, Sitting sitting, CommandLine line) {
    PrintWriter out = line.getOut();
    Report report = json ? null : report(sitting.settings(), out);
    StatusLine status = new StatusLine(line.getErr());
    for (Subject subject : subjects) {
      List<Map<String, Object>> results = new ArrayList<>();
      try {
        sitting.measure(
            subject,
            new Sitting.Listener() {
              @Override
              public void begins(String who) {
                status.show(who);
              }

              @Override
              public void result(String text) {
                status.clear();
                if (report == null) {
                  out.println(text);
                  out.flush();
                }
                results.add(Json.MAPPER.readValue(text, new TypeReference<>() {}));
              }

              @Override
              public void remark(String text) {
                status.clear();
                line.getErr().println(text);
              }
            });
      } catch (Sitting.Failed e) {
        status.clear();
        line.getErr().println("downhill: " + e.getMessage());
        return ExitCode.FAILED.code();
      }
      if (report != null) {
        report.add(subject, results);
      }
    }
    return ExitCode.OK.code();
  }

  private static Report report(Measurement settings, PrintWriter out) {
    boolean measurable =
        settings.device().name().startsWith("cpu")
            && ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    return new Report(out, settings.device(), measurable ? new Machine(settings.threads()) : null);
  }
}

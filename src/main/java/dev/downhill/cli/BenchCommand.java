package dev.downhill.cli;

import dev.downhill.backend.Device;
import dev.downhill.cli.bench.Measurement;
import dev.downhill.cli.bench.Result;
import dev.downhill.cli.bench.Workload;
import java.io.PrintWriter;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code downhill bench}: how fast it is here. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = "Times training steps.",
    sortOptions = false)
final class BenchCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--workload",
      paramLabel = "LIST",
      split = ",",
      description = "Of W1 to W7; default: W1 to W5.")
  private List<String> workloads = List.of("W1", "W2", "W3", "W4", "W5");

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "auto, cpu, cuda or cuda:N; default ${DEFAULT-VALUE}.")
  private String device = "auto";

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU. Default: all cores.")
  private @Nullable Integer threads;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "3",
      description = "How long steps are timed, after as long a warm-up; default ${DEFAULT-VALUE}.")
  private double seconds = 3;

  @Option(names = "--json", description = "Print one JSON object a line.")
  private boolean json;

  BenchCommand() {}

  @Override
  public Integer call() {
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    if (threads != null) {
      System.setProperty("downhill.threads", threads.toString());
    }
    int count = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    Device on = Device.of(device);
    for (String id : workloads) {
      Result result = Measurement.of(Workload.named(id), on, count, seconds);
      out.println(JsonMapper.builder().build().writeValueAsString(result.toMap()));
      out.flush();
    }
    return ExitCode.OK.code();
  }
}

package dev.downhill.cli;

import dev.downhill.backend.Device;
import dev.downhill.checkpoint.CheckpointException;
import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code downhill train}: runs a job. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    customSynopsis = "downhill train [JOB] [OPTION...]",
    description = "Trains a network and explains what it does.",
    sortOptions = false)
final class TrainCommand implements Callable<Integer> {

  /** The names for the help and for shell completion. */
  static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Jobs.ALL.stream().map(Job::name).iterator();
    }
  }

  private final Map<JobOption, String> given = new EnumMap<>(JobOption.class);
  private @Nullable CommandSpec spec;

  private static final int MOST_THREADS = 1024;
  private static final int HELP_WIDTH = 110;

  /** What may differ when a run is resumed: where and how it runs, not what it computes. */
  private static final Set<String> BESIDE_RESUME =
      Set.of("--resume", "--device", "--threads", "--json", "--debug");

  @Parameters(
      arity = "0..1",
      paramLabel = "JOB",
      defaultValue = "house-prices",
      completionCandidates = Names.class,
      description = "One of ${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
  private String job = "house-prices";

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "auto, cpu, cuda or cuda:N; default ${DEFAULT-VALUE}.")
  private String device = "auto";

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of all that is random; default ${DEFAULT-VALUE}.")
  private long seed = 1;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU; changes no result. Default: all cores.")
  private @Nullable Integer threads;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The run folder to write; default runs/JOB-DATE-TIME-PROCESS.")
  private @Nullable Path out;

  @Option(
      names = "--resume",
      paramLabel = "DIR",
      description = "Go on with the run of this folder, after its last whole epoch.")
  private @Nullable Path resume;

  @Option(names = "--json", description = "End stdout with one JSON object; all else to stderr.")
  private boolean json;

  /** Adds the options that jobs take to this command's own. */
  @Spec
  void spec(CommandSpec of) {
    spec = of;
    of.usageMessage()
        .width(HELP_WIDTH)
        .footerHeading("%nJobs, and which of the options each takes beside the first six:%n")
        .footer(Jobs.ALL.stream().flatMap(TrainCommand::help).toArray(String[]::new));
    for (JobOption option : JobOption.values()) {
      of.addOption(
          OptionSpec.builder(option.flag())
              .paramLabel(option.label())
              .type(String.class)
              .description(literal(option.description()))
              .setter(setter(option))
              .build());
    }
  }

  /** A job in the help: what it shows, and its options. */
  private static Stream<String> help(Job job) {
    String options =
        job.takes().stream().sorted().map(JobOption::flag).collect(Collectors.joining(" "));
    return Stream.of(
        "  %-18s %s".formatted(job.name(), literal(job.about())),
        "  %-18s   %s".formatted("", options));
  }

  // picocli reads the text of a help as a format.
  private static String literal(String text) {
    return text.replace("%", "%%");
  }

  private ISetter setter(JobOption option) {
    return new ISetter() {
      @Override
      public <T> @Nullable T set(@Nullable T value) {
        if (value instanceof String text) {
          given.put(option, text);
        }
        return null;
      }
    };
  }

  @Override
  public Integer call() {
    List<String> problems = new ArrayList<>();
    if (threads != null && (threads < 1 || threads > MOST_THREADS)) {
      problems.add("--threads: expected 1 to %s, got %s".formatted(MOST_THREADS, threads));
    }
    List<String> ofTheJob = ofTheJob();
    if (resume != null && !ofTheJob.isEmpty()) {
      problems.add(
          "--resume: expected no options of the job beside it, since the run keeps its own, got "
              + String.join(", ", ofTheJob));
    }
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", problems));
    }
    Job chosen = Jobs.named(resume == null ? job : JobOptions.job(resume));
    if (threads != null) {
      System.setProperty("downhill.threads", threads.toString());
    }
    if (resume != null) {
      if (!chosen.resumes()) {
        throw new IllegalArgumentException(
            "--resume: a run of %s cannot be gone on with, start it anew".formatted(chosen.name()));
      }
      return run(chosen, JobOptions.resume(resume, Device.of(device)));
    }
    chosen.check(given.keySet());
    Path folder = out == null ? defaultFolder() : out;
    return run(chosen, new JobOptions(Device.of(device), seed, folder, false, given));
  }

  /** The options that were given and that decide about the numbers of a run. */
  private List<String> ofTheJob() {
    return Objects.requireNonNull(spec).commandLine().getParseResult().matchedOptions().stream()
        .map(OptionSpec::longestName)
        .filter(name -> !BESIDE_RESUME.contains(name))
        .sorted()
        .toList();
  }

  private int run(Job chosen, JobOptions options) {
    PrintStream report = json ? System.err : System.out;
    JobResult result;
    try (ProgressLine progress = new ProgressLine()) {
      result = chosen.run(options, report, progress);
    }
    if (json) {
      System.out.println(JsonMapper.builder().build().writeValueAsString(result.toMap()));
    }
    if (System.out.checkError()) {
      throw new CheckpointException("stdout: the result could not be written");
    }
    return ExitCode.OK.code();
  }

  private Path defaultFolder() {
    String now =
        LocalDateTime.now(ZoneId.systemDefault())
            .format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss"));
    // The process number tells runs apart that begin in the same second.
    return Path.of("runs", job + "-" + now + "-" + ProcessHandle.current().pid());
  }
}

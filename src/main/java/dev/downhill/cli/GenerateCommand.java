package dev.downhill.cli;

import dev.downhill.backend.Device;
import dev.downhill.jobs.language.LanguageModel;
import dev.downhill.jobs.language.Sampling;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code downhill generate}: a trained language model goes on with a text. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    description = "Goes on with a text as the network of a run of 'train language' would.",
    sortOptions = false)
final class GenerateCommand implements Callable<Integer> {
  private static final int MOST_TOKENS = 1_000_000;

  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "RUN", description = "The run folder, such as runs/language-....")
  private Path run = Path.of("");

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      required = true,
      description = "The text to go on with.")
  private String prompt = "";

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "300",
      description = "How many characters, or byte pairs, to add; default ${DEFAULT-VALUE}.")
  private int tokens;

  @Option(
      names = "--temperature",
      paramLabel = "X",
      defaultValue = "0.8",
      description =
          "0 takes the likeliest always, 1 draws as the network says, more is bolder;"
              + " default ${DEFAULT-VALUE}.")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Draw among the K likeliest only. Default: all.")
  private @Nullable Integer topK;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Another one, another text; default ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "auto, cpu, cuda or cuda:N; default ${DEFAULT-VALUE}.")
  private String device = "auto";

  GenerateCommand() {}

  @Override
  public Integer call() {
    List<String> problems = new ArrayList<>();
    if (prompt.isEmpty()) {
      problems.add("--prompt: expected a text to go on with, got ''");
    }
    if (tokens < 1 || tokens > MOST_TOKENS) {
      problems.add("--tokens: expected 1 to %s, got %s".formatted(MOST_TOKENS, tokens));
    }
    if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
      problems.add("--temperature: expected a number of 0 or more, got " + temperature);
    }
    if (topK != null && topK < 1) {
      problems.add("--top-k: expected 1 or more, got " + topK);
    }
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", problems));
    }
    try (LanguageModel model = LanguageModel.open(run, Device.of(device))) {
      Sampling sampling = new Sampling(temperature, topK(model));
      PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
      out.println(prompt + goOn(model, sampling));
      out.flush();
    }
    return ExitCode.OK.code();
  }

  private int topK(LanguageModel model) {
    int size = model.tokenizer().size();
    if (topK != null && topK > size) {
      throw new IllegalArgumentException(
          "--top-k: expected at most the %s %ss that the network knows, got %s"
              .formatted(size, model.tokenizer().unit(), topK));
    }
    return topK == null ? 0 : topK;
  }

  private String goOn(LanguageModel model, Sampling sampling) {
    try {
      return model.goOn(prompt, tokens, sampling, seed);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("--prompt: " + e.getMessage(), e);
    }
  }
}

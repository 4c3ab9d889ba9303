package dev.downhill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class GenerateCommandTest {
  @TempDir private static Path folder;

  private record Outcome(int code, String out, String err) {}

  private static Outcome downhill(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line =
        new CommandLine(new Downhill())
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true));
    int code = Downhill.run(line, args);
    return new Outcome(code, out.toString(), err.toString().strip());
  }

  private static Outcome generate(String... args) {
    List<String> all = new ArrayList<>(List.of("generate", "--device=cpu"));
    all.addAll(List.of(args));
    return downhill(all.toArray(String[]::new));
  }

  @BeforeAll
  static void train() throws Exception {
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "to be, or not to be: that is the question.\n".repeat(40));
    String run = folder.resolve("run").toString();
    assertThat(
            downhill(
                    "train",
                    "language",
                    "--device=cpu",
                    "--data=" + text,
                    "--steps=2",
                    "--batch-size=1",
                    "--out=" + run)
                .code)
        .isZero();
    assertThat(
            downhill("train", "one-weight", "--steps=2", "--out=" + folder.resolve("other")).code)
        .isZero();
  }

  @Test
  void aText_isGoneOnWith_theSameForTheSameSeed() {
    String run = folder.resolve("run").toString();
    Outcome first = generate(run, "--prompt=to be", "--tokens=30", "--top-k=5");
    assertThat(first.code).isZero();
    assertThat(first.err).isEmpty();
    assertThat(first.out).startsWith("to be").hasSize(5 + 30 + System.lineSeparator().length());
    assertThat(generate(run, "--prompt=to be", "--tokens=30", "--top-k=5")).isEqualTo(first);
    assertThat(generate(run, "--prompt=to be", "--tokens=30", "--top-k=5", "--seed=2").out)
        .isNotEqualTo(first.out);
    Outcome greedy = generate(run, "--prompt=to be", "--tokens=30", "--temperature=0");
    assertThat(generate(run, "--prompt=to be", "--tokens=30", "--top-k=1", "--seed=9"))
        .isEqualTo(greedy);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          run   | --prompt=tO be      | 2 | --prompt: characters: expected only the 17 that are known, got "O" (U+004F) as character 2
          run   | --prompt=           | 2 | --prompt: expected a text to go on with, got ''
          run   | --tokens=3          | 2 | Missing required option: '--prompt=TEXT'
          run   | --prompt=a,--tokens=0         | 2 | --tokens: expected 1 to 1000000, got 0
          run   | --prompt=a,--temperature=-0.1 | 2 | --temperature: expected a number of 0 or more, got -0.1
          run   | --prompt=a,--temperature=NaN  | 2 | --temperature: expected a number of 0 or more, got NaN
          run   | --prompt=a,--temperature=hot  | 2 | 'hot'
          run   | --prompt=a,--top-k=0          | 2 | --top-k: expected 1 or more, got 0
          run   | --prompt=a,--top-k=18         | 2 | --top-k: expected at most the 17 characters that the network knows, got 18
          run   | --prompt=a,--top-k=0,--tokens=-1 | 2 | --tokens: expected 1 to 1000000, got -1; --top-k: expected 1 or more, got 0
          other | --prompt=a          | 2 | other: expected a run of the job language, got one of one-weight
          none  | --prompt=a          | 6 | run folder: expected a run with config.json in
          """)
  void aWrongWord_isToldInOneLine(String run, String words, int code, String message) {
    List<String> args = new ArrayList<>(List.of(words.split(",", -1)));
    args.addFirst(folder.resolve(run).toString());
    Outcome outcome = generate(args.toArray(String[]::new));
    assertThat(outcome.err).startsWith("downhill: ").contains(message).hasLineCount(1);
    assertThat(outcome.code).isEqualTo(code);
    assertThat(outcome.out).isEmpty();
  }

  @Test
  void aRunWithoutItsModel_isAStorageError() throws Exception {
    Path run = Files.createDirectories(folder.resolve("cut"));
    Files.copy(folder.resolve("run/config.json"), run.resolve("config.json"));
    Outcome outcome = generate(run.toString(), "--prompt=a");
    assertThat(outcome.code).isEqualTo(6);
    assertThat(outcome.err).contains("model.safetensors").hasLineCount(1);
  }
}

package dev.downhill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.data.DataException;
import dev.downhill.shape.ShapeException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

class DownhillTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Command(name = "job")
  private static final class Job implements Callable<Integer> {
    private final Throwable end;

    @Option(names = "--epochs")
    private int epochs;

    Job(Throwable end) {
      this.end = end;
    }

    @Override
    public Integer call() throws Exception {
      switch (end) {
        case Exception e -> throw e;
        case Error e -> throw e;
        default -> throw new AssertionError(end);
      }
    }
  }

  private int run(String... args) {
    return run(new IllegalStateException("job ran"), args);
  }

  private int run(Throwable end, String... args) {
    CommandLine line = new CommandLine(new Downhill());
    line.addSubcommand(new Job(end));
    line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    return Downhill.run(line, args);
  }

  @Test
  void helpGoesToStdout() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString()).startsWith("Usage: downhill").contains("--debug", "--version");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void versionIsOneLine() {
    assertThat(run("--version")).isZero();
    assertThat(out.toString()).startsWith("downhill ").hasLineCount(1);
  }

  @Test
  void missingCommandIsAUsageError() {
    assertThat(run()).isEqualTo(2);
    assertThat(err.toString())
        .isEqualTo("downhill: Missing required subcommand (see 'downhill --help')\n");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void unknownOptionSuggestsTheNearest() {
    assertThat(run("job", "--epoch", "3")).isEqualTo(2);
    assertThat(err.toString())
        .startsWith("downhill: Unknown option")
        .contains("'--epoch'", "did you mean --epochs?")
        .hasLineCount(1);
  }

  @Test
  void badValueNamesTheOption() {
    assertThat(run("job", "--epochs", "many")).isEqualTo(2);
    assertThat(err.toString())
        .contains("--epochs", "'many'", "see 'downhill job --help'")
        .hasLineCount(1);
  }

  @Test
  void faultOfTheCallerIsOneLine() {
    assertThat(run(new ShapeException("add: shapes do not broadcast"), "job")).isEqualTo(2);
    assertThat(err.toString()).isEqualTo("downhill: add: shapes do not broadcast\n");
  }

  @Test
  void faultInTheDataHasItsOwnCode() {
    assertThat(run(new DataException("houses.csv:3: ragged row"), "job")).isEqualTo(3);
    assertThat(err.toString()).isEqualTo("downhill: houses.csv:3: ragged row\n");
  }

  @Test
  void debugAddsTheStackTraceBeforeOrAfterTheCommand() {
    assertThat(run(new ShapeException("add: no"), "--debug", "job")).isEqualTo(2);
    assertThat(run(new ShapeException("mul: no"), "job", "--debug")).isEqualTo(2);
    assertThat(err.toString())
        .contains("ShapeException: add: no", "ShapeException: mul: no", "\tat dev.downhill.cli");
  }

  @Test
  void outOfHeapNamesTheLimit() {
    assertThat(run(new OutOfMemoryError("Java heap space"), "job")).isEqualTo(5);
    assertThat(err.toString())
        .startsWith("downhill: out of memory: Java heap space, the limit is ")
        .contains("-Xmx")
        .hasLineCount(1);
  }

  @Test
  void faultOfOurOwnIsCalledSo() {
    assertThat(run(new AssertionError("gradient lost"), "job")).isEqualTo(70);
    assertThat(err.toString())
        .startsWith("downhill: internal error: java.lang.AssertionError: gradient lost")
        .hasLineCount(1);
  }
}

package dev.downhill.cli;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The {@code downhill} command. Each of its commands is a {@code Callable<Integer>} that returns
 * the {@link ExitCode#code} of an {@link ExitCode}; they are listed below. Results go to stdout,
 * all else to stderr. An error is one line, {@code downhill: ...}, and its stack trace only with
 * {@code --debug}.
 */
@Command(
    name = "downhill",
    description = "Trains neural networks on the CPU and on NVIDIA GPUs.",
    mixinStandardHelpOptions = true,
    versionProvider = Downhill.Version.class,
    subcommands = {
      TrainCommand.class,
      GenerateCommand.class,
      VerifyCommand.class,
      BenchCommand.class,
      DoctorCommand.class,
      HelpCommand.class
    })
public final class Downhill {
  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Print the stack trace of an error.")
  private boolean debug;

  Downhill() {}

  /** Runs a command and ends the process with its exit code. */
  public static void main(String... args) {
    // Numbers look the same everywhere, so that programs can read them.
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    // What the library logs is one line on stderr, as errors are.
    System.setProperty("java.util.logging.SimpleFormatter.format", "downhill: %5$s%n");
    System.exit(run(new CommandLine(new Downhill()), args));
  }

  /**
   * Runs a command of {@code line}, whose root is a {@code Downhill}, and returns its exit code.
   */
  static int run(CommandLine line, String... args) {
    Downhill downhill = line.getCommand();
    line.setParameterExceptionHandler((e, _) -> usageError(e));
    line.setExecutionExceptionHandler((e, _, _) -> downhill.report(e, line));
    try {
      return line.execute(args);
    } catch (Error e) {
      return downhill.report(e, line);
    }
  }

  private static int usageError(ParameterException e) {
    CommandLine line = e.getCommandLine();
    List<String> near =
        e instanceof UnmatchedArgumentException unmatched ? unmatched.getSuggestions() : List.of();
    String hint =
        near.isEmpty()
            ? "see '" + line.getCommandSpec().qualifiedName() + " --help'"
            : "did you mean " + String.join(" or ", near) + "?";
    line.getErr().println("downhill: " + e.getMessage() + " (" + hint + ")");
    return ExitCode.USAGE.code();
  }

  private int report(Throwable e, CommandLine line) {
    ExitCode code = ExitCode.of(e);
    line.getErr().println("downhill: " + message(e, code));
    if (debug) {
      e.printStackTrace(line.getErr());
    }
    return code.code();
  }

  private static String message(Throwable e, ExitCode code) {
    if (code == ExitCode.INTERNAL) {
      return "internal error: " + e + " (--debug shows where)";
    }
    if (e instanceof OutOfMemoryError) {
      return "out of memory: %s, the limit is %s MiB; raise it with JDK_JAVA_OPTIONS=-Xmx<size>"
          .formatted(e.getMessage(), Runtime.getRuntime().maxMemory() >> 20);
    }
    // The message of an I/O exception of the JDK is often the bare path.
    return e.getMessage() == null || e instanceof IOException ? e.toString() : e.getMessage();
  }

  /** The version in the jar's manifest. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Downhill.class.getPackage().getImplementationVersion();
      return new String[] {"downhill " + Objects.requireNonNullElse(version, "(not from a jar)")};
    }
  }
}

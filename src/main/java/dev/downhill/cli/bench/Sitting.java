package dev.downhill.cli.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Several measurements one after the other, each in a process of its own: what one leaves behind,
 * in memory or compiled code, is nothing to the next. Downhill and its peers take turns.
 *
 * @param settings where and how long
 * @param peers to compare with
 * @param repeats how often each is measured
 */
public record Sitting(Measurement settings, List<Peer> peers, int repeats) {
  /** A process that did not end well; its own message stands above. */
  public static final class Failed extends Exception {
    private static final long serialVersionUID = 1L;

    private final int exit;

    Failed(String who, String subject, int exit) {
      super("bench: %s ended with exit code %s on %s".formatted(who, exit, subject));
      this.exit = exit;
    }

    /** The code. */
    public int exit() {
      return exit;
    }
  }

  /** Hears what happens. */
  public interface Listener {
    /** A process begins. */
    void begins(String who);

    /** It printed a JSON object. */
    void result(String json);

    /** It printed something else. */
    void remark(String text);
  }

  /** Measures a subject; a workload's loss curve is compared first. */
  public void measure(Subject subject, Listener listener) throws Failed {
    if (peers.isEmpty()) {
      for (int i = 0; i < repeats; i++) {
        run("downhill", subject, ours(subject), listener);
      }
      return;
    }
    Path dump = temporary();
    try {
      if (subject instanceof Workload w) {
        Dump.write(w, settings.device(), dump);
        for (Peer peer : peers) {
          List<String> replay = peer.replay(dump);
          if (!replay.isEmpty()) {
            run(peer.name(), subject, replay, listener);
          }
        }
      }
      for (int i = 0; i < repeats; i++) {
        run("downhill", subject, ours(subject), listener);
        for (Peer peer : peers) {
          run(peer.name(), subject, peer.command(subject, dump, settings), listener);
        }
      }
    } finally {
      delete(dump);
    }
  }

  private List<String> ours(Subject subject) {
    List<String> command = Child.java("dev.downhill.cli.Downhill");
    command.addAll(List.of("bench", "--json"));
    command.addAll(List.of(subject.option(), subject.id(), "--device", settings.device().name()));
    command.addAll(List.of("--threads", Integer.toString(settings.threads())));
    command.addAll(List.of("--seconds", Double.toString(settings.seconds())));
    return command;
  }

  private static void run(String who, Subject subject, List<String> command, Listener listener)
      throws Failed {
    listener.begins("%s with %s".formatted(subject.id(), who));
    int exit =
        Child.run(
            command,
            line -> {
              if (line.startsWith("{")) {
                listener.result(line);
              } else {
                listener.remark(line);
              }
            });
    if (exit != 0) {
      throw new Failed(who, subject.id(), exit);
    }
  }

  private static Path temporary() {
    try {
      return Files.createTempDirectory("downhill-bench");
    } catch (IOException e) {
      throw new UncheckedIOException("bench: cannot make a temporary folder", e);
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("bench: cannot delete " + folder, e);
    }
  }
}

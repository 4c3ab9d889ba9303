package dev.downhill.cli.verify;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The cases that come with Downhill, computed by PyTorch 2.13 on a CPU: unpacked into a temporary
 * folder, which goes with {@link #close}.
 */
public final class PackedCases implements AutoCloseable {
  private static final String LIST = "MANIFEST.sha256";

  private final List<Path> files = new ArrayList<>();
  private final Path folder;

  /**
   * Unpacks the cases.
   *
   * @throws UncheckedIOException if there is no room for them
   */
  public PackedCases() {
    try {
      folder = Files.createTempDirectory("downhill-cases");
      for (String name : names()) {
        try (InputStream in = open(name)) {
          Path file = folder.resolve(name);
          files.add(file);
          Files.copy(in, file);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("verify: cannot unpack the cases: " + e.getMessage(), e);
    }
  }

  private static List<String> names() throws IOException {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(open(LIST), StandardCharsets.UTF_8))) {
      // Each line is a sum, two spaces and a name.
      return lines.lines().map(line -> line.substring(line.lastIndexOf(' ') + 1)).toList();
    }
  }

  private static InputStream open(String name) {
    return Objects.requireNonNull(
        PackedCases.class.getResourceAsStream("cases/" + name), () -> name + " is not packed");
  }

  /** The folder with the files. */
  public Path folder() {
    return folder;
  }

  /** Deletes the folder. */
  @Override
  public void close() {
    try {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

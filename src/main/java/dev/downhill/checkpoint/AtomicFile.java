package dev.downhill.checkpoint;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Replaces a file as a whole. The new content goes to a temporary file in the same directory, is
 * forced to disk, and takes the name in one step; then the directory is forced to disk. So whenever
 * the process or the machine stops, the name leads to all of the old content or all of the new; and
 * once {@link #write} has returned, to the new.
 *
 * <p>A process that was killed may leave a temporary file behind: its name starts with a dot and
 * ends in {@code .tmp}. Nothing reads it.
 */
public final class AtomicFile {
  private AtomicFile() {}

  /** Writes the content of a file. */
  @FunctionalInterface
  public interface Content {
    /** Writes all of it; the stream is buffered and closed by the caller. */
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Writes or replaces a file. Interrupts of the thread do not disturb it. On failure the file is
   * as it was and the temporary file removed, unless the failure is of the very last step, which
   * makes the new name permanent.
   *
   * @throws CheckpointException if the file cannot be written
   */
  public static void write(Path file, Content content) {
    write(Disk.REAL, file, content);
  }

  static void write(Disk disk, Path file, Content content) {
    Path name = file.getFileName();
    if (name == null) {
      throw new CheckpointException("save: expected the path of a file, got " + file);
    }
    Path temporary = file.resolveSibling("." + name + "." + UUID.randomUUID() + ".tmp");
    try {
      try (Disk.Output out = disk.create(temporary);
          OutputStream buffered = new BufferedOutputStream(out, 1 << 16)) {
        content.writeTo(buffered);
        buffered.flush();
        out.sync();
      }
      disk.rename(temporary, file);
    } catch (IOException e) {
      remove(disk, temporary, e);
      throw new CheckpointException("save: " + file + " cannot be written: " + e, e);
    } catch (RuntimeException | Error e) {
      remove(disk, temporary, e);
      throw e;
    }
    Path parent = file.getParent();
    try {
      disk.syncDirectory(parent == null ? Path.of("") : parent);
    } catch (IOException e) {
      throw new CheckpointException(
          "save: " + file + " is written but may be lost if the power fails: " + e, e);
    }
  }

  private static void remove(Disk disk, Path temporary, Throwable failure) {
    try {
      disk.delete(temporary);
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }
}

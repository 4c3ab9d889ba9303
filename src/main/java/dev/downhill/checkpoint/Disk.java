package dev.downhill.checkpoint;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/** The calls on the file system that a save makes: a test puts a disk that fails in their place. */
interface Disk {
  /** The file system of the machine. */
  Disk REAL = new Real();

  /** A file being written. */
  abstract class Output extends OutputStream {
    /** Returns when everything written so far would survive a loss of power. */
    abstract void sync() throws IOException;
  }

  /** Creates a file that must not be there. */
  Output create(Path file) throws IOException;

  /** Renames a file in one step, replacing the target. */
  void rename(Path from, Path to) throws IOException;

  /** Returns when the names in the directory would survive a loss of power. */
  void syncDirectory(Path directory) throws IOException;

  /** Removes a file if it is there. */
  void delete(Path file) throws IOException;

  /** The file system of the machine. */
  final class Real implements Disk {
    /** Windows has no sync of directories. */
    private static final boolean SYNCS_DIRECTORIES =
        !System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");

    @Override
    public Output create(Path file) throws IOException {
      Files.createFile(file);
      // Not a channel: an interrupt of the thread closes channels in the middle of a write.
      FileOutputStream out = new FileOutputStream(file.toFile());
      return new Output() {
        @Override
        public void write(int b) throws IOException {
          out.write(b);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
          out.write(bytes, offset, length);
        }

        @Override
        void sync() throws IOException {
          out.getFD().sync();
        }

        @Override
        public void close() throws IOException {
          out.close();
        }
      };
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
      boolean interrupted = false;
      try {
        while (SYNCS_DIRECTORIES) {
          // There is no other way to sync a directory than a channel, so interrupts are put off.
          interrupted |= Thread.interrupted();
          try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
            return;
          } catch (ClosedByInterruptException e) {
            interrupted = true;
          }
        }
      } finally {
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }

    @Override
    public void delete(Path file) throws IOException {
      Files.deleteIfExists(file);
    }
  }
}

package dev.downhill.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  private static final Path TARGET = Path.of("run", "model.safetensors");
  private static final byte[] OLD = "old content".getBytes(UTF_8);
  private static final byte[] NEW = content();

  @TempDir Path folder;

  private static byte[] content() {
    byte[] bytes = new byte[200_000];
    new SplittableRandom(1).nextBytes(bytes);
    return bytes;
  }

  /**
   * A disk in memory that can lose its power. Names and bytes that were not synced may then be
   * lost: bytes are dropped, halved, zeroed or flipped, names keep what some moment since the last
   * sync of the directory gave them.
   */
  private static final class FragileDisk implements Disk {
    /** The bytes of a file: those that would survive, and all. */
    private static final class Content {
      byte[] synced = new byte[0];
      final ByteArrayOutputStream written = new ByteArrayOutputStream();
    }

    private final Map<Path, Content> names = new HashMap<>();
    private final List<Map<Path, Content>> possibleNames = new ArrayList<>();
    private final boolean syncsFiles;
    private final boolean syncsDirectories;
    private final int failingCall;
    private final boolean powerFails;
    private int calls;

    /**
     * A disk with the old file.
     *
     * @param failingCall the number of the call that fails, counted from 1; 0 for none
     * @param powerFails whether all later calls fail too
     */
    FragileDisk(boolean syncsFiles, boolean syncsDirectories, int failingCall, boolean powerFails) {
      this.syncsFiles = syncsFiles;
      this.syncsDirectories = syncsDirectories;
      this.failingCall = failingCall;
      this.powerFails = powerFails;
      Content old = new Content();
      old.synced = OLD;
      old.written.writeBytes(OLD);
      names.put(TARGET, old);
      possibleNames.add(Map.copyOf(names));
    }

    private void call() throws IOException {
      calls++;
      if (failingCall > 0 && (powerFails ? calls >= failingCall : calls == failingCall)) {
        throw new IOException("disk failure");
      }
    }

    @Override
    public Output create(Path file) throws IOException {
      call();
      Content content = new Content();
      if (names.putIfAbsent(file, content) != null) {
        throw new IOException(file + " exists");
      }
      possibleNames.add(Map.copyOf(names));
      return new Output() {
        @Override
        public void write(int b) throws IOException {
          write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
          try {
            call();
          } catch (IOException e) {
            content.written.write(bytes, offset, length / 2);
            throw e;
          }
          content.written.write(bytes, offset, length);
        }

        @Override
        void sync() throws IOException {
          call();
          if (syncsFiles) {
            content.synced = content.written.toByteArray();
          }
        }

        @Override
        public void close() throws IOException {
          call();
        }
      };
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
      call();
      Content content = names.remove(from);
      if (content == null) {
        throw new IOException("no " + from);
      }
      names.put(to, content);
      possibleNames.add(Map.copyOf(names));
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
      call();
      assertThat(directory).isEqualTo(TARGET.getParent());
      if (syncsDirectories) {
        possibleNames.clear();
        possibleNames.add(Map.copyOf(names));
      }
    }

    @Override
    public void delete(Path file) throws IOException {
      call();
      names.remove(file);
      possibleNames.add(Map.copyOf(names));
    }

    /** What the target holds in one of the states that may be found after a loss of power. */
    byte @Nullable [] afterPowerLoss(SplittableRandom random) {
      Content content = possibleNames.get(random.nextInt(possibleNames.size())).get(TARGET);
      return content == null ? null : damaged(content, random);
    }

    private static byte[] damaged(Content content, SplittableRandom random) {
      byte[] all = content.written.toByteArray();
      int safe = content.synced.length;
      if (all.length == safe) {
        return all;
      }
      int lost = all.length - safe;
      switch (random.nextInt(5)) {
        case 0 -> all = content.synced;
        case 1 -> all = Arrays.copyOf(all, safe + lost / 2);
        case 2 -> Arrays.fill(all, safe + random.nextInt(lost), all.length, (byte) 0);
        case 3 -> all[safe + random.nextInt(lost)] ^= (byte) (1 << random.nextInt(8));
        default -> { // everything made it to the disk
        }
      }
      return all;
    }

    byte[] target() {
      Content content = names.get(TARGET);
      return content == null ? new byte[0] : content.written.toByteArray();
    }
  }

  private static void writeNew(OutputStream out) throws IOException {
    for (int i = 0; i < NEW.length; i += 10_000) {
      out.write(NEW, i, 10_000);
    }
  }

  /** Runs a save and says whether it returned. */
  private static boolean save(Disk disk) {
    try {
      AtomicFile.write(disk, TARGET, AtomicFileTest::writeNew);
      return true;
    } catch (CheckpointException e) {
      return false;
    }
  }

  /**
   * Loses the power at every call of a save, and looks at many states that may be found then.
   *
   * @return how many of the states are neither old nor new, or old after the save had returned
   */
  private static int badStates(boolean syncsFiles, boolean syncsDirectories, int perCall) {
    FragileDisk whole = new FragileDisk(syncsFiles, syncsDirectories, 0, true);
    assertThat(save(whole)).isTrue();
    SplittableRandom random = new SplittableRandom(7);
    int bad = 0;
    for (int failing = 1; failing <= whole.calls + 1; failing++) {
      FragileDisk disk = new FragileDisk(syncsFiles, syncsDirectories, failing, true);
      boolean saved = save(disk);
      assertThat(saved).isEqualTo(failing > whole.calls);
      for (int i = 0; i < perCall; i++) {
        byte[] found = disk.afterPowerLoss(random);
        boolean isNew = Arrays.equals(found, NEW);
        if (!isNew && (saved || !Arrays.equals(found, OLD))) {
          bad++;
        }
      }
    }
    return bad;
  }

  @Test
  void lossOfPowerLeavesTheOldFileOrTheNew() {
    FragileDisk disk = new FragileDisk(true, true, 0, false);
    assertThat(save(disk)).isTrue();
    assertThat(disk.target()).isEqualTo(NEW);
    assertThat(disk.calls).isGreaterThan(6);
    int perCall = 10_000 / disk.calls + 1;
    assertThat(badStates(true, true, perCall)).isZero();
  }

  @Test
  void eachSyncIsNeeded() {
    assertThat(badStates(false, true, 50)).isPositive();
    assertThat(badStates(true, false, 50)).isPositive();
  }

  @Test
  void aCallThatFailsLeavesTheOldFileAndNoOther() {
    FragileDisk whole = new FragileDisk(true, true, 0, false);
    save(whole);
    for (int failing = 1; failing < whole.calls; failing++) {
      FragileDisk disk = new FragileDisk(true, true, failing, false);
      assertThat(save(disk)).isFalse();
      assertThat(disk.target()).isEqualTo(OLD);
      assertThat(disk.names).hasSize(1);
    }
    FragileDisk last = new FragileDisk(true, true, whole.calls, false);
    assertThatThrownBy(() -> AtomicFile.write(last, TARGET, AtomicFileTest::writeNew))
        .isInstanceOf(CheckpointException.class)
        .hasMessageEndingWith("may be lost if the power fails: java.io.IOException: disk failure");
    assertThat(last.target()).isEqualTo(NEW);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  @Test
  void filesAreWrittenAndReplaced() throws IOException {
    Path file = folder.resolve("state");
    for (int round = 0; round < 3; round++) {
      byte[] bytes = Arrays.copyOf(NEW, round * 70_000);
      AtomicFile.write(file, out -> out.write(bytes));
      assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
      assertThat(files()).containsExactly(file);
    }
  }

  @Test
  void failuresRemoveTheTemporaryFile() throws IOException {
    Path file = folder.resolve("state");
    AtomicFile.write(file, out -> out.write(OLD));
    assertThatThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      out.write(NEW);
                      throw new IOException("no space left");
                    }))
        .isInstanceOf(CheckpointException.class)
        .hasMessage("save: " + file + " cannot be written: java.io.IOException: no space left");
    assertThatThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      throw new IllegalStateException("closed tensor");
                    }))
        .isInstanceOf(IllegalStateException.class);
    assertThat(Files.readAllBytes(file)).isEqualTo(OLD);
    assertThat(files()).containsExactly(file);
  }

  @Test
  void placesThatCannotBeWrittenAreRefused() throws IOException {
    Path directory = Files.createDirectory(folder.resolve("inner"));
    assertThatThrownBy(() -> AtomicFile.write(directory, out -> out.write(NEW)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith("save: " + directory + " cannot be written: ");
    assertThatThrownBy(
            () -> AtomicFile.write(folder.resolve("absent").resolve("f"), out -> out.write(NEW)))
        .isInstanceOf(CheckpointException.class);
    assertThatThrownBy(() -> AtomicFile.write(Path.of("/"), out -> out.write(NEW)))
        .isInstanceOf(CheckpointException.class)
        .hasMessage("save: expected the path of a file, got " + Path.of("/"));
    assertThat(files()).containsExactly(directory);
  }

  @Test
  void interruptsDoNotDisturbASave() throws Exception {
    Path file = folder.resolve("state");
    Thread saver =
        new Thread(
            () -> {
              for (int round = 0; round < 20; round++) {
                AtomicFile.write(file, out -> out.write(NEW));
              }
            });
    List<Throwable> failures = new ArrayList<>();
    saver.setUncaughtExceptionHandler((thread, failure) -> failures.add(failure));
    saver.start();
    while (saver.isAlive()) {
      saver.interrupt();
      Thread.sleep(0, 100_000);
    }
    assertThat(failures).isEmpty();
    assertThat(Files.readAllBytes(file)).isEqualTo(NEW);
    assertThat(files()).containsExactly(file);
  }

  @Test
  void anInterruptIsKept() {
    Thread.currentThread().interrupt();
    AtomicFile.write(folder.resolve("state"), out -> out.write(NEW));
    assertThat(Thread.interrupted()).isTrue();
  }
}

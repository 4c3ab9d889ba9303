package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NativesTest {
  private static final byte[] CONTENT = "a library".getBytes(StandardCharsets.UTF_8);

  @TempDir Path cache;
  private Natives natives;
  private Path root;

  @BeforeEach
  void ofACache() {
    natives = Natives.ofUser(Map.of("XDG_CACHE_HOME", cache.toString()));
    root = cache.resolve("downhill/natives");
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  private static void permissions(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  @Test
  void unpack_aPrivateFolderNamedByTheHash() throws IOException {
    Path file = natives.unpack("lib.so", CONTENT);
    assertThat(file).isEqualTo(root.resolve(Natives.sha256(CONTENT)).resolve("lib.so"));
    assertThat(file).hasBinaryContent(CONTENT);
    for (Path folder : List.of(file.getParent(), root, root.getParent())) {
      assertThat(permissions(folder)).isEqualTo("rwx------");
    }
    assertThat(permissions(file)).isEqualTo("rw-------");
    try (var files = Files.list(file.getParent())) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void unpack_again_leavesTheFileAlone() throws IOException {
    Path file = natives.unpack("lib.so", CONTENT);
    Object before = Files.getAttribute(file, "unix:ino");
    assertThat(natives.unpack("lib.so", CONTENT)).isEqualTo(file);
    assertThat(Files.getAttribute(file, "unix:ino")).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a librarz", "a library and more", "half"})
  void unpack_replacesJunk(String junk) throws IOException {
    Path file = natives.unpack("lib.so", CONTENT);
    Files.writeString(file, junk);
    assertThat(natives.unpack("lib.so", CONTENT)).hasBinaryContent(CONTENT);
  }

  @Test
  void unpack_replacesALink_andNotWhatItPointsTo() throws IOException {
    Path file = natives.unpack("lib.so", CONTENT);
    Path other = Files.write(cache.resolve("other"), CONTENT);
    Files.delete(file);
    Files.createSymbolicLink(file, other);
    natives.unpack("lib.so", CONTENT);
    assertThat(Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)).isTrue();
    assertThat(other).hasBinaryContent(CONTENT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "natives", "natives/HASH"})
  void unpack_aFolderThatOthersCanWrite_isRefused(String level) throws IOException {
    Path folder =
        natives
            .unpack("lib.so", CONTENT)
            .getParent()
            .getParent()
            .getParent()
            .resolve(level.replace("HASH", Natives.sha256(CONTENT)));
    for (String wrong : new String[] {"rwxrwx---", "rwx----w-"}) {
      permissions(folder, wrong);
      assertThatThrownBy(() -> natives.unpack("lib.so", CONTENT))
          .isInstanceOf(IOException.class)
          .hasMessage(folder + " can be written by others");
    }
    permissions(folder, "rwxr-xr-x");
    assertThat(natives.unpack("lib.so", CONTENT)).exists();
  }

  @Test
  void unpack_aFolderThatIsALink_isRefused() throws IOException {
    Path real = Files.createDirectories(cache.resolve("real"));
    Files.createSymbolicLink(cache.resolve("downhill"), real);
    assertThatThrownBy(() -> natives.unpack("lib.so", CONTENT))
        .isInstanceOf(IOException.class)
        .hasMessage(cache.resolve("downhill") + " is a symbolic link");
    assertThat(real).isEmptyDirectory();
  }

  @Test
  void unpack_aFolderOfAnotherUser_isRefused() throws IOException {
    natives.unpack("lib.so", CONTENT);
    try {
      Files.setOwner(
          root,
          root.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody"));
    } catch (IOException e) {
      assumeThat(false).as("only root can give a folder away").isTrue();
    }
    assertThatThrownBy(() -> natives.unpack("lib.so", CONTENT))
        .isInstanceOf(IOException.class)
        .hasMessage(root + " belongs to nobody");
  }

  @Test
  void unpack_aFileInThePlaceOfAFolder_isNamed() throws IOException {
    Files.writeString(cache.resolve("downhill"), "");
    assertThatThrownBy(() -> natives.unpack("lib.so", CONTENT))
        .isInstanceOf(IOException.class)
        .hasMessage(cache.resolve("downhill") + " is not a folder");
  }

  @Test
  void unpack_whereNothingCanBeWritten_isNamed() {
    Natives nowhere = Natives.ofUser(Map.of("XDG_CACHE_HOME", "/proc/none"));
    assertThatThrownBy(() -> nowhere.unpack("lib.so", CONTENT))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("/proc/none cannot be made or written: ");
  }

  @Test
  void ofUser_theCacheFolderOfTheHome_unlessAnAbsoluteOneIsNamed() {
    Path home = Path.of("/me/.cache/downhill/natives");
    assertThat(Natives.ofUser(Map.of("HOME", "/me")).root()).isEqualTo(home);
    assertThat(Natives.ofUser(Map.of("HOME", "/me", "XDG_CACHE_HOME", "")).root()).isEqualTo(home);
    assertThat(Natives.ofUser(Map.of("HOME", "/me", "XDG_CACHE_HOME", "a")).root()).isEqualTo(home);
    assertThat(Natives.ofUser(Map.of("HOME", "/me", "XDG_CACHE_HOME", "/c")).root())
        .isEqualTo(Path.of("/c/downhill/natives"));
    assertThat(Natives.ofUser(Map.of()).root())
        .startsWithRaw(Path.of(System.getProperty("user.home")));
  }

  @Test
  void unpack_byManyAtOnce_nobodySeesHalfAFile() throws Exception {
    byte[] content = new byte[3_000_000];
    content[content.length - 1] = 1;
    int many = 8;
    CountDownLatch start = new CountDownLatch(many);
    Callable<byte[]> unpack =
        () -> {
          start.countDown();
          start.await();
          return Files.readAllBytes(natives.unpack("lib.so", content));
        };
    List<Future<byte[]>> results = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(many)) {
      for (int i = 0; i < many; i++) {
        results.add(pool.submit(unpack));
      }
      for (Future<byte[]> result : results) {
        assertThat(result.get()).isEqualTo(content);
      }
    }
    try (var files = Files.list(root.resolve(Natives.sha256(content)))) {
      assertThat(files).hasSize(1);
    }
  }
}

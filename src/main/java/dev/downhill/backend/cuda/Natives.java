package dev.downhill.backend.cuda;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Libraries from jars, as files that only this user can have written: each in a private folder that
 * is named by the SHA-256 of its content, and compared with the content before each use. Several
 * processes may unpack at once: a file appears whole or not at all.
 */
final class Natives {
  private static final Set<PosixFilePermission> PRIVATE =
      PosixFilePermissions.fromString("rwx------");
  private static final Set<PosixFilePermission> OTHERS =
      PosixFilePermissions.fromString("----w--w-");

  private final Path root;

  /**
   * Natives below a folder.
   *
   * @param root made on first use; the folder that it lies in has to be trusted
   */
  Natives(Path root) {
    this.root = root;
  }

  /** The folder of this user: {@code downhill/natives} in the cache folder. */
  static Natives ofUser(Map<String, String> environment) {
    String cache = environment.getOrDefault("XDG_CACHE_HOME", "");
    String home = environment.getOrDefault("HOME", "");
    if (!home.startsWith("/")) {
      home = System.getProperty("user.home");
    }
    // The convention has relative paths ignored.
    Path folder = cache.startsWith("/") ? Path.of(cache) : Path.of(home, ".cache");
    return new Natives(folder.resolve("downhill").resolve("natives").toAbsolutePath());
  }

  /** The folder below which all lies. */
  Path root() {
    return root;
  }

  /**
   * The file with this content.
   *
   * @param name its name, which the one that loads it expects
   * @throws IOException if the folder is not ours alone or cannot be written; names the folder
   */
  Path unpack(String name, byte[] content) throws IOException {
    Path parent = Objects.requireNonNull(root.getParent());
    Path folder = root.resolve(sha256(content));
    Path file = folder.resolve(name);
    try {
      Files.createDirectories(Objects.requireNonNull(parent.getParent()));
      for (Path each : new Path[] {parent, root, folder}) {
        makePrivate(each);
      }
      if (!holds(file, content)) {
        write(folder, file, content);
      }
      return file;
    } catch (FileSystemException e) {
      String reason = Objects.requireNonNullElse(e.getReason(), e.getClass().getSimpleName());
      throw new IOException("%s cannot be made or written: %s".formatted(e.getFile(), reason), e);
    }
  }

  /** The SHA-256 of bytes in hexadecimal digits. */
  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  private static void makePrivate(Path folder) throws IOException {
    try {
      Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PRIVATE));
    } catch (FileAlreadyExistsException e) {
      // Looked at below, as one just made is.
    }
    PosixFileAttributes found =
        Files.readAttributes(folder, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    String wrong = "";
    if (found.isSymbolicLink()) {
      wrong = "is a symbolic link";
    } else if (!found.isDirectory()) {
      wrong = "is not a folder";
    } else if (!found.owner().equals(Files.getOwner(Path.of("/proc/self")))) {
      wrong = "belongs to " + found.owner().getName();
    } else if (found.permissions().stream().anyMatch(OTHERS::contains)) {
      wrong = "can be written by others";
    }
    if (!wrong.isEmpty()) {
      throw new IOException("%s %s".formatted(folder, wrong));
    }
  }

  private static boolean holds(Path file, byte[] content) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        && Files.size(file) == content.length
        && Arrays.equals(Files.readAllBytes(file), content);
  }

  private static void write(Path folder, Path file, byte[] content) throws IOException {
    Path part = Files.createTempFile(folder, "native", ".part");
    try {
      Files.write(part, content);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
  }
}

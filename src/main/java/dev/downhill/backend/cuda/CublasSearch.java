package dev.downhill.backend.cuda;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Looks for cuBLAS 12 or 13 and remembers what became of each file. {@code DOWNHILL_CUBLAS} names
 * the file or its folder, and then nothing else is tried; else the first that can be loaded wins:
 * on the loader's path, in the folders of CUDA, of the distribution, and of Python packages.
 */
final class CublasSearch {
  /** The environment variable that names the library. */
  static final String VARIABLE = "DOWNHILL_CUBLAS";

  /**
   * A cuBLAS that was loaded.
   *
   * @param version 120604 for 12.6.4
   */
  record Cublas(Path file, int version) {
    int major() {
      return version / 10000;
    }

    @Override
    public String toString() {
      return "%s.%s.%s at %s".formatted(major(), version / 100 % 100, version % 100, file);
    }
  }

  /** What became of a file or of a name on the loader's path. */
  record Tried(String path, String outcome) {
    @Override
    public String toString() {
      return path + ": " + outcome;
    }
  }

  /** Loads a library. */
  @FunctionalInterface
  interface Loader {
    /**
     * Loads a library by its path, or by its name on the loader's path.
     *
     * @throws DynamicLibrary.NotLoaded if it is no cuBLAS that will do, and leaves it unloaded
     */
    Cublas load(String name) throws DynamicLibrary.NotLoaded;
  }

  private static final List<String> NAMES = List.of("libcublas.so.12", "libcublas.so.13");

  private final Map<String, String> environment;
  private final Path root;
  private final Loader loader;
  private final List<Tried> tried = new ArrayList<>();

  /**
   * A search.
   *
   * @param root the root of the file system
   */
  CublasSearch(Map<String, String> environment, Path root, Loader loader) {
    this.environment = environment;
    this.root = root;
    this.loader = loader;
  }

  /** What was tried so far, in order. Folders that do not exist are not among it. */
  List<Tried> tried() {
    return List.copyOf(tried);
  }

  /** The first that can be loaded. */
  Optional<Cublas> find() {
    String named = environment.getOrDefault(VARIABLE, "");
    if (!named.isEmpty()) {
      Path path = Path.of(named).toAbsolutePath();
      if (!Files.isDirectory(path)) {
        return load(path.toString());
      }
      Optional<Cublas> found = in(path);
      if (tried.isEmpty()) {
        tried.add(new Tried(path.toString(), "a folder without " + String.join(" or ", NAMES)));
      }
      return found;
    }
    return first(paths("LD_LIBRARY_PATH"))
        .or(() -> NAMES.stream().flatMap(name -> load(name).stream()).findFirst())
        .or(() -> first(folders()));
  }

  private Optional<Cublas> first(Stream<Path> folders) {
    return folders.distinct().flatMap(folder -> in(folder).stream()).findFirst();
  }

  private Optional<Cublas> in(Path folder) {
    for (String name : NAMES) {
      Path file = folder.resolve(name);
      Optional<Cublas> found = Files.exists(file) ? load(file.toString()) : Optional.empty();
      if (found.isPresent()) {
        return found;
      }
    }
    // Not loaded, but told: another version is the usual reason why there seems to be none.
    list(folder, "libcublas.so.*")
        .filter(file -> file.getFileName().toString().matches("libcublas\\.so\\.\\d+"))
        .filter(file -> !NAMES.contains(file.getFileName().toString()))
        .forEach(file -> tried.add(new Tried(file.toString(), "not version 12 or 13")));
    return Optional.empty();
  }

  private Optional<Cublas> load(String name) {
    try {
      Cublas found = loader.load(name);
      tried.add(new Tried(name, "loaded, version " + found));
      return Optional.of(found);
    } catch (DynamicLibrary.NotLoaded e) {
      tried.add(new Tried(name, e.missing ? "not found" : e.getMessage()));
      return Optional.empty();
    }
  }

  private Stream<Path> folders() {
    Stream<Path> cuda =
        Stream.concat(
            Stream.of("CUDA_HOME", "CUDA_PATH").flatMap(this::paths),
            list(root.resolve("usr/local"), "cuda*"));
    return Stream.of(
            cuda.flatMap(
                home ->
                    Stream.concat(
                        Stream.of(home.resolve("lib64")),
                        list(home.resolve("targets"), "*").map(target -> target.resolve("lib")))),
            Stream.of(root.resolve("usr/lib/x86_64-linux-gnu")),
            paths("CONDA_PREFIX").map(prefix -> prefix.resolve("lib")),
            pythons().flatMap(CublasSearch::wheels))
        .flatMap(folders -> folders);
  }

  /** The folders in which Python may have its {@code lib/python3.X}. */
  private Stream<Path> pythons() {
    Stream<Path> onPath =
        paths("PATH")
            .map(folder -> folder.resolve("python3"))
            .filter(Files::isExecutable)
            .limit(1)
            // The link that a virtual environment has for python3 leads out of it.
            .flatMap(python -> Stream.of(python, real(python)))
            .map(python -> python.resolve("../..").normalize());
    return Stream.of(
            paths("VIRTUAL_ENV"),
            paths("CONDA_PREFIX"),
            onPath,
            paths("HOME").map(home -> home.resolve(".local")),
            Stream.of(root.resolve("usr/local"), root.resolve("usr")))
        .flatMap(prefixes -> prefixes);
  }

  private static Stream<Path> wheels(Path prefix) {
    return list(prefix.resolve("lib"), "python3*")
        .flatMap(python -> Stream.of("site-packages", "dist-packages").map(python::resolve))
        .map(packages -> packages.resolve("nvidia"))
        .flatMap(nvidia -> Stream.of("cublas/lib", "cu12/lib", "cu13/lib").map(nvidia::resolve));
  }

  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      return file;
    }
  }

  private Stream<Path> paths(String variable) {
    return Stream.of(environment.getOrDefault(variable, "").split(":"))
        .filter(path -> path.startsWith("/"))
        .map(Path::of);
  }

  /** What is in a folder and matches, by name; nothing if there is no folder. */
  private static Stream<Path> list(Path folder, String glob) {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, glob)) {
      entries.forEach(found::add);
    } catch (IOException | DirectoryIteratorException e) {
      return Stream.empty();
    }
    return found.stream().sorted();
  }
}

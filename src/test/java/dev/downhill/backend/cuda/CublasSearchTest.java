package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CublasSearchTest {
  @TempDir Path temporary;
  private Path root;
  private final Map<String, String> environment = new HashMap<>();
  private CublasSearch search;

  @BeforeEach
  void realRoot() throws IOException {
    root = temporary.toRealPath();
  }

  private Path file(String path) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, "good");
  }

  /** Loads files with the content "good", and no names. */
  private static CublasSearch.Cublas load(String name) throws DynamicLibrary.NotLoaded {
    try {
      if (name.startsWith("/") && Files.readString(Path.of(name)).equals("good")) {
        return new CublasSearch.Cublas(Path.of(name), name.endsWith("13") ? 130100 : 120604);
      }
      throw new DynamicLibrary.NotLoaded("no good", !name.startsWith("/"));
    } catch (IOException e) {
      throw new AssertionError("only what exists is tried by path", e);
    }
  }

  private Optional<Path> find() {
    search = new CublasSearch(environment, root, CublasSearchTest::load);
    return search.find().map(CublasSearch.Cublas::file);
  }

  private String tried() {
    return String.join("\n", search.tried().stream().map(Object::toString).toList());
  }

  @Test
  void nothingThere_namesWereTriedOnTheLoadersPath() {
    assertThat(find()).isEmpty();
    assertThat(tried()).isEqualTo("libcublas.so.12: not found\nlibcublas.so.13: not found");
  }

  @ParameterizedTest
  @CsvSource({
    ", usr/local/cuda-12.4/lib64/libcublas.so.12",
    ", usr/local/cuda/lib64/libcublas.so.13",
    ", usr/local/cuda-13.0/targets/x86_64-linux/lib/libcublas.so.13",
    ", usr/lib/x86_64-linux-gnu/libcublas.so.12",
    ", usr/local/lib/python3.11/dist-packages/nvidia/cublas/lib/libcublas.so.12",
    ", usr/lib/python3/dist-packages/nvidia/cublas/lib/libcublas.so.12",
    "CUDA_HOME=opt/cuda, opt/cuda/lib64/libcublas.so.12",
    "LD_LIBRARY_PATH=libs, libs/libcublas.so.12",
    "VIRTUAL_ENV=venv, venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12",
    "VIRTUAL_ENV=venv, venv/lib/python3.12/site-packages/nvidia/cu12/lib/libcublas.so.12",
    "VIRTUAL_ENV=venv, venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13",
    "CONDA_PREFIX=conda, conda/lib/python3.9/site-packages/nvidia/cublas/lib/libcublas.so.12",
    "CONDA_PREFIX=conda, conda/lib/libcublas.so.12",
    "HOME=me, me/.local/lib/python3.13/site-packages/nvidia/cublas/lib/libcublas.so.12",
  })
  void find_inAUsualPlace(String variable, String path) throws IOException {
    Path file = file(path);
    if (variable != null) {
      assertThat(find()).isEmpty();
      String[] parts = variable.split("=");
      environment.put(parts[0], root.resolve(parts[1]).toString());
    }
    assertThat(find()).contains(file);
    assertThat(tried()).contains("loaded, version 1").contains(file.toString());
  }

  @Test
  void find_besideThePythonOnThePath_whereItsLinkLiesOrLeads() throws IOException {
    Path python = file("real/bin/python3.12");
    assertThat(python.toFile().setExecutable(true)).isTrue();
    Files.createDirectories(root.resolve("venv/bin"));
    Files.createSymbolicLink(root.resolve("venv/bin/python3"), python);
    environment.put("PATH", root.resolve("empty") + ":" + root.resolve("venv/bin"));
    Path far = file("real/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12");
    assertThat(find()).contains(far);
    Path near = file("venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12");
    assertThat(find()).contains(near);
  }

  @Test
  void version12_isPreferredInOneFolder_andAFolderThatIsEarlierBefore() throws IOException {
    file("a/libcublas.so.13");
    Path twelve = file("a/libcublas.so.12");
    file("usr/local/cuda/lib64/libcublas.so.12");
    environment.put("LD_LIBRARY_PATH", root.resolve("a").toString());
    assertThat(find()).contains(twelve);
    Files.delete(twelve);
    assertThat(find()).contains(root.resolve("a/libcublas.so.13"));
  }

  @Test
  void theVariable_namesAFile_orAFolder_andThenNothingElseIsTried() throws IOException {
    Path odd = file("own/my-cublas.so");
    Path usual = file("own/libcublas.so.13");
    file("usr/local/cuda/lib64/libcublas.so.12");
    environment.put("DOWNHILL_CUBLAS", odd.toString());
    assertThat(find()).contains(odd);
    environment.put("DOWNHILL_CUBLAS", odd.getParent().toString());
    assertThat(find()).contains(usual);
    Files.writeString(usual, "junk");
    assertThat(find()).isEmpty();
    assertThat(tried()).isEqualTo(usual + ": no good");
  }

  @Test
  void junk_isToldAndPassedOver() throws IOException {
    Path junk = Files.writeString(file("usr/local/cuda-12.0/lib64/libcublas.so.12"), "junk");
    Path good = file("usr/lib/x86_64-linux-gnu/libcublas.so.12");
    assertThat(find()).contains(good);
    assertThat(tried()).contains(junk + ": no good");
  }

  @Test
  void anotherVersion_isTold_butNotLoaded() throws IOException {
    Path eleven = file("usr/local/cuda-11.8/lib64/libcublas.so.11");
    file("usr/local/cuda-11.8/lib64/libcublas.so.11.11.3.6");
    assertThat(find()).isEmpty();
    assertThat(tried()).endsWith("\n" + eleven + ": not version 12 or 13");
  }
}

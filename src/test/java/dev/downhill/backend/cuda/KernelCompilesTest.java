package dev.downhill.backend.cuda;

import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerCompile;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerCreate;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerDestroy;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetErrorLog;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetErrorLogSize;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetInfoLog;
import static jcuda.nvptxcompiler.JNvPTXCompiler.nvPTXCompilerGetInfoLogSize;
import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.cuda.KernelManifest.Module;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * The compiler of a CUDA 12.0 driver takes the PTX that ships and needs no memory for registers. It
 * comes with JCuda's natives and needs no GPU.
 *
 * <p>To stay within seconds, only one text in {@value #FEW} is compiled for all chips, one in
 * {@value #SOME} and all of f32 for the oldest that they are meant for. Which ones depends on the
 * text, so that they change as kernels change. {@code -Ddownhill.ptx.all=true} compiles everything
 * for all chips; so does ci/kernels, with the newest compiler.
 */
@Isolated("java.io.tmpdir is changed while the compiler is loaded")
class KernelCompilesTest {
  private static final int FEW = 16;
  private static final int SOME = 4;
  private static final List<Integer> CHIPS = List.of(75, 80, 86, 89, 90);
  private static final Pattern SPILLS =
      Pattern.compile("(\\d+) bytes spill stores, (\\d+) bytes spill loads");

  /** One PTX file for one chip. */
  private record Job(Module module, int architecture, int chip) {
    @Override
    public String toString() {
      return module.ptx(architecture) + " for sm_" + chip;
    }
  }

  @TempDir static Path folder;

  /** JCuda unpacks a native library to a fixed name, where another build may be writing it. */
  @BeforeAll
  static void load() {
    String before = Objects.requireNonNull(System.getProperty("java.io.tmpdir"));
    System.setProperty("java.io.tmpdir", folder.toString());
    try {
      JNvPTXCompiler.setExceptionsEnabled(false);
    } finally {
      System.setProperty("java.io.tmpdir", before);
    }
  }

  @Test
  void everyKernelCompilesWithoutSpills() throws IOException {
    List<Job> jobs = new ArrayList<>();
    KernelManifest manifest = KernelManifest.read();
    for (Module module : manifest.modules().values()) {
      for (int architecture : manifest.architectures(module)) {
        for (int chip : chips(module, architecture)) {
          if (chip >= architecture) {
            jobs.add(new Job(module, architecture, chip));
          }
        }
      }
    }
    assertThat(jobs.parallelStream().map(KernelCompilesTest::problem).filter(Objects::nonNull))
        .isEmpty();
  }

  private static List<Integer> chips(Module module, int architecture) throws IOException {
    int draw = KernelManifest.text(module.ptx(architecture)).hashCode();
    if (Boolean.getBoolean("downhill.ptx.all") || Math.floorMod(draw, FEW) == 0) {
      return CHIPS;
    }
    boolean chosen = Math.floorMod(draw, SOME) == 0 || module.name().endsWith("_f32");
    return chosen ? List.of(architecture) : List.of();
  }

  /** What is wrong, or null. */
  private static String problem(Job job) {
    byte[] ptx;
    try {
      ptx = KernelManifest.bytes(job.module.ptx(job.architecture));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    nvPTXCompilerHandle compiler = new nvPTXCompilerHandle();
    nvPTXCompilerCreate(compiler, ptx.length, Arrays.copyOf(ptx, ptx.length + 1));
    try {
      String[] options = {"--gpu-name=sm_" + job.chip, "--verbose"};
      int result = nvPTXCompilerCompile(compiler, options.length, options);
      if (result != nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) {
        return job + ": " + nvPTXCompileResult.stringFor(result) + "\n" + errors(compiler);
      }
      String log = information(compiler);
      List<String> spills =
          SPILLS
              .matcher(log)
              .results()
              .filter(m -> !m.group(1).equals("0") || !m.group(2).equals("0"))
              .map(m -> m.group())
              .toList();
      if (SPILLS.matcher(log).results().count() < job.module.entries().size()) {
        return job + ": the compiler does not say what spills\n" + log;
      }
      return spills.isEmpty() || maySpill(job.module) ? null : job + ": " + spills;
    } finally {
      nvPTXCompilerDestroy(compiler);
    }
  }

  private static boolean maySpill(Module module) {
    try {
      return Files.readString(Path.of("kernels", module.source()))
          .contains("\n// spills allowed: ");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String errors(nvPTXCompilerHandle compiler) {
    long[] size = new long[1];
    nvPTXCompilerGetErrorLogSize(compiler, size);
    byte[] text = new byte[Math.toIntExact(size[0])];
    nvPTXCompilerGetErrorLog(compiler, text);
    return text(text);
  }

  private static String information(nvPTXCompilerHandle compiler) {
    long[] size = new long[1];
    nvPTXCompilerGetInfoLogSize(compiler, size);
    byte[] text = new byte[Math.toIntExact(size[0])];
    nvPTXCompilerGetInfoLog(compiler, text);
    return text(text);
  }

  private static String text(byte[] log) {
    return new String(log, StandardCharsets.US_ASCII).replace("\0", "");
  }
}

package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Binary;
import dev.downhill.backend.Unary;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The same bits with narrower vectors and without the Vector API, each in a process of its own
 * because both are constants of a process.
 */
final class CpuElementwiseBitsTest {
  private static final String MODULE = "--add-modules=jdk.incubator.vector";

  private static final List<String> DIGEST = digest();

  @ParameterizedTest
  @CsvSource({
    MODULE + " -Ddownhill.vector.bits=128, 128-bit vectors",
    MODULE + " -Ddownhill.vector.bits=256, 256-bit vectors",
    MODULE + " -Ddownhill.vector.bits=512, 512-bit vectors",
    "-Dno.module=true, no vectors"
  })
  void bits_areThoseOfThisProcess(String flags, String vectors, @TempDir Path folder)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(Arrays.asList(flags.split(" ")));
    command.addAll(
        List.of(
            "-cp", System.getProperty("java.class.path"), CpuElementwiseBitsTest.class.getName()));
    Path errors = folder.resolve("errors");
    Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
    List<String> output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .toList();
    String messages = Files.readString(errors);
    assertThat(process.waitFor()).as(messages).isZero();
    assertThat(output.getFirst()).endsWith(vectors);
    assertThat(output.subList(1, output.size())).isEqualTo(DIGEST);
    if (flags.startsWith(MODULE)) {
      assertThat(messages).doesNotContain("--add-modules");
    } else {
      // Said once: what is lost, and the flag that brings it back.
      assertThat(messages).containsOnlyOnce("--add-modules jdk.incubator.vector");
    }
  }

  /** Prints how wide the vectors of this process are, and its digest. */
  public static void main(String[] args) {
    System.out.println(new CpuProvider().open(0).describe());
    DIGEST.forEach(System.out::println);
  }

  private static List<String> digest() {
    List<String> lines = new ArrayList<>();
    try (Workers workers = new Workers(2)) {
      CpuElementwise cpu = new CpuElementwise(workers);
      sweep(cpu, lines);
      View x = Elements.set(Elements.zeros(DType.F32, 10, 67), values(1));
      View y = Elements.set(Elements.zeros(DType.F32, 10, 67), values(2));
      View z = Elements.zeros(DType.F32, 10, 67);
      for (Unary op : Unary.values()) {
        if (!op.isPredicate()) {
          cpu.unary(op, x, 0.7, 1.9, z);
          lines.add(op + " " + hash(z));
          cpu.unaryBackward(op, x, y, 0.7, 1.9, z);
          lines.add(op + "' " + hash(z));
        }
      }
      View row = y.with(y.layout().slice(0, 3, 1, 1).expand(Shape.of(10, 67)));
      for (Binary op : Binary.values()) {
        if (!op.isComparison()) {
          cpu.binary(op, x, y, z);
          lines.add(op + " " + hash(z));
          cpu.binary(op, x, row, z);
          lines.add(op + " row " + hash(z));
          cpu.binary(op, 1.1, x, z);
          lines.add(op + " number " + hash(z));
        }
      }
    }
    return lines;
  }

  /** Every function of one number on a million floats. */
  private static void sweep(CpuElementwise cpu, List<String> lines) {
    float[] values = Floats.grid(4);
    View x = Elements.zeros(DType.F32, values.length);
    View y = Elements.zeros(DType.F32, values.length);
    MemorySegment.copy(values, 0, CpuBuffer.segment(x), ValueLayout.JAVA_FLOAT, 0, values.length);
    for (Unary op : Unary.values()) {
      if (!op.isPredicate()) {
        cpu.unary(op, x, 0.7, 1.9, y);
        float[] results = CpuBuffer.segment(y).toArray(ValueLayout.JAVA_FLOAT);
        lines.add(op + " everywhere " + Arrays.hashCode(results));
      }
    }
  }

  /** Many sizes and signs, and the special values. */
  private static double[] values(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] special = {
      0, -0.0, 1e-45, -1e-45, 1e-39, 3.4e38, -3.4e38, Double.NaN, 1 / 0.0, -1 / 0.0, 1, -1, 3, -3
    };
    double[] values = new double[670];
    for (int i = 0; i < values.length; i++) {
      double size = i % 3 == 0 ? Math.scalb(1.0, random.nextInt(-130, 128)) : 8;
      values[i] =
          i % 5 == 4
              ? special[random.nextInt(special.length)]
              : (float) (size * random.nextDouble(-1, 1));
    }
    return values;
  }

  private static int hash(View view) {
    int hash = 0;
    for (double v : Elements.get(view)) {
      hash = hash * 31 + Float.floatToIntBits((float) v);
    }
    return hash;
  }
}

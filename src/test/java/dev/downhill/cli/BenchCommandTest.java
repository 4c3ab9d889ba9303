package dev.downhill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.checkpoint.Safetensors;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** What {@code bench} prints and refuses; how fast it is here is no matter. */
class BenchCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int bench(String... args) {
    CommandLine line =
        new CommandLine(new Downhill())
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true));
    String[] all = new String[args.length + 1];
    all[0] = "bench";
    System.arraycopy(args, 0, all, 1, args.length);
    String threads = System.getProperty("downhill.threads");
    try {
      return Downhill.run(line, all);
    } finally {
      if (threads == null) {
        System.clearProperty("downhill.threads");
      } else {
        System.setProperty("downhill.threads", threads);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --workload=W9                       | 2 | --workload: expected some of W1,W2,W3,W4,W5,W6,W6-4,W7, got 'W9'
          --workload=W1,w2                    | 2 | --workload: expected some of W1,W2,W3,W4,W5,W6,W6-4,W7, got 'w2'
          --kernel=K0                         | 2 | --kernel: expected some of K1,K2,K3,K4,K5,K6,K7, got 'K0'
          --seconds=0                         | 2 | --seconds: expected a number above 0, at most 3600, got 0.0
          --seconds=NaN                       | 2 | --seconds: expected a number above 0, at most 3600, got NaN
          --seconds=soon                      | 2 | --seconds
          --threads=0                         | 2 | --threads: expected 1 to 1024, got 0
          --repeat=0                          | 2 | --repeat: expected 1 to 99, got 0
          --device=gpu                        | 2 | device: expected auto, cpu, cuda
          --workload=W6 --device=cpu          | 4 | W6: needs a GPU with 80 GiB of memory, got cpu:0; leave it out or choose --device cuda
          --workload=W1,W7 --device=cpu       | 4 | W7: needs a GPU with 1 GiB of memory, got cpu:0
          --kernel=K7 --device=cpu            | 4 | K7: needs a GPU with 8 GiB of memory, got cpu:0
          --device=cpu --compare=tensorflow   | 2 | --compare: expected some of pytorch,jax,djl,nd4j, got 'tensorflow'
          --device=cpu --dump=x --kernel=K1   | 2 | --dump: expected workloads alone, got --kernel or --compare beside it
          --threads=0 --seconds=-1            | 2 | --threads: expected 1 to 1024, got 0; --seconds: expected
          """)
  void aWrongWord_isOneSentence(String arguments, int code, String message) {
    assertThat(bench(arguments.split(" "))).isEqualTo(code);
    assertThat(err.toString().strip()).startsWith("downhill: ").contains(message).hasLineCount(1);
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void aPeerThatIsNotBuilt_isToldHow(@TempDir Path home) throws IOException {
    Files.createDirectory(home.resolve("benchmarks"));
    System.setProperty("downhill.home", home.toString());
    try {
      assertThat(bench("--device=cpu", "--workload=W1", "--compare=djl")).isEqualTo(2);
    } finally {
      System.clearProperty("downhill.home");
    }
    assertThat(err.toString().strip())
        .startsWith("downhill: --compare: djl needs " + home.resolve("benchmarks/target/jvm-peers"))
        .endsWith("mvn -f benchmarks -P jvm-peers package")
        .hasLineCount(1);
  }

  private Map<String, Object> onlyLine() {
    assertThat(out.toString().strip()).hasLineCount(1);
    return new JsonMapper().readValue(out.toString(), new TypeReference<>() {});
  }

  @Test
  void aWorkloadIsOneJsonObject() {
    assertThat(bench("--workload=W1", "--device=cpu", "--seconds=0.01", "--json")).isZero();
    Map<String, Object> line = onlyLine();
    assertThat(line.keySet())
        .containsExactly(
            "workload",
            "peer",
            "version",
            "device",
            "threads",
            "steps",
            "median_us",
            "items_per_s",
            "peak_bytes",
            "first_step_ms",
            "wall_s",
            "loss_first",
            "loss_last");
    assertThat(line)
        .containsEntry("workload", "W1")
        .containsEntry("peer", "downhill")
        .containsEntry("device", "cpu:0");
    assertThat((Integer) line.get("steps")).isGreaterThanOrEqualTo(3);
    double micros = ((Number) line.get("median_us")).doubleValue();
    assertThat(((Number) line.get("items_per_s")).doubleValue())
        .isCloseTo(256e6 / micros, Percentage.withPercentage(5));
    assertThat((Double) line.get("loss_last")).isLessThan((Double) line.get("loss_first"));
  }

  @Test
  void aKernelHasALineForEachCase() {
    assertThat(bench("--kernel=K1", "--device=cpu", "--seconds=0.01", "--json")).isZero();
    assertThat(onlyLine())
        .containsEntry("kernel", "K1")
        .containsEntry("case", "adamw 16x1048576")
        .containsKeys("peer", "version", "device", "threads", "steps", "median_us", "gb_per_s");
  }

  @Test
  void aTableHasARowWithoutJson() {
    assertThat(bench("--workload=W1", "--device=cpu", "--seconds=0.01", "--threads=1")).isZero();
    assertThat(out.toString()).contains("GFLOP/s", "us a step", "% floor", "W1 house", "houses/s");
  }

  @Test
  void aDumpHasWeightsBatchesAndLosses(@TempDir Path folder) {
    assertThat(bench("--workload=W1", "--device=cpu", "--dump=" + folder)).isZero();
    Path w1 = folder.resolve("W1");
    assertThat(out.toString().strip()).isEqualTo(w1.toString());
    try (Safetensors weights = Safetensors.open(w1.resolve("weights.safetensors"));
        Safetensors batches = Safetensors.open(w1.resolve("batches.safetensors"));
        Safetensors losses = Safetensors.open(w1.resolve("losses.safetensors"))) {
      assertThat(weights.tensor("0.weight").shape().toArray()).containsExactly(64, 4);
      assertThat(batches.tensor("0.0").shape().toArray()).containsExactly(256, 4);
      assertThat(batches.tensor("7.1").shape().toArray()).containsExactly(256, 1);
      assertThat(losses.tensor("losses").shape().toArray()).containsExactly(50);
    }
  }
}

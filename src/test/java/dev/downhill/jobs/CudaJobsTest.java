package dev.downhill.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.downhill.backend.Device;
import dev.downhill.train.Trainer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The first steps of every job have the CPU's losses on CUDA. */
@Tag("cuda")
class CudaJobsTest {
  @TempDir Path folder;

  private JobResult run(Job job, String device, long steps) {
    Path out = folder.resolve(device.replace(':', '-'));
    JobOptions options =
        new JobOptions(
            Device.of(device), 1, out, false, Map.of(JobOption.STEPS, Long.toString(steps)));
    PrintStream silent = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    return job.run(options, silent, new Trainer.Listener() {});
  }

  @ParameterizedTest
  @ValueSource(strings = {"house-prices", "one-weight"})
  void theFirstSteps_haveTheLossesOfTheCpu(String name) {
    Job job = Job.named(name);
    JobResult cpu = run(job, "cpu", 20);
    JobResult cuda = run(job, "cuda", 20);
    assertThat(cuda.lossFirst()).isCloseTo(cpu.lossFirst(), withinPercentage(1e-3));
    assertThat(cuda.lossLast()).isCloseTo(cpu.lossLast(), withinPercentage(1e-2));
    assertThat(cuda.steps()).isEqualTo(cpu.steps()).isEqualTo(20);
  }
}

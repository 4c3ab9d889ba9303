package dev.downhill.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.downhill.backend.Device;
import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.train.Progress;
import dev.downhill.train.Trainer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The first steps of every job have the CPU's losses on CUDA. */
@Tag("cuda")
@DisabledIfSystemProperty(
    named = "downhill.cuda.large",
    matches = "true",
    disabledReason =
        "with every access checked the jobs take eight minutes, and run no other kernel")
class CudaJobsTest {
  @TempDir Path folder;

  private double[] losses(Job job, String device, int steps) {
    List<Double> losses = new ArrayList<>();
    Path out = folder.resolve(device.replace(':', '-'));
    JobOptions options =
        new JobOptions(
            Device.of(device), 1, out, false, Map.of(JobOption.STEPS, Integer.toString(steps)));
    PrintStream silent = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
    Trainer.Listener listener =
        new Trainer.Listener() {
          @Override
          public int every() {
            return 1;
          }

          @Override
          public void progress(Progress progress) {
            losses.add(progress.loss());
          }
        };
    JobResult result = job.run(options, silent, listener);
    losses.add(result.lossFirst());
    losses.add(result.lossLast());
    return losses.stream().mapToDouble(v -> v).toArray();
  }

  static Stream<String> jobs() {
    return Jobs.ALL.stream().filter(j -> j.takes().contains(JobOption.STEPS)).map(Job::name);
  }

  @ParameterizedTest
  @MethodSource("jobs")
  void theFirstSteps_haveTheLossesOfTheCpu(String name) {
    Job job = Jobs.named(name);
    double[] cpu = losses(job, "cpu", 20);
    double[] cuda = losses(job, "cuda", 20);
    assertThat(cuda).hasSameSizeAs(cpu);
    for (int i = 0; i < cpu.length; i++) {
      assertThat(cuda[i]).as("loss %s", i).isCloseTo(cpu[i], withinPercentage(1e-2));
    }
  }
}

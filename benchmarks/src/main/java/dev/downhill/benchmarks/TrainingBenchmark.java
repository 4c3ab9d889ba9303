package dev.downhill.benchmarks;

import dev.downhill.cli.bench.Subject;
import dev.downhill.cli.bench.Training;
import dev.downhill.cli.bench.Workload;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Whole training steps of the workloads of {@code downhill bench}; see there for what they are.
 *
 * <pre>{@code
 * java -jar benchmarks/target/benchmarks.jar TrainingBenchmark
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "-XX:MaxDirectMemorySize=1t"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class TrainingBenchmark {
  /** Which. */
  @Param({"W1", "W2", "W3", "W4", "W5"})
  public String workload;

  private Training training;
  private long next;

  /** Places the model. */
  @Setup
  public void setup() {
    Workload chosen = Subject.named(Workload.ALL, List.of(workload)).get(0);
    training = chosen.start(Operands.DEVICE);
  }

  /** Forward, loss, backward, optimiser. */
  @Benchmark
  public void step() {
    training.step(next++);
    Operands.DEVICE.synchronize();
  }
}

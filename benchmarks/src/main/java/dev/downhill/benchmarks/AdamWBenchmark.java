package dev.downhill.benchmarks;

import dev.downhill.optim.AdamW;
import dev.downhill.tensor.Tensor;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One step of AdamW on 16 tensors of a million numbers.
 *
 * <pre>{@code
 * java -jar benchmarks/target/benchmarks.jar AdamWBenchmark
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
public class AdamWBenchmark {
  private static final int TENSORS = 16;
  private static final int N = 1 << 20;

  private AdamW adam;

  /** Draws the numbers and makes gradients. */
  @Setup
  public void setup() {
    List<Tensor> parameters =
        Stream.generate(() -> Operands.draw(N).requireGrad()).limit(TENSORS).toList();
    adam = new AdamW(parameters, 1e-3);
    parameters.forEach(p -> p.square().sum().backward());
  }

  /** Reads parameter, gradient and two moments, writes all but the gradient. */
  @Benchmark
  public void step(Traffic traffic) {
    adam.step();
    Operands.DEVICE.synchronize();
    traffic.add(7.0 * Float.BYTES * TENSORS * N);
  }
}

package dev.downhill.benchmarks;

import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Tensor;
import java.util.concurrent.TimeUnit;
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
 * Softmax and cross-entropy of 16,384 rows of 1,024 scores.
 *
 * <pre>{@code
 * java -jar benchmarks/target/benchmarks.jar CrossEntropyBenchmark
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
public class CrossEntropyBenchmark {
  private static final int ROWS = 16_384;
  private static final int CLASSES = 1024;

  private Tensor x;
  private Tensor target;
  private Tensor loss;
  private Tensor one;

  /** Draws the numbers. */
  @Setup
  public void setup() {
    x = Operands.draw(ROWS, CLASSES).requireGrad();
    target = Operands.draw(ROWS, CLASSES).argmax(1, false);
    loss = Loss.crossEntropy(x, target);
    one = Operands.draw();
  }

  /** Reads x. */
  @Benchmark
  public void forward(Traffic traffic) {
    Operands.forward(() -> Loss.crossEntropy(x, target));
    traffic.add((double) Float.BYTES * ROWS * CLASSES);
  }

  /** Reads x, writes dx. */
  @Benchmark
  public void backward(Traffic traffic) {
    Operands.backward(loss, one, x);
    traffic.add(2.0 * Float.BYTES * ROWS * CLASSES);
  }
}

package dev.downhill.benchmarks;

import dev.downhill.shape.Shape;
import dev.downhill.tensor.Normalization;
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
 * Layer normalisation of 65,536 rows of 768 numbers.
 *
 * <pre>{@code
 * java -jar benchmarks/target/benchmarks.jar LayerNormBenchmark
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
public class LayerNormBenchmark {
  private static final int ROWS = 65_536;
  private static final int WIDTH = 768;

  private Tensor x;
  private Tensor weight;
  private Tensor bias;
  private Tensor y;
  private Tensor dy;

  /** Draws the numbers. */
  @Setup
  public void setup() {
    x = Operands.draw(ROWS, WIDTH).requireGrad();
    weight = Operands.draw(WIDTH).requireGrad();
    bias = Operands.draw(WIDTH).requireGrad();
    y = norm();
    dy = Operands.draw(ROWS, WIDTH);
  }

  private Tensor norm() {
    return Normalization.layerNorm(x, Shape.of(WIDTH), weight, bias, 1e-5);
  }

  /** Reads x, writes y. */
  @Benchmark
  public void forward(Traffic traffic) {
    Operands.forward(this::norm);
    traffic.add(2.0 * Float.BYTES * ROWS * WIDTH);
  }

  /** Reads x and dy, writes dx. */
  @Benchmark
  public void backward(Traffic traffic) {
    Operands.backward(y, dy, x, weight, bias);
    traffic.add(3.0 * Float.BYTES * ROWS * WIDTH);
  }
}

package dev.downhill.benchmarks;

import dev.downhill.tensor.Activation;
import dev.downhill.tensor.Tensor;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
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
 * Activation functions on 16M numbers, and their derivatives.
 *
 * <pre>{@code
 * java -jar benchmarks/target/benchmarks.jar ElementwiseBenchmark
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
public class ElementwiseBenchmark {
  private static final int N = 1 << 24;

  /** The function. */
  @Param({"relu", "gelu", "geluTanh", "silu", "tanh", "sigmoid"})
  public String function;

  private UnaryOperator<Tensor> f;
  private Tensor x;
  private Tensor y;
  private Tensor dy;

  /** Draws the numbers. */
  @Setup
  public void setup() {
    f =
        switch (function) {
          case "relu" -> Activation::relu;
          case "gelu" -> Activation::gelu;
          case "geluTanh" -> Activation::geluTanh;
          case "silu" -> Activation::silu;
          case "tanh" -> Tensor::tanh;
          default -> Tensor::sigmoid;
        };
    x = Operands.draw(N).requireGrad();
    y = f.apply(x);
    dy = Operands.draw(N);
  }

  /** y = f(x): reads x, writes y. */
  @Benchmark
  public void forward(Traffic traffic) {
    Operands.forward(() -> f.apply(x));
    traffic.add(2.0 * Float.BYTES * N);
  }

  /** dx = f'(x) dy: reads x or y, and dy, writes dx. */
  @Benchmark
  public void backward(Traffic traffic) {
    Operands.backward(y, dy, x);
    traffic.add(3.0 * Float.BYTES * N);
  }
}

package dev.downhill.benchmarks;

import dev.downhill.tensor.Tensor;
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
 * Products of square matrices, each factor as it lies or transposed.
 *
 * <pre>{@code
 * java -jar benchmarks/target/benchmarks.jar MatmulBenchmark
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
public class MatmulBenchmark {
  /** Rows and columns. */
  @Param({"256", "512", "1024", "2048"})
  public int size;

  /** Which of the factors are transposed views. */
  @Param({"nn", "nt", "tn", "tt"})
  public String transposes;

  private Tensor a;
  private Tensor b;

  /** Draws the numbers. */
  @Setup
  public void setup() {
    a = factor(0);
    b = factor(1);
  }

  private Tensor factor(int i) {
    Tensor x = Operands.draw(size, size);
    return transposes.charAt(i) == 't' ? x.transpose(0, 1) : x;
  }

  /** a b. */
  @Benchmark
  public void product(Arithmetic arithmetic) {
    Operands.forward(() -> a.matmul(b));
    arithmetic.add(2.0 * size * size * size);
  }
}

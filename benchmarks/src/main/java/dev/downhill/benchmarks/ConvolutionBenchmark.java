package dev.downhill.benchmarks;

import dev.downhill.tensor.Convolution;
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
 * Convolutions with 3 x 3 windows and padding 1.
 *
 * <pre>{@code
 * java -jar benchmarks/target/benchmarks.jar ConvolutionBenchmark
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
public class ConvolutionBenchmark {
  private static final Convolution.Options PADDED = Convolution.Options.DEFAULT.withPadding(1);

  /** Images, channels in, channels out, side. */
  @Param({"64,32,64,14", "32,64,64,56"})
  public String sizes;

  private Tensor x;
  private Tensor weight;
  private Tensor ofData;
  private Tensor ofWeight;
  private Tensor dy;
  private double flops;

  /** Draws the numbers. */
  @Setup
  public void setup() {
    String[] s = sizes.split(",");
    long images = Long.parseLong(s[0]);
    long in = Long.parseLong(s[1]);
    long out = Long.parseLong(s[2]);
    long side = Long.parseLong(s[3]);
    flops = 2.0 * 9 * images * in * out * side * side;
    x = Operands.draw(images, in, side, side).requireGrad();
    weight = Operands.draw(out, in, 3, 3).requireGrad();
    ofData = Convolution.conv2d(x, weight.detach(), null, PADDED);
    ofWeight = Convolution.conv2d(x.detach(), weight, null, PADDED);
    dy = Operands.draw(images, out, side, side);
  }

  /** y. */
  @Benchmark
  public void forward(Arithmetic arithmetic) {
    Operands.forward(() -> Convolution.conv2d(x, weight, null, PADDED));
    arithmetic.add(flops);
  }

  /** dx. */
  @Benchmark
  public void data(Arithmetic arithmetic) {
    Operands.backward(ofData, dy, x);
    arithmetic.add(flops);
  }

  /** dweight. */
  @Benchmark
  public void weight(Arithmetic arithmetic) {
    Operands.backward(ofWeight, dy, weight);
    arithmetic.add(flops);
  }
}

package dev.downhill.tensor;

import com.sun.management.ThreadMXBean;
import dev.downhill.backend.Device;
import dev.downhill.nn.Conv2d;
import dev.downhill.nn.Embedding;
import dev.downhill.nn.Flatten;
import dev.downhill.nn.LayerNorm;
import dev.downhill.nn.Linear;
import dev.downhill.nn.MaxPool2d;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;
import dev.downhill.nn.TransformerBlock;
import dev.downhill.optim.Adam;
import dev.downhill.shape.DType;
import java.lang.management.ManagementFactory;

/** What a replayed step allocates on the Java heap, by the JDK's own count for the thread. */
final class ReplayAllocation {
  private static final int RUNS = 500;
  private static final int ROUNDS = 400;
  private static final int BATCH = 5;
  private static final int CLASSES = 3;

  private ReplayAllocation() {}

  /**
   * The fewest bytes that a round of runs allocated, of a network of three layers. Loops that are
   * not compiled yet allocate their vectors; it is over with the first round that allocates
   * nothing.
   */
  static long fewestBytes(Device device) {
    return fewestBytes(
        device,
        new Sequential(new Linear(5, 17), new Relu(), new Linear(17, CLASSES)),
        new Generator(device, 1).normal(DType.F32, BATCH, 5));
  }

  private static long fewestBytes(Device device, Sequential layers, Tensor x) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (x;
        Sequential model = layers.on(device, 7);
        Adam adam = new Adam(model.parameters(), 1e-2);
        Tensor y = Tensor.of(device, new long[] {0, 2, 1, 1, 0}, BATCH);
        Step step =
            Step.of(
                (a, b) -> {
                  Tensor loss = Loss.crossEntropy(model.forward(a), b);
                  adam.zeroGrad();
                  loss.backward();
                  adam.clipGradNorm(0.5);
                  adam.step();
                  return loss;
                })) {
      Tensor[] inputs = {x, y};
      long fewest = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS && fewest > 0; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int run = 0; run < RUNS; run++) {
          step.run(inputs);
        }
        fewest = Math.min(fewest, threads.getCurrentThreadAllocatedBytes() - before);
      }
      return fewest;
    }
  }

  /** Prints the bytes of {@link #fewestBytes} on the CPU. */
  public static void main(String[] args) {
    System.out.println(fewestBytes(Device.of("cpu")));
  }

  /** Of a network that looks at images. */
  static final class Images {
    private Images() {}

    /** Prints the bytes on the CPU. */
    public static void main(String[] args) {
      Device cpu = Device.of("cpu");
      Sequential layers =
          new Sequential(
              new Conv2d(2, 9, 3),
              new Relu(),
              new MaxPool2d(2),
              new Conv2d(9, 5, 3),
              new Relu(),
              new Flatten(),
              new Linear(5 * 5 * 5, CLASSES));
      Tensor x = new Generator(cpu, 1).normal(DType.F32, BATCH, 2, 16, 16);
      System.out.println(fewestBytes(cpu, layers, x));
    }
  }

  /** Of a network that reads. */
  static final class Text {
    private static final int LENGTH = 19;
    private static final int WIDTH = 24;

    private Text() {}

    /** Prints the bytes on the CPU. */
    public static void main(String[] args) {
      Device cpu = Device.of("cpu");
      Sequential layers =
          new Sequential(
              new Embedding(11, WIDTH),
              new TransformerBlock(WIDTH, 2),
              new LayerNorm(WIDTH),
              new Flatten(),
              new Linear(LENGTH * WIDTH, CLASSES));
      long[] tokens = new long[BATCH * LENGTH];
      for (int i = 0; i < tokens.length; i++) {
        tokens[i] = i * i % 11;
      }
      System.out.println(fewestBytes(cpu, layers, Tensor.of(cpu, tokens, BATCH, LENGTH)));
    }
  }
}

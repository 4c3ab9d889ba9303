package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import dev.downhill.checkpoint.Checkpoint;
import dev.downhill.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The beginning of a training as files, from which it can be repeated elsewhere: {@code
 * weights.safetensors} has the initial weights by name, {@code batches.safetensors} tensor {@code
 * 3.0} as the first input of batch 3, {@code losses.safetensors} the first {@code losses}.
 */
public final class Dump {
  private static final int STEPS = 50;

  private Dump() {}

  /**
   * Writes the files of a workload.
   *
   * @param folder gets a folder of the workload's name
   */
  public static void write(Workload workload, Device device, Path folder) {
    workload.check(device);
    Path to = folder.resolve(workload.id());
    try {
      Files.createDirectories(to);
    } catch (IOException e) {
      throw new UncheckedIOException("--dump: cannot make " + to, e);
    }
    Map<String, String> about = Map.of("workload", workload.id(), "by", ProcessFacts.version());
    try (Training training = workload.start(device)) {
      Checkpoint.save(to.resolve("weights.safetensors"), training.model().state(), about);
      Map<String, Tensor> batches = new LinkedHashMap<>();
      for (int i = 0; i < Training.BATCHES; i++) {
        List<Tensor> batch = training.batch(i);
        for (int j = 0; j < batch.size(); j++) {
          batches.put(i + "." + j, batch.get(j));
        }
      }
      Checkpoint.save(to.resolve("batches.safetensors"), batches, about);
      double[] losses = new double[STEPS];
      for (int i = 0; i < STEPS; i++) {
        losses[i] = training.step(i).item();
      }
      try (Tensor all = Tensor.of(Device.cpu(), losses, STEPS)) {
        Checkpoint.save(to.resolve("losses.safetensors"), Map.of("losses", all), about);
      }
    }
  }
}

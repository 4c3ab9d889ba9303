package dev.downhill.jobs;

import dev.downhill.checkpoint.AtomicFile;
import dev.downhill.checkpoint.Checkpoint;
import dev.downhill.checkpoint.CheckpointException;
import dev.downhill.explain.Plot;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.History;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The folder that a run leaves behind. Each file is written whole or not at all. */
public final class RunFolder {
  private static final List<String> FILES =
      List.of("config.json", "metrics.csv", "curve.png", "state.safetensors", "model.safetensors");

  private final Path folder;
  private final List<String> files;

  /**
   * Names the folder, which is made with the first file, so that a run that fails leaves none.
   *
   * @param own the names of the files that only this job writes
   * @throws CheckpointException if it is clear already that it cannot be made
   */
  public RunFolder(Path folder, String... own) {
    this.files = Stream.concat(FILES.stream(), Stream.of(own)).toList();
    this.folder = folder.toAbsolutePath();
    Path there = this.folder;
    while (there != null && !Files.exists(there)) {
      there = there.getParent();
    }
    if (there == null || !Files.isDirectory(there) || !Files.isWritable(there)) {
      throw new CheckpointException(
          "run folder: cannot make %s, expected a writable folder, got %s"
              .formatted(folder, there));
    }
  }

  /**
   * The {@code config.json} of a run folder.
   *
   * @throws CheckpointException if there is none, or it is no JSON object
   */
  public static JsonNode config(Path folder) {
    Path file = folder.resolve("config.json");
    try {
      JsonNode config = JsonMapper.builder().build().readTree(Files.readString(file));
      if (config.isObject() && config.has("job")) {
        return config;
      }
    } catch (IOException | JacksonException e) {
      throw new CheckpointException(
          "run folder: expected a run with config.json in %s, got %s".formatted(folder, e), e);
    }
    throw new CheckpointException("run folder: expected the name of a job in " + file);
  }

  /** {@code state.safetensors}: where a run can go on. */
  public Path state() {
    return file("state.safetensors");
  }

  /** Removes what an earlier run left under the names used here; other files stay. */
  public void clear() {
    try {
      for (String name : files) {
        Files.deleteIfExists(folder.resolve(name));
      }
    } catch (IOException e) {
      throw new CheckpointException("run folder: cannot replace %s: %s".formatted(folder, e), e);
    }
  }

  /** {@code config.json}: what the run was asked to do. */
  public void config(Map<String, Object> config) {
    JsonMapper json = JsonMapper.builder().build();
    write("config.json", json.writerWithDefaultPrettyPrinter().writeValueAsString(config) + "\n");
  }

  /**
   * {@code metrics.csv}: one line per epoch; and {@code curve.png}: its losses as a picture.
   *
   * @param loss what the loss is, for the picture
   * @param metric the name of the history's metric
   * @param scale what the metric is multiplied by
   * @param title of the picture
   */
  public void metrics(History history, String loss, String metric, double scale, String title) {
    StringBuilder csv =
        new StringBuilder("epoch,step,learning_rate,loss,validation_loss," + metric + ",seconds\n");
    int n = history.epochs().size();
    double[] epoch = new double[n];
    double[] training = new double[n];
    double[] validation = new double[n];
    for (int i = 0; i < n; i++) {
      History.Epoch e = history.epochs().get(i);
      epoch[i] = e.epoch();
      training[i] = e.loss();
      validation[i] = e.validationLoss();
      csv.append(
          String.format(
              Locale.ROOT,
              "%d,%d,%s,%s,%s,%s,%.3f%n",
              e.epoch(),
              e.step(),
              e.rate(),
              e.loss(),
              e.validationLoss(),
              e.metric() * scale,
              e.seconds()));
    }
    write("metrics.csv", csv.toString());
    picture(
        "curve.png",
        new Plot(title, "epoch", "loss (" + loss + ")")
            .logarithmic()
            .line("training", epoch, training)
            .line("validation", epoch, validation));
  }

  /** A PNG of plots side by side. */
  public void picture(String name, Plot... plots) {
    picture(name, Plot.png(plots));
  }

  /** A PNG file. */
  public void picture(String name, byte[] png) {
    AtomicFile.write(file(name), out -> out.write(png));
  }

  /** {@code model.safetensors}: weights, and text such as the normaliser. */
  public void model(Map<String, Tensor> state, Map<String, String> metadata) {
    Checkpoint.save(file("model.safetensors"), state, metadata);
  }

  /** A file of text. */
  public void write(String name, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    AtomicFile.write(file(name), out -> out.write(bytes));
  }

  private Path file(String name) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new CheckpointException("run folder: cannot make %s: %s".formatted(folder, e), e);
    }
    return folder.resolve(name);
  }
}

package dev.downhill.train;

import dev.downhill.checkpoint.Checkpoint;
import dev.downhill.checkpoint.CheckpointException;
import dev.downhill.checkpoint.Safetensors;
import dev.downhill.nn.Layer;
import dev.downhill.optim.Optimizer;
import dev.downhill.optim.Scheduler;
import dev.downhill.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * All that a run needs to go on after an epoch as if it had never stopped, in one safetensors file:
 * parameters, the optimiser's state and rates, the positions of random streams, and what was
 * measured. The order of examples needs no state: it follows from seed and epoch.
 */
final class RunState {
  private static final String FORMAT = "1";

  private final Layer model;
  private final Optimizer optimizer;
  private final @Nullable Scheduler scheduler;

  RunState(Layer model, Optimizer optimizer, @Nullable Scheduler scheduler) {
    this.model = model;
    this.optimizer = optimizer;
    this.scheduler = scheduler;
  }

  void save(Path file, History history) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    model.state().forEach((name, t) -> tensors.put("model." + name, t));
    optimizer.state().forEach((name, t) -> tensors.put("optimizer." + name, t));
    Map<String, String> text = new TreeMap<>();
    text.put("format", FORMAT);
    text.put("loss_first", Double.toString(history.lossFirst()));
    List<Double> rates = optimizer.rates();
    for (int g = 0; g < rates.size(); g++) {
      text.put("rate." + g, Double.toString(rates.get(g)));
    }
    if (scheduler != null) {
      text.put("scheduler", Long.toString(scheduler.steps()));
    }
    model.generators().forEach((path, g) -> text.put("generator." + path, "" + g.position()));
    for (History.Epoch e : history.epochs()) {
      text.put(
          "epoch." + e.epoch(),
          String.join(
              " ",
              Long.toString(e.step()),
              Double.toString(e.rate()),
              Double.toString(e.loss()),
              Double.toString(e.validationLoss()),
              Double.toString(e.metric()),
              Double.toString(e.seconds())));
    }
    Checkpoint.save(file, tensors, text);
  }

  /**
   * Puts everything back.
   *
   * @return what was measured before
   * @throws CheckpointException if the file cannot be read or is of another format
   * @throws IllegalArgumentException if it belongs to another model or optimiser
   */
  History load(Path file) {
    Map<String, String> text;
    try (Safetensors source = Safetensors.open(file)) {
      text = source.metadata();
    }
    if (!FORMAT.equals(text.get("format"))) {
      throw new CheckpointException(
          "%s: expected a run state of format %s, got %s"
              .formatted(file, FORMAT, text.get("format")));
    }
    try {
      Map<String, Tensor> tensors = Checkpoint.load(file, optimizer.parameters().get(0).device());
      model.load(part(tensors, "model."));
      List<Double> rates = new ArrayList<>();
      for (int g = 0; g < optimizer.groups(); g++) {
        rates.add(Double.valueOf(value(text, "rate." + g)));
      }
      optimizer.load(part(tensors, "optimizer."), rates);
      if (scheduler != null) {
        scheduler.seek(Long.parseLong(value(text, "scheduler")));
      }
      model
          .generators()
          .forEach((path, g) -> g.seek(Long.parseLong(value(text, "generator." + path))));
      tensors.values().forEach(Tensor::close);
      return history(text);
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      throw new CheckpointException("%s: damaged run state: %s".formatted(file, e), e);
    }
  }

  private static History history(Map<String, String> text) {
    List<History.Epoch> epochs = new ArrayList<>();
    for (int n = 1; text.containsKey("epoch." + n); n++) {
      String[] v = value(text, "epoch." + n).split(" ", -1);
      epochs.add(
          new History.Epoch(
              n,
              Long.parseLong(v[0]),
              Double.parseDouble(v[1]),
              Double.parseDouble(v[2]),
              Double.parseDouble(v[3]),
              Double.parseDouble(v[4]),
              Double.parseDouble(v[5])));
    }
    return new History(Double.parseDouble(value(text, "loss_first")), epochs);
  }

  private static Map<String, Tensor> part(Map<String, Tensor> all, String prefix) {
    Map<String, Tensor> part = new LinkedHashMap<>();
    all.forEach(
        (name, t) -> {
          if (name.startsWith(prefix)) {
            part.put(name.substring(prefix.length()), t);
          }
        });
    return part;
  }

  private static String value(Map<String, String> text, String key) {
    String value = text.get(key);
    if (value == null) {
      throw new CheckpointException("run state: expected an entry '%s', got none".formatted(key));
    }
    return value;
  }
}

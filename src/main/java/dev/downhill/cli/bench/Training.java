package dev.downhill.cli.bench;

import dev.downhill.nn.Module;
import dev.downhill.optim.Optimizer;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;

/** A model in training on a few batches that come round again and again. */
public final class Training implements AutoCloseable {
  /** How many batches there are; each is made when it is first used. */
  public static final int BATCHES = 8;

  private final Module model;
  private final Optimizer optimizer;
  private final IntFunction<List<Tensor>> data;
  private final List<Tensor[]> batches = new ArrayList<>();
  private final Step step;

  /**
   * A training that has not begun.
   *
   * @param model placed on a device
   * @param optimizer of its parameters
   * @param loss of a batch
   * @param data the batch of each number below {@link #BATCHES}
   */
  Training(
      Module model,
      Optimizer optimizer,
      Function<List<Tensor>, Tensor> loss,
      IntFunction<List<Tensor>> data) {
    this.model = model;
    this.optimizer = optimizer;
    this.data = data;
    this.step =
        Step.ofList(
            batch -> {
              Tensor value = loss.apply(batch);
              optimizer.zeroGrad();
              value.backward();
              optimizer.step();
              return value;
            });
  }

  /** The model. */
  public Module model() {
    return model;
  }

  /** The batch of step {@code i}. */
  public List<Tensor> batch(long i) {
    return List.of(at(i));
  }

  private Tensor[] at(long i) {
    int number = (int) (i % BATCHES);
    while (batches.size() <= number) {
      try (Scope scope = Scope.open()) {
        List<Tensor> made = data.apply(batches.size());
        made.forEach(scope::keep);
        batches.add(made.toArray(Tensor[]::new));
      }
    }
    return batches.get(number);
  }

  /** Does step {@code i} and returns its loss, which is valid until the next step. */
  public Tensor step(long i) {
    return step.run(at(i));
  }

  @Override
  public void close() {
    step.close();
    optimizer.close();
    model.close();
    batches.forEach(batch -> List.of(batch).forEach(Tensor::close));
  }
}

package dev.downhill.benchmarks.peers;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.ArrayList;
import java.util.List;

/** DJL, with PyTorch below it, on the processor. */
final class DjlTraining implements PeerTraining {
  private record Batch(NDList x, NDList y) {}

  private final NDManager manager;
  private final List<Batch> batches = new ArrayList<>();
  private final Loss criterion;
  private final Trainer trainer;
  private NDArray loss;

  /** A workload's training that has not begun. */
  DjlTraining(String workload, Start start, int threads) {
    System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(threads));
    manager = NDManager.newBaseManager(Device.cpu());
    loss = manager.create(Float.NaN);
    SequentialBlock block = block(workload);
    criterion = workload.equals("W1") ? Loss.l2Loss("mse", 1) : Loss.softmaxCrossEntropyLoss();
    Model model = Model.newInstance(workload, Device.cpu());
    model.setBlock(block);
    trainer =
        model.newTrainer(
            new DefaultTrainingConfig(criterion)
                .optOptimizer(optimizer(workload))
                .optDevices(new Device[] {Device.cpu()}));
    for (Start.Batch batch : start.batches()) {
      batches.add(new Batch(new NDList(array(batch.x())), new NDList(array(batch.y()))));
    }
    trainer.initialize(batches.get(0).x().head().getShape());
    List<Block> layers = block.getChildren().values();
    for (int i = 0; i < layers.size(); i++) {
      String prefix = i + ".";
      layers
          .get(i)
          .getDirectParameters()
          .forEach(
              p -> p.getValue().getArray().set(start.weights().get(prefix + p.getKey()).floats()));
    }
  }

  private static SequentialBlock block(String workload) {
    SequentialBlock block = new SequentialBlock();
    switch (workload) {
      case "W1" -> linear(block, 64, 64, 1);
      case "W2" -> linear(block, 512, 256, 10);
      default -> {
        for (int filters : new int[] {32, 64}) {
          block
              .add(
                  Conv2d.builder()
                      .setKernelShape(new Shape(3, 3))
                      .optPadding(new Shape(1, 1))
                      .setFilters(filters)
                      .build())
              .add(Activation.reluBlock())
              .add(Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2)));
        }
        linear(block.add(Blocks.batchFlattenBlock()), 128, 10);
      }
    }
    return block;
  }

  private static void linear(SequentialBlock block, int... units) {
    for (int i = 0; i < units.length; i++) {
      if (i > 0) {
        block.add(Activation.reluBlock());
      }
      block.add(Linear.builder().setUnits(units[i]).build());
    }
  }

  private static Optimizer optimizer(String workload) {
    return workload.equals("W3")
        ? Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.01f)).optMomentum(0.9f).build()
        : Optimizer.adam().optLearningRateTracker(Tracker.fixed(1e-3f)).build();
  }

  private NDArray array(Start.Values values) {
    Shape shape = new Shape(values.shape());
    return values.array() instanceof long[] classes
        ? manager.create(classes, shape)
        : manager.create(values.floats(), shape);
  }

  @Override
  public String version() {
    return "%s with PyTorch %s"
        .formatted(Engine.getDjlVersion(), Engine.getEngine("PyTorch").getVersion());
  }

  @Override
  public void step(int batch) {
    Batch now = batches.get(batch);
    // A result belongs to the manager of the operator's first input; this one ends with the step.
    try (NDManager inStep = manager.newSubManager()) {
      now.x().tempAttach(inStep);
      now.y().tempAttach(inStep);
      try (GradientCollector gradients = trainer.newGradientCollector()) {
        loss.close();
        loss = criterion.evaluate(now.y(), trainer.forward(now.x()));
        gradients.backward(loss);
        loss.attach(manager);
      }
      trainer.step();
    }
  }

  @Override
  public double loss() {
    return loss.getFloat();
  }
}

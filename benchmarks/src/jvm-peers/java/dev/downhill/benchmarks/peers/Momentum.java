package dev.downhill.benchmarks.peers;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Gradient descent with plain momentum, of which DL4J has only Nesterov's variant: v = momentum v +
 * g, w = w - rate v.
 *
 * @param rate of learning
 * @param momentum what is left of the velocity in the next step
 */
record Momentum(double rate, double momentum) implements IUpdater {
  @Override
  public long stateSize(long parameters) {
    return parameters;
  }

  @Override
  public GradientUpdater<Momentum> instantiate(INDArray state, boolean clear) {
    if (clear) {
      state.assign(0);
    }
    return new Velocity(this, state);
  }

  @Override
  public GradientUpdater<Momentum> instantiate(Map<String, INDArray> state, boolean clear) {
    return instantiate(state.get("v"), clear);
  }

  @Override
  public IUpdater clone() {
    return this;
  }

  @Override
  public double getLearningRate(int iteration, int epoch) {
    return rate;
  }

  @Override
  public boolean hasLearningRate() {
    return true;
  }

  @Override
  public void setLrAndSchedule(double changed, ISchedule schedule) {
    throw new UnsupportedOperationException("a fixed rate");
  }

  private static final class Velocity implements GradientUpdater<Momentum> {
    private final Momentum config;
    private INDArray v;

    Velocity(Momentum config, INDArray v) {
      this.config = config;
      this.v = v;
    }

    @Override
    public Momentum getConfig() {
      return config;
    }

    @Override
    public Map<String, INDArray> getState() {
      return Map.of("v", v);
    }

    @Override
    public void setState(Map<String, INDArray> state, boolean clear) {
      v = state.get("v");
      if (clear) {
        v.assign(0);
      }
    }

    @Override
    public void setStateViewArray(INDArray state, long[] shape, char order, boolean clear) {
      setState(Map.of("v", state.reshape(order, shape)), clear);
    }

    @Override
    public void applyUpdater(INDArray gradient, int iteration, int epoch) {
      v.muli(config.momentum).addi(gradient);
      gradient.assign(v).muli(config.rate);
    }
  }
}

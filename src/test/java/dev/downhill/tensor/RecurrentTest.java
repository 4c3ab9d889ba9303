package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Recurrent.Options;
import dev.downhill.tensor.Recurrent.Weights;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class RecurrentTest {
  private static final Device DEVICE = Device.cpu();
  private static final Options TIME_FIRST = Options.DEFAULT;
  private static final Options BATCH_FIRST = TIME_FIRST.withBatchFirst(true);

  private static Tensor doubles(double[] values, long... sizes) {
    return Tensor.of(DEVICE, values, sizes);
  }

  private static Tensor ones(long... sizes) {
    return Tensor.ones(DEVICE, DType.F64, sizes);
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** Weights that are all different: 0.1, 0.2, ... */
  private static Weights weights(int gates, long in, long hidden) {
    long rows = gates * hidden;
    return new Weights(some(rows, in), some(rows, hidden).neg(), some(rows), some(rows).div(-2));
  }

  private static Tensor some(long... sizes) {
    Shape shape = Shape.of(sizes);
    return Tensor.arange(DEVICE, DType.F64, shape.numel()).add(1).mul(0.1).reshape(sizes);
  }

  @Test
  void lstmOfOneStateByHand() {
    double[] wi = {0.1, 0.2, 0.3, 0.4};
    double[] x = {1, -2};
    double h = 0.5;
    double c = -0.25;
    double[] expected = new double[2];
    for (int t = 0; t < 2; t++) {
      double[] a = new double[4];
      for (int k = 0; k < 4; k++) {
        a[k] = wi[k] * x[t] + wi[k] - wi[k] * h - wi[k] / 2;
      }
      c = sigmoid(a[1]) * c + sigmoid(a[0]) * Math.tanh(a[2]);
      h = sigmoid(a[3]) * Math.tanh(c);
      expected[t] = h;
    }
    Options from =
        TIME_FIRST
            .withState(doubles(new double[] {0.5}, 1, 1, 1))
            .withCell(doubles(new double[] {-0.25}, 1, 1, 1));
    Recurrent.LstmResult y = Recurrent.lstm(doubles(x, 2, 1, 1), weights(4, 1, 1), from);
    assertThat(y.output().toDoubles()).containsExactly(expected, within(1e-15));
    assertThat(y.h().item()).isCloseTo(h, within(1e-15));
    assertThat(y.c().item()).isCloseTo(c, within(1e-15));
    assertThat(y.c().shape()).isEqualTo(Shape.of(1, 1, 1));
  }

  @Test
  void gruOfOneStateByHand() {
    double[] wi = {0.1, 0.2, 0.3};
    double[] x = {1, -2};
    double h = 0.5;
    double[] expected = new double[2];
    for (int t = 0; t < 2; t++) {
      double[] in = new double[3];
      double[] state = new double[3];
      for (int k = 0; k < 3; k++) {
        in[k] = wi[k] * x[t] + wi[k];
        state[k] = -wi[k] * h - wi[k] / 2;
      }
      double r = sigmoid(in[0] + state[0]);
      double z = sigmoid(in[1] + state[1]);
      double n = Math.tanh(in[2] + r * state[2]);
      h = (1 - z) * n + z * h;
      expected[t] = h;
    }
    Options from = TIME_FIRST.withState(doubles(new double[] {0.5}, 1, 1, 1));
    Recurrent.GruResult y = Recurrent.gru(doubles(x, 2, 1, 1), weights(3, 1, 1), from);
    assertThat(y.output().toDoubles()).containsExactly(expected, within(1e-15));
    assertThat(y.h().item()).isCloseTo(h, within(1e-15));
  }

  @Test
  void theBatchMayComeFirst() {
    Tensor x = some(3, 2, 4).sub(1);
    Weights lstm = weights(4, 4, 3);
    Tensor swapped = x.transpose(0, 1);
    Recurrent.LstmResult a = Recurrent.lstm(x, lstm, TIME_FIRST);
    Recurrent.LstmResult b = Recurrent.lstm(swapped, lstm, BATCH_FIRST);
    assertThat(a.output().shape()).isEqualTo(Shape.of(3, 2, 3));
    assertThat(b.output().shape()).isEqualTo(Shape.of(2, 3, 3));
    assertThat(b.output().transpose(0, 1).toDoubles()).isEqualTo(a.output().toDoubles());
    assertThat(b.h().shape()).isEqualTo(Shape.of(1, 2, 3));
    assertThat(b.h().toDoubles())
        .isEqualTo(a.h().toDoubles())
        .isEqualTo(a.output().select(0, -1).toDoubles());
    assertThat(b.c().toDoubles()).isEqualTo(a.c().toDoubles());
    Weights gru = weights(3, 4, 3);
    Recurrent.GruResult g = Recurrent.gru(x, gru, TIME_FIRST);
    assertThat(Recurrent.gru(swapped, gru, BATCH_FIRST).output().transpose(0, 1).toDoubles())
        .isEqualTo(g.output().toDoubles());
  }

  @Test
  void twoRunsAreOneRunWhenTheStateIsHandedOn() {
    Tensor x = some(4, 2, 3).sub(1);
    Weights w = weights(4, 3, 2);
    Recurrent.LstmResult whole = Recurrent.lstm(x, w, TIME_FIRST);
    Recurrent.LstmResult first = Recurrent.lstm(x.narrow(0, 0, 1), w, TIME_FIRST);
    Recurrent.LstmResult rest =
        Recurrent.lstm(x.narrow(0, 1, 3), w, TIME_FIRST.withState(first.h()).withCell(first.c()));
    assertThat(rest.h().toDoubles()).containsExactly(whole.h().toDoubles(), within(1e-15));
    assertThat(rest.c().toDoubles()).containsExactly(whole.c().toDoubles(), within(1e-15));
  }

  @Test
  void anyOfTheBiasesAndStatesMayBeMissing() {
    Tensor x = some(2, 1, 2);
    Tensor wi = some(4, 2);
    Tensor wh = some(4, 1);
    Tensor none = Tensor.zeros(DEVICE, DType.F64, 4);
    Tensor state = Tensor.zeros(DEVICE, DType.F64, 1, 1, 1);
    double[] expected =
        Recurrent.lstm(
                x, new Weights(wi, wh, none, none), TIME_FIRST.withState(state).withCell(state))
            .output()
            .toDoubles();
    for (Weights w :
        new Weights[] {
          new Weights(wi, wh), new Weights(wi, wh, none, null), new Weights(wi, wh, null, none)
        }) {
      assertThat(Recurrent.lstm(x, w, TIME_FIRST).output().toDoubles()).isEqualTo(expected);
      assertThat(Recurrent.lstm(x, w, TIME_FIRST.withCell(state)).output().toDoubles())
          .isEqualTo(expected);
    }
  }

  @Test
  void anEmptyBatch() {
    Tensor x = Tensor.zeros(DEVICE, DType.F64, 3, 0, 2).requireGrad();
    Recurrent.LstmResult y = Recurrent.lstm(x, weights(4, 2, 5), TIME_FIRST);
    assertThat(y.output().shape()).isEqualTo(Shape.of(3, 0, 5));
    assertThat(y.c().shape()).isEqualTo(Shape.of(1, 0, 5));
    y.output().sum().backward();
    assertThat(Recurrent.gru(x, weights(3, 2, 5), TIME_FIRST).h().shape())
        .isEqualTo(Shape.of(1, 0, 5));
  }

  private static Refusals refusals(String op, int gates, Run run) {
    Tensor x = ones(5, 2, 3);
    Weights w = weights(gates, 3, 4);
    long rows = gates * 4L;
    Tensor h = ones(1, 2, 4);
    return new Refusals()
        .add(op, "three dimensions", () -> run.on(ones(5, 3), w, TIME_FIRST))
        .add(
            op, "three dimensions", () -> run.on(x, with(ones(rows), w.hidden(), null), TIME_FIRST))
        .add(op, "three dimensions", () -> run.on(x, with(w.input(), ones(rows), null), TIME_FIRST))
        .add(op, "I = 2", () -> run.on(ones(5, 2, 2), w, TIME_FIRST))
        .add(op, "I = 3", () -> run.on(x, with(ones(rows + 1, 3), w.hidden(), null), TIME_FIRST))
        .add(op, "H, H)", () -> run.on(x, with(w.input(), ones(rows, 3), null), TIME_FIRST))
        .add(op, "biases", () -> run.on(x, with(w.input(), w.hidden(), ones(4)), TIME_FIRST))
        .add(op, "one step or more", () -> run.on(x.narrow(0, 0, 0), w, TIME_FIRST))
        .add(op, "one step or more", () -> run.on(x.narrow(1, 0, 0), w, BATCH_FIRST))
        .add(op, "states of shape (1, 2, 4)", () -> run.on(x, w, TIME_FIRST.withState(ones(2, 4))))
        .add(op, "states of shape (1, 5, 4)", () -> run.on(x, w, BATCH_FIRST.withState(h)))
        .add(op, "dtypes differ", () -> run.on(x.to(DType.F32), w, TIME_FIRST))
        .add(op, "dtypes differ", () -> run.on(x, w, TIME_FIRST.withState(h.to(DType.F32))));
  }

  private static Weights with(Tensor input, Tensor hidden, @Nullable Tensor bias) {
    return new Weights(input, hidden, bias, null);
  }

  private interface Run {
    void on(Tensor x, Weights w, Options options);
  }

  @TestFactory
  Stream<DynamicTest> illFormedCallsAreRefused() {
    Tensor h = ones(1, 2, 4);
    Tensor x = ones(5, 2, 3);
    return Stream.concat(
        refusals("lstm", 4, Recurrent::lstm)
            .add(
                "lstm",
                "states",
                () -> Recurrent.lstm(x, weights(4, 3, 4), TIME_FIRST.withCell(ones(1))))
            .stream(),
        refusals("gru", 3, Recurrent::gru)
            .add("gru", "no cell", () -> Recurrent.gru(x, weights(3, 3, 4), TIME_FIRST.withCell(h)))
            .stream());
  }
}

package dev.downhill.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.explain.BlameTable.Severity;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Adam;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

class BlameTableTest {
  private final Device device = Device.cpu();

  /**
   * Signals -0.74, -0.21, -0.68 and -0.08 of one unit share the blame as 43.3, 12.3, 39.8, 4.7 %.
   */
  @Test
  void shares_ofOneUnit() {
    try (Tensor weight = Tensor.of(device, new float[] {0.1f, 0.2f, 0.3f, 0.4f}, 1, 4)) {
      weight.requireGrad();
      weight
          .mul(Tensor.of(device, new float[] {-0.74f, -0.21f, -0.68f, -0.08f}, 1, 4))
          .sum()
          .backward();
      BlameTable table = BlameTable.of(weight, List.of("size", "rooms", "distance", "age"));
      double[] shares = {0.433, 0.123, 0.398, 0.047};
      double[] signals = {-0.74, -0.21, -0.68, -0.08};
      for (int i = 0; i < 4; i++) {
        assertThat(table.rows().get(i).share()).isCloseTo(shares[i], within(5e-4));
        assertThat(table.rows().get(i).signal()).isCloseTo(signals[i], within(1e-6));
        assertThat(table.rows().get(i).weight()).isCloseTo(0.1 * (i + 1), within(1e-6));
      }
      assertThat(table.rows())
          .extracting(BlameTable.Row::severity)
          .containsExactly(Severity.HIGH, Severity.LOW, Severity.HIGH, Severity.NONE);
      assertThat(table.toString()).contains("43.3 %", "way off", "slightly off", "close", "25.0 %");
    }
  }

  @Test
  void everyCell_followsFromTheGradient_andTheNudgesFromTheStep() {
    try (Sequential model =
            new Sequential(new Linear(3, 7), new Relu(), new Linear(7, 1)).on(device, 3);
        Adam adam = new Adam(model.parameters(), 0.01)) {
      Tensor x = Tensor.of(device, new float[] {1, -2, 0.5f, 0.3f, 4, -1}, 2, 3);
      Tensor y = Tensor.of(device, new float[] {1, -1}, 2, 1);
      Loss.mse(model.forward(x), y).backward();
      Tensor weight = model.parameters().get(0);
      BlameTable blame = BlameTable.of(weight, List.of("a", "b", "c"));
      double[] w = weight.detach().toDoubles();
      double[] g = java.util.Objects.requireNonNull(weight.grad()).toDoubles();
      double total = 0;
      for (double v : g) {
        total += Math.abs(v);
      }
      for (int i = 0; i < 3; i++) {
        BlameTable.Row row = blame.rows().get(i);
        double sum = 0;
        double largest = 0;
        for (int unit = 0; unit < 7; unit++) {
          sum += Math.abs(g[unit * 3 + i]);
          largest = Math.max(largest, Math.abs(g[unit * 3 + i]));
        }
        assertThat(row.share()).isCloseTo(sum / total, within(1e-12));
        assertThat(Math.abs(row.signal())).isEqualTo(largest);
        assertThat(row.signal()).isEqualTo(g[row.unit() * 3 + i]);
        assertThat(row.weight()).isEqualTo(w[row.unit() * 3 + i]);
        assertThat(row.severity()).isEqualTo(Severity.of(sum / total, 3));
      }

      adam.step();
      NudgeTable nudges = NudgeTable.of(blame, weight);
      double[] after = weight.detach().toDoubles();
      for (int i = 0; i < 3; i++) {
        NudgeTable.Row row = nudges.rows().get(i);
        int unit = blame.rows().get(i).unit();
        assertThat(row.before()).isEqualTo(w[unit * 3 + i]);
        assertThat(row.after()).isEqualTo(after[unit * 3 + i]);
        assertThat(row.nudge()).isEqualTo(row.after() - row.before());
        // Against the signal.
        assertThat(row.nudge() * blame.rows().get(i).signal()).isNegative();
      }
    }
  }

  @Test
  void bands() {
    assertThat(Severity.of(0.3125, 4)).isEqualTo(Severity.HIGH);
    assertThat(Severity.of(0.3124, 4)).isEqualTo(Severity.MEDIUM);
    assertThat(Severity.of(0.1875, 4)).isEqualTo(Severity.MEDIUM);
    assertThat(Severity.of(0.0625, 4)).isEqualTo(Severity.LOW);
    assertThat(Severity.of(0.0624, 4)).isEqualTo(Severity.NONE);
    assertThat(Severity.of(1, 1)).isEqualTo(Severity.MEDIUM);
  }

  @Test
  void withoutGradient_orWithWrongNames_isRefused() {
    try (Tensor weight = Tensor.zeros(device, dev.downhill.shape.DType.F32, 2, 3)) {
      weight.requireGrad();
      assertThatThrownBy(() -> BlameTable.of(weight, List.of("a", "b", "c")))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("call backward first");
      weight.sum().backward();
      assertThatThrownBy(() -> BlameTable.of(weight, List.of("a")))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "blame: expected a weight (units, inputs) with a name for each input, got shape (2,"
                  + " 3) and 1 names");
    }
  }
}

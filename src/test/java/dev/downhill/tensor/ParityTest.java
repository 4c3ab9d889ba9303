package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The comparison of devices notices one wrong number. */
final class ParityTest {
  private static final Device ONE = Device.of("cpu:45");
  private static final Device OTHER = Device.of("cpu:46");
  private static final int TAMPERED = 100;

  @Test
  void oneChangedElementFailsExactlyItsCase() {
    Random random = new Random(7);
    List<OpCase> cases = new ArrayList<>();
    OpTable.ROWS.forEach(row -> cases.addAll(OpCase.of(row)));
    cases.removeIf(c -> c.shapes().numel() == 0);
    Collections.shuffle(cases, random);
    Parity parity = new Parity();
    Set<String> tampered = new TreeSet<>();
    Set<String> failed = new TreeSet<>();
    for (OpCase c : cases.subList(0, 2 * TAMPERED)) {
      String name = c.row().name() + ": " + c.name();
      List<double[]> expected = new ArrayList<>(Parity.numbers(c, ONE));
      if (tampered.size() < TAMPERED && expected.stream().anyMatch(e -> e.length > 0)) {
        changeOne(expected, Parity.tolerance(c), random);
        tampered.add(name);
      }
      if (parity.difference(Parity.numbers(c, OTHER), expected, Parity.tolerance(c)).isPresent()) {
        failed.add(name);
      }
    }
    assertThat(tampered).hasSize(TAMPERED);
    assertThat(failed).isEqualTo(tampered);
    assertThat(parity.comparisons()).isPositive();
  }

  private static void changeOne(List<double[]> expected, double tolerance, Random random) {
    List<double[]> some = expected.stream().filter(e -> e.length > 0).toList();
    double[] e = some.get(random.nextInt(some.size()));
    double scale = 1;
    for (double x : e) {
      scale = Double.isFinite(x) ? Math.max(scale, Math.abs(x)) : scale;
    }
    int at = random.nextInt(e.length);
    double step = 4 * tolerance * scale;
    e[at] = Double.isFinite(e[at]) ? e[at] + (e[at] > 0 ? step : -step) : 0;
  }

  @Test
  void missingTensorsAndElementsAreDifferences() {
    Parity parity = new Parity();
    List<double[]> one = List.of(new double[] {1});
    assertThat(parity.difference(List.of(), one, 1)).hasValue("0 tensors, expected 1");
    assertThat(parity.difference(List.of(new double[2]), one, 1))
        .hasValue("tensor 0: 2 elements, expected 1");
    assertThat(parity.difference(List.of(new double[] {Double.NaN}), one, 1)).isPresent();
    assertThat(parity.comparisons()).isEqualTo(1);
  }
}

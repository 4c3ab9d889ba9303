package dev.downhill.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

/** Places for values: never two at a time, and no more than a chain needs. */
final class MemoryPlanTest {
  private static MemoryPlan.Value value(long numel, int first, int last) {
    return new MemoryPlan.Value(DType.F32, numel, first, last);
  }

  @Test
  void aChainNeedsTwoPlaces() {
    List<MemoryPlan.Value> chain = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      chain.add(value(100, i, i + 1));
    }
    assertThat(MemoryPlan.of(chain).places()).hasSize(2);
  }

  @Test
  void aSmallValueGoesWhereALargeOneWas() {
    MemoryPlan plan = MemoryPlan.of(List.of(value(3, 4, 5), value(100, 0, 3)));
    assertThat(plan.places()).containsExactly(new MemoryPlan.Place(DType.F32, 100));
  }

  @Test
  void aValueGoesWhereItsInputWas_whereSeveralPlacesAreFree() {
    MemoryPlan.Value earlier = value(100, 0, 2);
    MemoryPlan.Value input = value(100, 1, 6);
    MemoryPlan.Value result = value(100, 7, 9);
    MemoryPlan plan = MemoryPlan.of(List.of(earlier, input, result));
    assertThat(plan.placeOf()).containsExactly(0, 1, 1);
  }

  @Test
  void theOrderOfTheValues_doesNotMatter() {
    List<MemoryPlan.Value> values = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      values.add(value(100, i, i + 1 + i % 3));
    }
    List<Integer> forwards = MemoryPlan.of(values).placeOf();
    assertThat(MemoryPlan.of(values.reversed()).placeOf()).isEqualTo(forwards.reversed());
  }

  @Test
  void typesAreKeptApart() {
    MemoryPlan plan =
        MemoryPlan.of(
            List.of(value(8, 0, 1), new MemoryPlan.Value(DType.I64, 8, 2, 3), value(0, 4, 4)));
    assertThat(plan.places()).hasSize(2);
  }

  @RepeatedTest(50)
  void noTwoValuesMeet(RepetitionInfo info) {
    SplittableRandom random = new SplittableRandom(info.getCurrentRepetition());
    List<MemoryPlan.Value> values = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      int first = random.nextInt(100);
      values.add(value(random.nextInt(1000), first, first + random.nextInt(20)));
    }
    MemoryPlan plan = MemoryPlan.of(values);
    for (int i = 0; i < values.size(); i++) {
      MemoryPlan.Value a = values.get(i);
      assertThat(plan.places().get(plan.placeOf().get(i)).numel())
          .isGreaterThanOrEqualTo(a.numel());
      for (int j = 0; j < i; j++) {
        MemoryPlan.Value b = values.get(j);
        if (plan.placeOf().get(i).equals(plan.placeOf().get(j))) {
          assertThat(a.first() > b.last() || b.first() > a.last()).as("%s %s", a, b).isTrue();
        }
      }
    }
  }
}

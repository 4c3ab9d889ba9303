package dev.downhill.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StopwatchTest {
  @Test
  void aRunThatFillsARound_isWaitedFor() {
    long[] waits = {0};
    // Every run takes longer than a nanosecond, as a large step on a GPU takes longer than a round.
    Stopwatch.Time time = Stopwatch.steady(0.001, 1, () -> {}, () -> waits[0]++, 1);
    assertThat(waits[0]).isEqualTo(time.steps() + 1);
  }

  @Test
  void shortRunsShareAWait() {
    long[] waits = {0};
    Stopwatch.Time time = Stopwatch.steady(0.001, 1, () -> {}, () -> waits[0]++, 1_000_000);
    assertThat(time.steps()).isGreaterThan(waits[0]);
  }
}

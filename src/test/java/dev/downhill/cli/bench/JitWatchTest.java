package dev.downhill.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class JitWatchTest {
  @Test
  void aCompilerThatWorks_isNotQuiet_untilItStops() {
    long[] millis = {7};
    JitWatch watch = new JitWatch(0, () -> millis[0]);
    for (int i = 0; i < 3; i++) {
      millis[0] += 1_000_000;
      assertThat(watch.isQuiet()).isFalse();
    }
    // The clock has to move on first.
    while (!watch.isQuiet()) {
      Thread.onSpinWait();
    }
    millis[0] += 1_000_000;
    assertThat(watch.isQuiet()).isFalse();
  }

  @Test
  void beforeAPeriodIsOver_nothingIsKnown() {
    assertThat(new JitWatch(Long.MAX_VALUE, () -> 0).isQuiet()).isFalse();
  }
}

package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class EarlyTest {
  @Test
  void is_untilEnoughIsDone() {
    Early early = new Early(10);

    assertThat(early.is(4)).isTrue();
    assertThat(early.is(6)).isTrue();
    assertThat(early.is(1)).isFalse();
    assertThat(early.is(0)).isFalse();
  }

  @Test
  void is_countsWorkOfAllThreads() throws InterruptedException {
    Early early = new Early(10);

    Thread other = new Thread(() -> early.is(9));
    other.start();
    other.join();

    assertThat(early.is(2)).isFalse();
  }

  @Test
  void until_withVectorsFromTheStart_isOver() {
    assertThat(Early.until(10).is(1)).isEqualTo(!Simd.FIRST);
  }
}

package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class SharingTest {
  private final Sharing sharing = new Sharing();

  /** How many of some runs were shared, where these take so long. */
  private int shared(int runs, long sharedNanos, long aloneNanos) {
    int count = 0;
    for (int i = 0; i < runs; i++) {
      boolean wanted = sharing.isWanted();
      count += wanted ? 1 : 0;
      sharing.took(wanted ? sharedNanos : aloneNanos);
    }
    return count;
  }

  @Test
  void sharesWhereThatIsFaster_andTriesTheOtherSeldom() {
    int runs = 100_000;
    assertThat(shared(runs, 58_000, 83_000)).isBetween(runs * 99 / 100, runs - 1);
  }

  @Test
  void runsAloneWhereThatIsFaster() {
    int soon = Sharing.SOON * Sharing.ROUND;
    assertThat(shared(soon, 125_000, 83_000)).isEqualTo(soon);
    int runs = 100_000;
    assertThat(shared(runs, 125_000, 83_000)).isLessThan(runs / 100);
  }

  @Test
  void changesWithTheTimes() {
    shared(100_000, 58_000, 83_000);
    int longest = (Sharing.LATE + 2) * Sharing.ROUND;
    shared(longest, 125_000, 83_000);
    assertThat(sharing.isWanted()).isFalse();
    shared(longest, 58_000, 83_000);
    assertThat(sharing.isWanted()).isTrue();
  }

  @Test
  void goesBackWhereRunsAloneHaveBecomeLong() {
    shared(100_000, 450_000, 300_000);
    assertThat(sharing.isWanted()).isFalse();
    shared((Sharing.LATE + 2) * Sharing.ROUND, 600_000, 900_000);
    assertThat(sharing.isWanted()).isTrue();
  }

  @Test
  void staysWhereBothTakeAboutAsLong() {
    shared(100_000, 60_000, 58_000);
    assertThat(sharing.isWanted()).isTrue();
  }

  @Test
  void oneSlowRunOfARoundDoesNotCount() {
    for (int i = 0; i < 100_000; i++) {
      long nanos = sharing.isWanted() ? 58_000 : 83_000;
      sharing.took(i % 10 == 0 ? 10 * nanos : nanos);
    }
    assertThat(sharing.isWanted()).isTrue();
  }

  @Test
  void longRunsAreSharedAlways() {
    assertThat(shared(10_000, 600_000, 1)).isEqualTo(10_000);
  }
}

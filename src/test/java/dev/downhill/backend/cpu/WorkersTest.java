package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Program;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WorkersTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void run_everyTaskOnce(int threads) {
    try (Workers workers = new Workers(threads)) {
      for (int tasks : new int[] {0, 1, 2, 7, 1000}) {
        for (int round = 0; round < 50; round++) {
          AtomicIntegerArray runs = new AtomicIntegerArray(tasks);
          workers.run(tasks, i -> runs.incrementAndGet(i));
          for (int i = 0; i < tasks; i++) {
            assertThat(runs.get(i)).as("task %d of %d", i, tasks).isEqualTo(1);
          }
        }
      }
    }
  }

  @Test
  void run_sharesTheWork() {
    Set<Thread> seen = ConcurrentHashMap.newKeySet();
    CountDownLatch both = new CountDownLatch(2);
    try (Workers workers = new Workers(2)) {
      workers.run(
          2,
          _ -> {
            seen.add(Thread.currentThread());
            both.countDown();
            await(both);
          });
    }
    assertThat(seen).hasSize(2).contains(Thread.currentThread());
  }

  @Test
  void run_wakesSleepingThreads() throws InterruptedException {
    try (Workers workers = new Workers(2)) {
      Thread.sleep(20);
      run_bothThreads(workers);
      Thread.sleep(20);
      run_bothThreads(workers);
    }
  }

  private static void run_bothThreads(Workers workers) {
    CountDownLatch both = new CountDownLatch(2);
    workers.run(
        2,
        _ -> {
          both.countDown();
          await(both);
        });
    assertThat(both.getCount()).isZero();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 8})
  void run_throwsTheFailureOfTheFirstTask(int threads) {
    try (Workers workers = new Workers(threads)) {
      for (int round = 0; round < 50; round++) {
        assertThatThrownBy(
                () ->
                    workers.run(
                        100,
                        i -> {
                          if (i % 10 == 7) {
                            throw new IllegalArgumentException("task " + i);
                          }
                        }))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("task 7");
      }
      // The threads are still there.
      AtomicIntegerArray runs = new AtomicIntegerArray(1);
      workers.run(10, _ -> runs.incrementAndGet(0));
      assertThat(runs.get(0)).isEqualTo(10);
    }
  }

  @Test
  void run_passesErrorsOn() {
    try (Workers workers = new Workers(3)) {
      assertThatThrownBy(
              () ->
                  workers.run(
                      5,
                      _ -> {
                        throw new AssertionError("ours");
                      }))
          .isInstanceOf(AssertionError.class)
          .hasMessage("ours");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void capture_everyTaskOnceInEachRun(int threads) {
    int[] tasks = {2, 1, 0, 7, 2, 100};
    int rounds = 2000;
    try (Workers workers = new Workers(threads)) {
      AtomicIntegerArray[] runs = new AtomicIntegerArray[tasks.length];
      Program program =
          workers.capture(
              () -> {
                for (int j = 0; j < tasks.length; j++) {
                  AtomicIntegerArray mine = new AtomicIntegerArray(tasks[j]);
                  runs[j] = mine;
                  workers.run(tasks[j], mine::incrementAndGet);
                }
              });
      for (int round = 1; round <= rounds; round++) {
        program.run();
        for (int j = 0; j < tasks.length; j++) {
          for (int i = 0; i < tasks[j]; i++) {
            assertThat(runs[j].get(i)).as("task %d of job %d", i, j).isEqualTo(round);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 8})
  void capture_runsAgainAfterAFailure(int threads) {
    int[] failing = {-1};
    AtomicIntegerArray runs = new AtomicIntegerArray(100);
    try (Workers workers = new Workers(threads)) {
      Program program =
          workers.capture(
              () -> {
                workers.run(
                    100,
                    i -> {
                      if (i == failing[0] || i == failing[0] + 1) {
                        throw new IllegalArgumentException("task " + i);
                      }
                    });
                workers.run(100, runs::incrementAndGet);
              });
      for (int round = 0; round < 50; round++) {
        failing[0] = round;
        assertThatThrownBy(program::run)
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("task " + round);
        assertThat(runs.get(99)).as("jobs after the failure").isEqualTo(round);
        failing[0] = -2;
        program.run();
      }
      for (int i = 0; i < 100; i++) {
        assertThat(runs.get(i)).isEqualTo(50);
      }
    }
  }

  @Test
  void run_insideATask_isSerial() {
    AtomicIntegerArray runs = new AtomicIntegerArray(20);
    try (Workers workers = new Workers(3)) {
      workers.run(
          4,
          outer -> {
            Thread here = Thread.currentThread();
            workers.run(
                5,
                inner -> {
                  assertThat(Thread.currentThread()).isSameAs(here);
                  runs.incrementAndGet(outer * 5 + inner);
                });
          });
    }
    for (int i = 0; i < 20; i++) {
      assertThat(runs.get(i)).isEqualTo(1);
    }
  }

  @Test
  void close_endsTheThreads() throws InterruptedException {
    Set<Thread> seen = ConcurrentHashMap.newKeySet();
    Workers workers = new Workers(2);
    CountDownLatch both = new CountDownLatch(2);
    workers.run(
        2,
        _ -> {
          seen.add(Thread.currentThread());
          both.countDown();
          await(both);
        });
    workers.close();
    assertThat(seen.remove(Thread.currentThread())).isTrue();
    for (Thread t : seen) {
      assertThat(t.isDaemon()).isTrue();
      assertThat(t.getName()).startsWith("downhill-cpu-");
      t.join(10_000);
      assertThat(t.isAlive()).isFalse();
    }
    assertThatThrownBy(() -> workers.run(1, _ -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("close");
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.Program;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A fixed set of threads that share the tasks of one call at a time. Which thread runs which task
 * is open, so tasks must not depend on each other and must be cut by shapes alone: then results
 * have the same bits for any number of threads.
 */
final class Workers implements AutoCloseable {
  /**
   * How long a thread looks for work before it sleeps: longer than what a small training step does
   * alone between two calls. Where threads sleep and are woken in every step, a step takes longer
   * than with one thread.
   */
  private static final long SPIN_NANOS = 200_000;

  private final int threads;
  private final boolean spin;
  private final Helper[] helpers;
  private volatile @Nullable Job job;

  /** What {@link #run} was asked for during {@link #capture}. */
  private @Nullable List<Job> captured;

  private volatile boolean closed;

  /**
   * Starts {@code threads - 1} daemon threads.
   *
   * @param threads how many threads work, the caller included; at least 1
   */
  Workers(int threads) {
    this.threads = threads;
    this.spin = threads <= Runtime.getRuntime().availableProcessors();
    this.helpers = new Helper[threads - 1];
    for (int i = 0; i < helpers.length; i++) {
      helpers[i] = new Helper("downhill-cpu-" + (i + 1));
      helpers[i].start();
    }
  }

  /** How many threads work, the caller included. */
  int threads() {
    return threads;
  }

  /**
   * Runs {@code task} for 0 to {@code tasks - 1} and returns when all are done. Inside a task it
   * runs the tasks one by one.
   *
   * @throws RuntimeException what the failing task of the lowest number threw; tasks after it may
   *     not have run
   */
  void run(int tasks, IntConsumer task) {
    if (closed) {
      throw new IllegalStateException("workers: used after close");
    }
    if (captured != null) {
      captured.add(new Job(tasks, task));
    } else if (tasks <= 1 || threads == 1 || job != null) {
      runAlone(tasks, task);
    } else {
      runShared(new Job(tasks, task));
    }
  }

  /** Whether work is not done now but kept, so that its tasks must not be changed any more. */
  boolean isCapturing() {
    return captured != null;
  }

  /**
   * Keeps the work that {@code calls} asks for, to be done each time the result runs. Tasks must
   * find in memory all that may differ from time to time.
   */
  Program capture(Runnable calls) {
    List<Job> jobs = new ArrayList<>();
    captured = jobs;
    try {
      calls.run();
    } finally {
      captured = null;
    }
    Job[] all = jobs.toArray(Job[]::new);
    return () -> {
      for (Job j : all) {
        if (j.tasks <= 1 || threads == 1) {
          runAlone(j.tasks, j.task);
        } else {
          runShared(j);
        }
      }
    };
  }

  private static void runAlone(int tasks, IntConsumer task) {
    for (int i = 0; i < tasks; i++) {
      task.accept(i);
    }
  }

  /**
   * Runs a job, which may have run before. A thread that is late for an earlier run of it finds no
   * task left, or helps with this one.
   */
  private void runShared(Job shared) {
    shared.start();
    job = shared;
    for (int i = 0; i < Math.min(shared.tasks - 1, helpers.length); i++) {
      helpers[i].wake();
    }
    shared.work();
    awaitOthers(shared);
    job = null;
    shared.rethrow();
  }

  private void awaitOthers(Job shared) {
    shared.waiter = Thread.currentThread();
    long start = System.nanoTime();
    while (shared.active.get() > 0) {
      if (spin && System.nanoTime() - start < SPIN_NANOS) {
        Thread.onSpinWait();
      } else {
        LockSupport.park(shared);
      }
    }
  }

  /** Ends the threads; {@link #run} is an error from now on. */
  @Override
  public void close() {
    closed = true;
    for (Helper helper : helpers) {
      LockSupport.unpark(helper);
    }
  }

  /** The tasks of one call. */
  private static final class Job {
    final int tasks;
    final IntConsumer task;
    final AtomicInteger next;

    /** How many threads may be inside a task. */
    final AtomicInteger active = new AtomicInteger();

    volatile @Nullable Thread waiter;
    private int failedTask = Integer.MAX_VALUE;
    private @Nullable Throwable failure;

    Job(int tasks, IntConsumer task) {
      this.tasks = tasks;
      this.task = task;
      next = new AtomicInteger(tasks);
    }

    /** Offers all tasks. */
    synchronized void start() {
      failedTask = Integer.MAX_VALUE;
      failure = null;
      waiter = null;
      next.set(0);
    }

    boolean hasWork() {
      return next.get() < tasks;
    }

    void work() {
      active.incrementAndGet();
      for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
        try {
          task.accept(i);
        } catch (Throwable t) {
          fail(i, t);
        }
      }
      if (active.decrementAndGet() == 0) {
        LockSupport.unpark(waiter);
      }
    }

    /** Keeps the failure that a single thread would have met first: lower tasks are all claimed. */
    private synchronized void fail(int i, Throwable t) {
      if (i < failedTask) {
        failedTask = i;
        failure = t;
      }
      next.set(tasks);
    }

    synchronized void rethrow() {
      switch (failure) {
        case null -> {}
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        default -> throw new AssertionError("a task threw a checked exception", failure);
      }
    }
  }

  private final class Helper extends Thread {
    private volatile boolean parked;

    Helper(String name) {
      super(name);
      setDaemon(true);
    }

    void wake() {
      if (parked) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      long idleSince = System.nanoTime();
      while (!closed) {
        if (hasWork()) {
          work();
          idleSince = System.nanoTime();
        } else if (spin && System.nanoTime() - idleSince < SPIN_NANOS) {
          Thread.onSpinWait();
        } else {
          parked = true;
          if (!hasWork() && !closed) {
            LockSupport.park(Workers.this);
          }
          parked = false;
        }
      }
    }

    private boolean hasWork() {
      Job shared = job;
      return shared != null && shared.hasWork();
    }

    private void work() {
      Job shared = job;
      if (shared != null) {
        shared.work();
      }
    }
  }
}

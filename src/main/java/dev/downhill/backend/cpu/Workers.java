package dev.downhill.backend.cpu;

import dev.downhill.backend.Program;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A fixed set of threads that share the tasks of one call at a time. Which thread runs which task
 * is open, so tasks must not depend on each other. Where the cut into tasks decides on the order of
 * a sum it must follow from shapes alone: then results have the same bits for any number of
 * threads.
 */
final class Workers implements AutoCloseable {
  /**
   * How long a thread looks for work before it sleeps: longer than what a small training step does
   * alone between two calls. Where threads sleep and are woken in every step, a step takes longer
   * than with one thread.
   */
  private static final long SPIN_NANOS = 200_000;

  /** Looks for work between two looks at the clock, which take longer. */
  private static final int LOOKS = 32;

  private final int threads;
  private final boolean spin;
  private final Helper[] helpers;

  /** The job that threads look at, also when all its tasks are done. */
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
      try {
        runShared(new Job(tasks, task));
      } finally {
        job = null;
      }
    }
  }

  /** Whether work is not done now but kept, so that its tasks must not be changed any more. */
  boolean isCapturing() {
    return captured != null;
  }

  /**
   * Keeps the work that {@code calls} asks for, to be done each time the result runs, on all
   * threads or one as {@link Sharing} finds. Tasks must find in memory all that may differ from
   * time to time.
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
    Sharing sharing = new Sharing();
    return () -> {
      boolean share = threads > 1 && sharing.isWanted();
      long start = System.nanoTime();
      try {
        for (Job j : all) {
          if (j.tasks <= 1 || !share) {
            runAlone(j.tasks, j.task);
          } else {
            runShared(j);
          }
        }
      } finally {
        job = null;
      }
      sharing.took(System.nanoTime() - start);
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
    shared.work(0);
    awaitOthers(shared);
    shared.rethrow();
  }

  private void awaitOthers(Job shared) {
    long start = System.nanoTime();
    for (int looks = 1; !shared.isDone(); looks++) {
      if (isPatient(looks, start)) {
        Thread.onSpinWait();
      } else {
        shared.waiter = Thread.currentThread();
        if (!shared.isDone()) {
          LockSupport.park(shared);
        }
      }
    }
  }

  /** Whether to look once more before sleeping. */
  private boolean isPatient(int looks, long since) {
    return spin && (looks % LOOKS != 0 || System.nanoTime() - since < SPIN_NANOS);
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
    private static final AtomicLongFieldUpdater<Job> STATE =
        AtomicLongFieldUpdater.newUpdater(Job.class, "state");

    /** One in the high half of {@link #state}. */
    private static final long DONE = 1L << 32;

    final int tasks;
    final IntConsumer task;

    /**
     * The next task in the low half, and how many are done in the high one. So a thread ends one
     * task and takes the next in one write, for which the cache line has to come from another
     * processor. With a counter for each, small networks took some per cent longer.
     */
    private volatile long state;

    volatile @Nullable Thread waiter;

    // Written before the task is done, read when all are.
    private int failedTask = Integer.MAX_VALUE;
    private @Nullable Throwable failure;

    Job(int tasks, IntConsumer task) {
      this.tasks = tasks;
      this.task = task;
      state = tasks;
    }

    /** Offers all tasks but the first, which is the caller's. */
    void start() {
      failedTask = Integer.MAX_VALUE;
      failure = null;
      if (waiter != null) {
        waiter = null;
      }
      STATE.lazySet(this, 1);
    }

    boolean hasWork() {
      return (int) state < tasks;
    }

    boolean isDone() {
      return state >>> 32 == tasks;
    }

    /** Takes a task; there may be none left with its number. */
    int take() {
      return (int) STATE.getAndIncrement(this);
    }

    /** Does a task that was taken, and those that are left. */
    void work(int taken) {
      long before = 0;
      for (int i = taken; i < tasks; i = (int) before) {
        try {
          task.accept(i);
        } catch (Throwable t) {
          fail(i, t);
        }
        before = STATE.getAndAdd(this, DONE + 1);
      }
      Thread waiting = waiter;
      if (waiting != null && (before >>> 32) + 1 == tasks) {
        LockSupport.unpark(waiting);
      }
    }

    /**
     * Keeps the failure that a single thread would have met first: lower tasks are all taken. Those
     * that are left count as done.
     */
    private synchronized void fail(int i, Throwable t) {
      if (i < failedTask) {
        failedTask = i;
        failure = t;
      }
      STATE.updateAndGet(this, s -> s + (DONE + 1) * Math.max(0, tasks - (int) s));
    }

    void rethrow() {
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
      for (int looks = 1; !closed; looks++) {
        Job shared = job;
        if (shared != null && shared.hasWork()) {
          shared.work(shared.take());
          idleSince = System.nanoTime();
        } else if (isPatient(looks, idleSince)) {
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
  }
}

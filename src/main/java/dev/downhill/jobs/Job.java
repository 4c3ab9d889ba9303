package dev.downhill.jobs;

import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** A worked example that can be run by name. */
public interface Job {
  /** The name on the command line. */
  String name();

  /** What it shows, in a few words. */
  String about();

  /** The options it takes. */
  Set<JobOption> takes();

  /** Whether an interrupted run can be gone on with. */
  default boolean resumes() {
    return false;
  }

  /**
   * Refuses options that the job has no use for.
   *
   * @throws IllegalArgumentException naming them, and those it takes
   */
  default void check(Collection<JobOption> given) {
    List<String> foreign =
        given.stream().filter(o -> !takes().contains(o)).sorted().map(JobOption::flag).toList();
    if (!foreign.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: the job %s has no such option, it takes %s"
              .formatted(
                  String.join(", ", foreign),
                  name(),
                  String.join(", ", takes().stream().sorted().map(JobOption::flag).toList())));
    }
  }

  /**
   * Runs the job to its end.
   *
   * @param options {@linkplain #check checked}; a job says what else is wrong with them before it
   *     writes anything
   * @param report receives what a person reads
   * @param progress hears how the training goes
   */
  JobResult run(JobOptions options, PrintStream report, Trainer.Listener progress);
}

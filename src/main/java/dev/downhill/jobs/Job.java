package dev.downhill.jobs;

import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.List;

/** A worked example that can be run by name. */
public interface Job {
  /** All jobs; the first is the default. */
  List<Job> ALL = List.of(new HousePrices(), new OneWeight());

  /**
   * The job of a name.
   *
   * @throws IllegalArgumentException if there is none, with the names there are
   */
  static Job named(String name) {
    return ALL.stream()
        .filter(j -> j.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "train: expected a job, one of %s, got '%s'"
                        .formatted(String.join(", ", ALL.stream().map(Job::name).toList()), name)));
  }

  /** The name on the command line. */
  String name();

  /**
   * Runs the job to its end.
   *
   * @param options checked by the job before it does anything
   * @param report receives what a person reads
   * @param progress hears how the training goes
   */
  JobResult run(JobOptions options, PrintStream report, Trainer.Listener progress);
}

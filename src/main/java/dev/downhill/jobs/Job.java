package dev.downhill.jobs;

import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** A worked example that can be run by name. */
public interface Job {
  /** All jobs; the first is the default. */
  List<Job> ALL =
      List.of(
          new HousePrices(),
          new OneWeight(),
          new Spreadsheet(),
          new Curve(),
          new Recommender(),
          new GradientNoise(),
          new Tumour(),
          new Pathologies(),
          new Digits(),
          new Autoencoder(),
          new Language());

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

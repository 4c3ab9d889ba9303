package dev.downhill.jobs.tumour;

import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.Set;

/**
 * Is it a tumour? A convolutional network answers for generated scans, and shows which pixels its
 * answer depends on; the true place is known, so that the map can be marked. With a table of the
 * user's own, a small network answers for its rows, and is cross-validated.
 */
public final class Tumour implements Job {
  @Override
  public String name() {
    return "tumour";
  }

  @Override
  public String about() {
    return "tumours in scans, and where the network looks; or two classes in a table of yours";
  }

  @Override
  public Set<JobOption> takes() {
    return Set.of(
        JobOption.DATA, JobOption.TARGET, JobOption.EPOCHS, JobOption.LR, JobOption.STEPS);
  }

  @Override
  public JobResult run(JobOptions o, PrintStream report, Trainer.Listener progress) {
    return o.data() == null
        ? new TumourScans(this, o).run(report, progress)
        : new CrossValidation(this, o).run(report, progress);
  }
}

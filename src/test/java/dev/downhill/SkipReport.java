package dev.downhill;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/** Prints why tests were skipped, and how many for each reason: no skip is silent. */
public final class SkipReport implements TestExecutionListener {
  private final Map<String, List<String>> skipped = new ConcurrentSkipListMap<>();

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    add(test, reason);
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (result.getStatus() == Status.ABORTED) {
      add(test, result.getThrowable().map(Throwable::getMessage).orElse("no reason given"));
    }
  }

  private void add(TestIdentifier test, String reason) {
    String name =
        test.getSource().orElse(null) instanceof MethodSource method
            ? method.getClassName() + "." + method.getMethodName()
            : test.getDisplayName();
    skipped.compute(
        reason,
        (_, names) -> {
          List<String> all = names == null ? new ArrayList<>() : names;
          all.add(name);
          return all;
        });
  }

  @Override
  public void testPlanExecutionFinished(TestPlan plan) {
    skipped.forEach(
        (reason, names) ->
            System.out.printf("SKIPPED %d: %s (first: %s)%n", names.size(), reason, names.get(0)));
  }
}

package dev.downhill;

import dev.downhill.backend.BackendProvider;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Tests tagged {@code cuda} need a GPU or the double of its driver. Without one they are skipped
 * with the backend's reason, or fail if {@code -Ddownhill.requireCuda=true}. On the double, a test
 * that makes it report a finding fails.
 */
public final class CudaTests implements ExecutionCondition, BeforeEachCallback, AfterEachCallback {
  private static final ExtensionContext.Namespace STORE =
      ExtensionContext.Namespace.create(CudaTests.class);

  private static Optional<String> missing;

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    if (!context.getTags().contains("cuda")) {
      return ConditionEvaluationResult.enabled("needs no CUDA device");
    }
    Optional<String> why = missing();
    if (why.isPresent() && Boolean.getBoolean("downhill.requireCuda")) {
      throw new AssertionError("a CUDA device is required: " + why.get());
    }
    return why.map(ConditionEvaluationResult::disabled)
        .orElseGet(() -> ConditionEvaluationResult.enabled("there is a CUDA device"));
  }

  private static synchronized Optional<String> missing() {
    if (missing == null) {
      missing =
          ServiceLoader.load(BackendProvider.class).stream()
              .map(ServiceLoader.Provider::get)
              .filter(p -> p.kind().equals("cuda"))
              .findFirst()
              .map(BackendProvider::unavailable)
              .orElse(Optional.of("this build has no cuda backend"));
    }
    return missing;
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    if (context.getTags().contains("cuda")) {
      context.getStore(STORE).put("findings", Emulator.count("findings"));
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    Long before = context.getStore(STORE).get("findings", Long.class);
    if (before != null && Emulator.count("findings") > before) {
      throw new AssertionError(
          "%d findings of the driver double, see %s"
              .formatted(
                  Emulator.count("findings") - before,
                  Optional.ofNullable(System.getenv("DH_EMU_LOG")).orElse("standard error")));
    }
  }
}

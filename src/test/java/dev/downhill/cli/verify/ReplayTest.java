package dev.downhill.cli.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.shape.Shape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Cases of every kind whose results can be had by hand. */
class ReplayTest {
  private static final String SGD =
      """
      {"lr": 0.5, "momentum": 0.5, "dampening": 0, "weight_decay": 0, "nesterov": false, "maximize": false}\
      """;
  private static final String PLAIN_SGD = SGD.replace("\"momentum\": 0.5", "\"momentum\": 0");

  @TempDir private Path folder;
  private final CaseWriter cases = new CaseWriter();
  private final List<String> failures = new ArrayList<>();

  private Verification.Report run() {
    cases.write(folder.resolve("cases.safetensors"));
    return Verification.run(folder, Device.cpu(), (name, what) -> failures.add(name + ": " + what));
  }

  @Test
  void gradientsOfSeveralOutputsAddUp() {
    cases
        .add(
            "split",
            "op",
            "split",
            "{\"split_size_or_sections\": 2, \"dim\": 0}",
            "input",
            "output.0 output.1")
        .with("in.input", 1, 2, 3)
        .with("out.output.0", 1, 2)
        .with("out.output.1", 3)
        .with("dout.output.0", 10, 20)
        .with("dout.output.1", 30)
        .with("din.input", 10, 20, 30);
    assertThat(run().comparisons()).isEqualTo(3);
    assertThat(failures).isEmpty();
  }

  @Test
  void inputsCanBeExpandedViews() {
    cases
        .op("mul", "mul", "{\"layout\": {\"input\": \"expand:0\"}}", "input other")
        .with("in.input", 2, 2)
        .with("in.other", 3, 4)
        .with("out.output", 6, 8)
        .with("dout.output", 1, 10)
        .with("din.input", 3, 40)
        .with("din.other", 2, 20);
    assertThat(run().passed()).isEqualTo(1);
    assertThat(failures).isEmpty();
  }

  @Test
  void missingGradientLeavesParameterAndMomentumAlone() {
    cases
        .add(
            "SGD",
            "optimizer",
            "SGD",
            SGD,
            "param.w grad.0.w grad.2.w",
            "param.0.w param.1.w param.2.w")
        .with("in.param.w", 10)
        .with("in.grad.0.w", 2)
        .with("in.grad.2.w", 4)
        .with("out.param.0.w", 9)
        .with("out.param.1.w", 9)
        .with("out.param.2.w", 6.5);
    assertThat(run().comparisons()).isEqualTo(3);
    assertThat(failures).isEmpty();
  }

  @Test
  void wrongParameterFails() {
    cases
        .add("SGD", "optimizer", "SGD", SGD, "param.w grad.0.w", "param.0.w")
        .with("in.param.w", 10)
        .with("in.grad.0.w", 2)
        .with("out.param.0.w", 8);
    assertThat(run().failed()).isEqualTo(1);
    assertThat(failures.get(0)).startsWith("SGD: out.param.0.w[0]: expected 8.0, got 9.0");
  }

  @Test
  void optimizerWithAnUnknownOptionIsSkipped() {
    cases
        .add(
            "Adam",
            "optimizer",
            "Adam",
            """
            {"lr": 0.5, "betas": [0.9, 0.9], "eps": 1, "weight_decay": 0, "amsgrad": false, "maximize": false, "capturable": true}\
            """,
            "param.w",
            "param.0.w")
        .with("in.param.w", 10)
        .with("out.param.0.w", 10);
    assertThat(run().skipped())
        .containsExactly(
            new Verification.Skipped("Adam", "no attribute capturable", List.of("Adam")));
  }

  @Test
  void schedulesFollowOneAnother() {
    cases
        .add(
            "SequentialLR",
            "schedule",
            "SequentialLR",
            """
            {"lr": 8, "milestones": [2], "schedulers": [
              {"type": "LinearLR", "start_factor": 0.5, "end_factor": 1, "total_iters": 2},
              {"type": "StepLR", "step_size": 1, "gamma": 0.5}]}\
            """,
            "",
            "lr")
        .with("out.lr", 4, 6, 8, 4, 2);
    assertThat(run().passed()).isEqualTo(1);
    assertThat(failures).isEmpty();
  }

  @Test
  void plateauReadsItsMetrics() {
    cases
        .add(
            "ReduceLROnPlateau",
            "schedule",
            "ReduceLROnPlateau",
            """
            {"lr": 8, "mode": "min", "factor": 0.5, "patience": 1, "threshold": 0, "threshold_mode": "abs", "cooldown": 0, "min_lr": 0, "eps": 0}\
            """,
            "metrics",
            "lr")
        .with("in.metrics", 1, 1, 1, 0.5)
        .with("out.lr", 8, 8, 8, 4, 4);
    assertThat(run().passed()).isEqualTo(1);
    assertThat(failures).isEmpty();
  }

  /** One weight w = 3, input 2, target 5: output 6, loss 1, gradient 4. */
  private CaseWriter model(String layerType) {
    return cases
        .add(
            "model",
            "model",
            "model",
            """
            {"layers": [{"name": "fc", "type": "%s", "args": {"in_features": 1, "out_features": 1, "bias": false}}],
             "loss": {"name": "mse_loss", "args": {"reduction": "mean"}},
             "optimizer": {"name": "SGD", "args": %s},
             "schedule": {"name": "ExponentialLR", "args": {"gamma": 0.5}},
             "clip_grad_norm": null, "steps": 2}\
            """
                .formatted(layerType, PLAIN_SGD),
            "",
            "losses eval")
        .with("state.fc.weight", Shape.of(1, 1), 3)
        .with("batch.0.x", Shape.of(1, 1), 2)
        .with("batch.0.y", Shape.of(1, 1), 5);
  }

  @Test
  void modelIsTrainedAndScheduled() {
    // Rate 0.5: w = 3 - 0.5 * 4 = 1, output 2, loss 9, gradient -12. Rate 0.25: w = 4.
    model("Linear")
        .with("out.losses", 1, 9)
        .with("out.eval", Shape.of(1, 1), 8)
        .with("final.fc.weight", Shape.of(1, 1), 4);
    assertThat(run().comparisons()).isEqualTo(3);
    assertThat(failures).isEmpty();
  }

  @Test
  void modelWithAnUnknownLayerIsSkipped() {
    model("Bilinear").with("out.losses", 1, 9);
    assertThat(run().skipped())
        .containsExactly(
            new Verification.Skipped("model", "no layer Bilinear yet", List.of("model")));
  }
}

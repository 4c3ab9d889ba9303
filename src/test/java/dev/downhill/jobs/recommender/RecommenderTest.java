package dev.downhill.jobs.recommender;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.data.DataException;
import dev.downhill.data.Films;
import dev.downhill.data.Scale;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.Trainer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecommenderTest {
  @TempDir Path folder;

  private record Run(JobResult result, String text) {}

  private Run run(@Nullable Path data, int steps, String out) {
    Map<JobOption, String> given = new EnumMap<>(JobOption.class);
    given.put(JobOption.STEPS, Integer.toString(steps));
    if (data != null) {
      given.put(JobOption.DATA, data.toString());
    }
    JobOptions options = new JobOptions(Device.cpu(), 1, folder.resolve(out), false, given);
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    JobResult result =
        new Recommender()
            .run(
                options,
                new PrintStream(text, true, StandardCharsets.UTF_8),
                new Trainer.Listener() {});
    return new Run(result, text.toString(StandardCharsets.UTF_8));
  }

  @Test
  void afterAFewSteps_itIsBetterThanTheItemsMeans_andTwiceTheSameBits() throws IOException {
    Run run = run(null, 130, "a");
    assertThat(run.result.metric().name()).isEqualTo("rmse");
    assertThat(run.result.metric().value()).isBetween(Films.NOISE, 0.75);
    assertThat(run.text).contains("the item's mean rating", "2 of all 2,800 vectors moved");
    assertThat(folder.resolve("a"))
        .isDirectoryContaining(
            "glob:**/{config.json,metrics.csv,curve.png,model.safetensors,thumbs-down.png}");
    assertThat(run(null, 130, "b").text.replace("b\n", "a\n")).isEqualTo(run.text);
    assertThat(folder.resolve("b/model.safetensors"))
        .hasSameBinaryContentAs(folder.resolve("a/model.safetensors"));
  }

  @Test
  void aFileOfOnesOwn_isLearnedToo_onItsOwnScale() throws IOException {
    // Everybody agrees: the k-th item is worth 10 k, and even users are 5 more generous.
    StringBuilder text = new StringBuilder("user,item,rating\n");
    for (int row = 0; row < 3_000; row++) {
      int u = row % 60;
      int i = row * 7 / 60 % 40;
      text.append("Ann-").append(u).append(',').append(i).append(',');
      text.append(10 * i + (u % 2 == 0 ? 5 : 0)).append('\n');
    }
    Path csv = Files.writeString(folder.resolve("own.csv"), text);
    Run run = run(csv, 600, "own");
    assertThat(run.result.metric().value()).isLessThan(12);
    assertThat(run.text).contains("3,000 ratings of 40 items by 60 users", "To Ann-");
    assertThat(run.text).doesNotContain("genre", "noise");
  }

  @Test
  void dataThatTeachNothing_areRefused_beforeAnythingIsWritten() throws IOException {
    Path few = Files.writeString(folder.resolve("few.csv"), "user,item,rating\na,x,1\nb,y,2\n");
    assertThatThrownBy(() -> run(few, 5, "x"))
        .isInstanceOf(DataException.class)
        .hasMessage("few.csv: expected at least 10 ratings, got 2");
    Path same =
        Files.writeString(folder.resolve("same.csv"), "user,item,rating\n" + "a,x,4\n".repeat(10));
    assertThatThrownBy(() -> run(same, 5, "x"))
        .isInstanceOf(DataException.class)
        .hasMessage("same.csv: expected ratings that differ, got 4.0 in every row");
    assertThat(folder.resolve("x")).doesNotExist();
  }

  @Test
  void theModel_isBiasesAndTheProductOfVectors() {
    try (RatingModel model = new RatingModel(3, 2, 4);
        Autograd.Mode _ = Autograd.noGrad()) {
      model.on(Device.cpu(), 1);
      model.parameters().get(2).copyFrom(Tensor.of(Device.cpu(), new float[] {1, 2, 3}, 3, 1));
      Tensor y = model.forward(Tensor.of(Device.cpu(), new long[] {2, 1, 0, 0}, 2, 2));
      Tastes tastes = model.tastes(new Scale(10, 2));
      double[] expected = {tastes.predict(2, 1), tastes.predict(0, 0)};
      assertThat(expected[0])
          .isCloseTo(10 + 2 * (3 + Tastes.dot(tastes.user(2), tastes.item(1))), within(1e-12));
      for (int i = 0; i < 2; i++) {
        assertThat(10 + 2 * y.toDoubles()[i]).isCloseTo(expected[i], within(1e-5));
      }
    }
  }

  @Test
  void neighboursAndRecommendations_areInOrder_andLeaveOutWhatIsKnown() {
    double[][] items = {{1, 0}, {2, 0.1}, {0, 1}, {-1, 0}};
    Tastes t =
        new Tastes(
            new double[][] {{1, 0}, {0, 2}},
            items,
            new double[2],
            new double[] {0, 0, 5, 0},
            new Scale(3, 1));
    assertThat(t.neighbours(0, 3)).containsExactly(1, 2, 3);
    assertThat(t.recommend(0, 4, _ -> true)).containsExactly(2, 1, 0, 3);
    assertThat(t.recommend(0, 2, i -> i != 2)).containsExactly(1, 0);
    assertThat(t.mostDecidedUser()).isEqualTo(1);
  }

  @Test
  void aThumbsDown_movesBothVectorsAlongEachOther_byTheFormulaOfTheGradient() throws IOException {
    StringBuilder text = new StringBuilder("user,item,rating\n");
    for (int row = 0; row < 12; row++) {
      text.append("u%d,i%d,%d%n".formatted(row % 4, row % 5, 1 + row % 3));
    }
    Path csv = Files.writeString(folder.resolve("own.csv"), text);
    RatingTask task =
        RatingTask.of(
            new JobOptions(Device.cpu(), 1, folder, false, Map.of(JobOption.DATA, csv.toString())));
    try (RatingModel model = new RatingModel(task.users(), task.items(), 4)) {
      model.on(Device.cpu(), 1);
      Tastes before = model.tastes(task.scale());
      ThumbsDown t = ThumbsDown.give(model, task, before);
      double error =
          task.scale().normalize(before.predict(t.user(), t.item()))
              - task.scale().normalize(task.lowest());
      double step = 2 * 0.02 * error;
      for (int k = 0; k < 4; k++) {
        double u = before.user(t.user())[k];
        double v = before.item(t.item())[k];
        assertThat(t.after().user(t.user())[k]).isCloseTo(u - step * v, within(1e-6));
        assertThat(t.after().item(t.item())[k]).isCloseTo(v - step * u, within(1e-6));
      }
      for (int i = 0; i < task.items(); i++) {
        assertThat(Arrays.equals(t.after().item(i), before.item(i))).isEqualTo(i != t.item());
      }
    }
  }
}

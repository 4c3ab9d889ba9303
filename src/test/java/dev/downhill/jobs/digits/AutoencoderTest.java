package dev.downhill.jobs.digits;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.train.Trainer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AutoencoderTest {
  @TempDir Path folder;

  private String run(String out, Map<JobOption, String> given) {
    JobOptions options = new JobOptions(Device.cpu(), 1, folder.resolve(out), false, given);
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    JobResult result =
        new Autoencoder()
            .run(
                options,
                new PrintStream(text, true, StandardCharsets.UTF_8),
                new Trainer.Listener() {});
    assertThat(result.metric().name()).isEqualTo("error");
    return text.toString(StandardCharsets.UTF_8);
  }

  @Test
  void twoNumbers_saveMoreThanTheMeanPicture_andKnowSomeDigits() throws IOException {
    String text = run("run", Map.of(JobOption.STEPS, "300"));
    Matcher errors =
        Pattern.compile("held-out digits: ([0-9.]+); .* has ([0-9.]+)\\.\n").matcher(text);
    assertThat(errors.find()).isTrue();
    double error = Double.parseDouble(errors.group(1));
    assertThat(error).isLessThan(0.9 * Double.parseDouble(errors.group(2)));
    Matcher known = Pattern.compile("name it for ([0-9.]+) %").matcher(text);
    assertThat(known.find()).isTrue();
    assertThat(Double.parseDouble(known.group(1))).isGreaterThan(25);
    byte[] map = Files.readAllBytes(folder.resolve("run/map.png"));
    assertThat(ImageIO.read(new ByteArrayInputStream(map)).getWidth()).isGreaterThan(392);
    assertThat(folder.resolve("run/plane.png")).isNotEmptyFile();
    assertThat(folder.resolve("run/pairs.png")).isNotEmptyFile();
  }

  @Test
  void theSameSeed_givesTheSameBits() throws IOException {
    Path data = DigitsTest.files(folder, 300, 50);
    run("a", Map.of(JobOption.DATA, data.toString(), JobOption.EPOCHS, "2"));
    run("b", Map.of(JobOption.DATA, data.toString(), JobOption.EPOCHS, "2"));
    assertThat(Files.readAllBytes(folder.resolve("a/model.safetensors")))
        .isEqualTo(Files.readAllBytes(folder.resolve("b/model.safetensors")));
  }

  @Test
  void neighbours_vote() {
    float[] points = new float[2 * 20];
    byte[] classes = new byte[20];
    for (int i = 0; i < 20; i++) {
      points[2 * i] = i;
      classes[i] = (byte) (i < 8 ? 0 : i < 16 ? 1 : 2);
    }
    NearestNeighbours neighbours = new NearestNeighbours(points, classes, 3);
    // The 15 nearest to -1 are 0 to 14: eight of class 0, seven of class 1.
    assertThat(neighbours.guess(-1, 0)).isEqualTo(0);
    // To 9: 2 to 16, where class 1 has eight.
    assertThat(neighbours.guess(9, 0)).isEqualTo(1);
    // Fewer points than are asked: a tie goes to the lower class.
    assertThat(new NearestNeighbours(new float[4], new byte[] {2, 1}, 3).guess(0, 0)).isEqualTo(1);
    assertThat(neighbours.accuracy(new float[] {-1, 0, 9, 0}, new byte[] {0, 2})).isEqualTo(0.5);
  }
}

package dev.downhill;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.data.Dataset;
import dev.downhill.data.Encoder;
import dev.downhill.data.Houses;
import dev.downhill.data.Split;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Adam;
import dev.downhill.tensor.Function;
import dev.downhill.tensor.GradientCheck;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The README's programs are the ones below, and print what it says they print. */
class ReadmeTest {
  private static String readme() throws IOException {
    return Files.readString(Path.of("README.md"));
  }

  private static String source() throws IOException {
    return Files.readString(Path.of("src/test/java/dev/downhill/ReadmeTest.java"));
  }

  /** What stands in this file between two markers, without its indentation. */
  private static String region(String name) throws IOException {
    Matcher m =
        Pattern.compile("// begin " + name + "\n(.*?) *// end " + name, Pattern.DOTALL)
            .matcher(source());
    assertThat(m.find()).isTrue();
    return m.group(1).stripTrailing().stripIndent();
  }

  @Test
  void theTenLineExample() throws IOException {
    StringBuilder printed = new StringBuilder();
    // begin ten lines
    var device = Device.auto();
    var sales = Houses.table(20_000, 1);
    var rows = Split.of(sales.rows(), 0.2, 1).train();
    var houses = Dataset.of(device, Encoder.fit(sales, "price_eur", rows), sales, rows);
    var model = new Sequential(new Linear(4, 64), new Relu(), new Linear(64, 1)).on(device, 1);
    var adam = new Adam(model.parameters(), 3e-3);
    var step =
        Step.of(
            (x, y) -> {
              var loss = Loss.mse(model.forward(x), y);
              adam.zeroGrad();
              loss.backward();
              adam.step();
              return loss;
            });
    for (int epoch = 0; epoch < 5; epoch++) {
      double loss = 0;
      for (var b : houses.batches(256, 1, epoch)) {
        loss = step.run(b.x(), b.y()).item();
      }
      printed.append(String.format(Locale.ROOT, "epoch %d: loss %.4f%n", epoch + 1, loss));
    }
    // end ten lines
    assertThat(readme())
        .contains(
            region("ten lines")
                .replace(
                    "printed.append(String.format(Locale.ROOT, ",
                    "System.out.print(String.format("));
    assertThat(readme()).contains(printed.toString().strip());
    model.close();
    adam.close();
    houses.close();
    step.close();
  }

  @Test
  void anOperatorOfOnesOwn() throws IOException {
    var device = Device.cpu();
    // begin own operator
    // y = x^3, dx = 3 x^2 dy
    var cube =
        new Function("cube") {
          @Override
          public Tensor forward(Context c, List<Tensor> in) {
            Tensor x = in.get(0);
            c.save(x);
            return x.mul(x).mul(x);
          }

          @Override
          public List<Tensor> backward(Context c, Tensor dy) {
            Tensor x = c.saved(0);
            return List.of(x.mul(x).mul(3).mul(dy));
          }
        };
    Tensor x = Tensor.of(device, new double[] {1, -2, 0.5}, 3).requireGrad();
    cube.apply(x).sum().backward();
    GradientCheck.check(in -> cube.apply(in.get(0)), List.of(x)).assertPasses();
    // end own operator
    assertThat(x.grad()).isNotNull();
    assertThat(java.util.Objects.requireNonNull(x.grad()).toDoubles()).containsExactly(3, 12, 0.75);
    assertThat(readme()).contains(region("own operator"));
  }
}

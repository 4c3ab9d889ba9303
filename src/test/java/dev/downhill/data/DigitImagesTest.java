package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.downhill.backend.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DigitImagesTest {
  private static final Path MNIST = Path.of("../shared/data/mnist");

  @TempDir Path folder;

  private void images(int n, int side) throws IOException {
    byte[] pixels = new byte[n * side * side];
    Arrays.fill(pixels, (byte) 200);
    Files.write(
        folder.resolve("train-images-idx3-ubyte"),
        IdxTest.idx(8, new int[] {n, side, side}, pixels));
  }

  private void labels(int... labels) throws IOException {
    byte[] bytes = new byte[labels.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) labels[i];
    }
    Files.write(
        folder.resolve("train-labels-idx1-ubyte.gz"),
        IdxTest.zipped(IdxTest.idx(8, new int[] {labels.length}, bytes)));
  }

  private void assertRefused(String message) {
    assertThatThrownBy(() -> DigitImages.read(folder, "train"))
        .isInstanceOf(DataException.class)
        .hasMessage(message.replace("DIR", folder.toString()));
  }

  @Test
  void picturesAndLabels_areReadTogether() throws IOException {
    images(3, 28);
    labels(7, 0, 9);
    DigitImages digits = DigitImages.read(folder, "train");
    assertThat(digits.size()).isEqualTo(3);
    assertThat(digits.label(2)).isEqualTo(9);
    assertThat(digits.image(1)).hasSize(784).containsOnly(200 / 255f);
    try (Dataset classes = digits.classes(Device.cpu());
        Dataset mirrored = digits.mirrored(Device.cpu())) {
      assertThat(classes.x().shape().toArray()).containsExactly(3, 1, 28, 28);
      assertThat(classes.y().toLongs()).containsExactly(7, 0, 9);
      assertThat(mirrored.x().shape().toArray()).containsExactly(3, 784);
      assertThat(mirrored.y().toFloats()).isEqualTo(classes.x().toFloats());
    }
  }

  @Test
  void filesThatDoNotBelongTogether_areBothNamed() throws IOException {
    images(3, 28);
    labels(7, 0);
    assertRefused(
        "DIR/train-images-idx3-ubyte: expected as many images as there are labels in"
            + " DIR/train-labels-idx1-ubyte.gz, 2, got 3");
  }

  @Test
  void badContents_areRefused_withTheirPlace() throws IOException {
    assertRefused(
        "DIR: expected a folder with train-images-idx3-ubyte, or the same with .gz, got none"
            + " there");
    images(2, 28);
    labels(7, 10);
    assertRefused("DIR/train-labels-idx1-ubyte.gz: byte 9: expected a class of 0 to 9, got 10");
    images(2, 27);
    assertRefused(
        "DIR/train-images-idx3-ubyte: byte 3: expected images, n x 28 x 28, got 2 x 27 x 27");
    images(0, 28);
    labels();
    assertRefused("DIR/train-images-idx3-ubyte: expected images, got none");
    Files.copy(
        folder.resolve("train-images-idx3-ubyte"), folder.resolve("train-labels-idx1-ubyte"));
    assertRefused(
        "DIR/train-labels-idx1-ubyte: byte 3: expected labels, one dimension, got 0 x 28 x 28");
  }

  @Test
  void mnist_isReadAsItIsKnown() {
    assumeTrue(Files.isDirectory(MNIST), "no MNIST in " + MNIST);
    DigitImages train = DigitImages.read(MNIST, "train");
    DigitImages test = DigitImages.read(MNIST, "t10k");
    assertThat(train.size()).isEqualTo(60_000);
    assertThat(IntStream.range(0, 5).map(test::label)).containsExactly(7, 2, 1, 0, 4);
    assertThat(IntStream.range(0, 60_000).filter(i -> train.label(i) == 5)).hasSize(5421);
    double sum = 0;
    for (byte pixel : train.pixels()) {
      sum += Byte.toUnsignedInt(pixel);
    }
    assertThat(sum / train.pixels().length / 255).isCloseTo(0.1307, within(1e-4));
  }
}

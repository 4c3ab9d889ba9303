package dev.downhill.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class ConfusionMatrixTest {
  private static ConfusionMatrix filled() {
    ConfusionMatrix matrix = new ConfusionMatrix(3);
    for (int i = 0; i < 8; i++) {
      matrix.add(i % 3, i % 3);
    }
    matrix.add(2, 0);
    matrix.add(2, 0);
    matrix.add(1, 2);
    return matrix;
  }

  @Test
  void answers_areCounted_truthFirst() {
    ConfusionMatrix matrix = filled();
    assertThat(matrix.count(2, 0)).isEqualTo(2);
    assertThat(matrix.count(0, 2)).isZero();
    assertThat(matrix.accuracy()).isEqualTo(8.0 / 11);
    assertThat(matrix.worst()).isEqualTo(new ConfusionMatrix.Confusion(2, 0, 2));
  }

  @Test
  void anEmptyMatrix_hasNoMistake() throws IOException {
    ConfusionMatrix matrix = new ConfusionMatrix(2);
    assertThat(matrix.accuracy()).isNaN();
    assertThat(matrix.worst().count()).isZero();
    assertThat(ImageIO.read(new ByteArrayInputStream(matrix.png("none")))).isNotNull();
  }

  @Test
  void thePicture_showsRightAnswersInBlue_andMistakesInRed() throws IOException {
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(filled().png("three")));
    // A corner of the cells, which no text reaches: truths down, answers across.
    int right = image.getRGB(72, 82);
    int mistake = image.getRGB(72, 82 + 2 * 46);
    int none = image.getRGB(72 + 2 * 46, 82);
    assertThat(right & 0xff).isEqualTo(255).isGreaterThan((right >> 16 & 0xff) + 100);
    assertThat(mistake >> 16 & 0xff).isEqualTo(255).isGreaterThan((mistake & 0xff) + 50);
    assertThat(none & 0xffffff).isEqualTo(0xffffff);
  }

  @Test
  void whatIsNoClass_isRefused() {
    assertThatThrownBy(() -> new ConfusionMatrix(3).add(1, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("confusion: expected classes below 3, got 1 taken for 3");
    assertThatThrownBy(() -> new ConfusionMatrix(0)).isInstanceOf(IllegalArgumentException.class);
  }
}

package dev.downhill.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class GalleryTest {
  private static BufferedImage read(Gallery gallery) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(gallery.png()));
  }

  @Test
  void images_standInRows_withTheirColours() throws IOException {
    BufferedImage drawn =
        read(
            new Gallery("t", 2, 50)
                .grey("a", new float[] {0, 0, 1, 1}, 2)
                .signed("b", new float[] {2, -2, 0, 1}, 2)
                .grey("c", new float[] {7, -7}, 1));
    assertThat(drawn.getWidth()).isEqualTo(12 + 2 * 62);
    assertThat(drawn.getHeight()).isEqualTo(40 + 2 * 82);
    assertThat(drawn.getRGB(20, 45) & 0xffffff).isZero();
    assertThat(drawn.getRGB(20, 80) & 0xffffff).isEqualTo(0xffffff);
    assertThat(drawn.getRGB(80, 45) & 0xffffff).isEqualTo(0xff0000);
    assertThat(drawn.getRGB(110, 45) & 0xffffff).isEqualTo(0x0000ff);
    assertThat(drawn.getRGB(80, 80) & 0xffffff).isEqualTo(0xffffff);
    assertThat(drawn.getRGB(110, 80) & 0xffffff).isEqualTo(0xff8080);
    assertThat(drawn.getRGB(20, 140) & 0xffffff).isEqualTo(0xffffff);
    assertThat(drawn.getRGB(50, 140) & 0xffffff).isZero();
  }

  @Test
  void imagesWithoutRowsOfEqualLength_areRefused() {
    Gallery gallery = new Gallery("t", 2, 50);
    assertThatThrownBy(() -> gallery.grey("a", new float[5], 2))
        .hasMessage("gallery: expected rows of equal length, got 5 values in 2 rows");
    assertThatThrownBy(() -> gallery.grey("a", new float[0], 2))
        .hasMessage("gallery: expected rows of equal length, got 0 values in 2 rows");
    assertThatThrownBy(() -> gallery.colour("a", new float[4], new float[4], new float[2], 2))
        .hasMessage("gallery: expected three colours of equal size, got 4, 4 and 2 values");
    assertThatThrownBy(() -> new Gallery("t", 0, 50))
        .hasMessage("gallery: expected columns and side of 1 or more, got 0 and 50");
  }
}

package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.Font;
import java.awt.FontFormatException;
import java.awt.Shape;
import java.awt.font.FontRenderContext;
import java.awt.geom.Rectangle2D;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DrawnDigitsTest {
  @Test
  void theSameSeedAndName_giveTheSamePixels() {
    DigitImages digits = DrawnDigits.draw(50, 7, "train", 1);
    assertThat(DrawnDigits.draw(50, 7, "train", 1).pixels()).isEqualTo(digits.pixels());
    assertThat(DrawnDigits.draw(20, 7, "train", 1).pixels())
        .isEqualTo(Arrays.copyOf(digits.pixels(), 20 * 784));
    assertThat(DrawnDigits.draw(50, 8, "train", 1).pixels()).isNotEqualTo(digits.pixels());
    assertThat(DrawnDigits.draw(50, 7, "test", 1).pixels()).isNotEqualTo(digits.pixels());
  }

  @Test
  void thePixels_areTheSameOnEveryMachine() {
    assertThat(Arrays.hashCode(DrawnDigits.draw(200, 1, "train", 1).pixels())).isEqualTo(928944866);
  }

  @Test
  void everyDigit_isDrawnAboutAsOften_andLiesWithinThePicture() {
    DigitImages digits = DrawnDigits.draw(2_000, 1, "train", 1);
    for (int c = 0; c < 10; c++) {
      int label = c;
      assertThat(IntStream.range(0, 2_000).filter(i -> digits.label(i) == label).count())
          .isBetween(150L, 250L);
    }
    for (int i = 0; i < digits.size(); i++) {
      float[] image = digits.image(i);
      double inner = 0;
      for (int p = 0; p < 784; p++) {
        boolean inside = p % 28 >= 2 && p % 28 < 26 && p / 28 >= 2 && p / 28 < 26;
        inner += inside ? image[p] : 0;
      }
      assertThat(inner).as("ink of %s", i).isGreaterThan(20);
    }
  }

  @Test
  void withoutSpread_aDigitOfAFont_alwaysLooksTheSame() {
    DigitImages digits = DrawnDigits.draw(2_000, 1, "train", 0);
    assertThat(IntStream.range(0, 2_000).mapToObj(i -> Arrays.hashCode(digits.image(i))).distinct())
        .hasSize(120);
  }

  @Test
  void impossibleNumbers_areRefused() {
    assertThatThrownBy(() -> DrawnDigits.draw(-1, 1, "train", 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> DrawnDigits.draw(1, 1, "train", Double.NaN))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("digits: expected a number of pictures and a spread of 0 to 1, got 1 and NaN");
  }

  /** Java's own reader of fonts as an oracle. */
  @ParameterizedTest
  @ValueSource(strings = {"Sans-Regular", "Serif-BoldItalic", "Mono-Bold"})
  void outlines_areThoseOfJavasOwnFonts(String name) throws IOException, FontFormatException {
    String path = "/liberation/Liberation" + name + ".ttf";
    TrueTypeFont font = TrueTypeFont.resource(path);
    try (InputStream in = DrawnDigitsTest.class.getResourceAsStream(path)) {
      Font java = Font.createFont(Font.TRUETYPE_FONT, in).deriveFont(2048f);
      FontRenderContext context = new FontRenderContext(null, true, true);
      for (char c = '0'; c <= '9'; c++) {
        Shape expected = java.createGlyphVector(context, String.valueOf(c)).getOutline();
        Shape outline = font.outline(c);
        Rectangle2D a = expected.getBounds2D();
        Rectangle2D b = outline.getBounds2D();
        assertThat(b.getX()).isCloseTo(a.getX(), within(2.0));
        assertThat(b.getWidth()).isCloseTo(a.getWidth(), within(2.0));
        assertThat(b.getMaxY()).isCloseTo(-a.getY(), within(2.0));
        int differing = 0;
        // Off the grid, on which the edges lie.
        for (double x = 0.5; x < 1200; x += 20) {
          for (double y = -99.5; y < 1500; y += 20) {
            differing += outline.contains(x, y) == expected.contains(x, -y) ? 0 : 1;
          }
        }
        assertThat(differing).as("points of '%s'", c).isLessThan(5);
      }
    }
  }
}

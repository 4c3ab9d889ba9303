package dev.downhill.data;

import dev.downhill.tensor.HostRandom;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/**
 * Pictures of printed digits: a task like MNIST that needs no download. Each digit is drawn in one
 * of twelve fonts, moved, turned, slanted, stretched, in a grey of its own, and covered with noise.
 */
public final class DrawnDigits {
  private static final int SIDE = DigitImages.SIDE;
  private static final double HEIGHT = 20;

  private DrawnDigits() {}

  /**
   * Draws digits.
   *
   * @param n how many; fewer of one seed and name are the first of more
   * @param seed the same seed and name give the same pixels
   * @param name of the set, such as {@code train}
   * @param spread how much one digit differs from the next besides its font, 0 to 1
   * @throws IllegalArgumentException if {@code n} is negative or {@code spread} out of range
   */
  public static DigitImages draw(int n, long seed, String name, double spread) {
    if (n < 0 || !(spread >= 0 && spread <= 1)) {
      throw new IllegalArgumentException(
          "digits: expected a number of pictures and a spread of 0 to 1, got %s and %s"
              .formatted(n, spread));
    }
    List<Path2D> outlines = outlines();
    HostRandom random = new HostRandom(seed, "digits " + name);
    byte[] pixels = new byte[n * SIDE * SIDE];
    byte[] labels = new byte[n];
    BufferedImage canvas = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = canvas.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    for (int i = 0; i < n; i++) {
      int chosen = random.below(outlines.size());
      labels[i] = (byte) (chosen % DigitImages.CLASSES);
      Path2D outline = outlines.get(chosen);
      g.setColor(Color.BLACK);
      g.fillRect(0, 0, SIDE, SIDE);
      g.setColor(Color.WHITE);
      g.fill(placement(outline.getBounds2D(), random, spread).createTransformedShape(outline));
      double ink = 1 - 0.4 * spread * random.uniform();
      double noise = 0.2 * spread * random.uniform();
      for (int p = 0; p < SIDE * SIDE; p++) {
        int white = canvas.getRGB(p % SIDE, p / SIDE) & 0xff;
        long grey = Math.round(ink * white + 255 * noise * random.normal());
        pixels[i * SIDE * SIDE + p] = (byte) Math.clamp(grey, 0, 255);
      }
    }
    g.dispose();
    return new DigitImages(pixels, labels);
  }

  /** The digits 0 to 9 of every font. */
  private static List<Path2D> outlines() {
    List<Path2D> outlines = new ArrayList<>();
    for (String family : List.of("Sans", "Serif", "Mono")) {
      for (String style : List.of("Regular", "Bold", "Italic", "BoldItalic")) {
        TrueTypeFont font =
            TrueTypeFont.resource("/liberation/Liberation%s-%s.ttf".formatted(family, style));
        for (char c = '0'; c <= '9'; c++) {
          outlines.add(font.outline(c));
        }
      }
    }
    return outlines;
  }

  /** From an outline, y upwards, to the canvas, y downwards. */
  private static AffineTransform placement(Rectangle2D bounds, HostRandom random, double spread) {
    double angle = around(0, 0.3 * spread, random);
    double slant = around(0, 0.3 * spread, random);
    double height = HEIGHT / bounds.getHeight() * around(1 - 0.1 * spread, 0.15 * spread, random);
    double width = height * around(1 - 0.1 * spread, 0.15 * spread, random);
    double x = around(SIDE / 2.0, 3 * spread, random);
    double y = around(SIDE / 2.0, 3 * spread, random);
    // Math's sine may differ in its last bit from machine to machine.
    double cos = StrictMath.cos(angle);
    double sin = StrictMath.sin(angle);
    AffineTransform t = new AffineTransform(cos, sin, -sin, cos, x, y);
    t.shear(slant, 0);
    t.scale(width, -height);
    t.translate(-bounds.getCenterX(), -bounds.getCenterY());
    return t;
  }

  /** Uniform, at most {@code far} away from {@code middle}. */
  private static double around(double middle, double far, HostRandom random) {
    return middle + far * (2 * random.uniform() - 1);
  }
}

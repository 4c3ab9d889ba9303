package dev.downhill.explain;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/**
 * Small images in rows, each with a line of text below it, as one PNG file: examples that a network
 * got wrong, filters, maps of what an answer depended on.
 */
public final class Gallery {
  private static final int GAP = 12;
  private static final int TITLE = 40;
  private static final int CAPTION = 20;

  private record Picture(String caption, BufferedImage image) {}

  private final String title;
  private final int columns;
  private final int side;
  private final List<Picture> pictures = new ArrayList<>();

  /**
   * An empty gallery.
   *
   * @param title above all
   * @param columns images a row
   * @param side the width and height, in pixels, that an image is drawn with
   */
  public Gallery(String title, int columns, int side) {
    if (columns < 1 || side < 1) {
      throw new IllegalArgumentException(
          "gallery: expected columns and side of 1 or more, got %s and %s"
              .formatted(columns, side));
    }
    this.title = title;
    this.columns = columns;
    this.side = side;
  }

  /**
   * Adds an image in shades of grey.
   *
   * @param caption below it
   * @param grey row by row, from 0 (black) to 1 (white); what lies outside is cut off
   * @param height the number of rows
   */
  public Gallery grey(String caption, float[] grey, int height) {
    return colour(caption, grey, grey, grey, height);
  }

  /**
   * Adds an image of values with a sign: white is 0, red positive, blue negative; the largest
   * magnitude has the full colour.
   *
   * @param caption below it
   * @param values row by row
   * @param height the number of rows
   */
  public Gallery signed(String caption, float[] values, int height) {
    float most = Float.MIN_NORMAL;
    for (float v : values) {
      most = Math.max(most, Math.abs(v));
    }
    float[] red = new float[values.length];
    float[] green = new float[values.length];
    float[] blue = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      float v = values[i] / most;
      red[i] = 1 + Math.min(v, 0);
      green[i] = 1 - Math.abs(v);
      blue[i] = 1 - Math.max(v, 0);
    }
    return colour(caption, red, green, blue, height);
  }

  /**
   * Adds an image of three colours.
   *
   * @param caption below it
   * @param red row by row, from 0 to 1; what lies outside is cut off
   * @param green likewise
   * @param blue likewise
   * @param height the number of rows
   */
  public Gallery colour(String caption, float[] red, float[] green, float[] blue, int height) {
    if (height < 1 || red.length == 0 || red.length % height != 0) {
      throw new IllegalArgumentException(
          "gallery: expected rows of equal length, got %s values in %s rows"
              .formatted(red.length, height));
    }
    if (green.length != red.length || blue.length != red.length) {
      throw new IllegalArgumentException(
          "gallery: expected three colours of equal size, got %s, %s and %s values"
              .formatted(red.length, green.length, blue.length));
    }
    int width = red.length / height;
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < red.length; i++) {
      int rgb = level(red[i]) << 16 | level(green[i]) << 8 | level(blue[i]);
      image.setRGB(i % width, i / width, rgb);
    }
    pictures.add(new Picture(caption, image));
    return this;
  }

  private static int level(float v) {
    return Math.clamp(Math.round(v * 255), 0, 255);
  }

  /** Draws all: a PNG file's bytes. */
  public byte[] png() {
    int rows = Math.ceilDiv(pictures.size(), columns);
    int width = GAP + columns * (side + GAP);
    int height = TITLE + rows * (side + CAPTION + GAP);
    BufferedImage all = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = all.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, width, height);
    g.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setColor(Color.DARK_GRAY);
    g.setFont(Plot.font(Font.BOLD, 16));
    g.drawString(title, GAP, TITLE - GAP);
    g.setFont(Plot.font(Font.PLAIN, 12));
    for (int i = 0; i < pictures.size(); i++) {
      Picture p = pictures.get(i);
      int x = GAP + i % columns * (side + GAP);
      int y = TITLE + i / columns * (side + CAPTION + GAP);
      g.drawImage(p.image, x, y, side, side, null);
      g.drawRect(x - 1, y - 1, side + 1, side + 1);
      int text = g.getFontMetrics().stringWidth(p.caption);
      g.drawString(p.caption, x + (side - text) / 2, y + side + CAPTION - 5);
    }
    g.dispose();
    return Plot.png(all);
  }
}

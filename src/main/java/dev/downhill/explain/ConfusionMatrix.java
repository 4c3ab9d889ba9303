package dev.downhill.explain;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.Arrays;

/** How often each class was taken for each other: truths down, answers across. */
public final class ConfusionMatrix {
  private static final int CELL = 46;
  private static final int LEFT = 70;
  private static final int TOP = 80;
  private static final int MARGIN = 16;

  private final int[][] counts;
  private int all;

  /**
   * A class taken for another.
   *
   * @param truth what it was
   * @param answer what it was taken for
   * @param count how often
   */
  public record Confusion(int truth, int answer, int count) {}

  /** A matrix without examples yet. */
  public ConfusionMatrix(int classes) {
    if (classes < 1) {
      throw new IllegalArgumentException("confusion: expected 1 class or more, got " + classes);
    }
    counts = new int[classes][classes];
  }

  /**
   * Counts an example.
   *
   * @throws IllegalArgumentException if one of the two is no class
   */
  public void add(int truth, int answer) {
    if (Math.min(truth, answer) < 0 || Math.max(truth, answer) >= counts.length) {
      throw new IllegalArgumentException(
          "confusion: expected classes below %s, got %s taken for %s"
              .formatted(counts.length, truth, answer));
    }
    counts[truth][answer]++;
    all++;
  }

  /** How often {@code truth} was taken for {@code answer}. */
  public int count(int truth, int answer) {
    return counts[truth][answer];
  }

  /** The share of answers that were right; NaN without any. */
  public double accuracy() {
    int right = 0;
    for (int c = 0; c < counts.length; c++) {
      right += counts[c][c];
    }
    return (double) right / all;
  }

  /** The mistake that was made most often, the first of equals; its count is 0 if none was. */
  public Confusion worst() {
    Confusion worst = new Confusion(0, 0, 0);
    for (int t = 0; t < counts.length; t++) {
      for (int a = 0; a < counts.length; a++) {
        if (t != a && counts[t][a] > worst.count) {
          worst = new Confusion(t, a, counts[t][a]);
        }
      }
    }
    return worst;
  }

  /** Draws it: right answers in blue, mistakes in red, the darker the more of their row. */
  public byte[] png(String title) {
    int side = counts.length * CELL;
    int width = LEFT + side + MARGIN;
    int height = TOP + side + MARGIN;
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, width, height);
    g.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setColor(Color.DARK_GRAY);
    g.setFont(Plot.font(Font.BOLD, 16));
    g.drawString(title, MARGIN, 28);
    g.setFont(Plot.font(Font.PLAIN, 13));
    g.drawString("taken for", LEFT, 52);
    g.drawString("was", MARGIN, TOP - 8);
    for (int t = 0; t < counts.length; t++) {
      g.setColor(Color.DARK_GRAY);
      centred(g, Integer.toString(t), LEFT + t * CELL, TOP - CELL + 14);
      centred(g, Integer.toString(t), MARGIN, TOP + t * CELL);
      for (int a = 0; a < counts.length; a++) {
        cell(g, t, a);
      }
    }
    g.dispose();
    return Plot.png(image);
  }

  private void cell(Graphics2D g, int truth, int answer) {
    int count = counts[truth][answer];
    double share = count / Math.max(1.0, Arrays.stream(counts[truth]).sum());
    // A root, since a mistake in a hundred is to be seen.
    int pale = 255 - (int) (200 * Math.sqrt(share));
    g.setColor(truth == answer ? new Color(pale, pale, 255) : new Color(255, pale, pale));
    int x = LEFT + answer * CELL;
    int y = TOP + truth * CELL;
    g.fillRect(x, y, CELL - 1, CELL - 1);
    if (count > 0) {
      g.setColor(truth == answer && share > 0.5 ? Color.WHITE : Color.DARK_GRAY);
      centred(g, Integer.toString(count), x, y);
    }
  }

  private static void centred(Graphics2D g, String text, int x, int y) {
    g.drawString(text, x + (CELL - g.getFontMetrics().stringWidth(text)) / 2, y + CELL / 2 + 5);
  }
}

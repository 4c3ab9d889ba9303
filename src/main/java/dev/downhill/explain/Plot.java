package dev.downhill.explain;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Line charts as PNG files, drawn without a display and with a font of their own, so that they look
 * the same on every machine.
 */
public final class Plot {
  private static final Color[] COLOURS = {
    new Color(0x1f6feb),
    new Color(0xd1495b),
    new Color(0x2a9d8f),
    new Color(0xe9a23b),
    new Color(0x7b4fb3),
    new Color(0x5b3a29),
    new Color(0xd16ba5),
    new Color(0x7f7f7f),
    new Color(0x98a52a),
    new Color(0x17a2c4)
  };

  static {
    installFont();
  }

  private final XYChart chart;
  private int series;
  private double low = Double.POSITIVE_INFINITY;
  private double high;

  /**
   * An empty chart.
   *
   * @param title above the chart
   * @param x what the horizontal axis shows
   * @param y what the vertical axis shows
   */
  public Plot(String title, String x, String y) {
    chart =
        new XYChartBuilder()
            .width(720)
            .height(440)
            .title(title)
            .xAxisTitle(x)
            .yAxisTitle(y)
            .build();
    chart
        .getStyler()
        .setChartBackgroundColor(Color.WHITE)
        .setLegendPosition(Styler.LegendPosition.OutsideS)
        .setLegendLayout(Styler.LegendLayout.Horizontal)
        .setChartTitleFont(font(Font.BOLD, 16))
        .setLegendFont(font(Font.PLAIN, 13));
    chart
        .getStyler()
        .setAxisTitleFont(font(Font.PLAIN, 13))
        .setAxisTickLabelsFont(font(Font.PLAIN, 12))
        .setPlotGridLinesColor(new Color(0xdddddd))
        .setPlotBorderVisible(false);
  }

  static Font font(int style, int size) {
    return new Font(Font.SANS_SERIF, style, size);
  }

  /** A vertical axis by powers of ten; values of 0 or less are left out. */
  public Plot logarithmic() {
    chart.getStyler().setYAxisLogarithmic(true);
    return this;
  }

  /** A horizontal axis by powers of ten, for values above 0. */
  public Plot logarithmicX() {
    chart.getStyler().setXAxisLogarithmic(true);
    return this;
  }

  /** A line through points; what is not finite is left out. */
  public Plot line(String name, double[] x, double[] y) {
    add(name, x, y);
    return this;
  }

  /** A dashed line, for something known. */
  public Plot dashed(String name, double[] x, double[] y) {
    XYSeries added = add(name, x, y);
    added.setLineStyle(SeriesLines.DASH_DASH).setLineColor(Color.DARK_GRAY);
    added.setMarker(SeriesMarkers.NONE);
    return this;
  }

  /** Points without a line between them. */
  public Plot points(String name, double[] x, double[] y) {
    XYSeries added = add(name, x, y);
    added.setLineStyle(SeriesLines.NONE);
    added.setMarker(SeriesMarkers.CIRCLE);
    chart.getStyler().setMarkerSize(x.length > 200 ? 4 : 7);
    return this;
  }

  private XYSeries add(String name, double[] x, double[] y) {
    boolean log = chart.getStyler().isYAxisLogarithmic();
    int[] good =
        java.util.stream.IntStream.range(0, x.length)
            .filter(i -> Double.isFinite(y[i]) && (!log || y[i] > 0))
            .toArray();
    double[] xs = Arrays.stream(good).mapToDouble(i -> x[i]).toArray();
    double[] ys = Arrays.stream(good).mapToDouble(i -> y[i]).toArray();
    if (xs.length == 0) {
      // XChart refuses an empty series; a chart that says so is better than none.
      xs = new double[] {0};
      ys = new double[] {1};
    }
    for (double v : ys) {
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    // One or two powers of ten are too few labels; every digit of many is too much.
    chart.getStyler().setYAxisLogarithmicDecadeOnly(high / low > 100);
    XYSeries added = chart.addSeries(name, xs, ys);
    added.setMarker(xs.length > 40 ? SeriesMarkers.NONE : SeriesMarkers.CIRCLE);
    added.setLineColor(COLOURS[series % COLOURS.length]);
    added.setMarkerColor(COLOURS[series % COLOURS.length]);
    series++;
    return added;
  }

  /**
   * Draws plots side by side.
   *
   * @return a PNG file's bytes
   */
  public static byte[] png(Plot... plots) {
    return png(plots.length, plots);
  }

  /**
   * Draws plots in rows.
   *
   * @param columns plots a row
   * @return a PNG file's bytes
   */
  public static byte[] png(int columns, Plot... plots) {
    int width = Arrays.stream(plots).mapToInt(p -> p.chart.getWidth()).max().orElse(1);
    int height = Arrays.stream(plots).mapToInt(p -> p.chart.getHeight()).max().orElse(1);
    int rows = Math.ceilDiv(plots.length, columns);
    BufferedImage image =
        new BufferedImage(columns * width, rows * height, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, image.getWidth(), image.getHeight());
    for (int i = 0; i < plots.length; i++) {
      Graphics2D part = (Graphics2D) g.create();
      part.translate(i % columns * width, i / columns * height);
      plots[i].chart.paint(part, width, height);
      part.dispose();
    }
    g.dispose();
    return png(image);
  }

  /** The bytes of a PNG file. */
  static byte[] png(BufferedImage image) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  // Java looks for fonts when its first AWT class loads; this tells it to use the bundled one,
  // whether
  // the machine has others or none.
  private static void installFont() {
    System.setProperty("java.awt.headless", "true");
    try (InputStream font =
        Plot.class.getResourceAsStream("/liberation/LiberationSans-Regular.ttf")) {
      if (font == null || System.getProperty("sun.awt.fontconfig") != null) {
        return;
      }
      Path folder = Files.createTempDirectory("downhill-font");
      Path file = folder.resolve("LiberationSans-Regular.ttf");
      Path config = folder.resolve("fontconfig.properties");
      Files.copy(font, file);
      Files.writeString(
          config,
          """
          version=1
          sequence.allfonts=default
          allfonts.default=Bundled
          filename.Bundled=%s
          """
              .formatted(file));
      for (Path p : new Path[] {folder, file, config}) {
        p.toFile().deleteOnExit();
      }
      System.setProperty("sun.awt.fontconfig", config.toString());
    } catch (IOException e) {
      throw new UncheckedIOException("plot: no folder for the chart font", e);
    }
  }
}

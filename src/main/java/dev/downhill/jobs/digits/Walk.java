package dev.downhill.jobs.digits;

import dev.downhill.data.DigitImages;
import dev.downhill.explain.Gallery;
import dev.downhill.explain.TextTable;
import dev.downhill.nn.Layer;
import dev.downhill.nn.Module;
import dev.downhill.nn.Sequential;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * One picture on its way through a trained network and its error on the way back, layer by layer.
 */
final class Walk {
  private static final int MAPS = 8;

  private final Sequential model;
  private final int number;
  private final float[] image;
  private final int label;

  /**
   * A walk of one picture.
   *
   * @param model the trained network
   * @param images where the picture is
   * @param number of the picture among them, counted from 1
   */
  Walk(Sequential model, DigitImages images, int number) {
    this.model = model;
    this.number = number;
    this.image = images.image(number - 1);
    this.label = images.label(number - 1);
  }

  /**
   * Tells all of it.
   *
   * @return a picture: the example, which pixels would raise the loss, and what the first filters
   *     see
   */
  byte[] tell(PrintStream report) {
    try (Module.Mode _ = model.evaluating();
        Scope _ = Scope.open()) {
      List<Tensor> values = new ArrayList<>();
      Tensor x = Tensor.of(model.parameters().get(0).device(), image, 1, 1, side(), side());
      values.add(x.requireGrad());
      for (Layer layer : model.layers()) {
        values.add(layer.forward(values.getLast()));
      }
      Tensor scores = values.getLast();
      Tensor loss = Loss.crossEntropy(scores, Tensor.of(x.device(), new long[] {label}, 1));
      List<Tensor> gradients =
          Autograd.grad(loss, values, Autograd.Backward.DEFAULT).stream()
              .map(Objects::requireNonNull)
              .toList();
      float[] p = scores.softmax(1).toFloats();
      verdict(report, (int) scores.argmax().item(), p);
      forward(report, values);
      blame(report, loss.item(), scores.toFloats(), p, gradients.getLast().toFloats());
      backward(report, gradients);
      return picture(values, gradients.get(0));
    }
  }

  private static int side() {
    return DigitImages.SIDE;
  }

  private void verdict(PrintStream report, int answer, float[] p) {
    report.printf(
        Locale.ROOT,
        "%nWalk. Held-out example %d is a %d %s a %d with %.1f %% confidence:%n%n%s",
        number,
        label,
        answer == label ? "rightly taken for" : "taken for",
        answer,
        100 * p[answer],
        drawing());
  }

  /** Two rows of pixels make a line of characters, which are twice as high as wide. */
  private String drawing() {
    String shades = " .:-=+*#%@";
    StringBuilder text = new StringBuilder();
    for (int row = 0; row < side(); row += 2) {
      StringBuilder line = new StringBuilder("  ");
      for (int column = 0; column < side(); column++) {
        int at = row * side() + column;
        float grey = (image[at] + image[at + side()]) / 2;
        line.append(shades.charAt(Math.min((int) (grey * shades.length()), shades.length() - 1)));
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  private void forward(PrintStream report, List<Tensor> values) {
    TextTable table = new TextTable("layer", "output", "mean size", "not zero");
    for (int i = 1; i < values.size(); i++) {
      float[] y = values.get(i).toFloats();
      int busy = 0;
      for (float v : y) {
        busy += v == 0 ? 0 : 1;
      }
      table.row(
          name(i - 1),
          shape(values.get(i)),
          String.format(Locale.ROOT, "%.3f", meanSize(y)),
          String.format(Locale.ROOT, "%.0f %%", 100.0 * busy / y.length));
    }
    report.printf("%n1. Forward, layer by layer:%n%s", table);
  }

  private void blame(PrintStream report, double loss, float[] scores, float[] p, float[] wanted) {
    TextTable table = new TextTable("class", "score", "probability", "gradient of its score");
    for (int c = 0; c < p.length; c++) {
      table.row(
          Integer.toString(c),
          String.format(Locale.ROOT, "%+.2f", scores[c]),
          String.format(Locale.ROOT, "%.2f %%", 100 * p[c]),
          String.format(Locale.ROOT, "%+.4f", wanted[c]));
    }
    report.printf(
        Locale.ROOT,
        "%n2. Loss. The network gave the truth, %d, %.2f %%; the loss is -ln of that, %.4f.%n"
            + "Its gradient is the probability, less 1 for the truth: a minus says \"more\".%n%s",
        label,
        100 * p[label],
        loss,
        table);
  }

  private void backward(PrintStream report, List<Tensor> gradients) {
    TextTable table = new TextTable("layer", "gradient of its input", "mean size");
    for (int i = gradients.size() - 2; i >= 0; i--) {
      Tensor g = gradients.get(i);
      table.row(name(i), shape(g), String.format(Locale.ROOT, "%.2e", meanSize(g.toFloats())));
    }
    report.printf("%n3. Backward, from the last layer to the pixels:%n%s", table);
  }

  private byte[] picture(List<Tensor> values, Tensor blame) {
    Gallery gallery = new Gallery("Example " + number, 5, 140);
    gallery.grey("the picture, a " + label, image, side());
    gallery.signed("red: more ink, more loss", blame.toFloats(), side());
    Tensor first = values.get(1);
    if (first.dim() == 4) {
      for (int map = 0; map < MAPS; map++) {
        float[] seen = first.select(1, map).toFloats();
        gallery.signed("filter %s sees".formatted(map + 1), seen, (int) first.size(2));
      }
    }
    return gallery.png();
  }

  private String name(int layer) {
    return model.layers().get(layer).getClass().getSimpleName();
  }

  private static String shape(Tensor t) {
    Shape shape = t.shape();
    StringBuilder text = new StringBuilder(Long.toString(shape.size(1)));
    for (int i = 2; i < shape.rank(); i++) {
      text.append(" x ").append(shape.size(i));
    }
    return text.toString();
  }

  private static double meanSize(float[] values) {
    double sum = 0;
    for (float v : values) {
      sum += Math.abs(v);
    }
    return sum / values.length;
  }
}

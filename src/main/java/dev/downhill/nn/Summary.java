package dev.downhill.nn;

import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import dev.downhill.tensor.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a model is made of: its layers with the shapes they put out, their parameters and their
 * work. A {@link Sequential} is shown layer by layer, any other layer as one.
 *
 * @param rows one per layer, in order
 * @param total of all rows, with the output of the model
 */
public record Summary(List<Row> rows, Row total) {
  /**
   * A layer.
   *
   * @param path where it is in the model
   * @param layer the first line of what it says of itself
   * @param output the shape of its output
   * @param parameters how many numbers are parameters, frozen ones included; those of a part that
   *     is used twice count once
   * @param trained how many of them are trained at present
   * @param flops floating-point operations of a forward pass, as {@link Work} counts them
   * @param bytes of its parameters and buffers
   */
  public record Row(
      String path,
      String layer,
      Shape output,
      long parameters,
      long trained,
      long flops,
      long bytes) {}

  /** Copies the list. */
  public Summary {
    rows = List.copyOf(rows);
  }

  /** {@link #of(Layer, DType, long...)} for inputs of the dtype of the first parameter. */
  public static Summary of(Layer model, long... inputShape) {
    DType dtype =
        model.state().values().stream()
            .map(Tensor::dtype)
            .filter(DType::isFloating)
            .findFirst()
            .orElse(DType.F32);
    return of(model, dtype, inputShape);
  }

  /**
   * The summary of a model, for which it computes zeros in evaluation mode.
   *
   * @param model one that is placed and has a parameter or a buffer
   * @param dtype of the input, such as {@code int64} for an embedding
   * @param inputShape of the input, the batch included
   * @throws IllegalArgumentException if the model has neither parameters nor buffers, or does not
   *     take such an input
   */
  public static Summary of(Layer model, DType dtype, long... inputShape) {
    if (model.state().isEmpty()) {
      throw new IllegalArgumentException(
          "summary: expected a model with parameters or buffers, which are on a device, got "
              + model);
    }
    List<Row> rows = new ArrayList<>();
    try (Module.Mode _ = model.evaluating();
        Autograd.Mode _ = Autograd.noGrad();
        Scope _ = Scope.open()) {
      Tensor any = model.state().values().iterator().next();
      Map<String, Module> unique = model.modules();
      Tensor y = walk("", model, Tensor.zeros(any.device(), dtype, inputShape), unique, rows);
      Row total =
          new Row(
              "",
              "total",
              y.shape(),
              rows.stream().mapToLong(Row::parameters).sum(),
              rows.stream().mapToLong(Row::trained).sum(),
              rows.stream().mapToLong(Row::flops).sum(),
              rows.stream().mapToLong(Row::bytes).sum());
      return new Summary(rows, total);
    }
  }

  private static Tensor walk(
      String path, Layer layer, Tensor x, Map<String, Module> unique, List<Row> rows) {
    if (layer instanceof Sequential chain) {
      Tensor y = x;
      int i = 0;
      for (Layer part : chain.layers()) {
        y = walk(path.isEmpty() ? "" + i : path + "." + i, part, y, unique, rows);
        i++;
      }
      return y;
    }
    Tensor[] y = new Tensor[1];
    long flops = Work.of(() -> y[0] = layer.forward(x));
    // A part that is used twice has its parameters under its first path.
    boolean first = layer.equals(unique.get(path));
    long bytes = 0;
    long parameters = 0;
    long trained = 0;
    if (first) {
      for (Tensor t : layer.state().values()) {
        bytes += t.numel() * t.dtype().bytes();
      }
      for (Parameter p : layer.allParameters()) {
        parameters += p.shape().numel();
        trained += p.isFrozen() ? 0 : p.shape().numel();
      }
    }
    String text = layer.toString().lines().findFirst().orElse("");
    rows.add(new Row(path, text, y[0].shape(), parameters, trained, flops, bytes));
    return y[0];
  }

  /** A table for people. */
  @Override
  public String toString() {
    List<String[]> cells = new ArrayList<>();
    cells.add(
        new String[] {"", "layer", "output", "parameters", "trained", "FLOPs forward", "bytes"});
    rows.forEach(r -> cells.add(cells(r)));
    cells.add(cells(total));
    int[] widths = new int[7];
    for (String[] line : cells) {
      for (int c = 0; c < widths.length; c++) {
        widths[c] = Math.max(widths[c], line[c].length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (String[] line : cells) {
      StringBuilder row = new StringBuilder();
      for (int c = 0; c < widths.length; c++) {
        String space = " ".repeat(widths[c] - line[c].length());
        row.append(c < 3 ? line[c] + space : space + line[c]).append("  ");
      }
      text.append(row.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  private static String[] cells(Row r) {
    return new String[] {
      r.path,
      r.layer,
      r.output.toString(),
      String.format(Locale.ROOT, "%,d", r.parameters),
      String.format(Locale.ROOT, "%,d", r.trained),
      String.format(Locale.ROOT, "%,d", r.flops),
      String.format(Locale.ROOT, "%,d", r.bytes)
    };
  }
}

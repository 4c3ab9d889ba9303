package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One distinct call of an operator: with these arguments, on inputs of these shapes, which lie so
 * in memory.
 *
 * @param row the operator
 * @param call its arguments
 * @param shapes of the inputs
 * @param laid how inputs lie in memory
 * @param only the one input that lies so, or -1 for all
 * @param dtype of the floating inputs
 * @param twist what else is special
 */
record OpCase(
    OpRow row, OpRow.Call call, Shapes shapes, Laid laid, int only, DType dtype, Twist twist) {

  /** Shapes of the inputs, by a name for people. */
  record Shapes(String kind, List<Shape> sizes) {
    static Shapes of(String kind, long[]... sizes) {
      return new Shapes(kind, Arrays.stream(sizes).map(Shape::of).toList());
    }

    long numel() {
      return sizes.stream().mapToLong(Shape::numel).sum();
    }

    @Override
    public String toString() {
      return kind + sizes.stream().map(Shape::toString).collect(Collectors.joining(" ", " ", ""));
    }
  }

  /**
   * {@code SAME}: one tensor for the first two inputs. {@code CONSTANT_i}: it needs no gradient.
   */
  enum Twist {
    NONE,
    SAME,
    CONSTANT_0,
    CONSTANT_1,
    CONSTANT_2;

    static Twist constant(int input) {
      return values()[CONSTANT_0.ordinal() + input];
    }

    boolean isConstant(int input) {
      return this == constant(input);
    }
  }

  /** Distinct for distinct cases. */
  String name() {
    return "%s | %s | %s%s | %s%s"
        .formatted(
            call,
            shapes,
            laid,
            only < 0 ? "" : " input " + only,
            dtype.suffix(),
            switch (twist) {
              case NONE -> "";
              case SAME -> " | the same tensor twice";
              default -> " | input " + (twist.ordinal() - 2) + " constant";
            });
  }

  /** New inputs on a device, the floating ones requiring gradients as the case says. */
  List<Tensor> inputs(Device device) {
    return inputs(device, dtype, true);
  }

  /** The same numbers, contiguous and without gradients. */
  List<Tensor> plain(Device device) {
    return inputs(device, dtype, false).stream().map(t -> Conversion.copy(t.detach())).toList();
  }

  /** The same numbers in another floating type. */
  List<Tensor> inputs(Device device, DType floating, boolean requireGrad) {
    Random random = new Random(name().hashCode());
    List<Tensor> inputs = new ArrayList<>();
    for (int i = 0; i < row.domains().size(); i++) {
      Domain domain = row.domains().get(i);
      Shape shape = shapes.sizes().get(i);
      Laid lies = (only < 0 || only == i) && laid.fits(shape) ? laid : Laid.CONTIGUOUS;
      double[] values = domain.draw(Math.toIntExact(lies.drawn(shape).numel()), random);
      Arrays.setAll(values, k -> rounded(values[k]));
      if (twist == Twist.SAME && i == 1) {
        inputs.add(inputs.get(0));
      } else {
        DType type = domain.isFloating() ? floating : domain.dtype();
        boolean leaf = requireGrad && type.isFloating() && !twist.isConstant(i);
        inputs.add(lies.make(device, type, values, shape, leaf));
      }
    }
    return inputs;
  }

  /** To the precision of the case, so that it can be compared with a wider type. */
  private double rounded(double value) {
    return switch (dtype) {
      case F32 -> (float) value;
      case BF16 -> Float.intBitsToFloat(Float.floatToIntBits((float) value) & 0xFFFF0000);
      default -> value;
    };
  }

  /** The operator applied. */
  Tensor apply(List<Tensor> inputs) {
    return call.function().apply(inputs);
  }

  /** The operator as a function to check. */
  Function<List<Tensor>, Tensor> function() {
    return call.function();
  }

  /** All cases of an operator. */
  static List<OpCase> of(OpRow row) {
    List<OpCase> cases = new ArrayList<>();
    for (OpRow.Call call : row.calls()) {
      boolean first = call.equals(row.calls().get(0));
      for (Shapes shapes : row.shapes()) {
        if (!call.accepts(shapes)) {
          continue;
        }
        for (Laid laid : Laid.values()) {
          boolean fits = shapes.sizes().stream().anyMatch(laid::fits) && !row.not().contains(laid);
          if (fits && (first || laid == Laid.CONTIGUOUS || laid == Laid.TRANSPOSED)) {
            cases.add(new OpCase(row, call, shapes, laid, -1, DType.F64, Twist.NONE));
            cases.add(new OpCase(row, call, shapes, laid, -1, DType.F32, Twist.NONE));
          }
        }
      }
      cases.addAll(special(row, call));
    }
    return cases;
  }

  /** The case of a call with the most numbers. */
  static OpCase largest(OpRow row, OpRow.Call call) {
    Shapes shapes =
        row.shapes().stream()
            .filter(call::accepts)
            .max((a, b) -> Long.compare(a.numel(), b.numel()))
            .orElseThrow(() -> new AssertionError(call + " accepts no shapes"));
    return new OpCase(row, call, shapes, Laid.CONTIGUOUS, -1, DType.F64, Twist.NONE);
  }

  /** What is tried on one choice of shapes only. */
  private static List<OpCase> special(OpRow row, OpRow.Call call) {
    List<OpCase> cases = new ArrayList<>();
    Shapes most = largest(row, call).shapes();
    cases.add(new OpCase(row, call, most, Laid.CONTIGUOUS, -1, DType.BF16, Twist.NONE));
    for (int i = 0; i < row.domains().size(); i++) {
      if (row.domains().get(i).isFloating()) {
        cases.add(new OpCase(row, call, most, Laid.CONTIGUOUS, -1, DType.F64, Twist.constant(i)));
      }
      for (Laid laid : Laid.values()) {
        boolean fits = laid != Laid.CONTIGUOUS && laid.fits(most.sizes().get(i));
        if (row.domains().size() > 1 && fits && !row.not().contains(laid)) {
          cases.add(new OpCase(row, call, most, laid, i, DType.F64, Twist.NONE));
        }
      }
    }
    boolean two =
        row.domains().size() >= 2
            && IntStream.range(0, 2).allMatch(i -> row.domains().get(i).isFloating());
    for (Shapes shapes : row.shapes()) {
      if (two
          && shapes.sizes().get(0).equals(shapes.sizes().get(1))
          && shapes.numel() > 0
          && call.accepts(shapes)) {
        cases.add(new OpCase(row, call, shapes, Laid.CONTIGUOUS, -1, DType.F64, Twist.SAME));
      }
    }
    return cases;
  }
}

package dev.downhill.jobs.spreadsheet;

import dev.downhill.optim.Sgd;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The step of {@link Spreadsheet} on tensors: each derivative is asked of autograd by itself. */
final class UnitByEngine {
  private UnitByEngine() {}

  private record Forward(Tensor z, Tensor h, Tensor y, Tensor e, Tensor loss) {
    static Forward of(List<Tensor> w) {
      Tensor z = w.get(0).mul(Spreadsheet.X1).add(w.get(1).mul(Spreadsheet.X2)).add(w.get(2));
      Tensor h = z.sigmoid();
      Tensor y = w.get(3).mul(h).add(w.get(4));
      Tensor e = y.sub(Spreadsheet.TARGET);
      return new Forward(z, h, y, e, e.square());
    }

    void put(Map<String, Double> values, String mark) {
      values.put("z" + mark, z.item());
      values.put("h" + mark, h.item());
      values.put("y" + mark, y.item());
      values.put("e" + mark, e.item());
      values.put("L" + mark, loss.item());
    }
  }

  /**
   * One step, and the forward pass after it.
   *
   * @param w the weights, in the order of {@link Spreadsheet#WEIGHTS}; they are changed
   * @return the value of every cell that has a formula
   */
  static Map<String, Double> step(List<Tensor> w, Sgd sgd) {
    Map<String, Double> values = new LinkedHashMap<>();
    try (Scope _ = Scope.open()) {
      Forward f = Forward.of(w);
      f.put(values, "");
      Map<String, Tensor> named = new LinkedHashMap<>();
      for (int i = 0; i < w.size(); i++) {
        named.put(Spreadsheet.WEIGHTS.get(i), w.get(i));
      }
      named.putAll(Map.of("z", f.z, "h", f.h, "y", f.y, "e", f.e));
      differentiate(values, "e", f.e, named, "y");
      differentiate(values, "y", f.y, named, "v", "c", "h");
      differentiate(values, "h", f.h, named, "z");
      differentiate(values, "z", f.z, named, "w1", "w2", "b");
      differentiate(values, "L", f.loss, named, "e", "y", "v", "c", "h", "z", "w1", "w2", "b");
      sgd.zeroGrad();
      f.loss.backward();
      sgd.step();
      for (int i = 0; i < w.size(); i++) {
        values.put(Spreadsheet.WEIGHTS.get(i) + "'", w.get(i).item());
      }
      Forward.of(w).put(values, "'");
    }
    return values;
  }

  /** Puts the derivative of {@code y} by each of these. */
  private static void differentiate(
      Map<String, Double> values, String name, Tensor y, Map<String, Tensor> named, String... by) {
    for (String x : by) {
      List<Tensor> xs = List.of(Objects.requireNonNull(named.get(x)));
      Tensor dx = Autograd.grad(y, xs, Autograd.Backward.DEFAULT.withRetainGraph()).get(0);
      values.put("d" + name + "/d" + x, Objects.requireNonNull(dx).item());
    }
  }
}

package dev.downhill.jobs.spreadsheet;

/**
 * The step of {@link Spreadsheet} as a person would compute it, cell by cell.
 *
 * <p>To have the engine's bits, it rounds as the engine does. Each product and each sum of two is
 * rounded by itself. A nudge, w - rate dL/dw, is rounded once, as optimisers do it ({@link
 * Math#fma}). And e^-z is {@link StrictMath}'s, which the engine uses because it has the same bits
 * on every machine; {@link Math#exp} may differ from it in the last bit.
 */
final class UnitByHand {
  private UnitByHand() {}

  /** One step from these weights, and the forward pass after it. */
  static Sheet step(double[] weights, double rate) {
    Sheet s = new Sheet();
    s.part("given");
    s.given("x1", Spreadsheet.X1);
    s.given("x2", Spreadsheet.X2);
    s.given("t", Spreadsheet.TARGET);
    s.given("rate", rate);
    for (int i = 0; i < weights.length; i++) {
      s.given(Spreadsheet.WEIGHTS.get(i), weights[i]);
    }

    s.part("forward");
    forward(s, "");

    s.part("local");
    double h = s.value("h");
    s.cell("de/dy", "1", 1);
    s.cell("dy/dv", "h", h);
    s.cell("dy/dc", "1", 1);
    s.cell("dy/dh", "v", s.value("v"));
    double slope = s.cell("dh/dz", "h*(1 - h)", h * (1 - h));
    s.cell("dz/dw1", "x1", Spreadsheet.X1);
    s.cell("dz/dw2", "x2", Spreadsheet.X2);
    s.cell("dz/db", "1", 1);

    s.part("chain");
    double de = s.cell("dL/de", "2*e", 2 * s.value("e"));
    double dy = s.cell("dL/dy", "dL/de*de/dy", de * 1);
    s.cell("dL/dv", "dL/dy*dy/dv", dy * h);
    s.cell("dL/dc", "dL/dy*dy/dc", dy * 1);
    double dh = s.cell("dL/dh", "dL/dy*dy/dh", dy * s.value("v"));
    double dz = s.cell("dL/dz", "dL/dh*dh/dz", dh * slope);
    s.cell("dL/dw1", "dL/dz*dz/dw1", dz * Spreadsheet.X1);
    s.cell("dL/dw2", "dL/dz*dz/dw2", dz * Spreadsheet.X2);
    s.cell("dL/db", "dL/dz*dz/db", dz * 1);

    s.part("nudge");
    for (String w : Spreadsheet.WEIGHTS) {
      double nudged = Math.fma(-rate, s.value("dL/d" + w), s.value(w));
      s.cell(w + "'", w + " - rate*dL/d" + w, nudged);
    }

    s.part("again");
    forward(s, "'");
    return s;
  }

  /** The forward pass with the weights whose names end in {@code mark}. */
  private static void forward(Sheet s, String mark) {
    double z =
        s.value("w1" + mark) * Spreadsheet.X1
            + s.value("w2" + mark) * Spreadsheet.X2
            + s.value("b" + mark);
    s.cell("z" + mark, "w1'*x1 + w2'*x2 + b'".replace("'", mark), z);
    double h = s.cell("h" + mark, "1/(1 + exp(-z'))".replace("'", mark), sigmoid(z));
    double y = s.value("v" + mark) * h + s.value("c" + mark);
    s.cell("y" + mark, "v'*h' + c'".replace("'", mark), y);
    double e = s.cell("e" + mark, "y' - t".replace("'", mark), y - Spreadsheet.TARGET);
    s.cell("L" + mark, "e'*e'".replace("'", mark), e * e);
  }

  /** 1 / (1 + e^-z), as e^z / (1 + e^z) where e^-z could overflow. */
  private static double sigmoid(double z) {
    return z < 0 ? StrictMath.exp(z) / (1 + StrictMath.exp(z)) : 1 / (1 + StrictMath.exp(-z));
  }
}

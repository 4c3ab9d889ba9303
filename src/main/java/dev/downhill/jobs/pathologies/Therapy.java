package dev.downhill.jobs.pathologies;

import dev.downhill.jobs.pathologies.DeepNet.Design;
import dev.downhill.jobs.pathologies.DeepNet.Design.Activation;
import dev.downhill.nn.Init;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * A network and how it is trained, by plain gradient descent.
 *
 * @param design of the network
 * @param rate the learning rate
 * @param clip the largest norm of the whole gradient; infinite for no limit
 */
record Therapy(Design design, double rate, double clip) {
  // N(0, 2/n) for n inputs: ReLU cuts off half of the variance, the 2 makes up for it.
  private static final Init HE = Init.kaimingNormal(Init.Fan.IN, Init.RELU);

  /** Every remedy at once. */
  static final Therapy ALL = of(Activation.RELU, HE, 0.1).withResidual().withNorm().withClip();

  /** A network without any remedy. */
  private static Therapy of(Activation activation, Init weights, double rate) {
    return new Therapy(
        new Design(activation, weights, false, false), rate, Double.POSITIVE_INFINITY);
  }

  /** What can go wrong, and the network that shows it. */
  enum Illness {
    /** Slopes below 1 multiply to nothing. */
    VANISHING("Sigmoids", of(Activation.SIGMOID, Init.lecunNormal(), 0.5), 5),
    /** Weights that are too large multiply to infinity. */
    EXPLODING("Weights of N(0, 1)", of(Activation.RELU, Init.normal(0, 1), 0.1), 1e-8),
    /** Steps that are too long land higher up on the other side. */
    OVERSHOOTING("Rate 1", of(Activation.RELU, HE, 1), 0.1);

    final String title;
    final Therapy untreated;
    private final double otherRate;

    Illness(String title, Therapy untreated, double otherRate) {
      this.title = title;
      this.untreated = untreated;
      this.otherRate = otherRate;
    }

    /** Each remedy by name, alone; the first is none. What the network has already is left out. */
    Map<String, Therapy> remedies() {
      Therapy t = untreated;
      Map<String, Therapy> all = new LinkedHashMap<>();
      all.put("none", t);
      all.put("He init", t.with(t.design.withWeights(HE)));
      all.put("He init, ReLU", t.with(t.design.withWeights(HE).withActivation(Activation.RELU)));
      all.put("residual", t.withResidual());
      all.put("layer norm", t.withNorm());
      all.put("clipping", t.withClip());
      all.put(String.format(Locale.ROOT, "rate %.2g", otherRate), t.withRate(otherRate));
      Map<String, Therapy> different = new LinkedHashMap<>();
      all.forEach(
          (name, therapy) -> {
            if (!different.containsValue(therapy)) {
              different.put(name, therapy);
            }
          });
      return different;
    }
  }

  Therapy withRate(double r) {
    return new Therapy(design, r, clip);
  }

  private Therapy with(Design d) {
    return new Therapy(d, rate, clip);
  }

  private Therapy withResidual() {
    return with(design.withResidual());
  }

  private Therapy withNorm() {
    return with(design.withNorm());
  }

  private Therapy withClip() {
    return new Therapy(design, rate, 1);
  }
}

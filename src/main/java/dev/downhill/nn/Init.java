package dev.downhill.nn;

import dev.downhill.shape.Shape;
import dev.downhill.tensor.HostRandom;
import java.util.function.DoubleSupplier;

/**
 * How the first values of a parameter are drawn: on the host, in double precision, equal on every
 * machine.
 *
 * <p>Several ways scale with the fan of a weight (out, in, ...): fanIn = in r and fanOut = out r,
 * where r is the product of the further sizes, 1 for a matrix. The gain makes up for what the
 * activation behind the layer does to the variance: {@link #RELU}, {@link #TANH}, {@link #SELU},
 * {@link #leakyRelu}, and 1 for none or a sigmoid, as in {@code torch.nn.init.calculate_gain}.
 */
@FunctionalInterface
public interface Init {
  /** The gain of ReLU, sqrt(2): half of the variance is cut off (He et al. 2015). */
  double RELU = Math.sqrt(2);

  /** The gain of tanh, 5/3, as PyTorch has it. */
  double TANH = 5.0 / 3;

  /** The gain of SELU, 3/4, as PyTorch has it. */
  double SELU = 0.75;

  /** The gain of leaky ReLU, sqrt(2 / (1 + slope^2)) (He et al. 2015). */
  static double leakyRelu(double slope) {
    return Math.sqrt(2 / (1 + slope * slope));
  }

  /** Which sizes of a weight count. */
  enum Fan {
    /** How many inputs an output has: keeps the variance of activations. */
    IN,
    /** How many outputs an input has: keeps the variance of gradients. */
    OUT
  }

  /**
   * The values of a tensor of this shape in row-major order, one per call.
   *
   * @throws IllegalArgumentException if such a tensor cannot be drawn this way
   */
  DoubleSupplier values(Shape shape, HostRandom random);

  /** Zeros. */
  static Init zeros() {
    return constant(0);
  }

  /** The same value everywhere. */
  static Init constant(double value) {
    return (_, _) -> () -> value;
  }

  /** Uniform on [low, high). */
  static Init uniform(double low, double high) {
    finite("uniform", low, high);
    return (_, random) -> () -> low + (high - low) * random.uniform();
  }

  /** Normal with this mean and standard deviation. */
  static Init normal(double mean, double deviation) {
    finite("normal", mean, deviation);
    return (_, random) -> () -> mean + deviation * random.normal();
  }

  /**
   * Normal with this mean and standard deviation, under the condition that the value is in [low,
   * high], as {@code torch.nn.init.trunc_normal_}. Drawn by rejection: from the normal distribution
   * if the interval is wide, else from the uniform one (Robert 1995).
   *
   * @throws IllegalArgumentException unless {@code low <= mean <= high}, {@code low < high} and the
   *     deviation is positive
   */
  static Init truncatedNormal(double mean, double deviation, double low, double high) {
    finite("truncatedNormal", mean, deviation, low, high);
    if (!(low <= mean && mean <= high && low < high && deviation > 0)) {
      throw new IllegalArgumentException(
          "truncatedNormal: expected low <= mean <= high, low < high and a deviation above 0, got mean %s, deviation %s, low %s, high %s"
              .formatted(mean, deviation, low, high));
    }
    boolean wide = high - low > 2.5 * deviation;
    return (_, random) ->
        () -> {
          while (true) {
            double x =
                wide ? mean + deviation * random.normal() : low + (high - low) * random.uniform();
            double z = (x - mean) / deviation;
            if (wide ? x >= low && x <= high : random.uniform() < StrictMath.exp(-z * z / 2)) {
              return x;
            }
          }
        };
  }

  /** U(-b, b), b = gain sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
  static Init xavierUniform(double gain) {
    finite("xavierUniform", gain);
    return (shape, random) -> {
      double fans = fan("xavierUniform", shape, Fan.IN) + fan("xavierUniform", shape, Fan.OUT);
      return symmetric(gain * Math.sqrt(6 / fans), random);
    };
  }

  /** N(0, s^2), s = gain sqrt(2 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
  static Init xavierNormal(double gain) {
    finite("xavierNormal", gain);
    return (shape, random) -> {
      double fans = fan("xavierNormal", shape, Fan.IN) + fan("xavierNormal", shape, Fan.OUT);
      double deviation = gain * Math.sqrt(2 / fans);
      return () -> deviation * random.normal();
    };
  }

  /** U(-b, b), b = gain sqrt(3 / fan) (He et al. 2015). */
  static Init kaimingUniform(Fan fan, double gain) {
    finite("kaimingUniform", gain);
    return (shape, random) ->
        symmetric(gain * Math.sqrt(3 / fan("kaimingUniform", shape, fan)), random);
  }

  /** N(0, s^2), s = gain / sqrt(fan) (He et al. 2015). */
  static Init kaimingNormal(Fan fan, double gain) {
    finite("kaimingNormal", gain);
    return (shape, random) -> {
      double deviation = gain / Math.sqrt(fan("kaimingNormal", shape, fan));
      return () -> deviation * random.normal();
    };
  }

  /** U(-b, b), b = sqrt(3 / fanIn) (LeCun et al. 1998). */
  static Init lecunUniform() {
    return kaimingUniform(Fan.IN, 1);
  }

  /** N(0, 1 / fanIn) (LeCun et al. 1998). */
  static Init lecunNormal() {
    return kaimingNormal(Fan.IN, 1);
  }

  /**
   * gain Q, where Q is a random (out, in r) matrix with orthonormal rows, or columns if there are
   * more rows: the rows of a matrix of N(0, 1) made orthonormal one after the other by Gram and
   * Schmidt, which gives the uniform distribution (Saxe et al. 2014; Mezzadri 2007).
   */
  static Init orthogonal(double gain) {
    finite("orthogonal", gain);
    return (shape, random) -> Orthogonal.values(shape, gain, random);
  }

  private static DoubleSupplier symmetric(double bound, HostRandom random) {
    return () -> bound * (2 * random.uniform() - 1);
  }

  private static double fan(String name, Shape shape, Fan fan) {
    if (shape.rank() < 2) {
      throw new IllegalArgumentException(
          "%s: expected a weight (out, in, ...), got shape %s".formatted(name, shape));
    }
    return (double) shape.size(fan == Fan.IN ? 1 : 0) * shape.slice(2, shape.rank()).numel();
  }

  private static void finite(String name, double... numbers) {
    for (double number : numbers) {
      if (!Double.isFinite(number)) {
        throw new IllegalArgumentException(name + ": expected finite numbers, got " + number);
      }
    }
  }
}

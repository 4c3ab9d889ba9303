package dev.downhill.data;

import dev.downhill.tensor.HostRandom;
import java.util.List;

/**
 * Generated house sales: a regression task with a known answer and a known noise.
 *
 * <p>A house of s square metres with b bedrooms, d kilometres from the centre and a years old is
 * worth, in euros,
 *
 * <pre>
 * price = c * (s / 120)^0.7                              diminishing returns of size
 *           * (0.4 + 0.6 exp(-d / 6))                    location
 *           * (1 - 0.3 (1 - exp(-a / 30))                wear
 *              + 0.5 exp(-d / 6) / (1 + exp((65 - a) / 7)))   period houses near the centre
 *           * exp(-0.04 (b - s / 40)^2)                  too few or too many bedrooms for the size
 * </pre>
 *
 * where c makes the {@linkplain #REFERENCE reference house} worth exactly EUR 380,000. A sale is at
 * that price times a normal number with mean 1 and standard deviation {@value #NOISE}, in whole
 * euros.
 *
 * <p>No model can predict sales better than {@link #noiseFloor}; a straight-line fit has more than
 * three times that error.
 */
public final class Houses {
  /** The column of prices. */
  public static final String TARGET = "price_eur";

  /** The number of sales of the standard data set. */
  public static final int SALES = 100_000;

  /** The standard deviation of the noise, as a share of the price. */
  public static final double NOISE = 0.07;

  /** What the reference house is worth. */
  public static final double REFERENCE_PRICE = 380_000;

  /** 120 square metres, 3 bedrooms, 2 km from the centre, 15 years old: worth EUR 380,000. */
  public static final House REFERENCE = new House(120, 3, 2, 15);

  private static final double REFERENCE_WORTH = worth(120, 3, 2, 15);

  /** What is known of a house. */
  public record House(double sizeM2, double bedrooms, double distanceKm, double ageYears) {
    /** The price without noise. */
    public double truePrice() {
      return Houses.truePrice(sizeM2, bedrooms, distanceKm, ageYears);
    }

    /** A table of this house alone, at its price without noise. */
    public Table table() {
      return Houses.table(
          new double[] {sizeM2},
          new double[] {bedrooms},
          new double[] {distanceKm},
          new double[] {ageYears},
          new double[] {truePrice()});
    }
  }

  private Houses() {}

  /** The price without noise, in euros. */
  public static double truePrice(
      double sizeM2, double bedrooms, double distanceKm, double ageYears) {
    // Divided first: the quotient of the reference house is exactly 1.
    return REFERENCE_PRICE * (worth(sizeM2, bedrooms, distanceKm, ageYears) / REFERENCE_WORTH);
  }

  private static double worth(double s, double b, double d, double a) {
    double centre = StrictMath.exp(-d / 6);
    double size = StrictMath.pow(s / 120, 0.7);
    double location = 0.4 + 0.6 * centre;
    double wear = 1 - 0.3 * (1 - StrictMath.exp(-a / 30));
    double period = 0.5 * centre / (1 + StrictMath.exp((65 - a) / 7));
    double spare = b - s / 40;
    return size * location * (wear + period) * StrictMath.exp(-0.04 * spare * spare);
  }

  /**
   * Sales with columns {@code size_m2} (40 to 250), {@code bedrooms} (1 to 7, more in larger
   * houses), {@code distance_km} (0 to 30), {@code age_years} (0 to 100) and {@code price_eur}.
   *
   * @param n the number of sales; fewer sales of one seed are the first of more
   * @param seed the same seed gives the same sales, bit for bit
   * @throws IllegalArgumentException if {@code n} is negative
   */
  public static Table table(int n, long seed) {
    if (n < 0) {
      throw new IllegalArgumentException("houses: expected a number of sales, got " + n);
    }
    double[] size = new double[n];
    double[] bedrooms = new double[n];
    double[] distance = new double[n];
    double[] age = new double[n];
    double[] price = new double[n];
    HostRandom draws = new HostRandom(seed, "houses");
    for (int i = 0; i < n; i++) {
      do {
        size[i] = StrictMath.rint(105 * StrictMath.exp(0.4 * draws.normal()));
      } while (size[i] < 40 || size[i] > 250);
      bedrooms[i] = Math.clamp(StrictMath.rint(size[i] / 40 + 0.8 * draws.normal()), 1, 7);
      distance[i] = StrictMath.rint(300 * StrictMath.pow(draws.uniform(), 1.5)) / 10;
      age[i] = StrictMath.rint(100 * draws.uniform());
      double noise = 1 + NOISE * draws.normal();
      price[i] = StrictMath.rint(truePrice(size[i], bedrooms[i], distance[i], age[i]) * noise);
    }
    return table(size, bedrooms, distance, age, price);
  }

  private static Table table(
      double[] size, double[] bedrooms, double[] distance, double[] age, double[] price) {
    return Table.of(
        "houses",
        List.of(
            Column.numbers("size_m2", size),
            Column.numbers("bedrooms", bedrooms),
            Column.numbers("distance_km", distance),
            Column.numbers("age_years", age),
            Column.numbers(TARGET, price)));
  }

  /** The price without noise of the house in this row of a {@link #table}. */
  public static double truePrice(Table houses, int row) {
    return truePrice(
        houses.numbers("size_m2").get(row),
        houses.numbers("bedrooms").get(row),
        houses.numbers("distance_km").get(row),
        houses.numbers("age_years").get(row));
  }

  /**
   * The mean absolute error in euros, on these rows, of who knows the prices without noise.
   *
   * @throws IllegalArgumentException if there are no rows
   */
  public static double noiseFloor(Table houses, int[] rows) {
    if (rows.length == 0) {
      throw new IllegalArgumentException("noiseFloor: expected at least one row, got none");
    }
    Column.Numbers price = houses.numbers(TARGET);
    double sum = 0;
    for (int row : rows) {
      sum += Math.abs(price.get(row) - truePrice(houses, row));
    }
    return sum / rows.length;
  }
}

package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.apache.commons.math3.stat.descriptive.DescriptiveStatistics;
import org.apache.commons.math3.stat.regression.OLSMultipleLinearRegression;
import org.junit.jupiter.api.Test;

class HousesTest {
  private static final Table SALES = Houses.table(20_000, 1);

  @Test
  void theReferenceHouseIsWorthExactly380000() {
    assertThat(Houses.truePrice(120, 3, 2, 15)).isEqualTo(380_000.0);
    assertThat(Houses.REFERENCE.truePrice()).isEqualTo(380_000.0);
    Table table = Houses.REFERENCE.table();
    assertThat(table.rows()).isEqualTo(1);
    assertThat(table.names()).isEqualTo(SALES.names());
    assertThat(table.numbers(Houses.TARGET).get(0)).isEqualTo(380_000.0);
  }

  @Test
  void theSeedDecidesEveryBit() {
    Table again = Houses.table(1000, 1);
    Table other = Houses.table(1000, 2);
    int same = 0;
    for (String name : SALES.names()) {
      for (int row = 0; row < 1000; row++) {
        assertThat(again.numbers(name).get(row)).isEqualTo(SALES.numbers(name).get(row));
      }
    }
    for (int row = 0; row < 1000; row++) {
      same +=
          SALES.numbers(Houses.TARGET).get(row) == other.numbers(Houses.TARGET).get(row) ? 1 : 0;
    }
    assertThat(same).isLessThan(10);
  }

  @Test
  void theSalesAreFixedForever() {
    double[][] golden = {
      {47, 1, 8.3, 54, 113076},
      {77, 3, 26.7, 45, 124348},
      {196, 4, 10.5, 32, 266582}
    };
    for (int row = 0; row < golden.length; row++) {
      for (int c = 0; c < 5; c++) {
        assertThat(SALES.numbers(SALES.names().get(c)).get(row)).isEqualTo(golden[row][c]);
      }
    }
    assertThat(Houses.truePrice(200, 5, 1.5, 90)).isEqualTo(703893.8781343224);
  }

  @Test
  void columnsAreInTheirRanges() {
    assertThat(SALES.names())
        .containsExactly("size_m2", "bedrooms", "distance_km", "age_years", "price_eur");
    assertRange("size_m2", 40, 250);
    assertRange("bedrooms", 1, 7);
    assertRange("distance_km", 0, 30);
    assertRange("age_years", 0, 100);
    double correlation =
        new PearsonsCorrelation().correlation(values("size_m2"), values("bedrooms"));
    assertThat(correlation).isBetween(0.6, 0.9);
    DescriptiveStatistics prices = new DescriptiveStatistics();
    for (int row = 0; row < SALES.rows(); row++) {
      prices.addValue(Houses.truePrice(SALES, row));
    }
    assertThat(prices.getMin()).isGreaterThan(50_000);
    assertThat(prices.getMax() / prices.getMin()).isLessThan(20);
  }

  private static double[] values(String name) {
    return IntStream.range(0, SALES.rows()).mapToDouble(SALES.numbers(name)::get).toArray();
  }

  private static void assertRange(String name, double low, double high) {
    DescriptiveStatistics statistics = new DescriptiveStatistics(values(name));
    assertThat(statistics.getMin()).isBetween(low, low + 0.05 * (high - low));
    assertThat(statistics.getMax()).isBetween(high - 0.05 * (high - low), high);
  }

  @Test
  void theNoiseIsSevenPercentAndNormal() {
    DescriptiveStatistics noise = new DescriptiveStatistics();
    for (int row = 0; row < SALES.rows(); row++) {
      noise.addValue(SALES.numbers(Houses.TARGET).get(row) / Houses.truePrice(SALES, row) - 1);
    }
    assertThat(noise.getMean()).isCloseTo(0, within(0.002));
    assertThat(noise.getStandardDeviation()).isCloseTo(0.07, within(0.001));
    assertThat(noise.getSkewness()).isCloseTo(0, within(0.06));
    assertThat(noise.getKurtosis()).isCloseTo(0, within(0.12));
    assertThat(noise.getPercentile(84.134)).isCloseTo(0.07, within(0.002));
  }

  @Test
  void theNoiseFloorIsTheErrorOfTheTruePrices() {
    int[] rows = {3, 17, 4};
    double sum = 0;
    for (int row : rows) {
      sum += Math.abs(SALES.numbers(Houses.TARGET).get(row) - Houses.truePrice(SALES, row));
    }
    assertThat(Houses.noiseFloor(SALES, rows)).isEqualTo(sum / 3);
    assertThatThrownBy(() -> Houses.noiseFloor(SALES, new int[0]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Houses.table(-1, 1)).isInstanceOf(IllegalArgumentException.class);
    assertThat(Houses.table(0, 1).rows()).isZero();
  }

  /** A straight-line fit is far from the floor, so reaching it shows that a model has learned. */
  @Test
  void leastSquaresIsFarFromTheNoiseFloor() {
    Table sales = Houses.table(Houses.SALES, 1);
    Split split = Split.of(sales.rows(), 0.2, 1);
    int[] train = split.train();
    double[][] x = new double[train.length][];
    double[] y = new double[train.length];
    for (int i = 0; i < train.length; i++) {
      x[i] = features(sales, train[i]);
      y[i] = sales.numbers(Houses.TARGET).get(train[i]);
    }
    OLSMultipleLinearRegression ols = new OLSMultipleLinearRegression();
    ols.newSampleData(y, x);
    double[] beta = ols.estimateRegressionParameters();
    double error = 0;
    for (int row : split.validation()) {
      double[] f = features(sales, row);
      double predicted = beta[0];
      for (int c = 0; c < f.length; c++) {
        predicted += beta[c + 1] * f[c];
      }
      error += Math.abs(predicted - sales.numbers(Houses.TARGET).get(row));
    }
    double floor = Houses.noiseFloor(sales, split.validation());
    assertThat(floor).isBetween(12_000.0, 15_000.0);
    assertThat(error / split.validation().length).isGreaterThan(3 * floor);
  }

  private static double[] features(Table sales, int row) {
    return sales.names().stream()
        .filter(name -> !name.equals(Houses.TARGET))
        .mapToDouble(name -> sales.numbers(name).get(row))
        .toArray();
  }
}

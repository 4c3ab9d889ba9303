package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EncoderTest {
  private static final double NAN = Double.NaN;

  private static Table table(double[] size, List<String> kind, double... price) {
    return Table.of(
        "t",
        List.of(
            Column.numbers("size", size),
            Column.numbers("price", price),
            Column.categories("kind", kind)));
  }

  private static final Table SALES =
      table(
          new double[] {1, 2, 3, 4, NAN, 99},
          List.of("b", "a", "b", "a", "b", "a"),
          10,
          20,
          30,
          40,
          50,
          60);

  private static final int[] FIRST_FOUR = {0, 1, 2, 3};

  @Test
  void numbersAreNormalisedAndCategoriesOneHot() {
    Encoder encoder = Encoder.fit(SALES, "price", FIRST_FOUR);
    assertThat(encoder.target()).isEqualTo("price");
    assertThat(encoder.width()).isEqualTo(3);
    assertThat(encoder.missing()).isEqualTo(MissingPolicy.MEDIAN);
    assertThat(encoder.featureNames()).containsExactly("size", "kind=a", "kind=b");
    // Mean 2.5 and variance 5/4; the median, also 2.5, stands for the missing size of row 4.
    float step = (float) (1 / Math.sqrt(1.25));
    assertThat(encoder.encode(SALES, new int[] {0, 3, 4}))
        .containsExactly(
            new float[] {-1.5f * step, 0, 1, 1.5f * step, 1, 0, 0, 0, 1}, within(1e-6f));
    assertThat(encoder.targetScale()).isEqualTo(new Scale(25, Math.sqrt(125)));
    assertThat(encoder.encodeTarget(SALES)).hasSize(6);
    assertThat(encoder.encodeTarget(SALES, new int[] {5, 0}))
        .containsExactly(
            new float[] {(float) (35 / Math.sqrt(125)), (float) (-15 / Math.sqrt(125))},
            within(1e-6f));
    assertThat(encoder.targetScale().denormalize(encoder.targetScale().normalize(60)))
        .isCloseTo(60, within(1e-12));
    assertThat(encoder.encode(SALES, new int[0])).isEmpty();
  }

  @Test
  void onlyTrainingRowsCountForNumbers() {
    Table other =
        table(
            new double[] {1, 2, 3, 4, -7, NAN},
            List.of("b", "a", "b", "a", "a", "b"),
            10,
            20,
            30,
            40,
            -1e30,
            7);
    assertThat(Encoder.fit(other, "price", FIRST_FOUR).toJson())
        .isEqualTo(Encoder.fit(SALES, "price", FIRST_FOUR).toJson());
  }

  @Test
  void aCategoryOfHeldOutRowsAloneIsKnown() {
    Table rare = table(new double[] {1, 2, 3}, List.of("b", "a", "z"), 1, 2, 3);
    Encoder encoder = Encoder.fit(rare, "price", new int[] {0, 1});
    assertThat(encoder.featureNames()).containsExactly("size", "kind=a", "kind=b", "kind=z");
    assertThat(encoder.encode(rare, new int[] {2})).endsWith(0, 0, 1);
  }

  @Test
  void missingValuesCountAsTheMedianOrAsACategory() {
    Table table = table(new double[] {NAN, 1, 2, 9}, List.of("a", "", "a", ""), 1, 2, 3, 4);
    Encoder encoder = Encoder.fit(table, "price", FIRST_FOUR);
    assertThat(encoder.featureNames()).containsExactly("size", "kind=(missing)", "kind=a");
    // Sizes 2, 1, 2, 9 once filled: mean 3.5.
    float[] features = encoder.encode(table);
    assertThat(features[0]).isEqualTo(features[6]).isNegative();
    assertThat(features[4]).isEqualTo(1);
    assertThat(features[0] + features[3] + features[6] + features[9]).isCloseTo(0, within(1e-6f));
    Table whole = table(new double[] {1, 2, 2, 9}, List.of("a", "a", "a", "a"), 1, 2, 3, 4);
    Encoder strict = Encoder.fit(whole, "price", FIRST_FOUR, MissingPolicy.ERROR);
    assertThat(strict.encode(whole)).hasSize(8);
    assertThatThrownBy(() -> Encoder.fit(table, "price", FIRST_FOUR, MissingPolicy.ERROR))
        .isInstanceOf(DataException.class)
        .hasMessage("t: row 0, column \"size\": missing value, expected none, got an empty cell");
    assertThatThrownBy(() -> strict.encode(table, new int[] {0, 1}))
        .isInstanceOf(DataException.class)
        .hasMessage("t: row 0, column \"size\": missing value, expected none, got an empty cell");
    assertThatThrownBy(() -> strict.encode(table, new int[] {1}))
        .hasMessage("t: row 1, column \"kind\": missing value, expected none, got an empty cell");
  }

  @Test
  void equalValuesHaveStdOne() {
    Table table = table(new double[] {5, 5}, List.of("a", "a"), 7, 7);
    Encoder encoder = Encoder.fit(table, "price", new int[] {0, 1});
    assertThat(encoder.encode(table)).containsExactly(0, 1, 0, 1);
    assertThat(encoder.targetScale()).isEqualTo(new Scale(7, 1));
    assertThat(encoder.encode(table(new double[] {6}, List.of("a"), 0))).containsExactly(1, 1);
  }

  @Test
  void theTargetIsNotNeededToEncode() {
    Encoder encoder = Encoder.fit(SALES, "price", FIRST_FOUR);
    Table asked =
        Table.of(
            "asked", List.of(Column.categories("kind", List.of("a")), Column.numbers("size", 2.5)));
    assertThat(encoder.encode(asked)).containsExactly(0, 1, 0);
    assertThat(encoder.types())
        .isEqualTo(
            Map.of(
                "size", Column.Type.NUMBER,
                "price", Column.Type.NUMBER,
                "kind", Column.Type.CATEGORY));
  }

  @Test
  void tablesThatDoNotFitAreRefused() {
    Encoder encoder = Encoder.fit(SALES, "price", FIRST_FOUR);
    assertThatThrownBy(() -> encoder.encode(table(new double[] {1, 2}, List.of("a", "c"), 1, 2)))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "t: row 1, column \"kind\": unknown category, expected one of \"a\", \"b\", got \"c\"");
    assertThatThrownBy(() -> encoder.encode(table(new double[] {1}, List.of(""), 1)))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "t: row 0, column \"kind\": missing value, which no row had, expected one of"
                + " \"a\", \"b\", got an empty cell");
    Table numbers = Table.of("n", List.of(Column.numbers("size", 1), Column.numbers("kind", 1)));
    assertThatThrownBy(() -> encoder.encode(numbers))
        .isInstanceOf(DataException.class)
        .hasMessage("n: column \"kind\": expected categories as in training, got numbers");
    Table texts = Table.of("n", List.of(Column.categories("size", List.of("big"))));
    assertThatThrownBy(() -> encoder.encode(texts))
        .hasMessage("n: column \"size\": expected numbers, got text such as \"big\"");
    assertThatThrownBy(() -> encoder.encode(Table.of("n", List.of(Column.numbers("sizes", 1)))))
        .hasMessage("n: no column \"size\", expected one of \"sizes\"; did you mean \"sizes\"?");
    assertThatThrownBy(() -> encoder.encode(table(new double[] {-1e39}, List.of("a"), 1)))
        .hasMessage(
            "t: row 0, column \"size\": number out of range, expected at most 3.4028235E38 in size"
                + " (float32), got -1.0E39");
  }

  @Test
  void trainingDataThatCannotBeLearnedAreRefused() {
    assertThatThrownBy(() -> Encoder.fit(SALES, "price", new int[0]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("fit: expected at least one training row, got none");
    assertThatThrownBy(() -> Encoder.fit(SALES, "price", new int[] {4}))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "t: column \"size\": expected a value in the training rows, got only empty cells"
                + "; ignore the column");
    assertThatThrownBy(() -> Encoder.fit(SALES, "kind", FIRST_FOUR))
        .hasMessage("t: column \"kind\": expected numbers, got text such as \"b\"");
    assertThatThrownBy(() -> Encoder.fit(SALES, "size", FIRST_FOUR))
        .hasMessage(
            "t: row 4, column \"size\": missing value in the target, expected a number, got an"
                + " empty cell");
    Table huge = table(new double[] {1e39, 1}, List.of("a", "a"), 1, 2);
    assertThatThrownBy(() -> Encoder.fit(huge, "price", new int[] {0, 1}))
        .hasMessage(
            "t: row 0, column \"size\": number out of range, expected at most 3.4028235E38 in size"
                + " (float32), got 1.0E39");
    Table tiny = table(new double[] {0, 1e-30, 1e30}, List.of("a", "a", "a"), 1, 2, 3);
    Encoder encoder = Encoder.fit(tiny, "price", new int[] {0, 1});
    assertThatThrownBy(() -> encoder.encode(tiny))
        .hasMessage(
            "t: row 2, column \"size\": number out of range once normalised, expected one near the"
                + " mean 5.0E-31 (std 5.0E-31), got 1.0E30");
    assertThatThrownBy(
            () -> Encoder.fit(Table.of("t", List.of(Column.numbers("y", 1))), "y", new int[] {0}))
        .hasMessage("encoder: expected a column beside the target \"y\", got none");
  }

  @Test
  void jsonIsStable() {
    assertThat(Encoder.fit(SALES, "price", FIRST_FOUR).toJson())
        .isEqualTo(
            "{\"version\":1,\"missing\":\"MEDIAN\",\"target\":{\"name\":\"price\",\"mean\":25.0,"
                + "\"std\":11.180339887498949},\"columns\":[{\"name\":\"size\",\"mean\":2.5,"
                + "\"std\":1.118033988749895,\"median\":2.5},{\"name\":\"kind\",\"values\":[\"a\","
                + "\"b\"]}]}");
  }

  @Test
  void jsonRoundTripIsBitEqual() {
    SplittableRandom random = new SplittableRandom(3);
    for (int round = 0; round < 300; round++) {
      int n = 1 + random.nextInt(20);
      double[] x = new double[n];
      double[] y = new double[n];
      String[] k = new String[n];
      for (int i = 0; i < n; i++) {
        // Any exponent that a float has, or missing; the first is not.
        double any = (random.nextDouble() - 0.5) * StrictMath.pow(2, random.nextInt(-140, 128));
        x[i] = i > 0 && random.nextInt(5) == 0 ? NAN : any;
        y[i] = random.nextDouble() * 1e6;
        k[i] = random.nextInt(5) == 0 ? "" : "\"\\\n\u00E9\uD834\uDD1E" + random.nextInt(4);
      }
      Table table = table(x, Arrays.asList(k), y);
      int[] rows = Split.of(n, 0, 1).train();
      Encoder encoder = Encoder.fit(table, "price", rows);
      Encoder copy = Encoder.fromJson(encoder.toJson());
      assertThat(copy.toJson()).isEqualTo(encoder.toJson());
      assertThat(copy.featureNames()).isEqualTo(encoder.featureNames());
      assertThat(bits(copy.encode(table))).isEqualTo(bits(encoder.encode(table)));
      assertThat(bits(copy.encodeTarget(table))).isEqualTo(bits(encoder.encodeTarget(table)));
    }
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
    return bits;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "'' | '' | encoder: key \"version\": expected 1, got none",
        "\"version\":1 | \"version\":2 | encoder: key \"version\": expected 1, got \"2\"",
        "\"version\":1 | \"version\":\"1\" | encoder: key \"version\": expected 1, got \"\"1\"\"",
        "MEDIAN | MODE | encoder: key \"missing\": expected ERROR or MEDIAN, got \"\"MODE\"\"",
        "\"mean\":25.0 | \"mean\":null | encoder: key \"mean\": expected a number, got \"null\"",
        "\"mean\":25.0 | \"mean\":\"NaN\" | encoder: key \"mean\": expected a number, got"
            + " \"\"NaN\"\"",
        "\"mean\":25.0 | \"mean\":1e999 | scale: expected a finite mean and a finite std above 0,"
            + " got mean Infinity and std 11.180339887498949",
        "\"std\":1.118033988749895 | \"std\":0.0 | scale: expected a finite mean and a finite std"
            + " above 0, got mean 2.5 and std 0.0",
        "\"std\":1.118033988749895 | \"std\":-1 | scale: expected a finite mean and a finite std"
            + " above 0, got mean 2.5 and std -1.0",
        "\"median\":2.5 | \"median\":1e999 | encoder: column \"size\": expected a finite median,"
            + " got Infinity",
        ",\"median\":2.5 | '' | encoder: key \"median\": expected a number, got none",
        "[\"a\",\"b\"] | [\"b\",\"a\"] | encoder: column \"kind\": expected categories in ascending"
            + " order, got \"b\" before \"a\"",
        "[\"a\",\"b\"] | [\"a\",\"a\"] | encoder: column \"kind\": expected categories in ascending"
            + " order, got \"a\" before \"a\"",
        "[\"a\",\"b\"] | [\"a\",1] | encoder: key \"values\": expected texts, got \"1\"",
        "\"columns\":[ | \"columns\":0,\"x\":[ | encoder: key \"columns\": expected an array, got"
            + " \"0\"",
        "{\"name\":\"kind\" | {\"name\":\"size\" | encoder: expected different columns, got"
            + " \"size\" twice",
        "{\"name\":\"kind\" | {\"name\":\"price\" | encoder: expected different columns, got"
            + " \"price\" twice",
        "{\"name\":\"kind\" | {\"name\":3 | encoder: key \"name\": expected a text, got \"3\"",
      })
  void otherJsonIsRefused(String part, String replacement, String message) {
    String json = Encoder.fit(SALES, "price", FIRST_FOUR).toJson();
    String changed = part.equals("''") ? "{}" : json.replace(part, unquoted(replacement));
    assertThat(changed).isNotEqualTo(json);
    assertThatThrownBy(() -> Encoder.fromJson(changed))
        .isInstanceOf(DataException.class)
        .hasMessage(message);
  }

  private static String unquoted(String text) {
    return text.equals("''") ? "" : text;
  }

  @Test
  void textThatIsNotJsonIsRefused() {
    String json = Encoder.fit(SALES, "price", FIRST_FOUR).toJson();
    for (int end = 0; end < json.length(); end++) {
      String cut = json.substring(0, end);
      assertThatThrownBy(() -> Encoder.fromJson(cut)).isInstanceOf(DataException.class);
    }
    for (String bad :
        List.of(
            "[".repeat(1_000_000),
            json + "{}",
            json.replace("\"std\"", "\"mean\""),
            "null",
            "[]")) {
      assertThatThrownBy(() -> Encoder.fromJson(bad))
          .isInstanceOf(DataException.class)
          .hasMessageStartingWith("encoder: ");
    }
  }
}

package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearestTest {
  private static final List<String> KNOWN = List.of("price", "median_house_value", "size", "age");

  @ParameterizedTest
  @CsvSource({
    "prise, price", "PRICE, price", "pric, price", "prices, price", "median_value, ''",
    "medianhousevalue, median_house_value", "sise, size", "ag, age", "distance, ''", "x, ''"
  })
  void findsTheMostSimilarName(String word, String expected) {
    assertThat(Nearest.to(word, KNOWN).orElse("")).isEqualTo(expected);
  }

  @Test
  void nothingKnownIsNothingFound() {
    assertThat(Nearest.to("price", List.of())).isEmpty();
  }

  @Test
  void messagesQuoteOneShortLine() {
    assertThat(DataException.quote("a\"b\n\r\t\0\u0007"))
        .isEqualTo("\"a\"b\\n\\r\\t\\u0000\\u0007\"");
    assertThat(DataException.quote("\uD834\uDD1E\uD834")).isEqualTo("\"\uD834\uDD1E\\ud834\"");
    assertThat(DataException.quote("x".repeat(39) + "\uD834\uDD1E"))
        .isEqualTo("\"" + "x".repeat(39) + "\\ud834\"... (41 characters)");
    assertThat(DataException.quote("x".repeat(40))).isEqualTo("\"" + "x".repeat(40) + "\"");
  }
}

package dev.downhill.cli.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.checkpoint.CheckpointException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

class AttributesTest {
  private static Attributes of(String json) {
    return new Attributes("a.safetensors: case 0", new JsonMapper().readTree(json));
  }

  @Test
  void numbersMayBeIntegersTextsOrNull() {
    Attributes a =
        of(
            "{\"i\": 2, \"d\": 0.5, \"up\": \"inf\", \"down\": \"-inf\", \"no\": \"nan\", \"n\":"
                + " null}");
    assertThat(a.number("i")).isEqualTo(2);
    assertThat(a.number("d")).isEqualTo(0.5);
    assertThat(a.number("up")).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(a.number("down", 1)).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(a.number("no")).isNaN();
    assertThat(a.number("n", 7)).isEqualTo(7);
    assertThat(a.integer("n", 7)).isEqualTo(7);
    assertThat(a.integer("i", 7)).isEqualTo(2);
  }

  @Test
  void dimensionsAreOneOrSeveralOrNull() {
    Attributes a = of("{\"one\": -1, \"two\": [0, 2], \"none\": null, \"empty\": []}");
    assertThat(a.dims("one")).containsExactly(-1);
    assertThat(a.dims("two")).containsExactly(0, 2);
    assertThat(a.dims("none")).isNull();
    assertThat(a.dims("empty")).isEmpty();
    assertThat(a.integers("two")).containsExactly(0, 2);
    assertThat(a.isList("one")).isFalse();
    assertThat(a.isList("two")).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"missing, none", "text, \"red\"", "list, '[1,2]'", "truth, true", "nothing, null"})
  void whatIsNoNumberIsABrokenFile(String name, String shown) {
    Attributes a = of("{\"text\": \"red\", \"list\": [1, 2], \"truth\": true, \"nothing\": null}");
    assertThatThrownBy(() -> a.number(name))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("a.safetensors: case 0", name, "a number", shown);
    assertThatThrownBy(() -> a.integer(name)).isInstanceOf(CheckpointException.class);
  }

  @Test
  void fractionIsNoInteger() {
    assertThatThrownBy(() -> of("{\"k\": 1.5}").integer("k"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected an integer, got 1.5");
    assertThatThrownBy(() -> of("{\"k\": 4294967296}").dim("k"))
        .isInstanceOf(CheckpointException.class);
    assertThat(of("{\"k\": 4294967296}").integer("k")).isEqualTo(1L << 32);
  }

  @Test
  void attributeThatNobodyReadIsUnsupported() {
    Attributes a = of("{\"alpha\": 1, \"colour\": \"red\"}");
    assertThat(a.number("alpha")).isEqualTo(1);
    assertThatThrownBy(a::checkAllRead)
        .isInstanceOf(Unsupported.class)
        .hasMessage("no attribute colour");
    assertThat(a.text("colour")).isEqualTo("red");
    a.checkAllRead();
  }

  @Test
  void attributeOfAnUnknownValueIsUnsupported() {
    Attributes a = of("{\"amsgrad\": true}");
    a.only("amsgrad", true);
    assertThatThrownBy(() -> a.only("amsgrad", false))
        .isInstanceOf(Unsupported.class)
        .hasMessage("no amsgrad = true");
  }
}

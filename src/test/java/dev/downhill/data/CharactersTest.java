package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class CharactersTest {
  @Test
  void tokens_areNumberedInUnicodeOrder_alsoBeyondTheBasicPlane() {
    Characters abc = Characters.of("b\u00E9a\uD83D\uDE00b");
    assertThat(abc.size()).isEqualTo(4);
    assertThat(abc.encode("a\u00E9\uD83D\uDE00b")).containsExactly(0, 2, 3, 1);
    assertThat(abc.decode(0, 2, 3, 1)).isEqualTo("a\u00E9\uD83D\uDE00b");
  }

  @Test
  void aMap_givesTheSameTokenizer() {
    Characters abc = Characters.of("to be, or not to be\n");
    Tokenizer again = Tokenizer.of(abc.toMap());
    assertThat(again.size()).isEqualTo(abc.size());
    assertThat(again.encode("bet\n")).isEqualTo(abc.encode("bet\n"));
    assertThatThrownBy(() -> Tokenizer.of(Map.of("format", "1")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("tokenizer: expected characters");
  }

  @Test
  void aCharacterThatIsNotThere_isNamedWithItsPlace() {
    Characters ab = Characters.of("ab");
    assertThatThrownBy(() -> ab.encode("abc"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "characters: expected only the 2 that are known, got \"c\" (U+0063) as character 3");
    assertThatThrownBy(() -> ab.decode(0, 2))
        .hasMessage("characters: expected tokens from 0 to 1, got 2");
    assertThatThrownBy(() -> ab.decode(-1)).isInstanceOf(IllegalArgumentException.class);
  }
}

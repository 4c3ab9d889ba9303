package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.downhill.tensor.HostRandom;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class BytePairsTest {
  private static final Path GPT2 = Path.of("../shared/data/gpt2-bpe");
  private static final Path SHAKESPEARE = Path.of("../shared/data/tinyshakespeare/input.txt");

  @TempDir Path folder;

  private static BytePairs tiny(String... merges) {
    return BytePairs.of("tiny", TinyTokenizer.encoder(merges), TinyTokenizer.merges(merges));
  }

  private static List<String> parts(BytePairs of, String text) {
    return IntStream.of(of.encode(text)).mapToObj(of::decode).toList();
  }

  @Test
  void theFirstMergeOfTheList_goesFirst_everywhere() {
    BytePairs t = tiny("a b", "b c", "ab c", "ab ab");
    assertThat(parts(t, "abc")).containsExactly("abc");
    assertThat(parts(t, "bca")).containsExactly("bc", "a");
    assertThat(parts(t, "ababab")).containsExactly("abab", "ab");
    assertThat(parts(t, "abbc")).containsExactly("ab", "bc");
    assertThat(parts(t, "cba")).containsExactly("c", "b", "a");
    // "b c" comes before "ab c", but after "a b": it loses here.
    assertThat(parts(tiny("b c", "a b"), "abc")).containsExactly("a", "bc");
    assertThat(parts(tiny("a a"), "aaaaa")).containsExactly("aa", "aa", "a");
  }

  private static List<String> pieces(String text) {
    return BytePairs.PIECE.matcher(text).results().map(MatchResult::group).toList();
  }

  @Test
  void pieces_areThoseOfGpt2() {
    assertThat(pieces("it's we'll x'd")).containsExactly("it", "'s", " we", "'ll", " x", "'d");
    assertThat(pieces("IT'S")).containsExactly("IT", "'", "S");
    assertThat(pieces("a   b")).containsExactly("a", "  ", " b");
    assertThat(pieces("a\n\n b  ")).containsExactly("a", "\n\n", " b", "  ");
    assertThat(pieces("a12 345,b!! c")).containsExactly("a", "12", " 345", ",", "b", "!!", " c");
    // Letters, numbers and blanks of all scripts.
    assertThat(pieces("h\u00E9llo \u0663\u00BD\u4F60"))
        .containsExactly("h\u00E9llo", " \u0663\u00BD", "\u4F60");
    assertThat(pieces("a\u00A0b\u2003 c")).containsExactly("a", "\u00A0", "b", "\u2003", " c");
    assertThat(pieces("\uD83D\uDE00\uD83D\uDE00 x"))
        .containsExactly("\uD83D\uDE00\uD83D\uDE00", " x");
  }

  @Test
  void everyText_comesBack() {
    BytePairs t = tiny("t h", "th e", "\u0120 the");
    assertThat(t.size()).isEqualTo(259);
    assertThat(parts(t, "the other the")).containsExactly("the", " ", "o", "the", "r", " the");
    HostRandom random = new HostRandom(5, "texts");
    for (int k = 0; k < 300; k++) {
      StringBuilder text = new StringBuilder();
      for (int i = random.below(40); i > 0; i--) {
        int[] ranges = {0x80, 0x800, 0xD800, 0x10FFFF};
        int c = random.below(ranges[random.below(ranges.length)]);
        text.appendCodePoint(Character.getType(c) == Character.SURROGATE ? ' ' : c);
      }
      assertThat(t.decode(t.encode(text.toString()))).isEqualTo(text.toString());
    }
    Tokenizer again = Tokenizer.of(t.toMap());
    assertThat(again.encode("in the \u00E9")).isEqualTo(t.encode("in the \u00E9"));
  }

  @Test
  void halfACharacter_isAReplacementCharacter() {
    BytePairs t = tiny();
    int[] euro = t.encode("\u20AC");
    assertThat(euro).hasSize(3);
    assertThat(t.decode(euro)).isEqualTo("\u20AC");
    assertThat(t.decode(euro[0])).isEqualTo("\uFFFD");
    assertThatThrownBy(() -> t.decode(256))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("byte pairs: expected tokens from 0 to 255, got 256");
  }

  @Test
  void aLongWord_isEncodedInTime() {
    String word = "ab".repeat(200_000);
    assertThat(tiny("a b", "ab ab", "abab abab").encode(word)).hasSize(50_000);
  }

  static Stream<Arguments> badEncoders() {
    String all = TinyTokenizer.encoder();
    return Stream.of(
        arguments("", "expected an object of 1 to 2097152 tokens with their numbers"),
        arguments("[1]", "expected an object of 1 to 2097152 tokens with their numbers"),
        arguments("{}", "expected an object of 1 to 2097152 tokens with their numbers"),
        arguments("{\"a\": 0", "line 1, column"),
        arguments("{\"a\": 0,\n\"a\": 1}", "line 2, column"),
        arguments("{\"a\": 0, \"b\": 0}", "tokens \"a\" and \"b\" have the same number 0"),
        arguments("{\"a\": 1}", "token \"a\": expected a number from 0 to 0, got \"1\""),
        arguments("{\"a\": -1}", "token \"a\": expected a number from 0 to 0, got \"-1\""),
        arguments("{\"a\": \"0\"}", "token \"a\": expected a number"),
        arguments("{\"a\": 0.0}", "token \"a\": expected a number"),
        arguments("{\"a\": [[[[0]]]]}", "not JSON"),
        arguments("{\"a\": 12345678901234567890}", "not JSON"),
        arguments("{\"a b\": 0}", "token \"a b\": U+0020 as character 2 stands for no byte"),
        arguments("{\"\u4F60\": 0}", "U+4F60 as character 1 stands for no byte"),
        arguments("{\"a\": 0}", "expected a token \"!\" for the byte 0x21, got none"),
        arguments(all.replace("\"b\"", "\"bb\""), "expected a token \"b\" for the byte 0x62"));
  }

  @ParameterizedTest
  @MethodSource("badEncoders")
  void anEncoderThatIsNone_isRefused_namingThePlace(String encoder, String message) {
    assertThatThrownBy(() -> BytePairs.of("dir", encoder, "#version: 0.2\n"))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith("dir/encoder.json: ")
        .hasMessageContaining(message)
        .satisfies(e -> assertThat(e).message().hasLineCount(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          a b\\na  | line 2: expected two tokens that are a third together, got "a"
          a b c    | line 1: expected two tokens
          a c      | line 1: expected two tokens that are a third together, got "a c"
          \u4F60 b | line 1: expected two tokens
          a b\\n\\n | line 2: expected two tokens that are a third together, got ""
          a b\\na b | line 2: the merge "a b" is there already
          """)
  void aListOfMergesThatIsNone_isRefused_namingTheLine(String merges, String message) {
    String encoder = TinyTokenizer.encoder("a b");
    assertThatThrownBy(() -> BytePairs.of("dir", encoder, merges.replace("\\n", "\n")))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith("dir/vocab.bpe: ")
        .hasMessageContaining(message);
  }

  @Test
  void aFolderWithoutTheFiles_isRefused() throws IOException {
    assertThatThrownBy(() -> BytePairs.open(folder.resolve("no")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("expected a folder with encoder.json and vocab.bpe");
    Files.writeString(folder.resolve("encoder.json"), TinyTokenizer.encoder());
    assertThatThrownBy(() -> BytePairs.open(folder))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("vocab.bpe: cannot be read");
    Files.writeString(folder.resolve("vocab.bpe"), "#version: 0.2\n");
    assertThat(BytePairs.open(folder).decode(BytePairs.open(folder).encode("hi"))).isEqualTo("hi");
  }

  @Test
  void gpt2sTokens_areTheKnownOnes() {
    assumeTrue(Files.exists(GPT2), "GPT-2's tokenizer in ../shared/data/gpt2-bpe");
    BytePairs t = BytePairs.open(GPT2);
    assertThat(t.size()).isEqualTo(50_257);
    assertThat(t.encode("Hello, world!")).containsExactly(15496, 11, 995, 0);
    assertThat(t.encode("Hello world")).containsExactly(15496, 995);
    assertThat(t.encode("The quick brown fox jumps over the lazy dog."))
        .containsExactly(464, 2068, 7586, 21831, 18045, 625, 262, 16931, 3290, 13);
    assertThat(t.decode(50256)).isEqualTo("<|endoftext|>");
    String odd = "na\u00EFve \u4F60\u597D \uD83D\uDE00\r\n\t it's  3.14 \u0000";
    assertThat(t.decode(t.encode(odd))).isEqualTo(odd);
  }

  @Test
  void shakespeare_hasAsManyTokensAsIsKnown_andComesBack() {
    assumeTrue(Files.exists(GPT2) && Files.exists(SHAKESPEARE), "the files in ../shared/data");
    BytePairs t = BytePairs.open(GPT2);
    String text = TextFile.read(SHAKESPEARE);
    assertThat(t.decode(t.encode(text))).isEqualTo(text);
    // The numbers that nanoGPT gives for this split.
    int cut = (int) (text.length() * 0.9);
    assertThat(t.encode(text.substring(0, cut))).hasSize(301_966);
    assertThat(t.encode(text.substring(cut))).hasSize(36_059);
  }
}

package dev.downhill.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/** The two files of {@link BytePairs} for a handful of merges, such as "t h" and "th e". */
public final class TinyTokenizer {
  private TinyTokenizer() {}

  /** Writes the files to a folder. */
  public static void write(Path folder, String... merges) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("encoder.json"), encoder(merges));
    Files.writeString(folder.resolve("vocab.bpe"), merges(merges));
  }

  /** {@code encoder.json}: the bytes in GPT-2's order, then what the merges make. */
  static String encoder(String... merges) {
    List<String> printable =
        IntStream.concat(
                IntStream.rangeClosed('!', '~'),
                IntStream.concat(
                    IntStream.rangeClosed(0xA1, 0xAC), IntStream.rangeClosed(0xAE, 0xFF)))
            .mapToObj(Character::toString)
            .toList();
    List<String> tokens = new ArrayList<>(printable);
    for (int i = 0; i < 256 - printable.size(); i++) {
      tokens.add(Character.toString(0x100 + i));
    }
    for (String merge : merges) {
      tokens.add(merge.replace(" ", ""));
    }
    JsonMapper json = JsonMapper.builder().build();
    return IntStream.range(0, tokens.size())
        .mapToObj(i -> json.writeValueAsString(tokens.get(i)) + ": " + i)
        .collect(Collectors.joining(",\n", "{", "}"));
  }

  /** {@code vocab.bpe}. */
  static String merges(String... merges) {
    return Stream.of(merges)
        .map(m -> m + "\n")
        .collect(Collectors.joining("", "#version: 0.2\n", ""));
  }
}

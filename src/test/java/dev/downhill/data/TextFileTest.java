package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextFileTest {
  @TempDir Path folder;

  private Path file(byte... bytes) throws IOException {
    return Files.write(folder.resolve("a.txt"), bytes);
  }

  @Test
  void aFile_isReadWhole_withoutAByteOrderMark() throws IOException {
    String text = "h\u00E9llo \uD83D\uDE00\r\nworld";
    assertThat(TextFile.read(file(text.getBytes(StandardCharsets.UTF_8)))).isEqualTo(text);
    assertThat(TextFile.read(file(("\uFEFF" + text).getBytes(StandardCharsets.UTF_8))))
        .isEqualTo(text);
    assertThat(TextFile.read(file())).isEmpty();
  }

  @Test
  void aByteThatIsNoUtf8_isNamedWithItsOffset() throws IOException {
    Path latin = file("na\u00EFve".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> TextFile.read(latin))
        .isInstanceOf(DataException.class)
        .hasMessage(latin + ": offset 2: expected text in UTF-8, got byte 0xEF");
    Path cut = file((byte) 'a', (byte) 0xE2, (byte) 0x82);
    assertThatThrownBy(() -> TextFile.read(cut)).hasMessageContaining("offset 1: expected text");
    Path surrogate = file((byte) 0xED, (byte) 0xA0, (byte) 0x80);
    assertThatThrownBy(() -> TextFile.read(surrogate)).hasMessageContaining("offset 0");
  }

  @Test
  void aFileThatIsNotThere_isNamed() {
    assertThatThrownBy(() -> TextFile.read(folder.resolve("no.txt")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("no.txt: cannot be read");
    assertThatThrownBy(() -> TextFile.read(folder)).isInstanceOf(DataException.class);
  }
}

package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CublasRetargetTest {
  private static byte[] library() throws IOException {
    try (InputStream in =
        CublasRetargetTest.class.getResourceAsStream("/lib/libJCublas2-12.6.0-linux-x86_64.so")) {
      return in.readAllBytes();
    }
  }

  /** The hash of a name in the tables of versions, as the ELF specification has it. */
  private static int elfHash(String name) {
    int hash = 0;
    for (byte letter : name.getBytes(StandardCharsets.US_ASCII)) {
      hash = (hash << 4) + letter;
      int high = hash & 0xf0000000;
      hash = (hash ^ (high >>> 24)) & ~high;
    }
    return hash;
  }

  private static String bytes(int value) {
    byte[] bytes = {(byte) value, (byte) (value >> 8), (byte) (value >> 16), (byte) (value >> 24)};
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  @Test
  void to13_changesTheNameAndItsHash_andNothingElse() throws IOException {
    byte[] before = library();
    byte[] after = CublasRetarget.to13(before);
    assertThat(after).hasSameSizeAs(before);
    List<Integer> changed = new ArrayList<>();
    for (int i = 0; i < before.length; i++) {
      if (before[i] != after[i]) {
        changed.add(i);
      }
    }
    assertThat(changed).hasSize(2);
    String old = new String(before, StandardCharsets.ISO_8859_1);
    String text = new String(after, StandardCharsets.ISO_8859_1);
    int name = old.indexOf("libcublas.so.12\0");
    assertThat(text.substring(name)).startsWith("libcublas.so.13\0");
    int hash = old.indexOf(bytes(elfHash("libcublas.so.12")));
    assertThat(old.indexOf(bytes(elfHash("libcublas.so.12")), hash + 1)).isNegative();
    assertThat(text.substring(hash)).startsWith(bytes(elfHash("libcublas.so.13")));
    assertThat(changed).containsExactly(name + 14, hash);
  }

  @Test
  void to13_leavesTheGivenBytesAlone() throws IOException {
    byte[] given = library();
    CublasRetarget.to13(given);
    assertThat(given).isEqualTo(library());
  }

  @Test
  void to13_anotherBuild_isRefused() throws IOException {
    byte[] other = library();
    other[other.length - 1]++;
    assertThatThrownBy(() -> CublasRetarget.to13(other))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a build that is not known")
        .hasMessageContaining(Natives.sha256(other))
        .hasMessageContaining(CublasRetarget.KNOWN);
    assertThatThrownBy(() -> CublasRetarget.to13(new byte[0]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> CublasRetarget.to13(CublasRetarget.to13(library())))
        .isInstanceOf(IllegalArgumentException.class);
  }
}

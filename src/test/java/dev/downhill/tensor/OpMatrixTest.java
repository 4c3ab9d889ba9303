package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class OpMatrixTest {
  private static final Path PAGE = Path.of("src/main/javadoc/operators.md");
  private static final Path CURRENT = Path.of("target/operators.md");

  @Test
  void thePageOfOperatorsIsCurrent() throws Exception {
    String page = OpMatrix.page();
    Files.createDirectories(CURRENT.getParent());
    Files.writeString(CURRENT, page);
    assertThat(Files.exists(PAGE) ? Files.readString(PAGE) : "")
        .as("the page is not current, renew it with: cp %s %s", CURRENT, PAGE)
        .isEqualTo(page);
  }
}

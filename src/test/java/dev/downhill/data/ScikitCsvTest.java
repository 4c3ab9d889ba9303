package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScikitCsvTest {
  @TempDir Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("iris.csv"), text);
  }

  @Test
  void classesHaveTheNamesOfTheFirstLine() throws IOException {
    Table table = ScikitCsv.read(file("3,2,göod,very bad\r\n1,2,0\r\n3,4,1\r\n5,6e1,0\r\n")).get();
    assertThat(table.names()).containsExactly("feature_1", "feature_2", "class");
    assertThat(table.rows()).isEqualTo(3);
    assertThat(table.numbers("feature_2").get(2)).isEqualTo(60);
    Column.Categories classes = (Column.Categories) table.column("class");
    assertThat(Objects.requireNonNull(classes.get(0))).isEqualTo("göod");
    assertThat(Objects.requireNonNull(classes.get(1))).isEqualTo("very bad");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "a,b\n1,2\n", "3,2\n1,2\n", "3,2,good\n1,2,0\n", "3,2,4,5\n1,2,3,4\n", "x"})
  void otherFiles_areNotRead(String text) throws IOException {
    assertThat(ScikitCsv.read(file(text))).isEmpty();
    assertThat(ScikitCsv.read(folder.resolve("none.csv"))).isEmpty();
    assertThat(ScikitCsv.read(folder)).isEmpty();
  }

  @Test
  void whatTheFirstLineDoesNotSay_isRefused() throws IOException {
    Path few = file("3,2,a,b\n1,2,0\n");
    assertThatThrownBy(() -> ScikitCsv.read(few))
        .isInstanceOf(DataException.class)
        .hasMessage("iris.csv: expected 3 rows as the first line says, got 1");
    Path wide = file("1,2,a,b\n1,2,3,0\n");
    assertThatThrownBy(() -> ScikitCsv.read(wide))
        .hasMessage("iris.csv: line 2: expected 3 cells as in the header, got 4");
    for (String c : new String[] {"2", "-1", "0.5"}) {
      Path wrong = file("1,1,a,b\n1," + c + "\n");
      assertThatThrownBy(() -> ScikitCsv.read(wrong))
          .hasMessageStartingWith(
              "iris.csv: line 2, column \"class\": expected the number of a class, 0 to 1, got "
                  + c);
    }
  }
}

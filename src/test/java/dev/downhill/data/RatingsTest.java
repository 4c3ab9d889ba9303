package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RatingsTest {
  @TempDir Path folder;

  private Ratings read(String text) throws IOException {
    Path file = folder.resolve("r.csv");
    Files.writeString(file, text);
    return Ratings.read(file);
  }

  @Test
  void aFile_numbersUsersAndItemsAsTheyOccur_andKeepsTheirNames() throws IOException {
    Ratings r =
        read("when,rating,item,user\nx,4.5,Alien,17\ny,2,\"Up, again\",Eve\n,-1e1,Alien,Eve\n");
    assertThat(r.users()).containsExactly("17", "Eve");
    assertThat(r.items()).containsExactly("Alien", "Up, again");
    assertThat(r.size()).isEqualTo(3);
    assertThat(List.of(r.user(0), r.user(1), r.user(2))).containsExactly(0, 1, 1);
    assertThat(List.of(r.item(0), r.item(1), r.item(2))).containsExactly(0, 1, 0);
    assertThat(List.of(r.rating(0), r.rating(1), r.rating(2))).containsExactly(4.5, 2.0, -10.0);
  }

  @Test
  void manyNames_areNotTooManyCategories() throws IOException {
    StringBuilder text = new StringBuilder("user,item,rating\n");
    for (int i = 0; i < 5_000; i++) {
      text.append('u').append(i).append(",a").append(i).append(",1\n");
    }
    assertThat(read(text.toString()).users()).hasSize(5_000);
  }

  @Test
  void aDataset_hasPairsAndRatingsOnAScale() throws IOException {
    Ratings r = read("user,item,rating\na,x,1\na,y,9\nb,y,3\n");
    int[] rows = {2, 0};
    Scale scale = r.scale(rows);
    assertThat(scale).isEqualTo(new Scale(2, 1));
    try (Dataset d = r.dataset(Device.cpu(), rows, scale)) {
      assertThat(d.x().toLongs()).containsExactly(1, 1, 0, 0);
      assertThat(d.y().toFloats()).containsExactly(1, -1);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          user,item,rating;a,x,1;,x,2 | r.csv: line 3, column "user": expected a name or a number, got an empty cell
          user,item,rating;a,x,1;b,,2 | r.csv: line 3, column "item": expected a name or a number, got an empty cell
          user,item,rating;a,x,1;b,x, | r.csv: line 3, column "rating": missing value in the target, expected a number, got an empty cell
          user,item,rating;a,x,1;b,x,good | r.csv: line 3, column "rating": text in a number column, expected a number, got "good"
          user,item,rating;a,x,1;b,x,NaN | r.csv: line 3, column "rating"
          user,item,rating;a,x,1;b,x,1e300 | r.csv: line 3, column "rating": number out of range
          user,item,rating;a,x,1;b,x | r.csv: line 3: expected 3 cells as in the header, got 2
          user,film,rating;a,x,1 | r.csv: no column "item", expected one of "user", "film", "rating"
          user,item,rating | r.csv: a header and nothing else
          """)
  void aBadFile_isRefused_withItsLine(String text, String message) {
    assertThatThrownBy(() -> read(text.replace(';', '\n')))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void aNumberWithoutAName_isRefused() {
    assertThatThrownBy(
            () ->
                new Ratings(
                    List.of("u"), List.of("i"), new int[] {0}, new int[] {1}, new double[1]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("ratings: expected items from 0 to 0, got 1");
    assertThatThrownBy(
            () -> new Ratings(List.of("u"), List.of("i"), new int[1], new int[1], new double[2]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("ratings: expected as many users as items and ratings, got 1, 1 and 2");
  }
}

package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class TableWithTest {
  private static final Table TABLE =
      Table.of("t", List.of(Column.numbers("a", 1, 2), Column.categories("b", List.of("x", "y"))));

  @Test
  void aColumnTakesThePlaceOfTheOneOfItsName() {
    Table with = TABLE.with(Column.numbers("a", 3, 4));
    assertThat(with.names()).containsExactly("a", "b");
    assertThat(with.numbers("a").get(1)).isEqualTo(4);
    assertThat(with.column("b")).isSameAs(TABLE.column("b"));
    assertThat(TABLE.numbers("a").get(1)).isEqualTo(2);
    assertThat(TABLE.with(Column.numbers("b", 0, 1)).numbers("b").get(1)).isEqualTo(1);
  }

  @Test
  void aNewNameOrAnotherLength_isRefused() {
    assertThatThrownBy(() -> TABLE.with(Column.numbers("c", 3, 4)))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith("t: no column \"c\"");
    assertThatThrownBy(() -> TABLE.with(Column.numbers("b", 3)))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("column \"b\": expected 2 rows as in the first column, got 1");
  }
}

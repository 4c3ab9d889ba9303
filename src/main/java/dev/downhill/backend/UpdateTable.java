package dev.downhill.backend;

import java.util.List;

/**
 * The parameters that one optimiser step moves. A backend may keep a device copy for as long as
 * this object is used; it never changes.
 *
 * @param rows one per parameter that has a gradient
 */
public record UpdateTable(List<Row> rows) {
  /** Copies the list. */
  public UpdateTable {
    rows = List.copyOf(rows);
  }

  /**
   * One parameter. All views are contiguous and of the same floating type and size, save the
   * counters, and the states that {@linkplain Update#keeps are not kept}: those have no elements.
   *
   * @param parameter the values, changed by the step
   * @param gradient their gradient
   * @param states the optimiser's tensors, as many as {@link Update#states}, changed by the step
   * @param counters {@code f64}, as many as {@link Update#counters}, changed by the step
   * @param group the row of the group block
   */
  public record Row(View parameter, View gradient, List<View> states, View counters, int group) {
    /** Copies the list. */
    public Row {
      states = List.copyOf(states);
    }
  }
}

package dev.downhill.tensor;

import java.util.List;
import java.util.stream.Stream;

/**
 * The table of operators, one row each. Everything that has a gradient is tried from here: against
 * differences, in other types and layouts, with wrong rules that must be noticed.
 */
final class OpTable {
  /** All rows. */
  static final List<OpRow> ROWS =
      Stream.of(
              PointwiseRows.all(),
              ReductionRows.all(),
              ShapeRows.all(),
              LossRows.all(),
              NetworkRows.all(),
              DivergenceRows.all(),
              EinsumRows.all(),
              OrderRows.all(),
              WindowRows.all())
          .flatMap(List::stream)
          .toList();

  private OpTable() {}
}

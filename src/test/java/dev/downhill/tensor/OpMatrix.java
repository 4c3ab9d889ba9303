package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which operator takes which dtypes, and how often it can be differentiated, as a page for people.
 * It follows from the table of operators by trying.
 */
final class OpMatrix {
  private static final Device DEVICE = Device.of("cpu:37");

  private OpMatrix() {}

  /** What is known of an operator: of all its rows and calls together. */
  private static final class Entry {
    final Set<DType> dtypes = EnumSet.noneOf(DType.class);
    int order;
  }

  /**
   * The inputs of the largest case of a call in a dtype: all floating ones have it, or if there are
   * none, all.
   */
  static List<Tensor> inputs(OpRow row, OpRow.Call call, DType dtype) {
    boolean floating = row.domains().stream().anyMatch(Domain::isFloating);
    List<Tensor> inputs = OpCase.largest(row, call).plain(DEVICE);
    List<Tensor> converted = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      boolean changes = !floating || row.domains().get(i).isFloating();
      converted.add(changes ? inputs.get(i).to(dtype) : inputs.get(i));
    }
    return converted;
  }

  /** Whether a call takes inputs, or refuses them. */
  static boolean takes(OpRow.Call call, List<Tensor> inputs) {
    try {
      Tensor _ = call.function().apply(inputs);
      return true;
    } catch (IllegalArgumentException _) {
      return false;
    }
  }

  private static Map<String, Entry> entries() throws Exception {
    Map<String, String> owners = OpCoverageTest.owners();
    Map<String, Entry> entries =
        new TreeMap<>(Comparator.comparing((String s) -> s.substring(s.indexOf('.') + 1)));
    for (OpRow row : OpTable.ROWS) {
      for (OpRow.Call call : row.calls()) {
        String name = call.method().substring(0, call.method().indexOf('('));
        Entry e = entries.computeIfAbsent(owners.get(call.method()) + "." + name, _ -> new Entry());
        e.order = Math.max(e.order, row.order());
        for (DType dtype : DType.values()) {
          try (var _ = Scope.open()) {
            if (takes(call, inputs(row, call, dtype))) {
              e.dtypes.add(dtype);
            }
          }
        }
      }
    }
    return entries;
  }

  /** The page, in Markdown. */
  static String page() throws Exception {
    StringBuilder page = new StringBuilder(HEAD);
    Map<String, Entry> entries = entries();
    entries.forEach(
        (name, e) -> {
          page.append("| `%s` |".formatted(name));
          for (DType dtype : DType.values()) {
            page.append(e.dtypes.contains(dtype) ? " ✓ |" : "  |");
          }
          page.append(" ✓ | ✓ |");
          page.append(e.order > 0 ? " ✓ |" : "  |").append(e.order > 1 ? " ✓ |\n" : "  |\n");
        });
    return page.append("\n%d operators.\n".formatted(entries.size())).toString();
  }

  private static final String HEAD =
      """
      # Operators

      What takes which dtypes. This page is made from the table of operators that the tests run
      (`src/test/java/dev/downhill/tensor/*Rows.java`): a mark is there because it was tried, and a
      test fails if the page is not current.

      - **Dtypes**: of the floating inputs, or of all if none must be floating; an index is int64, a
        mask bool. Every mark holds on the CPU **and on CUDA**, with equal results (`CudaParityTest`
        for floating dtypes, `CudaDtypeTest` for all); what is not marked is refused on both by
        name.
      - **Backward**: the gradient is compared to finite differences in float64, in float32 and
        bfloat16 to that of float64, and between the devices. Some gradients are 0 everywhere, such
        as that of `floor`.
      - **Second order**: the gradient of the gradient is compared to finite differences too.

      | operator | %s | CPU | CUDA | backward | second order |
      |---|%s---|---|---|---|
      """
          .formatted(
              String.join(" | ", Arrays.stream(DType.values()).map(DType::toString).toList()),
              "---|".repeat(DType.values().length));
}

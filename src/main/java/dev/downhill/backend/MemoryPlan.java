package dev.downhill.backend;

import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Places for values that are not all needed at the same time. The largest value is placed first;
 * each goes where none lies that is needed while it is, and to a new place only if there is none.
 *
 * @param places the type and number of elements of each place
 * @param placeOf for each value, the number of its place
 */
record MemoryPlan(List<Place> places, List<Integer> placeOf) {
  /**
   * A value.
   *
   * @param first when it is used first
   * @param last when it is used last
   */
  record Value(DType dtype, long numel, int first, int last) {
    private boolean meets(Value other) {
      return first <= other.last && other.first <= last;
    }
  }

  /** Memory of one type. */
  record Place(DType dtype, long numel) {}

  static MemoryPlan of(List<Value> values) {
    List<Place> places = new ArrayList<>();
    List<List<Value>> tenants = new ArrayList<>();
    Integer[] placeOf = new Integer[values.size()];
    IntStream.range(0, values.size())
        .boxed()
        .sorted(Comparator.comparingLong(i -> -values.get(i).numel()))
        .forEach(
            i -> {
              Value value = values.get(i);
              int p = 0;
              while (p < places.size() && !fits(value, places.get(p), tenants.get(p))) {
                p++;
              }
              if (p == places.size()) {
                places.add(new Place(value.dtype(), value.numel()));
                tenants.add(new ArrayList<>());
              }
              tenants.get(p).add(value);
              placeOf[i] = p;
            });
    return new MemoryPlan(List.copyOf(places), List.of(placeOf));
  }

  private static boolean fits(Value value, Place place, List<Value> tenants) {
    return place.dtype() == value.dtype() && tenants.stream().noneMatch(value::meets);
  }
}

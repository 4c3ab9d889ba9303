package dev.downhill.tensor;

import dev.downhill.tensor.OpCase.Shapes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * A row of the table of operators: what its inputs are and how it is called. The cases follow from
 * it.
 *
 * @param name the operator
 * @param domains the numbers of each input
 * @param calls the ways to call it; the first is tried on all layouts
 * @param shapes the shapes to try
 * @param order how often it can be differentiated: 0 if the result has no gradient, else 2
 * @param eps the step of the differences
 * @param recordable whether it can be part of a step
 * @param not layouts that make no sense here
 */
record OpRow(
    String name,
    List<Domain> domains,
    List<Call> calls,
    List<Shapes> shapes,
    int order,
    double eps,
    boolean recordable,
    Set<Laid> not) {

  /**
   * A way to call an operator.
   *
   * @param method the method, with the types of its parameters, the tensor it is called on first
   * @param arguments the values of those that are not inputs
   * @param rank the least rank of the first input
   * @param function the call
   */
  record Call(String method, String arguments, int rank, Function<List<Tensor>, Tensor> function) {
    boolean accepts(Shapes shapes) {
      return shapes.sizes().get(0).rank() >= rank;
    }

    @Override
    public String toString() {
      return arguments.isEmpty() ? method : method + " " + arguments;
    }
  }

  /** Shapes of one input. */
  static final List<Shapes> ONE =
      List.of(
          Shapes.of("0-d", new long[] {}),
          Shapes.of("one", new long[] {1}),
          Shapes.of("empty", new long[] {0}),
          Shapes.of("empty inside", new long[] {3, 0, 2}),
          Shapes.of("odd", new long[] {7}),
          Shapes.of("matrix", new long[] {3, 5}),
          Shapes.of("rank 3", new long[] {2, 3, 5}),
          Shapes.of("rank 5", new long[] {1, 2, 3, 1, 2}));

  /** As {@link #ONE}, without empty ones. */
  static final List<Shapes> SOME = ONE.stream().filter(s -> s.numel() > 0).toList();

  /** Two inputs that broadcast. */
  static final List<Shapes> TWO =
      List.of(
          Shapes.of("0-d", new long[] {}, new long[] {}),
          Shapes.of("one", new long[] {1}, new long[] {1}),
          Shapes.of("empty", new long[] {3, 0}, new long[] {1, 1}),
          Shapes.of("odd", new long[] {7}, new long[] {7}),
          Shapes.of("matrix", new long[] {3, 5}, new long[] {3, 5}),
          Shapes.of("left", new long[] {3, 1}, new long[] {3, 5}),
          Shapes.of("right", new long[] {3, 5}, new long[] {5}),
          Shapes.of("both", new long[] {3, 1}, new long[] {1, 5}),
          Shapes.of("number", new long[] {}, new long[] {5}),
          Shapes.of("rank 4", new long[] {2, 1, 3, 1}, new long[] {3, 2}));

  /** Two inputs of one shape. */
  static final List<Shapes> PAIR =
      ONE.stream()
          .map(s -> new Shapes(s.kind(), List.of(s.sizes().get(0), s.sizes().get(0))))
          .toList();

  static OpRow of(String name, Domain... domains) {
    return new OpRow(
        name,
        List.of(domains),
        List.of(),
        domains.length == 1 ? ONE : domains.length == 2 ? TWO : List.of(),
        2,
        1e-6,
        true,
        EnumSet.noneOf(Laid.class));
  }

  /** Adds a way to call it. */
  OpRow call(String method, String arguments, Function<List<Tensor>, Tensor> function) {
    return call(method, arguments, 0, function);
  }

  /** Adds a way to call it on a first input of at least this rank. */
  OpRow call(String method, String arguments, int rank, Function<List<Tensor>, Tensor> function) {
    List<Call> all = new ArrayList<>(calls);
    all.add(new Call(method, arguments, rank, function));
    return new OpRow(name, domains, all, shapes, order, eps, recordable, not);
  }

  /** Tries these shapes. */
  OpRow on(List<Shapes> others) {
    return new OpRow(name, domains, calls, others, order, eps, recordable, not);
  }

  /** Adds shapes to try, in place of the usual ones. */
  OpRow on(String kind, long[]... sizes) {
    List<Shapes> all = new ArrayList<>();
    if (shapes != ONE && shapes != TWO) {
      all.addAll(shapes);
    }
    all.add(Shapes.of(kind, sizes));
    return on(all);
  }

  /** Its result has no gradient. */
  OpRow withoutGradient() {
    return new OpRow(name, domains, calls, shapes, 0, eps, recordable, not);
  }

  /** Takes larger steps. */
  OpRow eps(double value) {
    return new OpRow(name, domains, calls, shapes, order, value, recordable, not);
  }

  /** It crosses between host and device. */
  OpRow notRecordable() {
    return new OpRow(name, domains, calls, shapes, order, eps, false, not);
  }

  /** It has a kink on inputs that lie so. */
  OpRow except(Laid... laid) {
    Set<Laid> excluded = EnumSet.copyOf(Arrays.asList(laid));
    return new OpRow(name, domains, calls, shapes, order, eps, recordable, excluded);
  }
}

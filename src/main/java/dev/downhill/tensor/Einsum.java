package dev.downhill.tensor;

import dev.downhill.shape.ShapeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Einstein's sums: products of tensors, written by naming dimensions. Contractions are batched
 * matrix products, so that no product of all dimensions is ever stored.
 *
 * <pre>{@code
 * Einsum.einsum("bqhd,bkhd->bhqk", query, key)   // scores of attention
 * Einsum.einsum("ii->i", x)                      // the diagonal
 * Einsum.einsum("...i,...i->...", x, y)          // dot products
 * }</pre>
 */
public final class Einsum {
  private static final String NAME = "einsum";

  private final String equation;
  private final Op op;

  private Einsum(String equation, Op op) {
    this.equation = equation;
    this.op = op;
  }

  /** A tensor whose dimensions have labels, no two the same. */
  private record Labelled(Tensor tensor, List<String> labels) {
    long size(String label) {
      return tensor.size(labels.indexOf(label));
    }

    long[] sizes(List<String> some) {
      return some.stream().mapToLong(this::size).toArray();
    }

    long numel(List<String> some) {
      return Arrays.stream(sizes(some)).reduce(1, Math::multiplyExact);
    }

    Labelled ordered(List<String> order) {
      int[] dims = order.stream().mapToInt(labels::indexOf).toArray();
      return order.equals(labels) ? this : new Labelled(tensor.permute(dims), order);
    }

    /** Summed over all labels but these. */
    Labelled keep(List<String> kept) {
      List<String> left = labels.stream().filter(kept::contains).toList();
      int[] dims =
          labels.stream().filter(l -> !kept.contains(l)).mapToInt(labels::indexOf).toArray();
      return dims.length == 0 ? this : new Labelled(tensor.sum(dims, false), left);
    }

    /** As a view in which the labels it lacks have size 1. */
    Tensor spread(List<String> all) {
      Tensor t = ordered(all.stream().filter(labels::contains).toList()).tensor;
      for (int d = 0; d < all.size(); d++) {
        t = labels.contains(all.get(d)) ? t : t.unsqueeze(d);
      }
      return t;
    }
  }

  /**
   * The sum of products that an equation describes, as {@code torch.einsum}: letters name the
   * dimensions of each operand, those of equal name are multiplied element by element, and what the
   * result does not name is summed over.
   *
   * <ul>
   *   <li>A letter twice in one operand takes the diagonal.
   *   <li>{@code ...} stands for dimensions without a name, which broadcast from the right. A
   *       result that leaves it out sums over them.
   *   <li>Without {@code ->} the result has the dimensions of {@code ...} and then the letters that
   *       occur once, in alphabetical order.
   *   <li>A dimension of size 1 repeats where others of its name are larger.
   * </ul>
   *
   * <p>Gradients follow from the parts: matrix products, sums, views. The result may be a view of a
   * single operand.
   *
   * @param equation such as {@code "ij,jk->ik"}; blanks do not count
   * @param operands as many as the equation names, floating-point; contracted from left to right
   * @throws IllegalArgumentException if the equation is ill-formed or does not fit the operands
   */
  public static Tensor einsum(String equation, Tensor... operands) {
    if (operands.length == 0) {
      throw new IllegalArgumentException(
          "einsum: expected at least one operand, got none (equation \"%s\")".formatted(equation));
    }
    Op op = Op.of(NAME, operands).floating();
    try (Scope scope = Scope.internal()) {
      return scope.keep(new Einsum(equation, op).of(operands));
    }
  }

  private ShapeException refuse(String problem) {
    return op.refuse("%s, in equation \"%s\"".formatted(problem, equation));
  }

  private Tensor of(Tensor[] operands) {
    String[] sides = equation.replace(" ", "").split("->", -1);
    String[] terms = sides[0].split(",", -1);
    if (sides.length > 2 || terms.length != operands.length) {
      throw refuse("expected a term for each of %s operands".formatted(operands.length));
    }
    List<List<String>> named = new ArrayList<>();
    int unnamed = 0;
    for (int i = 0; i < terms.length; i++) {
      named.add(labels(terms[i], operands[i].dim()));
      if (terms[i].contains("...")) {
        unnamed = Math.max(unnamed, operands[i].dim() - letters(terms[i]));
      }
    }
    List<String> result =
        sides.length == 1 ? implicit(named, unnamed) : given(sides[1], named, unnamed);
    return contract(operands(operands, named), result);
  }

  private static int letters(String term) {
    return term.replace("...", "").length();
  }

  /** The labels of an operand: letters, and numbers from the right for dimensions of "...". */
  private List<String> labels(String term, int rank) {
    int dots = term.indexOf("...");
    int unnamed = rank - letters(term);
    if (unnamed < 0 || (dots < 0 && unnamed > 0)) {
      throw refuse("expected a letter for each of %s dimensions, got \"%s\"".formatted(rank, term));
    }
    List<String> labels = new ArrayList<>(split(dots < 0 ? term : term.substring(0, dots)));
    if (dots >= 0) {
      labels.addAll(numbers(unnamed));
      labels.addAll(split(term.substring(dots + 3)));
    }
    return labels;
  }

  private static List<String> numbers(int count) {
    List<String> numbers = new ArrayList<>();
    for (int i = count - 1; i >= 0; i--) {
      numbers.add(Integer.toString(i));
    }
    return numbers;
  }

  private List<String> split(String letters) {
    List<String> labels = new ArrayList<>();
    for (int i = 0; i < letters.length(); i++) {
      char c = letters.charAt(i);
      if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')) {
        throw refuse("expected letters and at most one \"...\" a term, got \"%s\"".formatted(c));
      }
      labels.add(String.valueOf(c));
    }
    return labels;
  }

  private static List<String> implicit(List<List<String>> named, int unnamed) {
    Map<String, Long> counts =
        named.stream()
            .flatMap(List::stream)
            .collect(Collectors.groupingBy(l -> l, Collectors.counting()));
    List<String> result = new ArrayList<>(numbers(unnamed));
    counts.forEach(
        (label, count) -> {
          if (count == 1 && !Character.isDigit(label.charAt(0))) {
            result.add(label);
          }
        });
    result.subList(unnamed, result.size()).sort(null);
    return result;
  }

  private List<String> given(String term, List<List<String>> named, int unnamed) {
    boolean dots = term.contains("...");
    List<String> result = labels(term, letters(term) + (dots ? unnamed : 0));
    for (String label : result) {
      if (result.indexOf(label) != result.lastIndexOf(label)
          || named.stream().noneMatch(n -> n.contains(label))) {
        throw refuse(
            "expected letters of the operands, each once, in the result, got \"%s\""
                .formatted(term));
      }
    }
    return result;
  }

  /** Diagonals taken of repeated labels, and sizes of 1 dropped that broadcast. */
  private List<Labelled> operands(Tensor[] operands, List<List<String>> named) {
    Map<String, Long> sizes = new HashMap<>();
    for (int i = 0; i < operands.length; i++) {
      for (int d = 0; d < operands[i].dim(); d++) {
        long size = operands[i].size(d);
        String label = named.get(i).get(d);
        long known = sizes.merge(label, size, (a, b) -> a == 1 ? b : a);
        if (size != known && size != 1) {
          throw refuse(
              "sizes of dimension %s differ, expected %s, got %s"
                  .formatted(Character.isDigit(label.charAt(0)) ? "..." : label, known, size));
        }
      }
    }
    List<Labelled> all = new ArrayList<>();
    for (int i = 0; i < operands.length; i++) {
      Labelled x = diagonals(operands[i], named.get(i));
      Tensor t = x.tensor;
      List<String> labels = new ArrayList<>(x.labels);
      for (int d = labels.size() - 1; d >= 0; d--) {
        if (t.size(d) == 1 && !Long.valueOf(1).equals(sizes.get(labels.get(d)))) {
          t = t.squeeze(d);
          labels.remove(d);
        }
      }
      all.add(new Labelled(t, labels));
    }
    return all;
  }

  private Labelled diagonals(Tensor x, List<String> named) {
    List<String> labels = new ArrayList<>(named);
    Tensor t = x;
    for (int a = 0; a < labels.size(); a++) {
      String label = labels.get(a);
      int b = labels.lastIndexOf(label);
      if (b > a) {
        if (t.size(a) != t.size(b)) {
          throw refuse(
              "expected equal sizes of dimension %s, which is repeated, got %s and %s"
                  .formatted(label, t.size(a), t.size(b)));
        }
        t = t.diagonal(0, a, b);
        labels.remove(b);
        labels.remove(a);
        labels.add(label);
        a = -1;
      }
    }
    return new Labelled(t, labels);
  }

  private static Tensor contract(List<Labelled> operands, List<String> result) {
    Labelled x = operands.getFirst();
    for (int i = 1; i < operands.size(); i++) {
      List<String> kept = new ArrayList<>(result);
      operands.subList(i + 1, operands.size()).forEach(o -> kept.addAll(o.labels));
      x = product(x, operands.get(i), kept);
    }
    return x.keep(result).ordered(result).tensor;
  }

  /** The product of two, summed over what they share and nobody keeps. */
  private static Labelled product(Labelled left, Labelled right, List<String> kept) {
    List<String> shared = left.labels.stream().filter(right.labels::contains).toList();
    List<String> summed = shared.stream().filter(l -> !kept.contains(l)).toList();
    List<String> batch = shared.stream().filter(kept::contains).toList();
    List<String> wanted = new ArrayList<>(kept);
    wanted.addAll(shared);
    Labelled x = left.keep(wanted);
    Labelled y = right.keep(wanted);
    List<String> rows = x.labels.stream().filter(l -> !shared.contains(l)).toList();
    List<String> columns = y.labels.stream().filter(l -> !shared.contains(l)).toList();
    List<String> labels = joined(batch, rows, columns);
    if (summed.isEmpty()) {
      return new Labelled(x.spread(labels).mul(y.spread(labels)), labels);
    }
    long n = x.numel(rows);
    long k = x.numel(summed);
    long m = y.numel(columns);
    Tensor a = x.ordered(joined(batch, rows, summed)).tensor;
    Tensor b = y.ordered(joined(batch, summed, columns)).tensor;
    Tensor z =
        batch.isEmpty()
            ? a.reshape(n, k).matmul(b.reshape(k, m))
            : a.reshape(x.numel(batch), n, k).matmul(b.reshape(x.numel(batch), k, m));
    long[] sizes =
        labels.stream().mapToLong(l -> columns.contains(l) ? y.size(l) : x.size(l)).toArray();
    return new Labelled(z.reshape(sizes), labels);
  }

  @SafeVarargs
  @SuppressWarnings("varargs") // the array is only read
  private static List<String> joined(List<String>... parts) {
    return Arrays.stream(parts).flatMap(List::stream).toList();
  }
}

package dev.downhill.tensor;

import static dev.downhill.tensor.Refusals.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every operator refuses what it cannot take, in a message that names it and the shapes, and the
 * device goes on. What follows from the table of operators is tried on all of them: inputs that
 * have ended, that lie on two devices, that have another dtype.
 */
final class OpRefusalTest {
  private static final int FEWEST = 8;
  private static final Device DEVICE = Device.of("cpu:35");
  private static final Device OTHER = Device.of("cpu:36");

  static List<Refusals> tables() {
    return List.of(
        DimensionRefusals.all(),
        ShapeRefusals.views(),
        ShapeRefusals.parts(),
        ShapeRefusals.picks(),
        LossRefusals.elementwise(),
        LossRefusals.ofClasses(),
        LossRefusals.products());
  }

  @TestFactory
  Stream<DynamicTest> illFormedArguments() {
    return tables().stream().flatMap(Refusals::stream);
  }

  @TestFactory
  Stream<DynamicTest> inputsOfTheTable() {
    return rows().map(row -> dynamicTest(row.name(), () -> checkInputs(row)));
  }

  /** All rows but those whose call applies another operator first, which is the one to refuse. */
  private static Stream<OpRow> rows() {
    Set<String> glued = Set.of("contiguous", "lstm", "gru");
    return OpTable.ROWS.stream().filter(row -> !glued.contains(row.name()));
  }

  @Test
  void contiguousRefusesWhatHasEnded() {
    for (OpCase.Shapes shapes : OpRow.ONE) {
      Tensor x = Tensor.ones(DEVICE, DType.F32, shapes.sizes().get(0).toArray());
      x.close();
      String words = "contiguous: the tensor %s can no longer be used".formatted(x.shape());
      refused(IllegalStateException.class, x::contiguous, words);
    }
  }

  private static void checkInputs(OpRow row) {
    OpRow.Call call = row.calls().get(0);
    OpCase largest = OpCase.largest(row, call);
    try (var _ = Scope.open()) {
      row.shapes().stream()
          .filter(call::accepts)
          .limit(3)
          .forEach(
              s ->
                  checkEnded(
                      new OpCase(row, call, s, Laid.CONTIGUOUS, -1, DType.F64, OpCase.Twist.NONE)));
      checkEnded(largest);
      List<Tensor> good = largest.plain(DEVICE);
      for (int i = 0; i < good.size(); i++) {
        if (good.size() > 1) {
          List<Tensor> apart = with(good, i, good.get(i).to(OTHER));
          refused(() -> largest.apply(apart), name(call) + ": ", "on one device", "(shapes ");
        }
        for (DType dtype : DType.values()) {
          takenOrRefused(largest, with(good, i, good.get(i).to(dtype)));
        }
      }
      for (DType dtype : DType.values()) {
        takenOrRefused(largest, largest.inputs(DEVICE, dtype, false));
      }
    }
  }

  /** Closed by hand, or with its scope. */
  private static void checkEnded(OpCase c) {
    List<Tensor> good = c.plain(DEVICE);
    for (int i = 0; i < good.size(); i++) {
      Tensor closed = Conversion.copy(good.get(i));
      closed.close();
      Tensor left;
      try (var _ = Scope.open()) {
        left = Conversion.copy(good.get(i));
      }
      for (Tensor ended : List.of(closed, left)) {
        List<Tensor> bad = with(good, i, ended);
        refused(
            IllegalStateException.class,
            () -> c.apply(bad),
            "%s: the tensor %s can no longer be used".formatted(name(c.call()), ended.shape()));
      }
    }
  }

  private static List<Tensor> with(List<Tensor> inputs, int i, Tensor other) {
    List<Tensor> changed = new ArrayList<>(inputs);
    changed.set(i, other);
    return changed;
  }

  private static void takenOrRefused(OpCase c, List<Tensor> inputs) {
    try {
      c.apply(inputs);
    } catch (IllegalArgumentException _) {
      refused(() -> c.apply(inputs), name(c.call()) + ": ", "(shape");
    }
  }

  private static String name(OpRow.Call call) {
    return call.method().substring(0, call.method().indexOf('('));
  }

  @Test
  void everyOperatorRefusesInEightWays() {
    Map<String, Set<String>> messages = Refusals.counted(OpRefusalTest::all);
    Map<String, Integer> few = new TreeMap<>();
    for (OpRow row : OpTable.ROWS) {
      for (OpRow.Call call : row.calls()) {
        // What gives the indices too says the same of its arguments.
        String op = name(call).replace("WithIndices", "");
        int ways = messages.getOrDefault(op, Set.of()).size();
        if (ways < FEWEST) {
          few.put(op, ways);
        }
      }
    }
    assertThat(few).as("operators that are seen to refuse in fewer than %d ways", FEWEST).isEmpty();
  }

  private static void all() {
    tables().forEach(Refusals::check);
    rows().forEach(OpRefusalTest::checkInputs);
    new OpRefusalTest().contiguousRefusesWhatHasEnded();
    Stream.of(
            new AttentionTest().illFormedCallsAreRefused(),
            new NormalizationTest().illFormedCallsAreRefused(),
            new RecurrentTest().illFormedCallsAreRefused())
        .flatMap(s -> s)
        .forEach(Refusals::run);
    new ConvolutionTest().convolutionsRefuse();
    new ConvolutionTest().convolutionsOfVectorsRefuse();
    new ConvolutionTest().transposedConvolutionsRefuse();
    new DivergenceTest().binaryCrossEntropy_refusals();
    new DivergenceTest().klDiv_refusals();
    new EinsumTest().refusals();
    new EinsumTest().bmm_refusals();
    new EinsumTest().addmm_refusals();
    new EinsumTest().outer_refusals();
    new PoolingTest().poolsRefuse();
    new PoolingTest().meansRefuse();
    new RearrangingTest().flip_refusals();
    new RearrangingTest().roll_refusals();
    new RearrangingTest().diagonal_refusals();
    new SimilarityTest().cosineSimilarity_refusals();
    new SimilarityTest().tripletMarginLoss_refusals();
    new SortingTest().refusals();
    new WindowsTest().unfoldRefuses();
    new WindowsTest().paddingRefuses();
    new WindowsTest().interpolationRefuses();
  }
}

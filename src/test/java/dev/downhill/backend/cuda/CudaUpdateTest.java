package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Update;
import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import dev.downhill.backend.cuda.Twins.Twin;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Optimiser steps give the bits of the CPU backend. */
@Tag("cuda")
final class CudaUpdateTest {
  private static final Twins TWINS = new Twins();
  private static final DType[] TYPES = {DType.F32, DType.F64, DType.BF16};

  /** A table on both sides, and all that a step changes. */
  private static final class Model {
    final Update update;
    final List<UpdateTable.Row> cpu = new ArrayList<>();
    final List<UpdateTable.Row> cuda = new ArrayList<>();
    final List<Twin> changed = new ArrayList<>();
    final Twin skip = TWINS.of(DType.BOOL, Shape.of(2), 0, 1);
    final Twin groups;
    final double[][] scalars;
    private UpdateTable cpuTable = new UpdateTable(List.of());
    private UpdateTable cudaTable = cpuTable;

    Model(Update update, double[]... scalars) {
      this.update = update;
      this.scalars = scalars;
      double[] all = Arrays.stream(scalars).flatMapToDouble(Arrays::stream).toArray();
      this.groups = TWINS.of(DType.F64, Shape.of(scalars.length, scalars[0].length), all);
    }

    /** A parameter that starts {@code skew} elements into its buffers. */
    void add(DType dtype, int numel, int skew, int group) {
      List<Twin> views = new ArrayList<>();
      for (int i = 0; i < 2 + update.states(); i++) {
        int kept = i < 2 || update.keeps(i - 2, scalars[group]) ? numel : 0;
        Shape shape = Shape.of(kept + skew);
        Twin all =
            i < 2
                ? TWINS.random(dtype, shape.numel())
                : TWINS.of(dtype, shape, new double[kept + skew]);
        views.add(all.with(Layout.of(Shape.of(kept), new long[] {1}, skew)));
      }
      double[] around = new double[2 * update.counters()];
      Arrays.fill(around, 7);
      for (int i = 0; i < update.counters(); i++) {
        around[2 * i + 1] = update.firstCounters()[i];
      }
      Twin all = TWINS.of(DType.F64, Shape.of(around.length), around);
      Twin counters = all.with(Layout.of(Shape.of(update.counters()), new long[] {2}, 1));
      changed.addAll(views);
      changed.add(counters);
      cpu.add(row(views, counters, group, false));
      cuda.add(row(views, counters, group, true));
      cpuTable = new UpdateTable(cpu);
      cudaTable = new UpdateTable(cuda);
    }

    private static UpdateTable.Row row(List<Twin> views, Twin counters, int group, boolean onCuda) {
      List<View> own = views.stream().map(t -> onCuda ? t.cuda() : t.cpu()).toList();
      return new UpdateTable.Row(
          own.get(0),
          own.get(1),
          own.subList(2, own.size()),
          onCuda ? counters.cuda() : counters.cpu(),
          group);
    }

    void step(boolean skipped) {
      Twin flag = skip.with(Layout.of(Shape.of(1), new long[] {1}, skipped ? 1 : 0));
      TWINS.both(
          (b, onCuda) ->
              b.update(
                  update,
                  onCuda ? cudaTable : cpuTable,
                  onCuda ? groups.cuda() : groups.cpu(),
                  onCuda ? flag.cuda() : flag.cpu()));
    }

    void assertSame() {
      for (int i = 0; i < changed.size(); i++) {
        TWINS.assertSameBits(changed.get(i), "tensor " + i + " of " + update);
      }
    }
  }

  private static double[] row(double... scalars) {
    return scalars;
  }

  private static void assertSteps(Model model) {
    for (DType dtype : TYPES) {
      model.add(dtype, 5, 0, 0);
      model.add(dtype, 4099, 0, 1);
      model.add(dtype, 0, 1, 0);
      model.add(dtype, 130, 1, 1);
    }
    for (int step = 0; step < 3; step++) {
      model.step(false);
    }
    model.assertSame();
    model.step(true);
    model.assertSame();
    model.step(false);
    model.assertSame();
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.9})
  void sgd(double momentum) {
    assertSteps(
        new Model(Update.SGD, row(0.1, momentum, 0.1, 0, 0, 1), row(0.2, 0.7, 0, 0.01, 1, 0)));
  }

  @Test
  void adam_coupledAndDecoupled() {
    assertSteps(
        new Model(
            Update.ADAM,
            row(1e-3, 0.9, 0.999, 1e-8, 0.01, 1, 0, 0),
            row(2e-3, 0.8, 0.99, 1e-6, 0.1, 0, 1, 0)));
  }

  @Test
  void adam_ofWhichOneGroupIsAmsgrad() {
    assertSteps(
        new Model(
            Update.ADAM,
            row(1e-3, 0.9, 0.4, 1e-8, 0.01, 1, 0, 1),
            row(2e-3, 0.8, 0.99, 1e-6, 0.1, 0, 1, 0)));
  }

  @Test
  void rmsProp_withAllItsStatesAndWithTwo() {
    assertSteps(
        new Model(
            Update.RMSPROP,
            row(1e-2, 0.99, 1e-3, 0.01, 0.9, 1, 0),
            row(2e-2, 0.9, 1e-6, 0, 0, 1, 1)));
  }

  @Test
  void rmsProp_withMomentumAndPlain() {
    assertSteps(
        new Model(
            Update.RMSPROP, row(1e-2, 0.99, 1e-8, 0, 0.5, 0, 0), row(2e-2, 0.9, 1e-6, 0, 0, 0, 1)));
  }

  @Test
  void adagrad() {
    assertSteps(
        new Model(Update.ADAGRAD, row(1e-2, 0.1, 1e-10, 0.01, 0), row(1e-1, 0, 1e-3, 0, 1)));
  }

  @Test
  void nadam_coupledAndDecoupled() {
    assertSteps(
        new Model(
            Update.NADAM,
            row(2e-3, 0.9, 0.999, 1e-8, 0.01, 0, 0, Math.pow(0.96, 4e-3)),
            row(1e-2, 0.8, 0.99, 1e-6, 0.1, 1, 1, 0.7)));
  }

  @Test
  void aSkippedFirstStep_leavesAllAlone() {
    Model model = new Model(Update.ADAM, row(1e-3, 0.9, 0.999, 1e-8, 0.01, 1, 0, 0));
    model.add(DType.F32, 100, 0, 0);
    List<byte[]> before = model.changed.stream().map(t -> TWINS.bytes(t, true)).toList();
    model.step(true);
    for (int i = 0; i < before.size(); i++) {
      assertThat(TWINS.bytes(model.changed.get(i), true)).isEqualTo(before.get(i));
    }
  }

  @Test
  void aStepTakesNoHeap() {
    Model model = new Model(Update.SGD, row(0.1, 0.9, 0, 0, 0, 0));
    for (int i = 0; i < 3; i++) {
      model.add(DType.F32, 10, 0, 0);
    }
    View skip = model.skip.cuda().with(Layout.of(Shape.of(1), new long[] {1}, 0));
    assertThat(
            Twins.heapOf(
                () -> TWINS.cuda.update(Update.SGD, model.cudaTable, model.groups.cuda(), skip)))
        .isLessThan(8);
  }

  @Test
  void aTableIsFreed_whenItsObjectIsGone() throws InterruptedException {
    Model model = new Model(Update.SGD, row(0.1, 0.9, 0, 0, 0, 0));
    model.add(DType.F32, 10, 0, 0);
    long with = TWINS.cuda.memory().used();
    model.step(false);
    assertThat(TWINS.cuda.memory().used()).isGreaterThan(with);
    model.cudaTable = new UpdateTable(List.of());
    for (int i = 0; i < 100 && TWINS.cuda.memory().used() > with; i++) {
      System.gc();
      Thread.sleep(10);
      model.step(false);
    }
    // Tables of other tests may have gone meanwhile.
    assertThat(TWINS.cuda.memory().used()).isLessThanOrEqualTo(with);
  }
}

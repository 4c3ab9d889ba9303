package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.backend.Recording;
import dev.downhill.backend.Update;
import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An optimiser step over many parameters in one launch: what the optimisers of {@code
 * dev.downhill.optim} are made of. It owns the optimiser's state, and the memory of all gradients,
 * which lie side by side in one block per dtype; parameters stay where they are.
 *
 * <p>Step counts and running products live on the device, one row per parameter, so that a step
 * makes the same calls every time. A parameter without a gradient is left alone, its counts
 * included.
 */
public final class FusedUpdate implements AutoCloseable {
  // Gradients start on 64-byte boundaries of their block; what lies between them stays 0.
  private static final long ALIGNMENT = 16;

  private final Update update;
  private final String[] stateNames;
  private final Device device;
  private final List<Tensor> parameters = new ArrayList<>();
  private final List<Integer> groupOf = new ArrayList<>();
  private final List<List<Tensor>> states = new ArrayList<>();
  private final List<Tensor> gradientBlocks = new ArrayList<>();
  private final List<Tensor> places = new ArrayList<>();
  private final Owner owner = new Owner();
  private final Tensor counters;
  private final double[][] scalars;
  private final Tensor groupBlock;
  private final Tensor never;
  private final Map<BitSet, UpdateTable> tables = new LinkedHashMap<>();

  private FusedUpdate(
      Update update, String[] stateNames, double[] firstCounters, List<List<Tensor>> groups) {
    this.update = update;
    this.stateNames = stateNames;
    for (int g = 0; g < groups.size(); g++) {
      for (Tensor p : groups.get(g)) {
        p.check("optimizer");
        if (!p.isLeaf() || !p.requiresGrad() || !p.isContiguous() || parameters.contains(p)) {
          throw new IllegalArgumentException(
              "optimizer: expected contiguous leaves that require a gradient, each once, got %s %s"
                  .formatted(p.dtype(), p.shape()));
        }
        if (!parameters.isEmpty() && p.device() != parameters.get(0).device()) {
          throw new IllegalArgumentException(
              "optimizer: expected all parameters on one device, got %s and %s"
                  .formatted(parameters.get(0).device(), p.device()));
        }
        parameters.add(p);
        groupOf.add(g);
      }
    }
    if (parameters.isEmpty()) {
      throw new IllegalArgumentException("optimizer: expected at least one parameter, got none");
    }
    this.device = parameters.get(0).device();
    this.scalars = new double[groups.size()][update.scalars().length];
    this.groupBlock =
        owner.own(Tensor.zeros(device, DType.F64, groups.size(), update.scalars().length));
    this.never = owner.own(Tensor.zeros(device, DType.BOOL, 1));
    double[] rows = new double[parameters.size() * firstCounters.length];
    Arrays.setAll(rows, i -> firstCounters[i % firstCounters.length]);
    this.counters = owner.own(Tensor.of(device, rows, parameters.size(), firstCounters.length));
    for (Tensor p : parameters) {
      List<Tensor> own = new ArrayList<>();
      for (int i = 0; i < update.states(); i++) {
        own.add(owner.own(Tensor.zeros(device, p.dtype(), p.shape().toArray())));
      }
      states.add(own);
    }
    bindGradients();
  }

  /**
   * Stochastic gradient descent.
   *
   * @param groups the parameters of each group
   */
  public static FusedUpdate sgd(List<List<Tensor>> groups) {
    return new FusedUpdate(Update.SGD, new String[] {"momentum_buffer"}, new double[] {0}, groups);
  }

  /**
   * Adam and AdamW.
   *
   * @param groups the parameters of each group
   */
  public static FusedUpdate adam(List<List<Tensor>> groups) {
    return new FusedUpdate(
        Update.ADAM, new String[] {"exp_avg", "exp_avg_sq"}, new double[] {0, 1, 1}, groups);
  }

  private void bindGradients() {
    Map<DType, Long> sizes = new TreeMap<>();
    long[] offsets = new long[parameters.size()];
    for (int i = 0; i < offsets.length; i++) {
      Tensor p = parameters.get(i);
      offsets[i] = sizes.getOrDefault(p.dtype(), 0L);
      long padded = Math.ceilDiv(p.numel(), ALIGNMENT) * ALIGNMENT;
      sizes.put(p.dtype(), offsets[i] + padded);
    }
    Map<DType, Tensor> blocks = new TreeMap<>();
    sizes.forEach((dtype, n) -> blocks.put(dtype, owner.own(Tensor.zeros(device, dtype, n))));
    gradientBlocks.addAll(blocks.values());
    for (int i = 0; i < offsets.length; i++) {
      Tensor p = parameters.get(i);
      Tensor block = Objects.requireNonNull(blocks.get(p.dtype()));
      Layout row = Layout.contiguous(Shape.of(block.numel())).slice(0, offsets[i], p.numel(), 1);
      Layout shaped = Objects.requireNonNull(row.reshape(p.shape()));
      Tensor place = Tensor.alias(block.storage(), shaped, null);
      p.bindGrad(place);
      places.add(place);
    }
  }

  /**
   * Sets a scalar of a group, such as {@code lr}, for the following steps.
   *
   * @throws IllegalArgumentException if there is no scalar of this name, or no such group
   * @throws IllegalStateException inside the body of a {@link Step}, whose calls must not change
   */
  public void set(int group, String name, double value) {
    int column = column(group, name);
    if (Recording.current() != null) {
      throw new IllegalStateException(
          "optimizer: %s cannot be set inside a step, whose calls must not change; set it between steps"
              .formatted(name));
    }
    if (scalars[group][column] != value) {
      try (Scope _ = Scope.internal()) {
        double[] all = Arrays.stream(scalars).flatMapToDouble(Arrays::stream).toArray();
        all[group * scalars[0].length + column] = value;
        groupBlock.copyFrom(Tensor.of(device, all, scalars.length, scalars[0].length));
      }
      scalars[group][column] = value;
    }
  }

  /**
   * A scalar of a group as it was set.
   *
   * @throws IllegalArgumentException if there is no scalar of this name, or no such group
   */
  public double get(int group, String name) {
    int column = column(group, name);
    return scalars[group][column];
  }

  private int column(int group, String name) {
    int column = Arrays.asList(update.scalars()).indexOf(name);
    if (column < 0 || group < 0 || group >= scalars.length) {
      throw new IllegalArgumentException(
          "optimizer: expected a group of 0 to %d and one of %s, got group %d and %s"
              .formatted(scalars.length - 1, Arrays.toString(update.scalars()), group, name));
    }
    return column;
  }

  /** The parameters of all groups, in order. */
  public List<Tensor> parameters() {
    return List.copyOf(parameters);
  }

  /** Forgets all gradients; nothing is written. */
  public void zeroGrad() {
    parameters.forEach(Tensor::zeroGrad);
  }

  /** The gradients that are there, one per parameter that has one. */
  public List<Tensor> gradients() {
    return present().stream().mapToObj(places::get).toList();
  }

  /** The numbers of the parameters that have a gradient. */
  private BitSet present() {
    BitSet present = new BitSet();
    for (int i = 0; i < parameters.size(); i++) {
      Tensor p = parameters.get(i);
      p.check("optimizer");
      if (p.grad() != null) {
        if (LeafNode.of(p).destination().into() != places.get(i)) {
          throw new IllegalStateException(
              "optimizer: expected the gradient of parameter %d %s, but another optimizer was made for it"
                  .formatted(i, p.shape()));
        }
        present.set(i);
      }
    }
    return present;
  }

  /**
   * The gradients that are there in as few tensors as possible: the whole blocks, zeros between
   * them, if every parameter has one. For reading.
   */
  public List<Tensor> gradientBlocks() {
    List<Tensor> present = gradients();
    return present.size() == parameters.size() ? List.copyOf(gradientBlocks) : present;
  }

  /**
   * Moves every parameter that has a gradient.
   *
   * @param skip a bool tensor of one element on the device: where true, nothing changes; null for
   *     never
   */
  public void step(@Nullable Tensor skip) {
    counters.check("step");
    Tensor flag = skip == null ? never : skip;
    flag.check("step");
    if (flag.dtype() != DType.BOOL || flag.numel() != 1 || flag.device() != device) {
      throw new IllegalArgumentException(
          "step: expected skip to be one bool on %s, got %s %s on %s"
              .formatted(device, flag.dtype(), flag.shape(), flag.device()));
    }
    BitSet present = present();
    UpdateTable table = tables.computeIfAbsent(present, this::table);
    Layout one = Layout.of(Shape.of(1), new long[] {1}, flag.layout().offset());
    device.run(
        b -> {
          // Seen here and not before: a view alone does not keep a temporary from collection.
          b.update(update, table, groupBlock.view(), flag.view().with(one));
          present.stream()
              .forEach(
                  i -> {
                    parameters.get(i).storage().changed();
                    states.get(i).forEach(s -> s.storage().changed());
                  });
          counters.storage().changed();
        });
  }

  private UpdateTable table(BitSet present) {
    List<UpdateTable.Row> rows = new ArrayList<>();
    present.stream()
        .forEach(
            i -> {
              Tensor p = parameters.get(i);
              View gradient = places.get(i).view();
              View counts = counters.view().with(counters.layout().slice(0, i, 1, 1).squeeze(0));
              List<View> own = states.get(i).stream().map(Tensor::view).toList();
              rows.add(new UpdateTable.Row(p.view(), gradient, own, counts, groupOf.get(i)));
            });
    return new UpdateTable(rows);
  }

  /**
   * The state to save and restore: per parameter {@code <index>.<name>}, such as {@code 0.exp_avg},
   * and the counts as {@code counters}. The tensors are the live ones: restore with {@link
   * Tensor#copyFrom}.
   */
  public Map<String, Tensor> state() {
    Map<String, Tensor> all = new LinkedHashMap<>();
    for (int i = 0; i < states.size(); i++) {
      for (int s = 0; s < stateNames.length; s++) {
        all.put(i + "." + stateNames[s], states.get(i).get(s));
      }
    }
    all.put("counters", counters);
    return all;
  }

  /** Ends the state and the gradients. */
  @Override
  public void close() {
    parameters.forEach(Tensor::zeroGrad);
    owner.close();
  }
}

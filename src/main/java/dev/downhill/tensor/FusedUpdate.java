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

  /**
   * Parameters that are moved with the same numbers.
   *
   * @param parameters leaves that require a gradient
   * @param scalars the numbers by name, all of them
   */
  public record Group(List<Tensor> parameters, Map<String, Double> scalars) {
    /** Copies both. */
    public Group {
      parameters = List.copyOf(parameters);
      scalars = Map.copyOf(scalars);
    }
  }

  private final Update update;
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

  private FusedUpdate(Update update, List<Group> groups) {
    this.update = update;
    for (int g = 0; g < groups.size(); g++) {
      for (Tensor p : groups.get(g).parameters()) {
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
    this.scalars = groups.stream().map(g -> row(update, g)).toArray(double[][]::new);
    double[] all = Arrays.stream(scalars).flatMapToDouble(Arrays::stream).toArray();
    this.groupBlock = owner.own(Tensor.of(device, all, groups.size(), update.scalars().length));
    this.never = owner.own(Tensor.zeros(device, DType.BOOL, 1));
    double[] first = update.firstCounters();
    double[] rows = new double[parameters.size() * first.length];
    Arrays.setAll(rows, i -> first[i % first.length]);
    this.counters = owner.own(Tensor.of(device, rows, parameters.size(), first.length));
    for (int i = 0; i < parameters.size(); i++) {
      Tensor p = parameters.get(i);
      List<Tensor> own = new ArrayList<>();
      for (int s = 0; s < update.states(); s++) {
        boolean kept = update.keeps(s, scalars[groupOf.get(i)]);
        long[] sizes = kept ? p.shape().toArray() : new long[] {0};
        own.add(owner.own(Tensor.zeros(device, p.dtype(), sizes)));
      }
      states.add(own);
    }
    bindGradients();
  }

  private static double[] row(Update update, Group group) {
    return Arrays.stream(update.scalars())
        .mapToDouble(name -> Objects.requireNonNull(group.scalars().get(name), name))
        .toArray();
  }

  /** Stochastic gradient descent. */
  public static FusedUpdate sgd(List<Group> groups) {
    return new FusedUpdate(Update.SGD, groups);
  }

  /** Adam, AdamW and AMSGrad. */
  public static FusedUpdate adam(List<Group> groups) {
    return new FusedUpdate(Update.ADAM, groups);
  }

  /** RMSprop. */
  public static FusedUpdate rmsProp(List<Group> groups) {
    return new FusedUpdate(Update.RMSPROP, groups);
  }

  /** Adagrad. */
  public static FusedUpdate adagrad(List<Group> groups) {
    return new FusedUpdate(Update.ADAGRAD, groups);
  }

  /** NAdam. */
  public static FusedUpdate nadam(List<Group> groups) {
    return new FusedUpdate(Update.NADAM, groups);
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
   * @throws IllegalArgumentException if there is no scalar of this name, or no such group, or
   *     parameters would have to keep another state with it
   * @throws IllegalStateException inside the body of a {@link Step}, whose calls must not change
   */
  public void set(int group, String name, double value) {
    int column = column(group, name);
    if (Recording.current() != null) {
      throw new IllegalStateException(
          "optimizer: %s cannot be set inside a step, whose calls must not change; set it between steps"
              .formatted(name));
    }
    double[] changed = scalars[group].clone();
    changed[column] = value;
    for (int s = 0; s < update.states(); s++) {
      if (update.keeps(s, changed) != update.keeps(s, scalars[group])) {
        throw new IllegalArgumentException(
            "optimizer: %s decides whether %s is kept and cannot change from %s to %s; make a new optimizer"
                .formatted(name, update.state(s), scalars[group][column], value));
      }
    }
    if (scalars[group][column] != value) {
      scalars[group] = changed;
      try (Scope _ = Scope.internal()) {
        double[] all = Arrays.stream(scalars).flatMapToDouble(Arrays::stream).toArray();
        groupBlock.copyFrom(Tensor.of(device, all, scalars.length, scalars[0].length));
      }
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
          "optimizer: expected a group of 0 to %s and one of %s, got group %s and %s"
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
              "optimizer: expected the gradient of parameter %s %s, but another optimizer was made for it"
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
      for (int s = 0; s < update.states(); s++) {
        if (update.keeps(s, scalars[groupOf.get(i)])) {
          all.put(i + "." + update.state(s), states.get(i).get(s));
        }
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

package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Generator;
import dev.downhill.tensor.HostRandom;
import dev.downhill.tensor.Owner;
import dev.downhill.tensor.State;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A part of a model: named parameters, named parts in order, and a {@code forward} computation of
 * one or several inputs that each subclass declares for itself.
 *
 * <pre>{@code
 * final class TwoTowers extends Module {
 *   private final Linear user = part("user", new Linear(8, 4));
 *   private final Linear item = part("item", new Linear(6, 4));
 *
 *   Tensor forward(Tensor u, Tensor i) {
 *     return user.forward(u).mul(item.forward(i)).sum(new int[] {1}, false);
 *   }
 * }
 * }</pre>
 *
 * <p>A constructor only declares; {@link #on} makes the tensors. The names of parts and parameters,
 * joined by dots, are the names of the state, as in PyTorch: {@code user.weight}. A part that is
 * used twice counts once, under its first path.
 *
 * <p>Parameters belong to the model, not to the scope they happen to be made in: they end when the
 * model is closed.
 */
public abstract class Module implements AutoCloseable {
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Map<String, Noise> noises = new LinkedHashMap<>();
  private final Map<String, Module> parts = new LinkedHashMap<>();
  private final Owner owner = new Owner();
  private boolean training = true;
  private @Nullable Device device;

  /** A module without parts yet, in training mode. */
  protected Module() {}

  // Declaring, in constructors

  /** Declares a parameter. */
  protected final Parameter parameter(String name, Shape shape, Init init) {
    return declare(new Parameter(this, name, true, null, shape, init), name);
  }

  /** Declares a tensor of the model's dtype that is part of the state but not trained. */
  protected final Parameter buffer(String name, Shape shape, Init init) {
    return declare(new Parameter(this, name, false, null, shape, init), name);
  }

  /** Declares a tensor of its own dtype that is part of the state but not trained. */
  protected final Parameter buffer(String name, DType dtype, Shape shape, Init init) {
    return declare(new Parameter(this, name, false, dtype, shape, init), name);
  }

  private Parameter declare(Parameter p, String name) {
    checkName(name);
    parameters.put(name, p);
    return p;
  }

  /** Declares a stream of random numbers. */
  protected final Noise noise(String name) {
    checkName(name);
    Noise noise = new Noise(this, name);
    noises.put(name, noise);
    return noise;
  }

  /**
   * Declares a part.
   *
   * @return {@code part}
   */
  protected final <M extends Module> M part(String name, M part) {
    checkName(name);
    parts.put(name, part);
    return part;
  }

  private void checkName(String name) {
    boolean taken =
        parameters.containsKey(name) || noises.containsKey(name) || parts.containsKey(name);
    if (device != null || taken || name.isEmpty() || name.contains(".")) {
      throw new IllegalArgumentException(
          "%s: expected new names without dots, before the model is placed, got '%s'"
              .formatted(getClass().getSimpleName(), name));
    }
  }

  // Placing

  /** {@link #on(Device, long, DType)} in {@code float32}. */
  public Module on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  /**
   * Makes the parameters, once. What a parameter starts with is a function of the seed and its path
   * alone, the same on every device and machine.
   *
   * <p>A class that is used as a whole model overrides this to return its own type.
   *
   * @param dtype of parameters; floating-point
   * @return this
   * @throws IllegalStateException if it is placed already
   */
  public Module on(Device device, long seed, DType dtype) {
    if (!dtype.isFloating()) {
      throw new IllegalArgumentException("on: expected a floating-point dtype, got " + dtype);
    }
    Map<String, Module> all = modules();
    all.forEach(
        (path, m) -> {
          if (m.device != null) {
            throw new IllegalStateException(
                "on: expected a model that is not placed yet, but %s is on %s"
                    .formatted(path.isEmpty() ? m : path, m.device));
          }
        });
    boolean made = false;
    try {
      all.forEach((path, m) -> m.place(device, seed, path, dtype));
      made = true;
    } finally {
      if (!made) {
        close();
      }
    }
    return this;
  }

  private void place(Device to, long seed, String path, DType dtype) {
    device = to;
    parameters.forEach((name, p) -> p.place(owner, to, seed, join(path, name), dtype));
    noises.forEach(
        (name, n) -> n.place(new Generator(to, seed, HostRandom.streamOf(join(path, name)))));
  }

  IllegalStateException unplaced(String name) {
    return new IllegalStateException(
        "%s: %s does not exist yet, expected a placed model; call on(device, seed) first"
            .formatted(this, name));
  }

  private static String join(String path, String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  /** Ends the parameters and what else it holds on the device, parts included. */
  @Override
  public void close() {
    owner.close();
    noises.values().forEach(Noise::close);
    device = null;
    // Through close, which a part may have extended for what it holds besides.
    parts.values().forEach(Module::close);
  }

  // Looking inside

  /** This module under the empty path, and all parts and their parts, parents first. */
  public final Map<String, Module> modules() {
    Map<String, Module> all = new LinkedHashMap<>();
    collect("", all, Collections.newSetFromMap(new IdentityHashMap<>()));
    return all;
  }

  private void collect(String path, Map<String, Module> all, Set<Module> seen) {
    if (seen.add(this)) {
      all.put(path, this);
      parts.forEach((name, m) -> m.collect(join(path, name), all, seen));
    }
  }

  private void each(BiConsumer<String, Parameter> action) {
    modules()
        .forEach(
            (path, m) -> m.parameters.forEach((name, p) -> action.accept(join(path, name), p)));
  }

  /** The trained tensors by path, in order; those that are {@linkplain #freeze frozen} are not. */
  public final Map<String, Tensor> namedParameters() {
    Map<String, Tensor> all = new LinkedHashMap<>();
    each(
        (path, p) -> {
          if (p.isTrained() && !p.isFrozen()) {
            all.put(path, p.tensor());
          }
        });
    return all;
  }

  /** The trained tensors in order, for an optimiser. */
  public final List<Tensor> parameters() {
    return new ArrayList<>(namedParameters().values());
  }

  /** The parameters and buffers by path, in order: the live tensors, to be saved. */
  public final Map<String, Tensor> state() {
    Map<String, Tensor> all = new LinkedHashMap<>();
    each((path, p) -> all.put(path, p.tensor()));
    return all;
  }

  /**
   * Copies a state into this model. It must have exactly this model's names, shapes and dtypes; the
   * tensors may be on another device.
   *
   * @throws IllegalArgumentException listing what is missing, unexpected and different; then
   *     nothing was changed
   */
  public final void load(Map<String, Tensor> state) {
    State.copy("load", state, state());
  }

  /** The random streams by path, whose positions are needed to resume a run. */
  public final Map<String, Generator> generators() {
    Map<String, Generator> all = new LinkedHashMap<>();
    modules()
        .forEach(
            (path, m) -> m.noises.forEach((name, n) -> all.put(join(path, name), n.generator())));
    return all;
  }

  // Freezing

  /**
   * Freezes parameters: no gradient is computed for them any more, and {@link #parameters()} leaves
   * them out. A part all of whose parameters are frozen goes to evaluation mode with all in it, and
   * stays there when the model is trained: its dropout and its running statistics rest.
   *
   * <p>Gradients that are there are forgotten. An optimiser that was made before leaves a frozen
   * parameter and its state alone, weight decay included, and goes on with both once it is
   * unfrozen. One made meanwhile, of {@link #parameters()}, does not know the parameter and never
   * will: make another after unfreezing. Which parameters are frozen is no part of {@link
   * #state()}.
   *
   * @param patterns of paths such as {@code encoder.*}, where {@code *} stands for any characters,
   *     dots included
   * @return the paths of the parameters that match
   * @throws IllegalArgumentException if a pattern matches none; then nothing was changed
   */
  public final List<String> freeze(String... patterns) {
    List<String> paths = setFrozen("freeze", true, patterns);
    rest();
    return paths;
  }

  /**
   * Trains frozen parameters again. The mode of parts changes with the next {@link #train()}.
   *
   * @param patterns as for {@link #freeze}
   * @return the paths of the parameters that match
   * @throws IllegalArgumentException if a pattern matches none; then nothing was changed
   */
  public final List<String> unfreeze(String... patterns) {
    return setFrozen("unfreeze", false, patterns);
  }

  private List<String> setFrozen(String op, boolean frozen, String... patterns) {
    Map<String, Parameter> trained = new LinkedHashMap<>();
    each(
        (path, p) -> {
          if (p.isTrained()) {
            trained.put(path, p);
          }
        });
    Set<String> chosen = new LinkedHashSet<>();
    for (String pattern : patterns) {
      Pattern compiled = Pattern.compile(Pattern.quote(pattern).replace("*", "\\E.*\\Q"));
      List<String> matching =
          trained.keySet().stream().filter(compiled.asMatchPredicate()).toList();
      if (matching.isEmpty()) {
        throw new IllegalArgumentException(
            "%s: expected patterns of parameters, got '%s', which matches none of %s"
                .formatted(op, pattern, trained.keySet()));
      }
      chosen.addAll(matching);
    }
    trained.forEach(
        (path, p) -> {
          if (chosen.contains(path)) {
            p.freeze(frozen);
          }
        });
    return trained.keySet().stream().filter(chosen::contains).toList();
  }

  /** Whether this has parameters, those of its parts included, and all of them are frozen. */
  public final boolean isFrozen() {
    List<Parameter> all = allParameters();
    return !all.isEmpty() && all.stream().allMatch(Parameter::isFrozen);
  }

  /** The parameters, frozen ones included, without buffers. */
  final List<Parameter> allParameters() {
    List<Parameter> all = new ArrayList<>();
    each(
        (_, p) -> {
          if (p.isTrained()) {
            all.add(p);
          }
        });
    return all;
  }

  /** Puts frozen parts, and all that is in them, into evaluation mode. */
  private void rest() {
    modules().values().stream().filter(Module::isFrozen).forEach(Module::eval);
  }

  // Mode

  /**
   * Switches to training mode, parts included: dropout drops, batch statistics are used. Parts that
   * are {@linkplain #freeze frozen} go to evaluation mode.
   */
  public final void train() {
    modules().values().forEach(m -> m.training = true);
    rest();
  }

  /** Switches to evaluation mode, parts included. */
  public final void eval() {
    modules().values().forEach(m -> m.training = false);
  }

  /** Gives every part its mode back when closed. */
  public interface Mode extends AutoCloseable {
    @Override
    void close();
  }

  /** Switches to evaluation mode, parts included, until the result is closed. */
  public final Mode evaluating() {
    IdentityHashMap<Module, Boolean> before = new IdentityHashMap<>();
    modules().values().forEach(m -> before.put(m, m.training));
    eval();
    return () -> before.forEach((m, mode) -> m.training = mode);
  }

  /** Whether it is in training mode, as it is at first. */
  public final boolean isTraining() {
    Step.depends(() -> training);
    return training;
  }

  /** The class and, indented, the parts by name. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(getClass().getSimpleName()).append('(');
    parts.forEach((name, m) -> text.append("\n(%s): %s".formatted(name, m).replace("\n", "\n  ")));
    return text.append(parts.isEmpty() ? ")" : "\n)").toString();
  }
}

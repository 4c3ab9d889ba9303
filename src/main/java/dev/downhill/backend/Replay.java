package dev.downhill.backend;

import dev.downhill.backend.Recording.Made;
import java.lang.ref.PhantomReference;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Recorded calls on one device, prepared to be made again and again: nothing is allocated, and what
 * the calls compute on the way lies in memory planned by last use. It holds all memory that the
 * calls use until it is closed or garbage collected.
 */
public final class Replay implements AutoCloseable {
  /** The methods that may write over an input which is seen through the layout of the result. */
  private static final Set<String> IN_PLACE = Set.of("unary", "unaryBackward", "binary", "where");

  private final Device device;
  private final Held held;
  private final Device.Work work;

  /** Memory whose owners may end it. */
  private final Storage[] borrowed;

  private final Storage[] changed;

  private Replay(
      Device device,
      Program program,
      List<Storage> storages,
      Storage[] borrowed,
      Storage[] changed) {
    this.device = device;
    this.held = new Held(this, device, storages, program);
    this.work = _ -> program.run();
    this.borrowed = borrowed;
    this.changed = changed;
  }

  /** What a replay holds, and lets go of with it. */
  private static final class Held extends PhantomReference<Object> implements Reclaimable {
    private final List<Storage> storages;
    private final Program program;

    Held(Object holder, Device device, List<Storage> storages, Program program) {
      super(holder, device.reclaimed());
      this.storages = storages;
      this.program = program;
      device.watch(this);
    }

    @Override
    public void reclaim() {
      program.close();
      storages.forEach(Storage::release);
    }
  }

  /**
   * Prepares calls.
   *
   * @param made in this order
   * @param allocated the buffers that were allocated while the calls were recorded
   * @param changed the storages that were changed in place meanwhile
   */
  static Replay of(Device device, List<Made> made, Set<Buffer> allocated, Set<Storage> changed) {
    IdentityHashMap<Buffer, int[]> uses = uses(made);
    IdentityHashMap<Buffer, Storage> alive = device.storages(uses.keySet());
    List<Buffer> ended = uses.keySet().stream().filter(b -> !alive.containsKey(b)).toList();
    if (!allocated.containsAll(ended)) {
      throw new IllegalStateException(
          "step: a tensor that was made before the step was ended inside it");
    }
    List<Storage> storages = new ArrayList<>();
    alive.values().forEach(s -> storages.add(s.retain()));
    try {
      IdentityHashMap<Buffer, Buffer> moved = move(device, ended, uses, storages);
      List<Made> again = made.stream().map(m -> substitute(m, moved)).toList();
      Program[] program = new Program[1];
      device.run(b -> program[0] = b.prepare(() -> again.forEach(m -> call(b, m))));
      Storage[] borrowed =
          alive.values().stream()
              .filter(s -> !allocated.contains(s.buffer()))
              .toArray(Storage[]::new);
      Storage[] own = changed.stream().filter(alive.values()::contains).toArray(Storage[]::new);
      return new Replay(device, program[0], List.copyOf(storages), borrowed, own);
    } catch (RuntimeException e) {
      storages.forEach(Storage::release);
      throw e;
    }
  }

  /**
   * When each buffer is used first and last. A call lasts from one even time to the odd one after
   * it; one that may write over its input reads at the one and writes at the other.
   */
  private static IdentityHashMap<Buffer, int[]> uses(List<Made> made) {
    IdentityHashMap<Buffer, int[]> uses = new IdentityHashMap<>();
    for (int i = 0; i < made.size(); i++) {
      List<@Nullable Object> arguments = made.get(i).arguments();
      int read = 2 * i;
      int write = read + 1;
      if (!IN_PLACE.contains(made.get(i).method().getName())) {
        arguments.forEach(a -> forEachView(a, view -> use(uses, view, read, write)));
        continue;
      }
      View result = (View) Objects.requireNonNull(arguments.getLast());
      for (Object input : arguments.subList(0, arguments.size() - 1)) {
        forEachView(
            input,
            view -> use(uses, view, read, view.layout().equals(result.layout()) ? read : write));
      }
      use(uses, result, write, write);
    }
    return uses;
  }

  private static void use(IdentityHashMap<Buffer, int[]> uses, View view, int first, int last) {
    int[] use = uses.computeIfAbsent(view.buffer(), _ -> new int[] {first, last});
    use[1] = Math.max(use[1], last);
  }

  /** New memory for buffers, shared by those that are not needed at the same time. */
  private static IdentityHashMap<Buffer, Buffer> move(
      Device device,
      List<Buffer> buffers,
      IdentityHashMap<Buffer, int[]> uses,
      List<Storage> storages) {
    MemoryPlan plan =
        MemoryPlan.of(
            buffers.stream()
                .map(
                    b -> {
                      int[] use = Objects.requireNonNull(uses.get(b));
                      return new MemoryPlan.Value(b.dtype(), b.numel(), use[0], use[1]);
                    })
                .toList());
    List<Buffer> places = new ArrayList<>();
    for (MemoryPlan.Place place : plan.places()) {
      Storage storage = device.allocate(place.dtype(), place.numel(), "a step that is replayed");
      storages.add(storage);
      places.add(storage.buffer());
    }
    IdentityHashMap<Buffer, Buffer> moved = new IdentityHashMap<>();
    for (int i = 0; i < buffers.size(); i++) {
      moved.put(buffers.get(i), places.get(plan.placeOf().get(i)));
    }
    return moved;
  }

  private static void call(Backend backend, Made made) {
    try {
      made.method().invoke(backend, made.arguments().toArray());
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException r) {
        throw r;
      }
      throw new AssertionError(made.method().getName(), e.getCause());
    } catch (IllegalAccessException e) {
      throw new AssertionError(made.method().getName(), e);
    }
  }

  // Views in arguments

  private static void forEachView(@Nullable Object argument, Consumer<View> action) {
    map(
        argument,
        view -> {
          action.accept(view);
          return view;
        });
  }

  private static Made substitute(Made made, IdentityHashMap<Buffer, Buffer> moved) {
    UnaryOperator<View> other =
        view -> {
          Buffer buffer = moved.get(view.buffer());
          return buffer == null ? view : new View(buffer, view.layout());
        };
    List<@Nullable Object> arguments = new ArrayList<>();
    made.arguments().forEach(a -> arguments.add(map(a, other)));
    return new Made(made.method(), arguments);
  }

  /**
   * The argument with other views; itself if they are the same, for a table is known by identity.
   */
  private static @Nullable Object map(@Nullable Object argument, UnaryOperator<View> f) {
    return switch (argument) {
      case null -> null;
      case View v -> f.apply(v);
      case List<?> list -> list.stream().map(a -> map(a, f)).toList();
      case UpdateTable t -> {
        UpdateTable mapped = new UpdateTable(t.rows().stream().map(r -> map(r, f)).toList());
        yield mapped.equals(t) ? t : mapped;
      }
      default -> argument;
    };
  }

  private static UpdateTable.Row map(UpdateTable.Row row, UnaryOperator<View> f) {
    return new UpdateTable.Row(
        f.apply(row.parameter()),
        f.apply(row.gradient()),
        row.states().stream().map(f).toList(),
        f.apply(row.counters()),
        row.group());
  }

  // Running

  /**
   * Makes the calls.
   *
   * @throws IllegalStateException if memory that they use has ended otherwise
   */
  public void run() {
    for (Storage s : borrowed) {
      if (s.isExclusive()) {
        throw new IllegalStateException(
            "step: a tensor that its body uses has ended: %s of %s elements; make a new step"
                .formatted(s.buffer().dtype(), s.buffer().numel()));
      }
    }
    device.run(work);
    for (Storage s : changed) {
      s.changed();
    }
  }

  @Override
  public void close() {
    device.unwatch(held);
    device.run(_ -> held.reclaim());
  }
}

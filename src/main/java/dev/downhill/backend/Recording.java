package dev.downhill.backend;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The calls that one thread makes on backends: a backend that decorates another and writes down
 * each call with its views and scalars. Buffers are numbered in the order in which calls first use
 * them, so that two recordings of the same work are equal though they ran in different memory.
 * Allocations are not calls of the list.
 */
public final class Recording implements AutoCloseable {
  private static final ThreadLocal<@Nullable Recording> CURRENT = new ThreadLocal<>();

  /**
   * One call.
   *
   * @param method the name of the method of {@link Backend}
   * @param arguments scalars as they were; views as {@link Place}; tables as lists of views
   */
  public record Call(String method, List<Object> arguments) {
    @Override
    public String toString() {
      return method + arguments;
    }
  }

  /**
   * A view in a recording.
   *
   * @param buffer the number of the buffer
   * @param view its type and layout, as text
   */
  public record Place(int buffer, String view) {
    @Override
    public String toString() {
      return "#" + buffer + " " + view;
    }
  }

  /** A call as it was made, to make it again. */
  record Made(Method method, List<@Nullable Object> arguments) {}

  private final List<Call> calls = new ArrayList<>();
  private final IdentityHashMap<Buffer, Integer> numbers = new IdentityHashMap<>();
  private final Set<Buffer> allocated = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Map<Device, List<Made>> made = new LinkedHashMap<>();
  private final Map<Device, Backend> decorated = new HashMap<>();
  private final Set<Storage> changed = new LinkedHashSet<>();
  private final Set<Runnable> endings = new LinkedHashSet<>();

  private Recording() {}

  /** Starts to record what this thread does, until {@link #close}. */
  public static Recording start() {
    if (CURRENT.get() != null) {
      throw new IllegalStateException("recording: one is already running on this thread");
    }
    Recording recording = new Recording();
    CURRENT.set(recording);
    return recording;
  }

  /** The recording that runs on this thread, or null. */
  public static @Nullable Recording current() {
    return CURRENT.get();
  }

  @Override
  public void close() {
    CURRENT.remove();
  }

  /**
   * Does something once at the end of what is recorded, as part of it: a generator moves its
   * position on by all that was drawn.
   */
  public void atEnd(Runnable ending) {
    endings.add(ending);
  }

  /** Runs what {@link #atEnd} collected. */
  public void finish() {
    endings.forEach(Runnable::run);
    endings.clear();
  }

  /** Notes that a storage was changed in place. */
  void changed(Storage storage) {
    changed.add(storage);
  }

  /**
   * Prepares the calls to be made again, for each device they were made on. What the recorded work
   * allocated and freed gets memory of its own; all other memory is used where it is.
   *
   * @throws IllegalStateException if memory is gone that was there before the recording began
   */
  public List<Replay> replays() {
    List<Replay> all = new ArrayList<>();
    try {
      made.forEach((device, list) -> all.add(Replay.of(device, list, allocated, changed)));
    } catch (RuntimeException e) {
      all.forEach(Replay::close);
      throw e;
    }
    return List.copyOf(all);
  }

  /**
   * The buffers that calls used and that were not allocated meanwhile, in the order of first use.
   */
  public List<Buffer> persistent() {
    return numbers.entrySet().stream()
        .filter(e -> !allocated.contains(e.getKey()))
        .sorted(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .toList();
  }

  /** The calls so far. */
  public List<Call> calls() {
    return List.copyOf(calls);
  }

  /** How many calls of a method there were. */
  public long count(String method) {
    return calls.stream().filter(c -> c.method().equals(method)).count();
  }

  /**
   * The first place where the calls of two recordings differ, in words, or null if they are equal.
   */
  public static @Nullable String difference(List<Call> before, List<Call> now) {
    for (int i = 0; i < Math.max(before.size(), now.size()); i++) {
      Call a = i < before.size() ? before.get(i) : null;
      Call b = i < now.size() ? now.get(i) : null;
      if (!Objects.equals(a, b)) {
        return "call %s was %s, now %s"
            .formatted(i, a == null ? "none" : a, b == null ? "none" : b);
      }
    }
    return null;
  }

  Backend on(Device device, Backend backend) {
    return decorated.computeIfAbsent(
        device,
        d ->
            (Backend)
                Proxy.newProxyInstance(
                    Backend.class.getClassLoader(),
                    new Class<?>[] {Backend.class},
                    (proxy, method, arguments) -> record(d, backend, method, arguments)));
  }

  private @Nullable Object record(
      Device device, Backend backend, Method method, @Nullable Object @Nullable [] arguments)
      throws Throwable {
    switch (method.getName()) {
      case "upload", "download", "synchronize", "prepare" ->
          throw new IllegalStateException(
              "step: values cannot cross between host and device inside a step ("
                  + method.getName()
                  + "); make them inputs of the step, or read outputs after it");
      case "allocate", "free", "memory", "activity", "describe" -> {}
      default -> {
        @Nullable Object[] given = Objects.requireNonNull(arguments);
        calls.add(new Call(method.getName(), Arrays.stream(given).map(this::canonical).toList()));
        made.computeIfAbsent(device, _ -> new ArrayList<>())
            .add(new Made(method, Arrays.asList(given)));
      }
    }
    try {
      Object result = method.invoke(backend, arguments);
      if (result instanceof Buffer buffer) {
        allocated.add(buffer);
      }
      return result;
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private Object canonical(@Nullable Object argument) {
    return switch (argument) {
      case null -> "nothing";
      case View v -> place(v);
      case UpdateTable t ->
          t.rows().stream()
              .map(
                  r ->
                      List.of(
                          place(r.parameter()),
                          place(r.gradient()),
                          r.states().stream().map(this::place).toList(),
                          place(r.counters()),
                          r.group()))
              .toList();
      case List<?> list -> list.stream().map(this::canonical).toList();
      case MemorySegment m -> m.byteSize();
      default -> argument;
    };
  }

  private Place place(View view) {
    int number = numbers.computeIfAbsent(view.buffer(), b -> numbers.size());
    return new Place(number, view.dtype() + " " + view.layout());
  }
}

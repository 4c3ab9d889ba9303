package dev.downhill.backend;

import dev.downhill.shape.DType;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A place where tensors live and are computed: {@code cpu:0}, {@code cuda:1}. Every device has its
 * own memory pool. Any thread may use a device; it does so under the device's lock, one thread at a
 * time.
 */
public final class Device {
  private static final System.Logger LOG = System.getLogger(Device.class.getName());
  private static final Map<String, Device> OPEN = new ConcurrentHashMap<>();

  // A kind is known whether or not this build can run it, so that the answer can say why not.
  private static final Set<String> KINDS = Set.of("cpu", "cuda");

  /** Work for a device. */
  @FunctionalInterface
  public interface Work {
    /** Calls the backend; runs under the device's lock. */
    void on(Backend backend);
  }

  /** Work for a device that is waited for. */
  @FunctionalInterface
  public interface Start {
    /** Calls the backend; runs under the device's lock. */
    Pending on(Backend backend);
  }

  private final String name;
  private final Backend backend;
  private final ReentrantLock lock = new ReentrantLock();
  private final ReferenceQueue<Object> reclaimed = new ReferenceQueue<>();
  private final Set<Reclaimable> watched = ConcurrentHashMap.newKeySet();
  private volatile boolean tracking = Boolean.getBoolean("downhill.leaks");

  private @Nullable Storage newest;
  private long liveCount;
  private long liveBytes;
  private long peakBytes;

  private Device(String name, Backend backend) {
    this.name = name;
    this.backend = backend;
  }

  /**
   * The device of this name, opened on first use.
   *
   * @param name {@code cpu}, {@code cpu:1}, {@code cuda}, {@code cuda:0}, or {@code auto} for the
   *     best there is
   * @throws IllegalArgumentException if the name has another form
   * @throws DeviceException if there is no such device; the message says why
   */
  public static Device of(String name) {
    if (name.equals("auto")) {
      return auto();
    }
    String[] parts = name.split(":", -1);
    boolean known = KINDS.contains(parts[0]);
    if (!known || parts.length > 2 || (parts.length == 2 && !parts[1].matches("\\d{1,3}"))) {
      throw new IllegalArgumentException(
          "device: expected auto, cpu, cuda or a kind with an index such as cuda:0, got '%s'"
              .formatted(name));
    }
    int index = parts.length == 1 ? 0 : Integer.parseInt(parts[1]);
    String full = parts[0] + ":" + index;
    Device open = OPEN.get(full);
    if (open != null) {
      return open;
    }
    List<BackendProvider> providers = providers();
    for (BackendProvider p : providers) {
      if (p.kind().equals(parts[0])) {
        p.unavailable()
            .ifPresent(
                why -> {
                  throw new DeviceException("device %s: %s".formatted(full, why));
                });
        return OPEN.computeIfAbsent(full, f -> new Device(f, p.open(index)));
      }
    }
    throw new DeviceException(
        "device %s: this build has no %s backend, only %s; choose one of those, or auto"
            .formatted(
                name,
                parts[0],
                providers.stream().map(BackendProvider::kind).collect(Collectors.joining(", "))));
  }

  /** The device {@code cpu:0}. */
  public static Device cpu() {
    return of("cpu:0");
  }

  /** The best usable device; what is passed over is logged with the reason. */
  public static Device auto() {
    for (BackendProvider p : providers()) {
      String why = p.unavailable().orElse(null);
      if (why == null) {
        try {
          return of(p.kind());
        } catch (DeviceException e) {
          why = e.getMessage();
        }
      }
      LOG.log(System.Logger.Level.INFO, "{0} is not used: {1}", p.kind(), why);
    }
    throw new DeviceException(
        "device auto: no usable device, and not even the CPU backend is there");
  }

  private static List<BackendProvider> providers() {
    return ServiceLoader.load(BackendProvider.class, Device.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .sorted(Comparator.comparingInt(BackendProvider::preference).reversed())
        .toList();
  }

  /** The name with its index, {@code cpu:0}. */
  public String name() {
    return name;
  }

  /** One line for people: model, threads, vector width. */
  public String describe() {
    return backend.describe();
  }

  /** Runs work on the backend under the lock; the calling thread's recording, if any, sees it. */
  public void run(Work work) {
    lock.lock();
    try {
      drain();
      work.on(target());
    } finally {
      lock.unlock();
    }
  }

  /** Starts work on the backend under the lock, as {@link #run}, and waits for it outside. */
  public void await(Start work) {
    Pending pending;
    lock.lock();
    try {
      drain();
      pending = work.on(target());
    } finally {
      lock.unlock();
    }
    pending.await();
  }

  /** Waits until the device has done all its work, and reports what went wrong meanwhile. */
  public void synchronize() {
    await(Backend::synchronize);
  }

  /** What the device has done since it was opened. */
  public Activity activity() {
    lock.lock();
    try {
      return backend.activity();
    } finally {
      lock.unlock();
    }
  }

  /** The storages of buffers, of those that are alive. */
  IdentityHashMap<Buffer, Storage> storages(Set<Buffer> of) {
    IdentityHashMap<Buffer, Storage> found = new IdentityHashMap<>();
    lock.lock();
    try {
      for (Storage s = newest; s != null; s = s.next) {
        if (of.contains(s.buffer())) {
          found.put(s.buffer(), s);
        }
      }
    } finally {
      lock.unlock();
    }
    return found;
  }

  private Backend target() {
    Recording recording = Recording.current();
    return recording == null ? backend : recording.on(this, backend);
  }

  /**
   * Memory for {@code numel} elements with one holder. If there is no room, memory of collected
   * tensors is taken back and it is tried once more.
   *
   * @param site the line to name in reports, or null
   * @throws OutOfMemoryException with what was asked, held and free, and the largest owners
   */
  public Storage allocate(DType dtype, long numel, @Nullable String site) {
    lock.lock();
    try {
      drain();
      Buffer buffer;
      try {
        buffer = target().allocate(dtype, numel);
      } catch (OutOfMemoryException first) {
        collect();
        try {
          buffer = target().allocate(dtype, numel);
        } catch (OutOfMemoryException second) {
          throw new OutOfMemoryException(second.getMessage() + owners());
        }
      }
      Storage storage = new Storage(this, buffer, site);
      storage.next = newest;
      if (newest != null) {
        newest.previous = storage;
      }
      newest = storage;
      liveCount++;
      liveBytes += storage.bytes();
      peakBytes = Math.max(peakBytes, liveBytes);
      return storage;
    } finally {
      lock.unlock();
    }
  }

  void free(Storage storage) {
    lock.lock();
    try {
      Storage before = storage.previous;
      Storage after = storage.next;
      if (before == null) {
        newest = after;
      } else {
        before.next = after;
      }
      if (after != null) {
        after.previous = before;
      }
      liveCount--;
      liveBytes -= storage.bytes();
      backend.free(storage.buffer());
    } finally {
      lock.unlock();
    }
  }

  // Memory of tensors that were garbage collected outside any scope

  /** The queue on which references to collected owners arrive. */
  public ReferenceQueue<Object> reclaimed() {
    return reclaimed;
  }

  /** Keeps a reference alive until {@link #unwatch}, so that it can arrive on the queue. */
  public void watch(Reclaimable reference) {
    watched.add(reference);
  }

  /** Ends {@link #watch}. */
  public void unwatch(Reclaimable reference) {
    watched.remove(reference);
  }

  private void drain() {
    for (Reference<?> r = reclaimed.poll(); r != null; r = reclaimed.poll()) {
      if (watched.remove(r)) {
        ((Reclaimable) r).reclaim();
      }
    }
  }

  private void collect() {
    for (int i = 0; i < 3; i++) {
      System.gc();
      try {
        Reference<?> r = reclaimed.remove(50);
        if (r != null && watched.remove(r)) {
          ((Reclaimable) r).reclaim();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      drain();
    }
  }

  // Reports

  /** Whether new tensors remember the line that made them. */
  public boolean tracking() {
    return tracking;
  }

  /**
   * Switches the remembering of creating lines on or off for new tensors; off by default, on with
   * {@code -Ddownhill.leaks=true}. It costs a few microseconds a tensor.
   */
  public void tracking(boolean on) {
    tracking = on;
  }

  /**
   * What is alive on a device.
   *
   * @param tensors allocations held by tensors or graph nodes; views share one
   * @param bytes their size
   * @param peakBytes the largest size so far
   * @param heldBytes memory that the device keeps for reuse besides
   */
  public record Memory(long tensors, long bytes, long peakBytes, long heldBytes) {}

  /** What is alive now. */
  public Memory memory() {
    lock.lock();
    try {
      drain();
      return new Memory(liveCount, liveBytes, peakBytes, backend.memory().held());
    } finally {
      lock.unlock();
    }
  }

  /** The live allocations by the line that made them, largest first: line, count, bytes. */
  public String report() {
    return String.format(
        Locale.ROOT,
        "%d live tensors, %,d bytes on %s%s",
        memory().tensors(),
        memory().bytes(),
        name,
        owners());
  }

  private String owners() {
    Map<String, long[]> bySite = new LinkedHashMap<>();
    lock.lock();
    try {
      for (Storage s = newest; s != null; s = s.next) {
        String site = s.site() == null ? "unknown line (run with -Ddownhill.leaks=true)" : s.site();
        long[] sum = bySite.computeIfAbsent(site, k -> new long[2]);
        sum[0]++;
        sum[1] += s.bytes();
      }
    } finally {
      lock.unlock();
    }
    List<Map.Entry<String, long[]>> largest = new ArrayList<>(bySite.entrySet());
    largest.sort(Comparator.comparingLong(e -> -e.getValue()[1]));
    StringBuilder text = new StringBuilder();
    largest.stream()
        .limit(5)
        .forEach(
            e ->
                text.append(
                    String.format(
                        Locale.ROOT,
                        "\n  %,d bytes in %d tensors from %s",
                        e.getValue()[1],
                        e.getValue()[0],
                        e.getKey())));
    return text.toString();
  }

  @Override
  public String toString() {
    return name;
  }
}

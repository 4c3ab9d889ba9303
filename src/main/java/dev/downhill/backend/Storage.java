package dev.downhill.backend;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An allocation on a device and the unit of lifetime: counted by all that hold it (tensors, views
 * of them, graph nodes), freed when the last one lets go. Its version counts the changes made in
 * place, whichever view they were made through.
 */
public final class Storage {
  private final Device device;
  private final Buffer buffer;
  private final @Nullable String site;
  private final AtomicInteger holders = new AtomicInteger(1);
  private final AtomicInteger version = new AtomicInteger();

  // The device's list of live storages, linked through them, guarded by the device's lock.
  @Nullable Storage previous;
  @Nullable Storage next;

  Storage(Device device, Buffer buffer, @Nullable String site) {
    this.device = device;
    this.buffer = buffer;
    this.site = site;
  }

  /** Where the memory is. */
  public Device device() {
    return device;
  }

  /** The memory. */
  public Buffer buffer() {
    return buffer;
  }

  /** The size in bytes. */
  public long bytes() {
    return buffer.numel() * buffer.dtype().bytes();
  }

  /** The line that allocated it, if {@link Device#tracking} was on. */
  public @Nullable String site() {
    return site;
  }

  /** Adds a holder. */
  public Storage retain() {
    if (holders.getAndIncrement() <= 0) {
      holders.getAndDecrement();
      throw new AssertionError("storage retained after its last holder let go");
    }
    return this;
  }

  /** Removes a holder; the last one frees the memory. */
  public void release() {
    int left = holders.decrementAndGet();
    if (left == 0) {
      device.free(this);
    } else if (left < 0) {
      throw new AssertionError("storage released more often than it was held");
    }
  }

  /** Whether there is one holder only. */
  public boolean isExclusive() {
    return holders.get() == 1;
  }

  /** How many in-place changes there were. */
  public int version() {
    return version.get();
  }

  /** Notes an in-place change. */
  public void changed() {
    version.incrementAndGet();
    Recording recording = Recording.current();
    if (recording != null) {
      recording.changed(this);
    }
  }
}

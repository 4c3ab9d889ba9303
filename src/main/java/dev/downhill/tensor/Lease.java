package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.backend.Reclaimable;
import dev.downhill.backend.Storage;
import java.lang.ref.PhantomReference;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The hold of a tensor or graph node on memory, and its end. A lease belongs to the scope it was
 * made in; outside any scope it ends when its tensor is closed, or some time after it was
 * collected.
 */
final class Lease extends PhantomReference<Object> implements Reclaimable {
  private final Device device;
  private final List<Storage> storages = new ArrayList<>(1);
  private @Nullable List<Lease> parts;
  private volatile @Nullable String ended;
  private volatile @Nullable String suspended;

  // The place in the list of the owning scope; null while collection decides.
  @Nullable Scope owner;
  int index;

  /** A lease of {@code holder}, which belongs to the current scope of this thread. */
  Lease(Object holder, Device device) {
    super(holder, device.reclaimed());
    this.device = device;
    Scope scope = Scope.current();
    if (scope == null) {
      device.watch(this);
    } else {
      scope.add(this);
    }
  }

  /** Takes over one hold on a storage. */
  void hold(Storage storage) {
    storages.add(storage);
  }

  /** Makes another lease end with this one. */
  void attach(Lease part) {
    part.leave();
    if (parts == null) {
      parts = new ArrayList<>(1);
    }
    parts.removeIf(p -> p.ended != null);
    parts.add(part);
  }

  /** Belongs to {@code scope} from now on, or to the garbage collector if that is null. */
  void moveTo(@Nullable Scope scope) {
    leave();
    if (scope == null) {
      device.watch(this);
    } else {
      scope.add(this);
    }
  }

  private void leave() {
    if (owner != null) {
      owner.remove(this);
    } else {
      device.unwatch(this);
    }
  }

  /** Why this lease ended, or null while it lives. */
  @Nullable String ended() {
    return ended != null ? ended : suspended;
  }

  /** Appears to have ended for a reason, but keeps the memory for {@link #resume}. */
  void suspend(String reason) {
    suspended = reason;
  }

  /**
   * Ends {@link #suspend}.
   *
   * @return whether this lease still holds its memory
   */
  boolean resume() {
    suspended = null;
    return ended == null;
  }

  /** Ends the lease for a reason that completes the sentence "it was ended: ...". */
  void end(String reason) {
    if (ended == null) {
      leave();
      release(reason);
    }
  }

  /** Lets go of the memory; for the owner, which has already forgotten this lease. */
  void release(String reason) {
    if (ended == null) {
      ended = reason;
      storages.forEach(Storage::release);
      storages.clear();
      if (parts != null) {
        parts.forEach(p -> p.release(reason));
        parts = null;
      }
    }
  }

  @Override
  public void reclaim() {
    release("it was garbage collected");
  }
}

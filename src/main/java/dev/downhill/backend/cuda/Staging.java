package dev.downhill.backend.cuda;

import dev.downhill.backend.Pending;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedQueue;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * The way between host and device memory. Only pinned memory is copied to and from the device, so
 * that copies run in stream order while the host goes on, and host memory of any kind may change or
 * move as soon as a method returns.
 */
final class Staging {
  private static final int SECTIONS = 4;
  private static final long SECTION = 2 << 20;
  private static final long ALIGNMENT = 64;

  /** The most bytes that a download can leave on the way when its method returns. */
  static final long SLOT = 64 << 10;

  /** The size of a {@code Fault} of kernels/common.cuh. */
  static final long FAULT = 64;

  private final CudaContext context;
  private final CUstream stream;

  // A ring. Uploads fill one section after the other; an event ends the use of each.
  private final Pinned[] sections = new Pinned[SECTIONS];
  private int current;
  private long filled;

  // Waiting downloads hold a slot each; given back by the threads that waited.
  private final ConcurrentLinkedQueue<Pinned> slots = new ConcurrentLinkedQueue<>();

  private long copiesToHost;

  Staging(CudaContext context, CUstream stream) {
    this.context = context;
    this.stream = stream;
    for (int i = 0; i < SECTIONS; i++) {
      sections[i] = new Pinned(SECTION);
    }
  }

  /** Pinned memory and the event that ends its use. */
  private final class Pinned {
    private final Address address = new Address();
    private final MemorySegment memory;
    private final CUevent event = new CUevent();

    private Pinned(long bytes) {
      context.call(
          "cuMemHostAlloc of %s bytes".formatted(bytes),
          () -> JCudaDriver.cuMemHostAlloc(address, bytes, 0));
      memory = MemorySegment.ofBuffer(address.getByteBuffer(0, bytes));
      context.call(
          "cuEventCreate",
          () -> JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING));
    }

    private void record() {
      context.call("cuEventRecord", () -> JCudaDriver.cuEventRecord(event, stream));
    }

    /** Waits until all work before the last {@link #record} is done. */
    private void await() {
      context.call("cuEventSynchronize", () -> JCudaDriver.cuEventSynchronize(event));
    }

    private void write(long offset, long to, long bytes) {
      Address target = new Address(to);
      Address from = new Address(memory.address() + offset);
      context.call(
          "cuMemcpyHtoDAsync", () -> JCudaDriver.cuMemcpyHtoDAsync(target, from, bytes, stream));
    }

    private void read(long from, long offset, long bytes) {
      Address source = new Address(from);
      Address to = new Address(memory.address() + offset);
      context.call(
          "cuMemcpyDtoHAsync", () -> JCudaDriver.cuMemcpyDtoHAsync(to, source, bytes, stream));
      copiesToHost++;
    }
  }

  /** Copies host memory to the device, in stream order; the source may change at once. */
  void upload(MemorySegment source, long address) {
    long bytes = source.byteSize();
    for (long done = 0; done < bytes; ) {
      if (filled == SECTION) {
        next();
      }
      long piece = Math.min(bytes - done, SECTION - filled);
      MemorySegment.copy(source, done, sections[current].memory, filled, piece);
      sections[current].write(filled, address + done, piece);
      done += piece;
      filled = Math.min(SECTION, Math.ceilDiv(filled + piece, ALIGNMENT) * ALIGNMENT);
    }
  }

  /** Ends the use of a section and goes on to the next, which has to be out of use. */
  private Pinned next() {
    sections[current].record();
    current = (current + 1) % SECTIONS;
    filled = 0;
    sections[current].await();
    return sections[current];
  }

  /** Copies device memory to the host and waits for it; one piece travels while one is unpacked. */
  void download(long address, MemorySegment target) {
    long bytes = target.byteSize();
    Pinned before = null;
    for (long at = 0; at < bytes; at += SECTION) {
      Pinned section = next();
      filled = SECTION;
      section.read(address + at, 0, Math.min(SECTION, bytes - at));
      section.record();
      if (before != null) {
        unpack(before, target, at - SECTION);
      }
      before = section;
    }
    if (before != null) {
      unpack(before, target, Math.ceilDiv(bytes, SECTION) * SECTION - SECTION);
    }
  }

  private static void unpack(Pinned section, MemorySegment target, long at) {
    section.await();
    MemorySegment.copy(section.memory, 0, target, at, Math.min(SECTION, target.byteSize() - at));
  }

  /**
   * Starts a copy of at most {@link #SLOT} bytes to the host.
   *
   * @param fault the address of a fault to look at when the copy has arrived, or 0
   */
  Pending download(long address, MemorySegment target, long fault) {
    Pinned slot = slots.poll();
    if (slot == null) {
      slot = new Pinned(SLOT + FAULT);
    }
    if (target.byteSize() > 0) {
      slot.read(address, 0, target.byteSize());
    }
    if (fault != 0) {
      slot.read(fault, SLOT, FAULT);
    }
    slot.record();
    return new Arrival(slot, target, fault != 0);
  }

  /** A download that is on its way. */
  private final class Arrival implements Pending {
    private @Nullable Pinned slot;
    private final MemorySegment target;
    private final boolean fault;

    private Arrival(Pinned slot, MemorySegment target, boolean fault) {
      this.slot = slot;
      this.target = target;
      this.fault = fault;
    }

    @Override
    public void await() {
      Pinned mine = slot;
      if (mine == null) {
        throw new AssertionError("a download was waited for twice");
      }
      slot = null;
      mine.await();
      try {
        MemorySegment.copy(mine.memory, 0, target, 0, target.byteSize());
        if (fault) {
          CudaFault.check(mine.memory.asSlice(SLOT, FAULT));
        }
      } finally {
        slots.add(mine);
      }
    }
  }

  /** Copies to the host so far. */
  long copiesToHost() {
    return copiesToHost;
  }
}

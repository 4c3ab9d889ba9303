package dev.downhill.backend.cuda;

import dev.downhill.backend.Activity;
import dev.downhill.backend.DeviceException;
import dev.downhill.backend.Pending;
import dev.downhill.backend.Program;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * One GPU: its context, stream, kernels and memory. What the kernel families work with. Everything
 * runs in one stream, in the order in which it is called.
 */
final class CudaDevice {
  /** Threads of a block where a family has no reason for another number. */
  static final int THREADS = 256;

  /** With {@code -Ddownhill.cuda.sync=true} every launch is waited for, so that errors name it. */
  private static final boolean SYNC = Boolean.getBoolean("downhill.cuda.sync");

  private static final int OLDEST = 75;

  private final String name;
  private final CUdevice handle = new CUdevice();
  private final CudaContext context;
  private final CUstream stream = new CUstream();
  private final int multiprocessors;
  private final int capability;
  private final CudaPool pool;
  private final Workspace workspace;
  private final Staging staging;
  private final Modules modules;
  private final long fault;
  private final Map<Long, CudaPool.Block> kept = new HashMap<>();

  private boolean faultPossible;
  private long launches;
  private long kernels;

  /**
   * Opens a device. The driver's libraries have been loaded.
   *
   * @throws DeviceException if there is no such device or it is too old
   * @throws dev.downhill.backend.OutOfMemoryException if there is no room to begin with
   */
  CudaDevice(int index) {
    name = "cuda:" + index;
    ask("cuInit", () -> JCudaDriver.cuInit(0));
    int[] count = new int[1];
    ask("cuDeviceGetCount", () -> JCudaDriver.cuDeviceGetCount(count));
    if (index < 0 || index >= count[0]) {
      throw new DeviceException(
          "device %s: expected cuda:0 to cuda:%s, the driver shows %s device%s"
              .formatted(name, count[0] - 1, count[0], count[0] == 1 ? "" : "s"));
    }
    ask("cuDeviceGet", () -> JCudaDriver.cuDeviceGet(handle, index));
    capability =
        10 * attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
            + attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    if (capability < OLDEST) {
      throw new DeviceException(
          "device %s: %s has compute capability %s; compute capability %s or newer is needed"
              .formatted(name, model(), version(capability), version(OLDEST)));
    }
    multiprocessors = attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    context = new CudaContext(name, handle);
    context.call(
        "cuStreamCreate",
        () -> JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
    modules = new Modules(this, capability);
    pool = CudaPool.configured(new Driver(), totalMemory());
    workspace = new Workspace(pool);
    fault = allocate(Staging.FAULT);
    staging = new Staging(context, stream);
    memset(fault, (byte) 0, Staging.FAULT);
  }

  private void ask(String function, CudaContext.Call call) {
    CudaContext.ask(name, function, call);
  }

  private int attribute(int attribute) {
    int[] value = new int[1];
    ask("cuDeviceGetAttribute", () -> JCudaDriver.cuDeviceGetAttribute(value, attribute, handle));
    return value[0];
  }

  private String model() {
    byte[] text = new byte[256];
    ask("cuDeviceGetName", () -> JCudaDriver.cuDeviceGetName(text, text.length, handle));
    return new String(text, StandardCharsets.UTF_8).replaceFirst("\0(?s:.*)", "");
  }

  private long totalMemory() {
    long[] bytes = new long[1];
    ask("cuDeviceTotalMem", () -> JCudaDriver.cuDeviceTotalMem(bytes, handle));
    return bytes[0];
  }

  private static String version(int capability) {
    return capability / 10 + "." + capability % 10;
  }

  // What it is

  /** The compute capability times ten. */
  int capability() {
    return capability;
  }

  int multiprocessors() {
    return multiprocessors;
  }

  /** Model, compute capability, memory and driver for people. */
  String describe() {
    int[] driver = new int[1];
    ask("cuDriverGetVersion", () -> JCudaDriver.cuDriverGetVersion(driver));
    return "%s, compute capability %s, %s MiB, driver for CUDA %s.%s"
        .formatted(
            model(),
            version(capability),
            totalMemory() >> 20,
            driver[0] / 1000,
            driver[0] % 1000 / 10);
  }

  CudaContext context() {
    return context;
  }

  CUstream stream() {
    return stream;
  }

  CudaPool pool() {
    return pool;
  }

  // Kernels

  /** An entry of a typed module, {@code unary_f32}: {@code kernel("unary", F32, "gelu_f32")}. */
  CudaKernel kernel(String family, DType type, String entry) {
    return modules.kernel(KernelName.of(family, type), entry);
  }

  /** An entry of an untyped module. */
  CudaKernel kernel(String family, String entry) {
    return modules.kernel(family, entry);
  }

  /** Enough blocks for {@code work} threads' worth of work, at most what fills the device. */
  long blocks(long work) {
    return Math.max(1, Math.min(Math.ceilDiv(work, THREADS), 32L * multiprocessors));
  }

  /**
   * Counts a launch, and waits for it where that is asked for.
   *
   * @param first whether it is the kernel's first
   * @return the {@link CUresult} of the wait
   */
  int launched(boolean first) {
    launches++;
    kernels += first ? 1 : 0;
    return SYNC
        ? context.attempt(() -> JCudaDriver.cuStreamSynchronize(stream))
        : CUresult.CUDA_SUCCESS;
  }

  /** What has been launched and copied back. */
  Activity activity() {
    return new Activity(launches, kernels, staging.copiesToHost());
  }

  /** The address of the {@code Fault} that kernels report to; a wait will look at it. */
  long fault() {
    faultPossible = true;
    return fault;
  }

  /**
   * Prepares launches to be done again. They were done before, so that the workspace is large
   * enough and all kernels are loaded.
   */
  Program prepare(Runnable calls) {
    if (SYNC) {
      // A captured launch cannot be waited for by itself.
      return calls::run;
    }
    boolean pending = faultPossible;
    faultPossible = false;
    long before = launches;
    Workspace.Hold scratch = workspace.hold();
    try {
      CudaGraph graph = new CudaGraph(context, stream, calls);
      return new Captured(graph, scratch, launches - before, faultPossible);
    } catch (RuntimeException e) {
      scratch.release();
      throw e;
    } finally {
      launches = before;
      faultPossible |= pending;
    }
  }

  /** A graph and what it needs and leaves. */
  private final class Captured implements Program {
    private final CudaGraph graph;
    private final Workspace.Hold scratch;
    private final long launchesEach;
    private final boolean mayFault;

    Captured(CudaGraph graph, Workspace.Hold scratch, long launchesEach, boolean mayFault) {
      this.graph = graph;
      this.scratch = scratch;
      this.launchesEach = launchesEach;
      this.mayFault = mayFault;
    }

    @Override
    public void run() {
      graph.run();
      launches += launchesEach;
      faultPossible |= mayFault;
    }

    @Override
    public void close() {
      graph.close();
      scratch.release();
    }
  }

  // Memory

  /**
   * The address of scratch memory of at least so many bytes, 256-byte aligned; valid for what is
   * launched until the next call. Contents undefined.
   */
  long workspace(long bytes) {
    return workspace.address(bytes);
  }

  /** Device memory that lives until {@link #free}: for tables that a family keeps. */
  long allocate(long bytes) {
    CudaPool.Block block = pool.allocate(bytes);
    kept.put(block.address(), block);
    return block.address();
  }

  /** Ends memory of {@link #allocate}, in stream order. */
  void free(long address) {
    CudaPool.Block block = kept.remove(address);
    if (block == null) {
      throw new AssertionError("free of memory that was not allocated: " + address);
    }
    pool.free(block);
  }

  /** Copies a host block into device memory, in stream order; the source may change at once. */
  void upload(MemorySegment source, long address) {
    staging.upload(source, address);
  }

  /** Fills device memory with bytes, in stream order. */
  void memset(long address, byte value, long bytes) {
    if (bytes > 0) {
      Address to = new Address(address);
      context.call("cuMemsetD8Async", () -> JCudaDriver.cuMemsetD8Async(to, value, bytes, stream));
    }
  }

  /** Copies within the device, in stream order. */
  void move(long from, long to, long bytes) {
    if (bytes > 0) {
      Address source = new Address(from);
      Address target = new Address(to);
      context.call(
          "cuMemcpyDtoDAsync", () -> JCudaDriver.cuMemcpyDtoDAsync(target, source, bytes, stream));
    }
  }

  /** Copies device memory to the host; large blocks have arrived when this returns. */
  Pending download(long address, MemorySegment target) {
    if (target.byteSize() <= Staging.SLOT) {
      return start(address, target);
    }
    staging.download(address, target);
    return faultPossible ? synchronize() : Pending.DONE;
  }

  /** The end of all work so far. */
  Pending synchronize() {
    return start(0, MemorySegment.NULL);
  }

  private Pending start(long address, MemorySegment target) {
    Pending pending = staging.download(address, target, faultPossible ? fault : 0);
    if (faultPossible) {
      memset(fault, (byte) 0, Staging.FAULT);
      faultPossible = false;
    }
    return pending;
  }

  /** The pool's memory, from the driver. */
  private final class Driver implements CudaPool.Source {
    @Override
    public long allocate(long bytes) {
      Address address = new Address();
      int code = context.attempt(() -> JCudaDriver.cuMemAlloc(address, bytes));
      if (code == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
        return 0;
      }
      if (code != CUresult.CUDA_SUCCESS) {
        throw context.failure("cuMemAlloc of %s bytes".formatted(bytes), code);
      }
      return address.value();
    }

    @Override
    public void free(long address) {
      // The driver gave up the memory of a lost device by itself.
      if (!context.isLost()) {
        context.call("cuStreamSynchronize", () -> JCudaDriver.cuStreamSynchronize(stream));
        context.call("cuMemFree", () -> JCudaDriver.cuMemFree(new Address(address)));
      }
    }

    @Override
    public void poison(long address, long bytes) {
      if (!context.isLost()) {
        memset(address, (byte) 0xff, bytes);
      }
    }
  }
}

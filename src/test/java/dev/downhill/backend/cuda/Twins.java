package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.downhill.backend.Backend;
import dev.downhill.backend.BackendProvider;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ServiceLoader;
import java.util.SplittableRandom;

/** The same memory on the CPU and on a CUDA device, for tests that do the same to both. */
final class Twins {
  final Backend cpu = open("cpu");
  final Backend cuda = open("cuda");
  private final SplittableRandom random = new SplittableRandom(17);

  private static Backend open(String kind) {
    return ServiceLoader.load(BackendProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(p -> p.kind().equals(kind))
        .findFirst()
        .orElseThrow()
        .open(0);
  }

  /** One view of each. */
  record Twin(View cpu, View cuda) {
    Twin with(Layout layout) {
      return new Twin(cpu.with(layout), cuda.with(layout));
    }

    Layout layout() {
      return cpu.layout();
    }
  }

  /** What a backend does to its memory. */
  interface Work {
    void on(Backend backend, boolean cuda);
  }

  void both(Work work) {
    work.on(cpu, false);
    work.on(cuda, true);
    cuda.synchronize().await();
  }

  /** Contiguous, with these values. */
  Twin of(DType dtype, Shape shape, double... values) {
    long numel = shape.numel();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(Math.max(1, numel * dtype.bytes()), 64);
      for (int i = 0; i < numel; i++) {
        set(dtype, host, i, values[i]);
      }
      Twin twin =
          new Twin(
              new View(cpu.allocate(dtype, numel), Layout.contiguous(shape)),
              new View(cuda.allocate(dtype, numel), Layout.contiguous(shape)));
      MemorySegment exact = host.asSlice(0, numel * dtype.bytes());
      cpu.upload(exact, twin.cpu);
      cuda.upload(exact, twin.cuda);
      return twin;
    }
  }

  /** Contiguous, with random values: normal, or from -100 to 155. */
  Twin random(DType dtype, long... sizes) {
    Shape shape = Shape.of(sizes);
    double[] values = new double[(int) shape.numel()];
    for (int i = 0; i < values.length; i++) {
      values[i] = dtype.isFloating() ? random.nextGaussian() : random.nextInt(256) - 100;
    }
    return of(dtype, shape, values);
  }

  /** Contiguous indices from 0 to {@code bound - 1}. */
  Twin index(long bound, long... sizes) {
    Shape shape = Shape.of(sizes);
    double[] values = new double[(int) shape.numel()];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextLong(bound);
    }
    return of(DType.I64, shape, values);
  }

  private static void set(DType dtype, MemorySegment s, long i, double value) {
    switch (dtype) {
      case F64 -> s.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
      case F32 -> s.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
      case BF16 ->
          s.setAtIndex(
              ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits((float) value) >>> 16));
      case I64 -> s.setAtIndex(ValueLayout.JAVA_LONG, i, (long) value);
      case I32 -> s.setAtIndex(ValueLayout.JAVA_INT, i, (int) value);
      case U8 -> s.set(ValueLayout.JAVA_BYTE, i, (byte) (int) value);
      case BOOL -> s.set(ValueLayout.JAVA_BYTE, i, (byte) (value > 0 ? 1 : 0));
    }
  }

  /** All bytes of the buffer below a view, whatever the view shows of them. */
  byte[] bytes(Twin twin, boolean cuda) {
    View view = cuda ? twin.cuda : twin.cpu;
    View all = view.with(Layout.contiguous(Shape.of(view.buffer().numel())));
    try (Arena arena = Arena.ofConfined()) {
      long bytes = view.buffer().numel() * view.dtype().bytes();
      MemorySegment host = arena.allocate(Math.max(1, bytes), 64).asSlice(0, bytes);
      (cuda ? this.cuda : cpu).download(all, host).await();
      return host.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** All elements of the buffer below a view of {@code f64} or {@code f32}. */
  double[] values(Twin twin, boolean cuda) {
    MemorySegment bytes = MemorySegment.ofArray(bytes(twin, cuda));
    boolean wide = twin.cpu.dtype() == DType.F64;
    double[] values = new double[(int) twin.cpu.buffer().numel()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          wide
              ? bytes.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8L * i)
              : bytes.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i);
    }
    return values;
  }

  void assertSameBits(Twin twin, String what) {
    assertThat(bytes(twin, true)).as(what).isEqualTo(bytes(twin, false));
  }

  /**
   * The bytes of heap that a call takes once it has been compiled, which takes the longer the
   * busier the machine is.
   */
  static double heapOf(Runnable call) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 200 && least > 0; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 50; i++) {
        call.run();
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least / 50.0;
  }
}

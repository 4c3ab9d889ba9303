package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.downhill.backend.DeviceException;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/** Launches of {@code fill_f32(y, value, walk)}. */
@Tag("cuda")
final class CudaKernelTest {
  private static final int LAUNCHES = 1000;

  private final CudaDevice device = Gpu.device();
  private final CudaKernel fill =
      device.kernel("copy", DType.F32, KernelName.of("fill", DType.F32));
  private final View y = Gpu.of(DType.F32, 1, 2, 3);
  private final Walk walk = new Walk(1).of(y);

  @BeforeEach
  void putAll() {
    fill.view(0, y).f64(1, 7);
    walk.write(fill.struct(2));
  }

  @Test
  void launch_takesArgumentsAsTheyAre() {
    fill.launch(1, CudaDevice.THREADS);
    fill.f64(1, 8);
    assertThat(Gpu.buffer(y)).containsOnly(7);
    fill.launch(1, CudaDevice.THREADS);
    assertThat(Gpu.buffer(y)).containsOnly(8);
  }

  @Test
  void sameEntry_sameKernel() {
    assertThat(device.kernel("copy", DType.F32, "fill_f32")).isSameAs(fill);
  }

  /** Seen by the double, where every buffer is an allocation and work waits to be waited for. */
  @Test
  void memoryGoesBackToTheDriver_whenTheWorkOnItIsDone() {
    long address = device.allocate(3 * Float.BYTES);
    fill.i64(0, address).launch(1, 1);
    device.free(address);
    device.synchronize().await();
  }

  @Test
  void argumentOfAnotherKindOrSize_isOurError() {
    assertThatThrownBy(() -> fill.i32(0, 1))
        .isInstanceOf(AssertionError.class)
        .hasMessage("kernel fill_f32, parameter 0: expected i64, got i32");
    assertThatThrownBy(() -> fill.i64(1, 1))
        .isInstanceOf(AssertionError.class)
        .hasMessage("kernel fill_f32, parameter 1: expected f64, got i64");
    assertThatThrownBy(() -> fill.f64(2, 1)).isInstanceOf(AssertionError.class);
    assertThatThrownBy(() -> fill.struct(0)).isInstanceOf(AssertionError.class);
    assertThat(fill.struct(2).byteSize()).isEqualTo(Walk.bytes(1));
  }

  @Test
  void argumentTooMany_isOurError() {
    assertThatThrownBy(() -> fill.i64(3, 1))
        .isInstanceOf(AssertionError.class)
        .hasMessage("kernel fill_f32: has 3 parameters, got number 3");
    assertThatThrownBy(() -> fill.i64(-1, 1)).isInstanceOf(AssertionError.class);
  }

  @Test
  void argumentTooFew_isOurError() {
    CudaKernel arange = device.kernel("copy", DType.F32, "arange_f32");
    arange.view(0, y).f64(1, 0).i64(3, 3);
    assertThatThrownBy(() -> arange.launch(1, 1))
        .isInstanceOf(AssertionError.class)
        .hasMessage("kernel arange_f32: parameter 2 was never put");
  }

  @Test
  void unknownEntry_isOurError() {
    assertThatThrownBy(() -> device.kernel("copy", DType.F32, "empty_f32"))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("compute_75/copy_f32.ptx has no entry empty_f32, only ");
  }

  @Test
  void unknownModule_saysWhatTheBuildLacks() {
    assertThatThrownBy(() -> device.kernel("none", DType.F32, "none_f32"))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("compute_75/none_f32.ptx");
  }

  @Test
  void launches_allocateNothing(TestReporter reporter) {
    for (int round = 0; round < 20; round++) {
      launches();
      device.synchronize().await();
    }
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long id = Thread.currentThread().threadId();
    long before = threads.getThreadAllocatedBytes(id);
    long asking = threads.getThreadAllocatedBytes(id) - before;
    long fastest = Long.MAX_VALUE;
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 10; round++) {
      before = threads.getThreadAllocatedBytes(id);
      long nanos = launches();
      least = Math.min(least, threads.getThreadAllocatedBytes(id) - before - asking);
      fastest = Math.min(fastest, nanos / LAUNCHES);
      device.synchronize().await();
    }
    // The compiler may still be at work in some of the rounds.
    assertThat(least).isZero();
    reporter.publishEntry("nanoseconds a launch", String.valueOf(fastest));
  }

  private long launches() {
    long start = System.nanoTime();
    for (int i = 0; i < LAUNCHES; i++) {
      step(i);
    }
    return System.nanoTime() - start;
  }

  private void step(int i) {
    fill.view(0, y).f64(1, i);
    walk.of(y).write(fill.struct(2));
    fill.launch(1, 1);
  }

  @Test
  void activity_countsLaunchesAndKernels() {
    fill.launch(1, 1);
    var before = device.activity();
    fill.launch(1, 1);
    fill.launch(1, 1);
    assertThat(device.activity().launches()).isEqualTo(before.launches() + 2);
    assertThat(device.activity().kernels()).isEqualTo(before.kernels());
    assertThat(device.activity().copiesToHost()).isEqualTo(before.copiesToHost());
    Gpu.buffer(y);
    assertThat(device.activity().copiesToHost()).isEqualTo(before.copiesToHost() + 1);
  }
}

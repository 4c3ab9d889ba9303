package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.downhill.backend.Device;
import dev.downhill.backend.Storage;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Several threads, of either sort, use one device or change between two. */
@Tag("cuda")
final class CudaThreadsTest {
  private static final int ROUNDS = 200;

  /** Writes and reads values that are the thread's own; sizes on both sides of a slot. */
  private static void use(List<Device> devices, int seed) {
    for (int round = 0; round < ROUNDS; round++) {
      Device device = devices.get(round % devices.size());
      int count = round % 20 == 19 ? 50_000 : 1 + round;
      float[] values = new float[count];
      for (int i = 0; i < count; i++) {
        values[i] = seed * 1000 + round + i % 7;
      }
      Storage storage = device.allocate(DType.F32, count, null);
      View view = new View(storage.buffer(), Layout.contiguous(Shape.of(count)));
      device.run(b -> b.upload(MemorySegment.ofArray(values), view));
      float[] back = new float[count];
      device.await(b -> b.download(view, MemorySegment.ofArray(back)));
      storage.release();
      assertThat(back).isEqualTo(values);
    }
  }

  private static void together(ExecutorService pool, List<Device> devices) throws Exception {
    List<Future<Void>> ends = new ArrayList<>();
    for (int seed = 1; seed <= 4; seed++) {
      int mine = seed;
      Callable<Void> work =
          () -> {
            use(devices, mine);
            return null;
          };
      ends.add(pool.submit(work));
    }
    for (Future<Void> end : ends) {
      end.get();
    }
  }

  @Test
  void platformThreads_onOneDevice() throws Exception {
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      together(pool, List.of(Device.of("cuda:0")));
    }
  }

  @Test
  void virtualThreads_onTwoDevices() throws Exception {
    assumeTrue(CudaLibraries.get().gpus().size() > 1, "a second CUDA device");
    try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
      together(pool, List.of(Device.of("cuda:0"), Device.of("cuda:1")));
    }
  }
}

package dev.downhill.backend.cuda;

import dev.downhill.backend.Buffer;
import dev.downhill.backend.DeviceException;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;

/** A program that asks too much of its device, then loses it, and goes on; prints what it hears. */
final class LostDevice {
  private LostDevice() {}

  public static void main(String[] arguments) {
    CudaLibraries.load();
    CudaDevice device = new CudaDevice(0);
    CudaBackend backend = new CudaBackend(device);
    Buffer buffer = backend.allocate(DType.U8, 16);
    CudaKernel fill = device.kernel("copy", DType.U8, KernelName.of("fill", DType.U8));
    new Walk(1).of(new View(buffer, Layout.contiguous(Shape.of(16)))).write(fill.struct(2));
    fill.i64(0, 0).f64(1, 7);
    say(() -> fill.launch(2, 1, 4096, 1, 8));
    say(
        () -> {
          // The first page of all, which is nobody's.
          fill.launch(1, 32);
          backend.synchronize().await();
        });
    say(() -> backend.synchronize().await());
    say(() -> backend.allocate(DType.F32, 1 << 20));
    say(() -> backend.free(buffer));
  }

  private static void say(Runnable work) {
    try {
      work.run();
      System.out.println("done");
    } catch (DeviceException e) {
      System.out.println(e.getMessage());
    }
  }
}

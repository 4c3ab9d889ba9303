package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Pending;
import dev.downhill.shape.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies between host and device; the source changes as soon as an upload returns. */
@Tag("cuda")
final class StagingTest {
  private static final int MIB = 1 << 20;

  private final CudaDevice device = Gpu.device();

  private static byte[] bytes(int count, int seed) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) (seed + i * 31 + (i >>> 8));
    }
    return bytes;
  }

  private byte[] download(long address, int count) {
    byte[] bytes = new byte[count];
    device.download(address, MemorySegment.ofArray(bytes)).await();
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 63, 65_536, 65_537, 2 * MIB, 2 * MIB + 1, 9 * MIB + 5})
  void heapMemory_arrivesAndComesBack(int count) {
    long address = device.allocate(count);
    byte[] source = bytes(count, 1);
    device.upload(MemorySegment.ofArray(source), address);
    Arrays.fill(source, (byte) 0);
    assertThat(download(address, count)).isEqualTo(bytes(count, 1));
    device.free(address);
  }

  @Test
  void nativeMemory_arrivesAndComesBack() {
    long address = device.allocate(3 * MIB);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(3 * MIB);
      source.copyFrom(MemorySegment.ofArray(bytes(3 * MIB, 2)));
      device.upload(source, address);
    }
    try (Arena arena = Arena.ofShared()) {
      MemorySegment target = arena.allocate(3 * MIB);
      device.download(address, target).await();
      assertThat(target.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(bytes(3 * MIB, 2));
    }
    device.free(address);
  }

  @Test
  void manyUploads_goRoundTheRing() {
    int size = 40_001;
    int count = 500;
    long address = device.allocate((long) size * count);
    byte[] source = new byte[size];
    for (int i = 0; i < count; i++) {
      System.arraycopy(bytes(size, i), 0, source, 0, size);
      device.upload(MemorySegment.ofArray(source), address + (long) i * size);
    }
    for (int i = 0; i < count; i += 7) {
      assertThat(download(address + (long) i * size, size)).isEqualTo(bytes(size, i));
    }
    device.free(address);
  }

  @Test
  void download_takesTheValuesOfItsPlaceInTheStream() {
    long address = device.allocate(8);
    List<Pending> pending = new ArrayList<>();
    List<MemorySegment> targets = new ArrayList<>();
    for (long i = 0; i < 50; i++) {
      device.upload(MemorySegment.ofArray(new long[] {i}), address);
      targets.add(MemorySegment.ofArray(new long[1]));
      pending.add(device.download(address, targets.getLast()));
    }
    for (int i = 49; i >= 0; i--) {
      pending.get(i).await();
      assertThat(targets.get(i).get(ValueLayout.JAVA_LONG, 0)).isEqualTo(i);
    }
    assertThatThrownBy(pending.getFirst()::await).isInstanceOf(AssertionError.class);
    device.free(address);
  }

  @Test
  void move_and_memset_keepTheOrder() {
    long a = device.allocate(1000);
    long b = device.allocate(1000);
    device.upload(MemorySegment.ofArray(bytes(1000, 3)), a);
    device.move(a, b, 1000);
    device.memset(a, (byte) 9, 1000);
    device.memset(b + 10, (byte) 5, 0);
    assertThat(download(b, 1000)).isEqualTo(bytes(1000, 3));
    assertThat(download(a, 1000)).containsOnly(9);
    device.free(a);
    device.free(b);
  }

  @Test
  void workspace_growsAndStays() {
    long small = device.workspace(100);
    long large = device.workspace(5 * MIB);
    assertThat(large % 256).isZero();
    assertThat(device.workspace(100)).isEqualTo(large);
    assertThat(small).isNotEqualTo(large);
  }

  @Test
  void fault_isReportedOnceByTheNextWait() {
    // A code that nothing has used would be our error, hence one of gather.
    int code = CudaFault.ofIndex("gather", Shape.of(3), 0, Shape.of(5));
    long[] written = {code, 7, 3, 4, 0, 0, 0, 0};
    for (boolean large : new boolean[] {false, true}) {
      device.upload(MemorySegment.ofArray(written), device.fault());
      long address = device.allocate(MIB);
      device.memset(address, (byte) 6, MIB);
      byte[] target = new byte[large ? MIB : 8];
      Pending pending = device.download(address, MemorySegment.ofArray(target));
      assertThatThrownBy(pending::await)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("gather")
          .hasMessageContaining("7");
      assertThat(target).containsOnly(6);
      device.synchronize().await();
      // Whoever asks for the fault may have caused one; this time nobody did.
      device.fault();
      device.synchronize().await();
      device.free(address);
    }
  }
}

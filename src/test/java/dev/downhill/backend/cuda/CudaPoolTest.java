package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.MemoryUse;
import dev.downhill.backend.OutOfMemoryException;
import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The pool over a driver that only counts. */
final class CudaPoolTest {
  private static final long MIB = 1 << 20;

  private final Counted driver = new Counted();

  /** A driver with a limit of its own; addresses are never given twice. */
  private static final class Counted implements CudaPool.Source {
    private final Map<Long, Long> live = new HashMap<>();
    private final List<Long> poisoned = new ArrayList<>();
    private long room = Long.MAX_VALUE;
    private long next = 4096;

    @Override
    public long allocate(long bytes) {
      if (bytes > room) {
        return 0;
      }
      room -= bytes;
      long address = next;
      next += Math.ceilDiv(bytes, 4096) * 4096;
      live.put(address, bytes);
      return address;
    }

    @Override
    public void free(long address) {
      Long bytes = live.remove(address);
      assertThat(bytes).as("freed twice or never given").isNotNull();
      room += bytes;
    }

    @Override
    public void poison(long address, long bytes) {
      poisoned.add(bytes);
    }
  }

  private CudaPool pool(long limit) {
    return new CudaPool(driver, limit, true, false);
  }

  @Test
  void blocks_doNotOverlap_andAreAligned() {
    CudaPool pool = pool(64 * MIB);
    Map<Long, Long> ends = new HashMap<>();
    for (long bytes : new long[] {0, 1, 511, 512, 513, 5000, 200_000, 300_000, 3 * MIB}) {
      for (int i = 0; i < 9; i++) {
        CudaBuffer buffer = pool.allocate(DType.U8, bytes);
        assertThat(buffer.numel()).isEqualTo(bytes);
        assertThat(buffer.address() % 512).isZero();
        long start = buffer.address();
        long end = start + Math.max(bytes, 1);
        assertThat(ends).noneSatisfy((from, to) -> assertThat(from < end && start < to).isTrue());
        ends.put(start, end);
      }
    }
  }

  @Test
  void small_shareASlab_large_doNot() {
    CudaPool pool = pool(64 * MIB);
    for (int i = 0; i < 100; i++) {
      pool.allocate(DType.F32, 100);
    }
    assertThat(pool.created()).isEqualTo(1);
    assertThat(pool.use()).isEqualTo(new MemoryUse(100 * 512, 2 * MIB - 100 * 512, 64 * MIB));
    pool.allocate(DType.F32, MIB);
    assertThat(pool.created()).isEqualTo(2);
  }

  @Test
  void steadyUse_asksForNothing() {
    CudaPool pool = pool(64 * MIB);
    long[] sizes = {1, 1000, 100_000, 1_000_000};
    MemoryUse after = null;
    long created = 0;
    for (int round = 0; round < 1000; round++) {
      List<CudaBuffer> buffers = new ArrayList<>();
      for (long size : sizes) {
        buffers.add(pool.allocate(DType.F32, size));
      }
      buffers.forEach(pool::free);
      if (round == 0) {
        after = pool.use();
        created = pool.created();
      }
    }
    assertThat(pool.use()).isEqualTo(after);
    assertThat(pool.use().used()).isZero();
    assertThat(pool.created()).isEqualTo(created).isEqualTo(driver.live.size());
    assertThat(pool.reused()).isEqualTo(999L * sizes.length);
  }

  @Test
  void sizes_areRoundedUpByAnEighthAtMost() {
    CudaPool pool = pool(1L << 30);
    for (long bytes = 600; bytes < 1_000_000; bytes += 5577) {
      CudaBuffer buffer = pool.allocate(DType.U8, bytes);
      assertThat(pool.use().used()).isBetween(bytes, bytes + bytes / 8 + 512);
      pool.free(buffer);
    }
  }

  @Test
  void withoutRoom_whatIsHeldIsGivenBack() {
    CudaPool pool = pool(10 * MIB);
    pool.free(pool.allocate(DType.U8, 6 * MIB));
    pool.free(pool.allocate(DType.U8, 100));
    CudaBuffer large = pool.allocate(DType.U8, 9 * MIB);
    assertThat(pool.use()).isEqualTo(new MemoryUse(9 * MIB, 0, 10 * MIB));
    assertThat(driver.live).hasSize(1);
    pool.free(large);
    // A slab does not fit beside what is held, its blocks do.
    CudaBuffer small = pool.allocate(DType.U8, 100);
    assertThat(pool.use().held()).isEqualTo(9 * MIB);
    pool.free(small);
  }

  @Test
  void slab_staysWhileABlockIsInUse() {
    CudaPool pool = pool(10 * MIB);
    CudaBuffer kept = pool.allocate(DType.U8, 100);
    CudaBuffer other = pool.allocate(DType.U8, 100);
    long address = other.address();
    pool.free(other);
    pool.allocate(DType.U8, 8 * MIB);
    assertThat(driver.live).hasSize(2);
    assertThat(pool.allocate(DType.U8, 100).address()).isEqualTo(address);
    assertThat(kept.address()).isNotEqualTo(address);
  }

  @Test
  void driverWithoutRoom_isAskedOnceMoreAfterWhatIsHeldWentBack() {
    CudaPool pool = pool(100 * MIB);
    driver.room = 10 * MIB;
    pool.free(pool.allocate(DType.U8, 8 * MIB));
    assertThat(pool.allocate(DType.U8, 9 * MIB).numel()).isEqualTo(9 * MIB);
    assertThatThrownBy(() -> pool.allocate(DType.U8, 5 * MIB))
        .isInstanceOf(OutOfMemoryException.class)
        .hasMessageContaining("the driver has no room for 5242880 bytes more");
    assertThat(pool.use()).isEqualTo(new MemoryUse(9 * MIB, 0, 100 * MIB));
  }

  @Test
  void overTheLimit_saysWhatIsThere() {
    CudaPool pool = pool(10_240);
    CudaBuffer kept = pool.allocate(DType.F32, 1024);
    assertThatThrownBy(() -> pool.allocate(DType.F32, 2048))
        .isInstanceOf(OutOfMemoryException.class)
        .hasMessage(
            "allocate: out of memory, asked for 2048 float32 of 4 bytes, got 4096 bytes in use, 0"
                + " held for reuse, 6144 free (limit 10240, see -Ddownhill.cuda.memory)");
    pool.free(kept);
    assertThat(pool.allocate(DType.F32, 2048).numel()).isEqualTo(2048);
  }

  @Test
  void absurdSizes_areOutOfMemory() {
    CudaPool pool = pool(Long.MAX_VALUE);
    driver.room = 1L << 40;
    for (long numel : new long[] {Long.MAX_VALUE, Long.MAX_VALUE / 8, 1L << 59}) {
      assertThatThrownBy(() -> pool.allocate(DType.F64, numel))
          .isInstanceOf(OutOfMemoryException.class);
    }
    assertThat(pool.use().used()).isZero();
  }

  @Test
  void passedThrough_eachBufferIsTheDriversOwn() {
    CudaPool pool = new CudaPool(driver, 10 * MIB, false, false);
    CudaBuffer a = pool.allocate(DType.F32, 3);
    CudaBuffer b = pool.allocate(DType.F32, 0);
    assertThat(driver.live).containsEntry(a.address(), 12L).containsEntry(b.address(), 1L);
    pool.free(a);
    pool.free(b);
    assertThat(driver.live).isEmpty();
    assertThat(pool.use()).isEqualTo(new MemoryUse(0, 0, 10 * MIB));
  }

  @Test
  void free_twice_isOurError() {
    CudaPool pool = pool(10 * MIB);
    CudaBuffer buffer = pool.allocate(DType.F32, 10);
    pool.free(buffer);
    assertThatThrownBy(() -> pool.free(buffer)).isInstanceOf(AssertionError.class);
  }

  @Test
  void poison_coversElementsWhenGiven_andTheBlockWhenTakenBack() {
    CudaPool pool = new CudaPool(driver, 10 * MIB, true, true);
    pool.free(pool.allocate(DType.F32, 3));
    assertThat(driver.poisoned).containsExactly(12L, 512L);
  }
}

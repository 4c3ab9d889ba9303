package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.MemoryUse;
import dev.downhill.backend.OutOfMemoryException;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

final class CpuPoolTest {

  @Test
  void allocate_isAlignedAndExactlyAsLongAsTheElements() {
    CpuPool pool = new CpuPool(1 << 20, false);
    for (DType dtype : DType.values()) {
      for (long numel : new long[] {0, 1, 7, 64, 1000, 4097}) {
        CpuBuffer buffer = pool.allocate(dtype, numel);
        assertThat(buffer.numel()).isEqualTo(numel);
        assertThat(buffer.dtype()).isEqualTo(dtype);
        assertThat(buffer.segment().byteSize()).isEqualTo(numel * dtype.bytes());
        assertThat(buffer.segment().address() % 64).isZero();
        buffer.segment().fill((byte) 1);
      }
    }
  }

  @Test
  void allocate_afterFree_reusesTheBlock() {
    CpuPool pool = new CpuPool(1 << 20, false);
    CpuBuffer first = pool.allocate(DType.F32, 1000);
    long address = first.segment().address();
    MemoryUse inUse = pool.use();
    pool.free(first);
    assertThat(pool.use()).isEqualTo(new MemoryUse(0, inUse.used(), 1 << 20));
    // Another type of nearly the same size.
    CpuBuffer second = pool.allocate(DType.F64, 497);
    assertThat(second.segment().address()).isEqualTo(address);
    assertThat(pool.use()).isEqualTo(inUse);
  }

  @Test
  void allocate_roundsUpByAnEighthAtMost() {
    CpuPool pool = new CpuPool(1L << 30, false);
    for (long bytes = 600; bytes < 100_000; bytes += 577) {
      long before = pool.use().used();
      CpuBuffer buffer = pool.allocate(DType.U8, bytes);
      long taken = pool.use().used() - before;
      assertThat(taken).isBetween(bytes, bytes + bytes / 8 + 64);
      pool.free(buffer);
    }
  }

  @Test
  void twoBuffers_doNotOverlap() {
    CpuPool pool = new CpuPool(1 << 20, false);
    CpuBuffer a = pool.allocate(DType.I64, 100);
    CpuBuffer b = pool.allocate(DType.I64, 100);
    assertThat(a.segment().asOverlappingSlice(b.segment())).isEmpty();
  }

  @Test
  void allocate_withoutRoom_freesWhatIsHeldFirst() {
    CpuPool pool = new CpuPool(10_000, false);
    pool.free(pool.allocate(DType.U8, 6000));
    assertThat(pool.use().held()).isPositive();
    CpuBuffer large = pool.allocate(DType.U8, 9000);
    assertThat(pool.use().held()).isZero();
    assertThat(large.segment().byteSize()).isEqualTo(9000);
  }

  @Test
  void allocate_overTheLimit_saysWhatIsThere() {
    CpuPool pool = new CpuPool(10_000, false);
    CpuBuffer kept = pool.allocate(DType.F32, 1024);
    assertThatThrownBy(() -> pool.allocate(DType.F32, 2048))
        .isInstanceOf(OutOfMemoryException.class)
        .hasMessageContaining("2048 float32 of 4 bytes")
        .hasMessageContaining("4096 bytes in use")
        .hasMessageContaining("0 held")
        .hasMessageContaining("5904 free")
        .hasMessageContaining("downhill.cpu.memory");
    // Nothing was changed, and memory freed later can be used.
    assertThat(pool.use()).isEqualTo(new MemoryUse(4096, 0, 10_000));
    pool.free(kept);
    assertThat(pool.allocate(DType.F32, 2048).numel()).isEqualTo(2048);
  }

  @Test
  void allocate_absurdSizes_areOutOfMemory() {
    CpuPool pool = new CpuPool(Long.MAX_VALUE, false);
    for (long numel : new long[] {Long.MAX_VALUE, Long.MAX_VALUE / 8, 1L << 60}) {
      assertThatThrownBy(() -> pool.allocate(DType.F64, numel))
          .isInstanceOf(OutOfMemoryException.class);
    }
    assertThat(pool.use().used()).isZero();
  }

  @Test
  void free_twice_isOurError() {
    CpuPool pool = new CpuPool(1 << 20, false);
    CpuBuffer buffer = pool.allocate(DType.F32, 10);
    pool.free(buffer);
    assertThatThrownBy(() -> pool.free(buffer)).isInstanceOf(AssertionError.class);
    assertThatThrownBy(buffer::segment)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("freed");
  }

  @Test
  void poison_showsAsNaN() {
    CpuPool pool = new CpuPool(1 << 20, true);
    CpuBuffer buffer = pool.allocate(DType.F32, 3);
    MemorySegment stale = buffer.segment();
    assertThat(Scalars.loadF32(stale, 8)).isNaN();
    Scalars.storeF32(1, stale, 8);
    pool.free(buffer);
    assertThat(Scalars.loadF32(stale, 8)).isNaN();
    CpuBuffer again = pool.allocate(DType.F64, 1);
    assertThat(Scalars.loadF64(again.segment(), 0)).isNaN();
  }
}

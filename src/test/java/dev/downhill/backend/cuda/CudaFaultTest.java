package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.downhill.shape.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The codes of faults and what is said about them. */
final class CudaFaultTest {
  private static MemorySegment fault(int code, long index, long size, long position) {
    MemorySegment fault = Arena.ofAuto().allocate(Staging.FAULT, 8);
    fault.set(ValueLayout.JAVA_INT, 0, code);
    fault.set(ValueLayout.JAVA_LONG, 8, index);
    fault.set(ValueLayout.JAVA_LONG, 16, size);
    fault.set(ValueLayout.JAVA_LONG, 24, position);
    return fault;
  }

  @Test
  void equalUsesShareACode_othersHaveTheirOwn() {
    Set<Integer> codes = new HashSet<>();
    for (int i = 0; i < 500; i++) {
      Shape shape = Shape.of(3, 900 + i);
      codes.add(CudaFault.ofIndex("gather", shape, 1, Shape.of(3, 1)));
      codes.add(CudaFault.ofIndex("scatterAdd", shape, 1, Shape.of(3, 1)));
      codes.add(CudaFault.ofIndex("gather", shape, 0, Shape.of(3, 1)));
      codes.add(CudaFault.ofClass(shape, -100));
      codes.add(CudaFault.ofClass(shape, -1));
    }
    assertThat(codes).hasSize(2500).doesNotContain(0);
    for (int i = 0; i < 500; i++) {
      codes.remove(CudaFault.ofIndex("gather", Shape.of(3, 900 + i), 1, Shape.of(3, 1)));
    }
    assertThat(codes).hasSize(2000);
  }

  @Test
  void messages() {
    assertThatCode(() -> CudaFault.check(fault(0, 5, 6, 7))).doesNotThrowAnyException();
    int gather = CudaFault.ofIndex("gather", Shape.of(5, 9), 0, Shape.of(2, 3));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CudaFault.check(fault(gather, -7, 5, 4)))
        .withMessage(
            "gather: index -7 at position [1, 1] out of range, expected 0 to 4"
                + " (input (5, 9), dimension 0, index (2, 3))");
    int classes = CudaFault.ofClass(Shape.of(2, 3), -100);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CudaFault.check(fault(classes, 10, 10, 4)))
        .withMessage(
            "crossEntropy: class 10 at position 4 out of range, expected 0 to 9, or -100 to ignore"
                + " (shapes (2, 3))");
  }
}

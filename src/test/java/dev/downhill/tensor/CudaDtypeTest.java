package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** The CUDA backend takes the dtypes that the CPU backend takes, with the same results. */
@Tag("cuda")
final class CudaDtypeTest {
  @TestFactory
  Stream<DynamicTest> cudaTakesTheDtypesOfTheCpu() {
    return OpTable.ROWS.stream().map(row -> dynamicTest(row.name(), () -> check(row)));
  }

  private static void check(OpRow row) {
    for (OpRow.Call call : row.calls()) {
      for (DType dtype : DType.values()) {
        try (var _ = Scope.open()) {
          List<Tensor> inputs = OpMatrix.inputs(row, call, dtype);
          List<Tensor> onCuda = inputs.stream().map(t -> t.to(Device.of("cuda"))).toList();
          assertThat(OpMatrix.takes(call, onCuda))
              .as("%s takes %s", call, dtype)
              .isEqualTo(OpMatrix.takes(call, inputs));
          if (OpMatrix.takes(call, inputs)) {
            Tensor expected = call.function().apply(inputs);
            Tensor found = call.function().apply(onCuda);
            assertThat(found.dtype()).isEqualTo(expected.dtype());
            // CudaParityTest looks more closely.
            double tolerance = dtype == DType.BF16 ? 0x1p-6 : 1e-5;
            OpCaseTest.assertClose(found.toDoubles(), expected.toDoubles(), tolerance);
          }
        }
      }
    }
  }
}

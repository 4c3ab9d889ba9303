package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.backend.Recording;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Products written by name; and those of matrices that have a name of their own. */
final class EinsumTest {
  private static final Device DEVICE = Device.cpu();

  private static Tensor range(long... sizes) {
    long n = Arrays.stream(sizes).reduce(1, (a, b) -> a * b);
    return Tensor.arange(DEVICE, DType.F64, n).reshape(sizes);
  }

  private static double[] einsum(String equation, Tensor... operands) {
    return Einsum.einsum(equation, operands).toDoubles();
  }

  @Test
  void oneOperand() {
    Tensor x = range(2, 3);
    assertThat(einsum("ij->ji", x)).containsExactly(0, 3, 1, 4, 2, 5);
    assertThat(einsum("ba", x)).containsExactly(0, 3, 1, 4, 2, 5);
    assertThat(einsum("ij->i", x)).containsExactly(3, 12);
    assertThat(einsum("ij->", x)).containsExactly(15);
    assertThat(einsum("...->...", x)).containsExactly(0, 1, 2, 3, 4, 5);
    assertThat(einsum("...j->...", x)).containsExactly(3, 12);
    assertThat(einsum("...j->j", x)).containsExactly(3, 5, 7);
    Tensor square = range(3, 3);
    assertThat(einsum("ii", square)).containsExactly(12);
    assertThat(einsum("ii->i", square)).containsExactly(0, 4, 8);
    assertThat(einsum("iii->i", range(2, 2, 2))).containsExactly(0, 7);
    assertThat(einsum("->", range(1).reshape())).containsExactly(0);
  }

  @Test
  void twoOperands() {
    Tensor x = range(2, 3);
    Tensor y = range(3, 2);
    assertThat(einsum("ij,jk->ik", x, y)).containsExactly(10, 13, 28, 40);
    assertThat(einsum("ij, jk", x, y)).containsExactly(10, 13, 28, 40);
    assertThat(einsum("ij,jk->ki", x, y)).containsExactly(10, 28, 13, 40);
    assertThat(einsum("ij,ji->", x, y)).containsExactly(50);
    assertThat(einsum("ij,ji->i", x, y)).containsExactly(10, 40);
    assertThat(einsum("i,j->ij", range(2), range(3))).containsExactly(0, 0, 0, 0, 1, 2);
    assertThat(einsum("ij,kl->", x, y)).containsExactly(225);
    assertThat(einsum(",i->i", Tensor.full(DEVICE, DType.F64, 3), range(2))).containsExactly(0, 3);
  }

  @Test
  void batches_andDimensionsWithoutAName() {
    Tensor x = range(2, 1, 3);
    Tensor y = range(2, 3, 1);
    assertThat(einsum("bij,bjk->bik", x, y)).containsExactly(5, 50);
    assertThat(einsum("...ij,...jk->...ik", x, y)).containsExactly(5, 50);
    // The one operand has no dimension to repeat, the other one of size 1.
    assertThat(einsum("...i,i->...", x, range(3))).containsExactly(5, 14);
    assertThat(einsum("...,...", range(2, 1), range(3))).containsExactly(0, 0, 0, 0, 1, 2);
    assertThat(einsum("ij,jk->ik", range(2, 1), range(3, 1))).containsExactly(0, 3);
  }

  @Test
  void threeOperands() {
    Tensor x = range(2, 2);
    Tensor v = range(2);
    assertThat(einsum("i,ij,j->", v, x, v)).containsExactly(3);
    assertThat(einsum("ij,jk,kl->il", x, x, x)).containsExactly(6, 11, 22, 39);
    assertThat(einsum("i,i,i->i", v, v, v)).containsExactly(0, 1);
  }

  @Test
  void ofNothing() {
    Tensor x = Tensor.zeros(DEVICE, DType.F64, 2, 0);
    Tensor y = Tensor.zeros(DEVICE, DType.F64, 0, 3);
    assertThat(einsum("ij,jk->ik", x, y)).containsExactly(0, 0, 0, 0, 0, 0);
    assertThat(Einsum.einsum("ij,jk->ijk", x, y).shape()).isEqualTo(Shape.of(2, 0, 3));
  }

  /** A contraction is one matrix product: what it multiplies is never stored. */
  @Test
  void contractsByMatrixProducts() {
    Tensor query = range(2, 3, 2, 4);
    Tensor key = range(2, 5, 2, 4);
    try (Recording recording = Recording.start()) {
      Tensor y = Einsum.einsum("bqhd,bkhd->bhqk", query, key);
      assertThat(y.shape()).isEqualTo(Shape.of(2, 2, 3, 5));
      assertThat(recording.count("matmul")).isEqualTo(1);
      assertThat(recording.count("binary")).isZero();
      assertThat(recording.count("reduce")).isZero();
    }
  }

  private static void refused(String equation, String problem, Tensor... operands) {
    Refusals.refused(() -> Einsum.einsum(equation, operands), "einsum: ", problem, equation);
  }

  @Test
  void refusals() {
    Tensor x = range(2, 3);
    refused("ij,jk->ik", "a term for each of 1 operands", x);
    refused("ij", "a term for each of 2 operands", x, x);
    refused("ij->i->j", "a term for each", x);
    refused("i", "a letter for each of 2 dimensions", x);
    refused("ijk", "a letter for each of 2 dimensions", x);
    refused("ijk...", "a letter for each of 2 dimensions", x);
    refused("i1", "expected letters", x);
    refused("i..", "a letter for each", x);
    refused("i.", "expected letters", x);
    refused("ij,jk", "sizes of dimension j differ, expected 3, got 2", x, x);
    refused("...j,...j", "sizes of dimension ... differ", x, range(3, 3));
    refused("ii", "expected equal sizes of dimension i, which is repeated", range(1, 3));
    refused("ii", "sizes of dimension i differ", x);
    refused("ij->k", "letters of the operands", x);
    refused("ij->ii", "each once", x);
    refused("ij->i-", "expected letters", x);
    refused("i...j...", "expected", x);
    Refusals.refused(() -> Einsum.einsum("ij", x.to(DType.I64)), "einsum", "floating-point");
    Refusals.refused(() -> Einsum.einsum("ij,ij", x, x.to(DType.F32)), "einsum", "dtypes differ");
    Refusals.refused(() -> Einsum.einsum("ij"), "einsum: ", "at least one operand");
  }

  @Test
  void namedProducts() {
    Tensor x = range(2, 2);
    assertThat(x.addmm(x, x, 1, 1).toDoubles()).containsExactly(2, 4, 8, 14);
    assertThat(range(2).addmm(x, x, 10, 0.5).toDoubles()).containsExactly(1, 11.5, 3, 15.5);
    assertThat(range(2, 1, 2).bmm(range(2, 2, 1)).toDoubles()).containsExactly(1, 13);
    assertThat(range(2).outer(range(3)).toDoubles()).containsExactly(0, 0, 0, 0, 1, 2);
    assertThat(range(2).to(DType.I64).outer(range(2).to(DType.I64)).toLongs())
        .containsExactly(0, 0, 0, 1);
  }

  @Test
  void addmm_withBetaZeroDoesNotLookAtTheSummand() {
    Tensor nan = Tensor.full(DEVICE, DType.F64, Double.NaN, 2).requireGrad();
    Tensor y = nan.addmm(range(2, 2), range(2, 2), 0, 1);
    assertThat(y.toDoubles()).containsExactly(2, 3, 6, 11);
    y.sum().backward();
    assertThat(java.util.Objects.requireNonNull(nan.grad()).toDoubles())
        .containsExactly(new double[] {0, 0}, within(0.0));
  }

  @Test
  void bmm_refusals() {
    Tensor x = range(2, 3, 4);
    Refusals.refused(() -> x.bmm(range(2, 3, 4)), "bmm", "(2, 3, 4) and (2, 3, 4)");
    Refusals.refused(() -> x.bmm(range(3, 4, 2)), "bmm", "(3, 4, 2)");
    Refusals.refused(() -> x.bmm(range(1, 4, 2)), "bmm", "(1, 4, 2)");
    Refusals.refused(() -> x.bmm(range(4, 2)), "bmm", "(4, 2)");
    Refusals.refused(() -> range(3, 4).bmm(x), "bmm", "(3, 4)");
    Refusals.refused(() -> x.bmm(range(2, 2, 4, 1)), "bmm", "(2, 2, 4, 1)");
    Refusals.refused(() -> x.bmm(range(2, 4, 1).to(DType.F32)), "bmm", "dtypes differ");
    Refusals.refused(() -> x.sum().bmm(x), "bmm", "()");
  }

  @Test
  void addmm_refusals() {
    Tensor x = range(2, 2);
    Tensor a = range(2, 3);
    Tensor b = range(3, 2);
    Refusals.refused(() -> x.addmm(a, a, 1, 1), "addmm", "(2, 2) and (2, 3) and (2, 3)");
    Refusals.refused(() -> range(3).addmm(a, b, 1, 1), "addmm", "broadcasts to (n, m)", "(3)");
    Refusals.refused(() -> range(1, 2, 2).addmm(a, b, 1, 1), "addmm", "(1, 2, 2)");
    Refusals.refused(() -> x.addmm(range(3), b, 1, 1), "addmm", "(3)");
    Refusals.refused(() -> x.addmm(a, range(3), 1, 1), "addmm", "(3)");
    Refusals.refused(() -> x.addmm(range(1, 2, 3), b, 1, 1), "addmm", "(1, 2, 3)");
    Refusals.refused(() -> x.to(DType.F32).addmm(a, b, 1, 1), "addmm", "dtypes differ");
    Refusals.refused(
        () -> x.to(DType.I64).addmm(a.to(DType.I64), b.to(DType.I64), 1, 1), "addmm", "int64");
  }

  @Test
  void outer_refusals() {
    Tensor x = range(2);
    Refusals.refused(() -> x.outer(range(2, 2)), "outer", "one dimension", "(2) and (2, 2)");
    Refusals.refused(() -> range(2, 2).outer(x), "outer", "(2, 2) and (2)");
    Refusals.refused(() -> x.outer(x.sum()), "outer", "()");
    Refusals.refused(() -> x.sum().outer(x), "outer", "()");
    Refusals.refused(() -> x.outer(range(1, 2)), "outer", "(1, 2)");
    Refusals.refused(() -> x.outer(x.to(DType.F32)), "outer", "float64 and float32");
    Refusals.refused(() -> x.to(DType.I64).outer(x), "outer", "int64 and float64");
    Refusals.refused(() -> x.outer(range(2, 1, 1)), "outer", "(2, 1, 1)");
  }
}

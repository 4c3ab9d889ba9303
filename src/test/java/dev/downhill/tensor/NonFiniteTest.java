package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What operators do with infinities and NaN: the table in the documentation of the package. */
class NonFiniteTest {
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final double NAN = Double.NaN;
  private static final Path PACKAGE =
      Path.of("src/main/java/dev/downhill/tensor/package-info.java");

  /**
   * A line of the table.
   *
   * @param text the operator, where x is its input
   * @param slope the gradient of the sum of the results with respect to x; 0 if there is none
   */
  private record Line(
      String text, double[] x, UnaryOperator<Tensor> op, double[] value, double[] slope) {
    @Override
    public String toString() {
      return "%-22s %-18s %-22s %s".formatted(text, list(x), list(value), list(slope)).strip();
    }

    private static String list(double[] numbers) {
      String all = Arrays.stream(numbers).mapToObj(Line::number).collect(Collectors.joining(", "));
      return numbers.length == 1 ? all : "(" + all + ")";
    }

    private static String number(double x) {
      if (Double.isNaN(x)) {
        return "nan";
      }
      if (Double.isInfinite(x)) {
        return x > 0 ? "inf" : "-inf";
      }
      return x == Math.rint(x) ? Long.toString((long) x) : Double.toString(x);
    }
  }

  private static double[] of(double... numbers) {
    return numbers;
  }

  private static Line line(
      String text, double x, UnaryOperator<Tensor> op, double value, double slope) {
    return new Line(text, of(x), op, of(value), of(slope));
  }

  private static Tensor like(Tensor x, double value) {
    return Tensor.full(x.device(), x.dtype(), value, x.shape().toArray());
  }

  private static final List<Line> TABLE =
      List.of(
          line("log(x)", 0, Tensor::log, -INF, INF),
          line("log(x)", -1, Tensor::log, NAN, -1),
          line("log(x)", INF, Tensor::log, INF, 0),
          line("sqrt(x)", 0, Tensor::sqrt, 0, INF),
          line("sqrt(x)", -1, Tensor::sqrt, NAN, NAN),
          line("rsqrt(x)", 0, Tensor::rsqrt, INF, -INF),
          line("reciprocal(x)", 0, Tensor::reciprocal, INF, -INF),
          line("exp(x)", INF, Tensor::exp, INF, INF),
          line("exp(x)", -INF, Tensor::exp, 0, 0),
          line("exp(x)", 1000, Tensor::exp, INF, INF),
          line("tanh(x)", INF, Tensor::tanh, 1, 0),
          line("sigmoid(x)", -INF, Tensor::sigmoid, 0, 0),
          line("sin(x)", INF, Tensor::sin, NAN, NAN),
          line("relu(x)", NAN, Tensor::relu, NAN, 1),
          line("clamp(x, 0, 1)", NAN, x -> x.clamp(0, 1), NAN, 0),
          line("clamp(x, 0, 1)", INF, x -> x.clamp(0, 1), 1, 0),
          line("abs(x)", NAN, Tensor::abs, NAN, NAN),
          line("sign(x)", NAN, Tensor::sign, NAN, 0),
          line("x / 0", 1, x -> x.div(0), INF, INF),
          line("x / 0", -1, x -> x.div(0), -INF, INF),
          line("x / 0", 0, x -> x.div(0), NAN, INF),
          line("1 / x", 0, x -> x.rdiv(1), INF, -INF),
          line("x / inf", 1, x -> x.div(INF), 0, 0),
          line("x / inf", INF, x -> x.div(INF), NAN, 0),
          line("x - inf", INF, x -> x.sub(INF), NAN, 1),
          line("x * inf", 0, x -> x.mul(INF), NAN, INF),
          line("x^0", 0, x -> x.pow(0), 1, 0),
          line("x^0", NAN, x -> x.pow(0), 1, 0),
          line("x^0", INF, x -> x.pow(0), 1, 0),
          line("x^-1", 0, x -> x.pow(-1), INF, -INF),
          line("x^0.5", 0, x -> x.pow(0.5), 0, INF),
          line("x^0.5", -1, x -> x.pow(0.5), NAN, NAN),
          line("x^3", -INF, x -> x.pow(3), -INF, INF),
          line("0^x", 0, x -> like(x, 0).pow(x), 1, 0),
          line("0^x", 2, x -> like(x, 0).pow(x), 0, 0),
          line("0^x", -1, x -> like(x, 0).pow(x), INF, -INF),
          line("1^x", NAN, x -> like(x, 1).pow(x), 1, 0),
          line("maximum(x, 1)", NAN, x -> x.maximum(1), NAN, 1),
          line("maximum(x, nan)", 1, x -> x.maximum(like(x, NAN)), NAN, 1),
          line("minimum(x, -inf)", -INF, x -> x.minimum(like(x, -INF)), -INF, 0.5),
          line("x == nan", NAN, x -> x.eq(NAN).to(x.dtype()), 0, 0),
          line("x != nan", NAN, x -> x.ne(NAN).to(x.dtype()), 1, 0),
          line("where(false, x, 1)", NAN, x -> x.where(x.lt(0), 1), 1, 0),
          new Line("sum(x)", of(INF, -INF), Tensor::sum, of(NAN), of(1, 1)),
          new Line("sum(x)", of(), Tensor::sum, of(0), of()),
          new Line("prod(x)", of(), Tensor::prod, of(1), of()),
          new Line("mean(x)", of(), Tensor::mean, of(NAN), of()),
          new Line("norm(x)", of(), Tensor::norm, of(0), of()),
          new Line("norm(x)", of(0, 0), Tensor::norm, of(0), of(0, 0)),
          new Line("var(x)", of(2), Tensor::var, of(NAN), of(NAN)),
          new Line("std(x)", of(3, 3), Tensor::std, of(0), of(0, 0)),
          new Line("max(x)", of(1, NAN), Tensor::max, of(NAN), of(0, 1)),
          new Line("min(x)", of(1, NAN), Tensor::min, of(NAN), of(0, 1)),
          new Line("argmax(x)", of(INF, NAN), x -> x.argmax().to(x.dtype()), of(1), of(0, 0)),
          new Line("cumsum(x)", of(1, INF, -INF), x -> x.cumsum(0), of(1, INF, NAN), of(3, 2, 1)),
          new Line("softmax(x)", of(-INF, 0), x -> x.softmax(0), of(0, 1), of(0, 0)),
          new Line("softmax(x)", of(-INF, -INF), x -> x.softmax(0), of(NAN, NAN), of(NAN, NAN)),
          new Line("softmax(x)", of(INF, 0), x -> x.softmax(0), of(NAN, NAN), of(NAN, NAN)),
          new Line("logsumexp(x)", of(-INF, -INF), x -> x.logsumexp(0), of(-INF), of(0, 0)),
          new Line("logsumexp(x)", of(INF, 0), x -> x.logsumexp(0), of(INF), of(NAN, 0)));

  private static void assertHolds(Device device, DType dtype) {
    for (Line l : TABLE) {
      try (Scope _ = Scope.open()) {
        Tensor x = Tensor.of(device, l.x, l.x.length).to(dtype).requireGrad();
        Tensor y = l.op.apply(x);
        double[] slope = new double[l.x.length];
        if (y.requiresGrad()) {
          y.sum().backward();
          Tensor grad = x.grad();
          slope = grad == null ? slope : grad.toDoubles();
        }
        // The sign of a zero is not of the table.
        assertThat(y.add(0).toDoubles()).as("%s %s %s", device, dtype, l).containsExactly(l.value);
        assertThat(plain(slope)).as("slope, %s %s %s", device, dtype, l).containsExactly(l.slope);
      }
    }
  }

  private static double[] plain(double[] numbers) {
    return Arrays.stream(numbers).map(x -> x + 0.0).toArray();
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F64", "BF16"})
  void theCpuKeepsToTheTable(DType dtype) {
    assertHolds(Device.cpu(), dtype);
  }

  @Tag("cuda")
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F64", "BF16"})
  void cudaKeepsToTheTable(DType dtype) {
    assertHolds(Device.of("cuda:0"), dtype);
  }

  @Test
  void theDocumentationHasTheTable() throws IOException {
    String table = TABLE.stream().map(l -> " * " + l + "\n").collect(Collectors.joining());
    assertThat(Files.readString(PACKAGE)).as("put this into it:%n%s", table).contains(table);
  }
}

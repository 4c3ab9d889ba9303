package dev.downhill.jobs.curve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FormulaTest {
  private static Samples at(String formula, double x) {
    return Samples.at(Formula.parse(formula), Device.cpu(), x);
  }

  // Height, slope and curvature at x, worked out by hand.
  @ParameterizedTest
  @CsvSource({
    "x, 3, 3, 1, 0",
    "x^4 - 3x^2 + x, 2, 6, 21, 42",
    "x^4-3x^2+x, -1, -3, 3, 6",
    "-x^2, 3, -9, -6, -2",
    "2^3^x, 1, 8, 18.276000, 61.829762",
    "x^-2, 2, 0.25, -0.25, 0.375",
    "1/2x, 4, 2, 0.5, 0",
    "8/x/2, 2, 2, -1, 1",
    "5 - x - 1, 3, 1, -1, 0",
    "--x, 3, 3, 1, 0",
    "2(x+1)(x-1), 3, 16, 12, 4",
    "x x, 3, 9, 6, 2",
    "(x)2, 3, 6, 2, 0",
    "2pi x, 1, 6.283185307179586, 6.283185307179586, 0",
    "2e x, 1, 5.43656365691809, 5.43656365691809, 0",
    "2e3x, 1, 2000, 2000, 0",
    "2e-1 x, 1, .2, .2, 0",
    ".5x + 1., 2, 2, .5, 0",
    "3exp(x), 0, 3, 3, 3",
    "e^x, 1, 2.718281828459045, 2.718281828459045, 2.718281828459045",
    "sin(pi/2 + x), 0, 1, 0, -1",
    "cos(x), 0, 1, 0, -1",
    "log(x), 2, 0.6931471805599453, 0.5, -0.25",
    "sqrt(x), 4, 2, 0.25, -0.03125",
    "tanh(x), 0, 0, 1, 0",
    "abs(x), -2, 2, -1, 0",
    "x^2 * x^0.5, 4, 32, 20, 7.5",
  })
  void aFormula_isReadAsInMathematics(
      String formula, double x, double height, double slope, double curvature) {
    Samples s = at(formula, x);
    assertThat(s.height()[0]).isCloseTo(height, within(1e-5));
    assertThat(s.slope()[0]).isCloseTo(slope, within(1e-5));
    assertThat(s.curvature()[0]).isCloseTo(curvature, within(1e-4));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          x^4 - * 3  | expected a number, x, pi, e, one of sin, cos, exp, log, sqrt, tanh, abs, or ( at character 7 of 'x^4 - * 3', got '*'
          x +        | at character 4 of 'x +', got the end
          (x + 1     | expected an operator or ) at character 7 of '(x + 1', got the end
          x + 1)     | expected an operator or the end at character 6 of 'x + 1)', got ')'
          sin x      | expected ( after sin at character 5 of 'sin x', got 'x'
          sin^2(x)   | expected ( after sin at character 4 of 'sin^2(x)', got '^'
          foo(x)     | at character 1 of 'foo(x)', got 'foo'
          2 xx       | at character 3 of '2 xx', got 'xx'
          x ? 2      | expected an operator or the end at character 3 of 'x ? 2', got '?'
          1.2.3x .   | expected a finite number at character 8
          x + .      | expected a finite number at character 5 of 'x + .', got '.'
          1e999x     | expected a finite number at character 1 of '1e999x', got '1'
          y          | at character 1 of 'y', got 'y'
          2 + 3      | expected a formula with an x in it, got '2 + 3'
          ²          | got '²'
          x^         | at character 3 of 'x^', got the end
          ()         | at character 2 of '()', got ')'
          """)
  void aFormulaThatIsWrong_isRefused_namingThePlace(String formula, String message) {
    assertThatThrownBy(() -> Formula.parse(formula))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("--curve: expected ")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"(", "-", "sin(", "x^", "2^-"})
  void aFormulaThatIsTooDeep_isRefused(String opening) {
    String deep = opening.repeat(200 / opening.length() - 1) + "x";
    assertThatThrownBy(() -> Formula.parse(deep))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at most 40 brackets, signs and powers inside each other");
    assertThatThrownBy(() -> Formula.parse(opening.repeat(100_000)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at most 200 characters");
  }

  @Test
  void aLongFormula_isComputed() {
    assertThat(at("x" + "+x".repeat(99), 1).height()[0]).isEqualTo(100);
    assertThat(at("sin(".repeat(30) + "x" + ")".repeat(30), 0).slope()[0]).isEqualTo(1);
  }

  @Test
  void controlCharacters_stayOutOfTheMessage() {
    assertThatThrownBy(() -> Formula.parse("x\n+\u0000 1"))
        .hasMessage("--curve: expected an operator or the end at character 2 of 'x?+? 1', got '?'");
  }

  @Test
  void anyText_isReadOrRefused() {
    String[] pieces = "x,2,.,(,),+,-,*,/,^, ,e,pi,sin,exp(,log(,1e9,\u0000,é,xx".split(",");
    SplittableRandom random = new SplittableRandom(1);
    int read = 0;
    for (int i = 0; i < 20_000; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(1, 12); n > 0; n--) {
        text.append(pieces[random.nextInt(pieces.length)]);
      }
      try {
        Formula.parse(text.toString());
        read++;
      } catch (IllegalArgumentException e) {
        assertThat(e).as(text.toString()).hasMessageStartingWith("--curve: expected ");
      }
    }
    assertThat(read).isBetween(100, 19_000);
  }
}

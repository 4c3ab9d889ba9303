package dev.downhill.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import org.junit.jupiter.api.Test;

class SummaryTest {
  private static final Device CPU = Device.cpu();

  @Test
  void countsWhatIsThereLayerByLayer() {
    Linear twice = new Linear(3, 3, Linear.Options.DEFAULT.withoutBias());
    Sequential encoder = new Sequential(new Linear(2, 3), new Relu());
    try (Sequential model = new Sequential(encoder, twice, twice, new Dropout(0.5))) {
      model.on(CPU, 1);
      model.freeze("0.*");
      Summary s = Summary.of(model, 5, 2);
      assertThat(s)
          .hasToString(
              """
                   layer                  output  parameters  trained  FLOPs forward  bytes
              0.0  Linear(2, 3)           (5, 3)           9        0             60     36
              0.1  Relu()                 (5, 3)           0        0              0      0
              1    Linear(3, 3, no bias)  (5, 3)           9        9             90     36
              2    Linear(3, 3, no bias)  (5, 3)           0        0             90      0
              3    Dropout(0.5)           (5, 3)           0        0              0      0
                   total                  (5, 3)          18        9            240     72
              """);
      assertThat(s.rows().stream().map(Summary.Row::path))
          .containsExactly("0.0", "0.1", "1", "2", "3");
      assertThat(s.rows().stream().map(Summary.Row::parameters))
          .containsExactly(9L, 0L, 9L, 0L, 0L);
      assertThat(s.rows().stream().map(Summary.Row::flops)).containsExactly(60L, 0L, 90L, 90L, 0L);
      assertThat(s.total()).isEqualTo(new Summary.Row("", "total", Shape.of(5, 3), 18, 9, 240, 72));
      assertThat(model.isTraining()).isTrue();
      assertThatThrownBy(() -> Summary.of(model, 5, 3)).isInstanceOf(ShapeException.class);
      assertThat(model.isTraining()).isTrue();
    }
  }

  @Test
  void inputsMayBeIntegers() {
    try (Sequential model = new Sequential(new Embedding(7, 4), new Linear(4, 1)).on(CPU, 1)) {
      Summary s = Summary.of(model, DType.I64, 2, 3);
      assertThat(s.total())
          .isEqualTo(new Summary.Row("", "total", Shape.of(2, 3, 1), 33, 33, 48, 132));
    }
  }

  @Test
  void aModelWithoutTensorsIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Summary.of(new Relu(), 3))
        .withMessageStartingWith("summary: expected a model with parameters");
  }
}

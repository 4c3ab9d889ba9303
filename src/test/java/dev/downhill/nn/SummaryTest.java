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

  private static void assertRow(
      Summary.Row row, long[] output, long parameters, long flops, long bytes) {
    assertThat(row.output()).as(row.layer()).isEqualTo(Shape.of(output));
    assertThat(row.parameters()).as(row.layer()).isEqualTo(parameters);
    assertThat(row.trained()).as(row.layer()).isEqualTo(parameters);
    assertThat(row.flops()).as(row.layer()).isEqualTo(flops);
    assertThat(row.bytes()).as(row.layer()).isEqualTo(bytes);
  }

  private static long[] sizes(long... sizes) {
    return sizes;
  }

  @Test
  void convolutionsCountEveryPositionOfTheirOutput() {
    Conv.Options half = Conv.Options.DEFAULT.withStride(2).withPadding(1);
    try (Sequential model =
        new Sequential(
            new Conv2d(3, 8, 3, half),
            new BatchNorm2d(8),
            new Relu(),
            new Conv2d(8, 8, 3, Conv.Options.DEFAULT.withGroups(4).withoutBias()),
            new MaxPool2d(2),
            new ConvTranspose2d(8, 4, 2, Conv.Options.DEFAULT.withStride(2)),
            new Flatten(),
            new Linear(4 * 4 * 6, 10))) {
      model.on(CPU, 1);
      Summary s = Summary.of(model, 5, 3, 12, 16);
      // Two operations for each number of a window, channels of the group included.
      assertRow(s.rows().get(0), sizes(5, 8, 6, 8), 8 * 3 * 9 + 8, 2 * 5 * 8 * 48 * 27, 896);
      // Besides its parameters it holds a mean and a variance of each channel, and a count.
      assertRow(s.rows().get(1), sizes(5, 8, 6, 8), 16, 0, 4 * (16 + 16) + 8);
      assertRow(s.rows().get(2), sizes(5, 8, 6, 8), 0, 0, 0);
      assertRow(s.rows().get(3), sizes(5, 8, 4, 6), 8 * 2 * 9, 2 * 5 * 8 * 24 * 18, 4 * 144);
      assertRow(s.rows().get(4), sizes(5, 8, 2, 3), 0, 0, 0);
      // Every number of the input adds a window to the output.
      long transposed = 2 * 5 * (8 * 6) * (4 * 4);
      assertRow(s.rows().get(5), sizes(5, 4, 4, 6), 8 * 4 * 4 + 4, transposed, 4 * 132);
      assertRow(s.rows().get(6), sizes(5, 96), 0, 0, 0);
      assertRow(s.rows().get(7), sizes(5, 10), 970, 2 * 5 * 960, 4 * 970);
      assertThat(s.total().flops())
          .isEqualTo(s.rows().stream().mapToLong(Summary.Row::flops).sum());
      assertThat(s.total().parameters()).isEqualTo(224 + 16 + 144 + 132 + 970);
    }
  }

  @Test
  void attentionCountsScoresAndWhatTheyWeigh() {
    long n = 2;
    long t = 7;
    long e = 12;
    try (Sequential model =
        new Sequential(
            new Embedding(11, e),
            new PositionalEmbedding(9, e),
            new MultiHeadAttention(e, 3),
            new TransformerBlock(e, 4, TransformerBlock.Options.DEFAULT.withCausal(true)),
            new LayerNorm(e),
            new RmsNorm(e))) {
      model.on(CPU, 1);
      Summary s = Summary.of(model, DType.I64, n, t);
      long[] same = sizes(n, t, e);
      assertRow(s.rows().get(0), same, 11 * e, 0, 44 * e);
      assertRow(s.rows().get(1), same, 9 * e, 0, 36 * e);
      // Four maps of each position, and two products over all pairs of positions, whatever the
      // number of heads; a mask saves nothing that is counted.
      long attention = 2 * n * t * 4 * e * e + 2 * (2 * n * t * t * e);
      long projections = 4 * (e * e + e);
      assertRow(s.rows().get(2), same, projections, attention, 4 * projections);
      long network = 8 * e * e + 5 * e;
      long block = projections + network + 4 * e;
      assertRow(s.rows().get(3), same, block, attention + 2 * n * t * 8 * e * e, 4 * block);
      assertRow(s.rows().get(4), same, 2 * e, 0, 8 * e);
      assertRow(s.rows().get(5), same, e, 0, 4 * e);
    }
  }

  @Test
  void recurrentLayersCountEveryStep() {
    long n = 3;
    long t = 5;
    RecurrentLayer.Options options = RecurrentLayer.Options.DEFAULT.withBatchFirst();
    try (Sequential model =
        new Sequential(
            new Lstm(4, 6, options), new Gru(6, 2, options.withoutBias()), new LastStep())) {
      model.on(CPU, 1, DType.F64);
      Summary s = Summary.of(model, n, t, 4);
      long lstm = 4 * 6 * (4 + 6 + 2);
      assertRow(s.rows().get(0), sizes(n, t, 6), lstm, 2 * n * t * 4 * 6 * (4 + 6), 8 * lstm);
      long gru = 3 * 2 * (6 + 2);
      assertRow(s.rows().get(1), sizes(n, t, 2), gru, 2 * n * t * 3 * 2 * (6 + 2), 8 * gru);
      assertRow(s.rows().get(2), sizes(n, 2), 0, 0, 0);
    }
  }

  @Test
  void aModelWithoutTensorsIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Summary.of(new Relu(), 3))
        .withMessageStartingWith("summary: expected a model with parameters");
  }
}

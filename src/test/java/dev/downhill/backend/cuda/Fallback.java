package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;

/** What is expected where there is no usable CUDA. */
final class Fallback {
  private Fallback() {}

  /**
   * Asserts that {@code auto} and {@code cuda} both give this reason, and that {@code auto} trains.
   */
  static void assertFallsBack(Child child, String reason) throws IOException, InterruptedException {
    Child.Outcome auto = child.train("auto");
    assertThat(auto.messages())
        .as(auto.err())
        .singleElement()
        .asString()
        .startsWith("downhill: cuda is not used: ")
        .contains(reason);
    assertThat(auto.out()).contains("Both agree to the last bit");
    assertThat(auto.code()).isZero();

    Child.Outcome cuda = child.train("cuda");
    assertThat(cuda.messages())
        .as(cuda.err())
        .singleElement()
        .asString()
        .startsWith("downhill: device cuda")
        .contains(reason);
    assertThat(cuda.code()).isEqualTo(4);
  }
}

package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.OwnProcess;
import dev.downhill.backend.Device;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Steps that are replayed on the CPU. */
final class ReplayTest extends Replays {
  ReplayTest() {
    super(Device.of("cpu:2"));
  }

  @Test
  void aReplayAllocatesNothingOnTheHeap() throws IOException, InterruptedException {
    assertThat(OwnProcess.printing("0", ReplayAllocation.class)).isEqualTo("0");
  }

  @Test
  void norOnImages() throws IOException, InterruptedException {
    assertThat(OwnProcess.printing("0", ReplayAllocation.Images.class)).isEqualTo("0");
  }

  @Test
  void norOnText() throws IOException, InterruptedException {
    assertThat(OwnProcess.printing("0", ReplayAllocation.Text.class)).isEqualTo("0");
  }
}

package dev.downhill.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.downhill.backend.DeviceException;
import dev.downhill.backend.OutOfMemoryException;
import dev.downhill.checkpoint.CheckpointException;
import dev.downhill.data.DataException;
import dev.downhill.shape.ShapeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ExitCodeTest {
  static Arguments[] rows() {
    return new Arguments[] {
      Arguments.of(2, new IllegalArgumentException("epochs: ...")),
      Arguments.of(2, new ShapeException("add: ...")),
      Arguments.of(3, new DataException("houses.csv: ...")),
      Arguments.of(4, new DeviceException("cuda: ...")),
      Arguments.of(5, new OutOfMemoryException("cpu: ...")),
      Arguments.of(5, new OutOfMemoryError("Java heap space")),
      Arguments.of(6, new CheckpointException("model.safetensors: ...")),
      Arguments.of(6, new UncheckedIOException(new IOException("No space left on device"))),
      Arguments.of(6, new NoSuchFileException("runs/1")),
      Arguments.of(70, new NullPointerException()),
      Arguments.of(70, new AssertionError())
    };
  }

  @ParameterizedTest
  @MethodSource("rows")
  void exceptionHasItsCode(int code, Throwable e) {
    assertEquals(code, ExitCode.of(e).code());
  }
}

package dev.downhill.cli;

import dev.downhill.backend.DeviceException;
import dev.downhill.backend.OutOfMemoryException;
import dev.downhill.checkpoint.CheckpointException;
import dev.downhill.data.DataException;
import dev.downhill.train.NumericException;
import java.io.IOException;
import java.io.UncheckedIOException;

/** What the process tells its caller when it ends, and the table from exception to code. */
public enum ExitCode {
  /** The command did what it was asked. */
  OK(0),
  /** The command ran, and the answer is no: {@code verify} found differences. */
  FAILED(1),
  /** The command line or the configuration is wrong. */
  USAGE(2),
  /** The data is wrong or cannot be read. */
  DATA(3),
  /** The device is missing, unusable or failed. */
  DEVICE(4),
  /** The host or the device is out of memory. */
  MEMORY(5),
  /** A checkpoint or another file cannot be written or read. */
  STORAGE(6),
  /** The numbers went wrong: a loss or a gradient is not finite. */
  NUMERIC(7),
  /** A fault of Downhill's own. */
  INTERNAL(70),
  /** The run was stopped and can be resumed. */
  RESUMABLE(75);

  private final int code;

  ExitCode(int code) {
    this.code = code;
  }

  /** The number the process ends with. */
  public int code() {
    return code;
  }

  /** The code for a command that ended with this exception. */
  static ExitCode of(Throwable e) {
    return switch (e) {
      case DataException _ -> DATA;
      case IllegalArgumentException _ -> USAGE;
      case DeviceException _ -> DEVICE;
      case OutOfMemoryException _ -> MEMORY;
      case OutOfMemoryError _ -> MEMORY;
      case NumericException _ -> NUMERIC;
      case CheckpointException _ -> STORAGE;
      case IOException _ -> STORAGE;
      case UncheckedIOException _ -> STORAGE;
      default -> INTERNAL;
    };
  }
}

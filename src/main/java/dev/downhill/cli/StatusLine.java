package dev.downhill.cli;

import java.io.PrintWriter;

/** One line of a terminal that says what runs now, and goes when it is over. */
final class StatusLine {
  private static final String FROM_THE_START = "\r\033[K";

  private final PrintWriter err;
  private final boolean terminal = ProgressLine.isTerminal();

  StatusLine(PrintWriter err) {
    this.err = err;
  }

  void show(String text) {
    if (terminal) {
      err.print(FROM_THE_START + text + " ...");
      err.flush();
    }
  }

  void clear() {
    if (terminal) {
      err.print(FROM_THE_START);
      err.flush();
    }
  }
}

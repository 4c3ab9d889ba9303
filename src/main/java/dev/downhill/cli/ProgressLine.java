package dev.downhill.cli;

import dev.downhill.train.History;
import dev.downhill.train.Progress;
import dev.downhill.train.Trainer;
import java.io.Console;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Training progress on stderr: a bar that moves on a terminal, and now and then a line where there
 * is none.
 */
final class ProgressLine implements Trainer.Listener, AutoCloseable {
  private static final long LINES_EVERY_NANOS = 5_000_000_000L;

  private final boolean terminal = isTerminal();
  private @Nullable ProgressBar bar;
  private String validation = "";
  private long lastLine;

  ProgressLine() {}

  @SuppressWarnings("SystemConsoleNull") // it may be null still, where there is none at all
  static boolean isTerminal() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  @Override
  public void progress(Progress p) {
    String text =
        String.format(
            Locale.ROOT,
            "epoch %d/%d loss %.5f%s %,.0f examples/s, %.0f s left",
            p.epoch(),
            p.epochs(),
            p.loss(),
            validation,
            p.examplesPerSecond(),
            p.secondsLeft());
    if (terminal) {
      ProgressBar b = bar;
      if (b == null) {
        b =
            new ProgressBarBuilder()
                .setTaskName("train")
                .setInitialMax(p.steps())
                .setStyle(ProgressBarStyle.ASCII)
                .setSpeedUnit(ChronoUnit.SECONDS)
                .setUpdateIntervalMillis(200)
                .build();
        bar = b;
      }
      b.stepTo(p.step());
      b.setExtraMessage(text);
    } else if (lastLine == 0) {
      lastLine = System.nanoTime();
    } else if (System.nanoTime() - lastLine > LINES_EVERY_NANOS || p.step() == p.steps()) {
      lastLine = System.nanoTime();
      System.err.printf(Locale.ROOT, "step %d/%d %s%n", p.step(), p.steps(), text);
    }
  }

  @Override
  public void epoch(History.Epoch e) {
    validation = String.format(Locale.ROOT, " validation %.5f", e.validationLoss());
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}

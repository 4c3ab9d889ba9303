package dev.downhill.jobs.digits;

import dev.downhill.data.DigitImages;
import dev.downhill.data.DrawnDigits;
import dev.downhill.jobs.JobOptions;
import java.nio.file.Path;

/**
 * The pictures of a run: drawn ones, or those of {@code --data}.
 *
 * @param train to learn from
 * @param test held out
 * @param origin where they come from, in words
 */
record DigitData(DigitImages train, DigitImages test, String origin) {
  private static final int DRAWN = 12_000;
  private static final int DRAWN_HELD_OUT = 2_000;

  /**
   * The data of a run.
   *
   * @param spread of drawn digits, as for {@link DrawnDigits#draw}
   */
  static DigitData of(JobOptions o, double spread) {
    Path folder = o.data();
    return folder == null
        ? new DigitData(
            DrawnDigits.draw(DRAWN, o.seed(), "train", spread),
            DrawnDigits.draw(DRAWN_HELD_OUT, o.seed(), "test", spread),
            "drawn in twelve fonts")
        : new DigitData(
            DigitImages.read(folder, "train"), DigitImages.read(folder, "t10k"), "of " + folder);
  }
}

package dev.downhill.jobs.tumour;

import dev.downhill.data.Scans;
import dev.downhill.explain.Saliency;
import dev.downhill.explain.TextTable;
import dev.downhill.train.Auroc;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** What {@link TumourScans} says of a trained network. */
final class TumourReport {
  private TumourReport() {}

  /** How many scans were told right. */
  static void answers(List<Scans.Scan> scans, double[] logits, PrintStream report) {
    boolean[] truth = new boolean[logits.length];
    double[] brightness = new double[logits.length];
    double right = 0;
    for (int i = 0; i < truth.length; i++) {
      truth[i] = scans.get(i).isIll();
      right += logits[i] > 0 == truth[i] ? 1 : 0;
      for (float shade : scans.get(i).pixels()) {
        brightness[i] += shade;
      }
    }
    report.printf(
        Locale.ROOT,
        "%nHeld-out scans told right: %.1f %%. AUROC: %.4f (0.5 is guessing; the brightness of a"
            + " scan alone has %.4f).%n%n%s",
        100 * right / truth.length,
        Auroc.of(logits, truth),
        Auroc.of(brightness, truth),
        Confusion.of(logits, truth).table("healthy", "tumour"));
  }

  /** How well the places that the answers depend on are the places of the tumours. */
  static void places(
      List<Scans.Scan> ill, List<Saliency> before, List<Saliency> after, PrintStream report) {
    double pixels = 0;
    for (Scans.Scan scan : ill) {
      pixels += TumourPictures.size(scan.tumour());
    }
    double share = pixels / ill.size() / (Scans.SIDE * Scans.SIDE);
    report.printf(
        Locale.ROOT,
        "%nWhere does it look? The gradient of the answer for every pixel, smoothed, in %d held-out"
            + " scans with a tumour. k is the number of the tumour's pixels, %.0f on"
            + " average.%n%n%s%n",
        ill.size(),
        pixels / ill.size(),
        new TextTable("", "of the k strongest pixels inside", "strongest pixel inside")
            .row("trained", percent(overlap(ill, after)), percent(pointing(ill, after)))
            .row("untrained", percent(overlap(ill, before)), percent(pointing(ill, before)))
            .row("by lot", percent(share), percent(share)));
  }

  private static double overlap(List<Scans.Scan> ill, List<Saliency> maps) {
    return IntStream.range(0, ill.size())
        .mapToDouble(i -> maps.get(i).overlap(ill.get(i).tumour()))
        .average()
        .orElse(Double.NaN);
  }

  private static double pointing(List<Scans.Scan> ill, List<Saliency> maps) {
    return IntStream.range(0, ill.size())
        .mapToDouble(i -> maps.get(i).pointsInto(ill.get(i).tumour()) ? 1 : 0)
        .average()
        .orElse(Double.NaN);
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }
}

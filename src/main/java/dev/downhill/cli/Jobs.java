package dev.downhill.cli;

import dev.downhill.jobs.Job;
import dev.downhill.jobs.curve.Curve;
import dev.downhill.jobs.digits.Autoencoder;
import dev.downhill.jobs.digits.Digits;
import dev.downhill.jobs.houses.HousePrices;
import dev.downhill.jobs.language.Language;
import dev.downhill.jobs.noise.GradientNoise;
import dev.downhill.jobs.oneweight.OneWeight;
import dev.downhill.jobs.pathologies.Pathologies;
import dev.downhill.jobs.recommender.Recommender;
import dev.downhill.jobs.spreadsheet.Spreadsheet;
import dev.downhill.jobs.tumour.Tumour;
import java.util.List;

/** The jobs of {@code downhill train}. */
final class Jobs {
  /** All; the first is the default. */
  static final List<Job> ALL =
      List.of(
          new HousePrices(),
          new OneWeight(),
          new Spreadsheet(),
          new Curve(),
          new Digits(),
          new Autoencoder(),
          new Language(),
          new Recommender(),
          new Tumour(),
          new Pathologies(),
          new GradientNoise());

  private Jobs() {}

  /**
   * The job of a name.
   *
   * @throws IllegalArgumentException if there is none, with the names there are
   */
  static Job named(String name) {
    return ALL.stream()
        .filter(j -> j.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "train: expected a job, one of %s, got '%s'"
                        .formatted(String.join(", ", ALL.stream().map(Job::name).toList()), name)));
  }
}

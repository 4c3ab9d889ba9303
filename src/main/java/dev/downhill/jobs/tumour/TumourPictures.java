package dev.downhill.jobs.tumour;

import dev.downhill.data.Scans;
import dev.downhill.explain.Gallery;
import dev.downhill.explain.Saliency;
import java.util.Locale;

/** Scans with a tumour, where the network looks, and how that meets the truth. */
final class TumourPictures {
  private static final int COLUMNS = 6;

  private final Gallery gallery =
      new Gallery(
          "Scan; where the network looks; truth (green), strongest pixels (red)", COLUMNS, 144);

  /** Adds three pictures of a scan. */
  void add(Scans.Scan scan, double logit, Saliency map) {
    float[] grey = scan.pixels();
    boolean[] truth = scan.tumour();
    float[] strength = map.strength();
    float most = Float.MIN_NORMAL;
    for (float s : strength) {
      most = Math.max(most, s);
    }
    boolean[] strongest = map.strongest(size(truth));
    float[] red = grey.clone();
    float[] green = grey.clone();
    float[] blue = grey.clone();
    for (int i = 0; i < grey.length; i++) {
      strength[i] /= most;
      if (isOutline(truth, i)) {
        red[i] = 0;
        green[i] = 0.9f;
        blue[i] = 0;
      } else if (strongest[i]) {
        red[i] = 1;
      }
    }
    double sure = 1 / (1 + StrictMath.exp(-logit));
    gallery
        .grey(String.format(Locale.ROOT, "tumour: %.1f %%", 100 * sure), grey, Scans.SIDE)
        .grey("gradient", strength, Scans.SIDE)
        .colour(
            String.format(Locale.ROOT, "overlap %.0f %%", 100 * map.overlap(truth)),
            red,
            green,
            blue,
            Scans.SIDE);
  }

  byte[] png() {
    return gallery.png();
  }

  /** The number of pixels of a region. */
  static int size(boolean[] region) {
    int size = 0;
    for (boolean inside : region) {
      size += inside ? 1 : 0;
    }
    return size;
  }

  /** Whether a pixel lies outside of a region, and beside it. */
  private static boolean isOutline(boolean[] region, int i) {
    int x = i % Scans.SIDE;
    int y = i / Scans.SIDE;
    return !region[i]
        && ((x > 0 && region[i - 1])
            || (x < Scans.SIDE - 1 && region[i + 1])
            || (y > 0 && region[i - Scans.SIDE])
            || (y < Scans.SIDE - 1 && region[i + Scans.SIDE]));
  }
}

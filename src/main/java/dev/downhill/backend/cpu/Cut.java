package dev.downhill.backend.cpu;

/**
 * How outputs of an operator on images are cut into parts, by shapes alone: into groups of whole
 * samples where these are small, else each sample into bands and blocks of about equal size.
 *
 * @param samples of all parts
 * @param rows of a sample
 * @param columns of a sample
 * @param group samples of a part; 1 unless a part has all rows and columns
 * @param height rows of a part
 * @param width columns of a part
 */
record Cut(int samples, int rows, int columns, int group, int height, int width) {
  /**
   * Cuts.
   *
   * @param least outputs, below which samples are joined
   * @param most outputs, above which a sample is divided
   */
  static Cut of(int samples, int rows, int columns, int least, int most) {
    long area = (long) rows * columns;
    if (area <= least) {
      int group = (int) Math.max(1, Math.min(samples, least / Math.max(1, area)));
      return new Cut(samples, rows, columns, group, rows, columns);
    }
    int width = part(columns, most);
    return new Cut(samples, rows, columns, 1, part(rows, Math.max(1, most / width)), width);
  }

  /** The size of about equal parts of at most {@code most}. */
  private static int part(int size, int most) {
    return Math.ceilDiv(size, Math.ceilDiv(size, most));
  }

  /** How many parts there are for each group of samples. */
  int perGroup() {
    return Math.ceilDiv(rows, height) * Math.ceilDiv(columns, width);
  }

  /** How many parts there are. */
  int count() {
    return Math.multiplyExact(Math.ceilDiv(samples, group), perGroup());
  }

  int sample(int part) {
    return part / perGroup() * group;
  }

  int row(int part) {
    return part % perGroup() / Math.ceilDiv(columns, width) * height;
  }

  int column(int part) {
    return part % Math.ceilDiv(columns, width) * width;
  }

  int samplesOf(int part) {
    return Math.min(group, samples - sample(part));
  }

  int heightOf(int part) {
    return Math.min(height, rows - row(part));
  }

  int widthOf(int part) {
    return Math.min(width, columns - column(part));
  }
}

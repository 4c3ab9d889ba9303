package dev.downhill.jobs.digits;

/**
 * Guesses a class by the company a point keeps: the most frequent class among its nearest points
 * whose classes are known.
 */
final class NearestNeighbours {
  /** How many neighbours are asked. */
  static final int ASKED = 15;

  private final float[] points;
  private final byte[] classes;
  private final int of;

  /**
   * Neighbours to ask.
   *
   * @param points (x, y) after (x, y)
   * @param classes the class of each
   * @param of how many classes there are
   */
  NearestNeighbours(float[] points, byte[] classes, int of) {
    this.points = points;
    this.classes = classes;
    this.of = of;
  }

  /** The guess for a point; of classes that are equally frequent, the lowest. */
  int guess(float x, float y) {
    float[] distance = new float[ASKED];
    int[] nearest = new int[ASKED];
    int found = 0;
    for (int i = 0; i < classes.length; i++) {
      float dx = points[2 * i] - x;
      float dy = points[2 * i + 1] - y;
      float d = dx * dx + dy * dy;
      if (found == ASKED && d >= distance[ASKED - 1]) {
        continue;
      }
      // Into its place among the nearest so far, which are in order.
      int at = found < ASKED ? found++ : ASKED - 1;
      for (; at > 0 && distance[at - 1] > d; at--) {
        distance[at] = distance[at - 1];
        nearest[at] = nearest[at - 1];
      }
      distance[at] = d;
      nearest[at] = i;
    }
    int[] votes = new int[of];
    int best = 0;
    for (int i = 0; i < found; i++) {
      votes[classes[nearest[i]]]++;
    }
    for (int c = 1; c < of; c++) {
      best = votes[c] > votes[best] ? c : best;
    }
    return best;
  }

  /** The share of points that are guessed right. */
  double accuracy(float[] others, byte[] truths) {
    int right = 0;
    for (int i = 0; i < truths.length; i++) {
      right += guess(others[2 * i], others[2 * i + 1]) == truths[i] ? 1 : 0;
    }
    return (double) right / truths.length;
  }
}

package dev.downhill.train;

import dev.downhill.tensor.Tensor;

/** The share of right answers, from 0 to 1: a metric for {@link Trainer}. */
public final class Accuracy {
  private Accuracy() {}

  /**
   * Of answers among several classes.
   *
   * @param scores the class of the highest is the answer: (..., classes)
   * @param classes the right ones, int64: (...)
   * @return one element, of the dtype of the scores
   */
  public static Tensor ofClasses(Tensor scores, Tensor classes) {
    return scores.argmax(-1, false).eq(classes).to(scores.dtype()).mean();
  }

  /**
   * Of answers yes or no.
   *
   * @param logits above 0 for yes
   * @param truth 1 for yes, 0 for no, in the same shape and dtype
   * @return one element, of that dtype
   */
  public static Tensor ofLogits(Tensor logits, Tensor truth) {
    return logits.gt(0).to(truth.dtype()).eq(truth).to(logits.dtype()).mean();
  }
}

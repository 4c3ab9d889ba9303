package dev.downhill.jobs.digits;

import dev.downhill.data.Batch;
import dev.downhill.data.Dataset;
import dev.downhill.data.DigitImages;
import dev.downhill.explain.ConfusionMatrix;
import dev.downhill.explain.Gallery;
import dev.downhill.nn.Layer;
import dev.downhill.nn.Module;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Ranked;
import dev.downhill.tensor.Scope;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** What a trained network says about every picture of a set. */
final class Answers {
  private static final int BATCH = 512;
  private static final int SHOWN = 20;

  private final DigitImages images;
  private final int[] classes;
  private final float[] confidence;

  /**
   * Answers of a network.
   *
   * @param images the pictures
   * @param classes the most probable class of each
   * @param confidence its probability
   */
  Answers(DigitImages images, int[] classes, float[] confidence) {
    this.images = images;
    this.classes = classes;
    this.confidence = confidence;
  }

  static Answers of(Layer model, DigitImages images, Dataset data) {
    Answers all = new Answers(images, new int[images.size()], new float[images.size()]);
    int at = 0;
    try (Module.Mode _ = model.evaluating();
        Autograd.Mode _ = Autograd.noGrad()) {
      for (Batch b : data.inOrder(BATCH)) {
        try (Scope _ = Scope.open()) {
          Ranked best = model.forward(b.x()).softmax(1).max(1, false);
          long[] chosen = best.indices().toLongs();
          float[] probability = best.values().toFloats();
          for (int i = 0; i < chosen.length; i++) {
            all.classes[at] = (int) chosen[i];
            all.confidence[at++] = probability[i];
          }
        }
      }
    }
    return all;
  }

  /** How many there are. */
  int size() {
    return classes.length;
  }

  /** How often each digit was taken for each other. */
  ConfusionMatrix confusion() {
    ConfusionMatrix matrix = new ConfusionMatrix(DigitImages.CLASSES);
    for (int i = 0; i < classes.length; i++) {
      matrix.add(images.label(i), classes[i]);
    }
    return matrix;
  }

  /** A wrong answer in words, such as: a 7 taken for a 3 with 80 % confidence. */
  String text(int index) {
    return String.format(
        Locale.ROOT,
        "a %d taken for a %d with %.0f %% confidence",
        images.label(index),
        classes[index],
        100 * confidence[index]);
  }

  /** The examples it got wrong, counted from 0, the most confident first. */
  List<Integer> mistakes() {
    return IntStream.range(0, classes.length)
        .filter(i -> classes[i] != images.label(i))
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -confidence[i]))
        .toList();
  }

  /** The worst mistakes, numbered as {@code --walk} numbers them. */
  byte[] gallery() {
    List<Integer> mistakes = mistakes();
    Gallery gallery =
        new Gallery("The worst of %s mistakes".formatted(mistakes.size()), SHOWN / 4, 120);
    for (int i : mistakes.subList(0, Math.min(SHOWN, mistakes.size()))) {
      gallery.grey(
          String.format(
              Locale.ROOT,
              "%d: %d as %d, %.0f %%",
              i + 1,
              images.label(i),
              classes[i],
              100 * confidence[i]),
          images.image(i),
          DigitImages.SIDE);
    }
    return gallery.png();
  }
}

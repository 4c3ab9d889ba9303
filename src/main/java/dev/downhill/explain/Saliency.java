package dev.downhill.explain;

import dev.downhill.nn.Layer;
import dev.downhill.nn.Module;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Pooling;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Where in an image a network looks: |d answer / d pixel| of every pixel, smoothed (Simonyan et al.
 * 2014). A pixel is strong here if changing it a little changes the answer a lot.
 */
public final class Saliency {
  private final float[] strength;

  private Saliency(float[] strength) {
    this.strength = strength;
  }

  /**
   * The maps of some images, with the model in evaluation mode.
   *
   * @param model gives one number for each image
   * @param x images of one channel, (N, 1, H, W)
   */
  public static List<Saliency> of(Layer model, Tensor x) {
    if (x.dim() != 4 || x.size(1) != 1) {
      throw new IllegalArgumentException(
          "saliency: expected images (N, 1, H, W), got shape " + x.shape());
    }
    Pooling.Average around = Pooling.Average.of(3).withStride(1).withPadding(1);
    float[] all;
    try (Module.Mode _ = model.evaluating();
        Scope _ = Scope.open()) {
      Tensor pixels = x.detach().requireGrad();
      // One image does not change another's answer: the sum gives each its own gradient.
      Tensor answers = model.forward(pixels).sum();
      Tensor gradient =
          Autograd.grad(answers, List.of(pixels), Autograd.Backward.DEFAULT).getFirst();
      if (gradient == null) {
        throw new IllegalArgumentException("saliency: the answer does not depend on the image");
      }
      Tensor once = Pooling.avgPool2d(gradient.abs(), around);
      all = Pooling.avgPool2d(once, around).toFloats();
    }
    Shape image = x.shape().slice(2, 4);
    int area = Math.toIntExact(image.numel());
    List<Saliency> maps = new ArrayList<>();
    for (int i = 0; i < x.size(0); i++) {
      maps.add(new Saliency(Arrays.copyOfRange(all, i * area, (i + 1) * area)));
    }
    return maps;
  }

  /** The strengths row by row, 0 or more. */
  public float[] strength() {
    return strength.clone();
  }

  /** Whether the strongest pixel lies in the region. */
  public boolean pointsInto(boolean[] region) {
    return region[strongestFirst()[0]];
  }

  /**
   * How well the strongest pixels cover a region: of the k strongest pixels, where k is the number
   * of pixels of the region, the share that lies in it; NaN for an empty region. Pixels drawn by
   * lot would reach the region's share of the image.
   */
  public double overlap(boolean[] region) {
    int k = (int) IntStream.range(0, region.length).filter(i -> region[i]).count();
    int[] order = strongestFirst();
    return IntStream.range(0, k).filter(i -> region[order[i]]).count() / (double) k;
  }

  /** Which pixels are the k strongest. */
  public boolean[] strongest(int k) {
    boolean[] chosen = new boolean[strength.length];
    int[] order = strongestFirst();
    for (int i = 0; i < k; i++) {
      chosen[order[i]] = true;
    }
    return chosen;
  }

  private int[] strongestFirst() {
    Comparator<Integer> weakest = Comparator.comparingDouble(i -> strength[i]);
    return IntStream.range(0, strength.length)
        .boxed()
        .sorted(weakest.reversed().thenComparing(Comparator.naturalOrder()))
        .mapToInt(i -> i)
        .toArray();
  }
}

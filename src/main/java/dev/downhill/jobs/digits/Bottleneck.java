package dev.downhill.jobs.digits;

import dev.downhill.backend.Device;
import dev.downhill.data.Batch;
import dev.downhill.data.Dataset;
import dev.downhill.data.DigitImages;
import dev.downhill.explain.Gallery;
import dev.downhill.explain.Plot;
import dev.downhill.nn.Layer;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Module;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A network that must pass a picture of 784 pixels through 2 numbers: what comes out at the other
 * end can only be right if the 2 numbers say what matters. Its pictures show the plane of them.
 */
final class Bottleneck implements AutoCloseable {
  private static final int SIDE = DigitImages.SIDE;
  private static final int PIXELS = SIDE * SIDE;
  private static final int BATCH = 512;
  private static final int TILES = 14;
  private static final int SHOWN = 2_000;

  private final Device device;
  private final Sequential encoder;
  private final Sequential decoder;
  private final Sequential both;

  Bottleneck(Device device, long seed) {
    this.device = device;
    encoder =
        new Sequential(
            new Linear(PIXELS, 256),
            new Relu(),
            new Linear(256, 64),
            new Relu(),
            new Linear(64, 2));
    decoder =
        new Sequential(
            new Linear(2, 64),
            new Relu(),
            new Linear(64, 256),
            new Relu(),
            new Linear(256, PIXELS),
            Layer.of("Sigmoid()", Tensor::sigmoid));
    both = new Sequential(encoder, decoder).on(device, seed);
  }

  /** From pictures (batch, 784) to what comes out, of the same shape. */
  Sequential model() {
    return both;
  }

  /** The 2 numbers of each picture. */
  float[] codes(Dataset data) {
    float[] codes = new float[2 * Math.toIntExact(data.size())];
    int at = 0;
    for (Batch b : data.inOrder(BATCH)) {
      float[] some = through(encoder, b.x());
      System.arraycopy(some, 0, codes, at, some.length);
      at += some.length;
    }
    return codes;
  }

  private static float[] through(Layer layers, Tensor x) {
    try (Module.Mode _ = layers.evaluating();
        Autograd.Mode _ = Autograd.noGrad();
        Scope _ = Scope.open()) {
      return layers.forward(x).toFloats();
    }
  }

  /** Where pictures lie in the plane, a colour for each class, which the network never saw. */
  static Plot plane(float[] codes, DigitImages images) {
    Plot plot = new Plot("Digits in the plane of 2 numbers", "first number", "second number");
    int n = Math.min(SHOWN, images.size());
    for (int c = 0; c < DigitImages.CLASSES; c++) {
      int label = c;
      int[] of = IntStream.range(0, n).filter(i -> images.label(i) == label).toArray();
      plot.points(
          Integer.toString(c),
          Arrays.stream(of).mapToDouble(i -> codes[2 * i]).toArray(),
          Arrays.stream(of).mapToDouble(i -> codes[2 * i + 1]).toArray());
    }
    return plot;
  }

  /** What the decoder makes of points of the plane, evenly spread over where most codes lie. */
  byte[] map(float[] codes) {
    float[] points = new float[2 * TILES * TILES];
    for (int tile = 0; tile < TILES * TILES; tile++) {
      points[2 * tile] = between(codes, 0, tile % TILES);
      // As in the plot, the second number grows upwards.
      points[2 * tile + 1] = between(codes, 1, TILES - 1 - tile / TILES);
    }
    float[] tiles;
    try (Tensor x = Tensor.of(device, points, TILES * TILES, 2)) {
      tiles = through(decoder, x);
    }
    float[] mosaic = new float[tiles.length];
    for (int i = 0; i < tiles.length; i++) {
      int tile = i / PIXELS;
      int row = tile / TILES * SIDE + i % PIXELS / SIDE;
      int column = tile % TILES * SIDE + i % SIDE;
      mosaic[row * TILES * SIDE + column] = tiles[i];
    }
    return new Gallery("What the decoder draws at points of the plane", 1, TILES * SIDE)
        .grey("", mosaic, TILES * SIDE)
        .png();
  }

  /** Of the range that holds nine tenths of the codes. */
  private static float between(float[] codes, int axis, int tile) {
    float[] sorted = new float[codes.length / 2];
    for (int i = 0; i < sorted.length; i++) {
      sorted[i] = codes[2 * i + axis];
    }
    Arrays.sort(sorted);
    float low = sorted[sorted.length / 20];
    float high = sorted[sorted.length - 1 - sorted.length / 20];
    return low + (high - low) * tile / (TILES - 1);
  }

  /** The first picture of each class, and below it what is left of it after the bottleneck. */
  byte[] pairs(DigitImages images) {
    int[] first =
        IntStream.range(0, DigitImages.CLASSES)
            .map(c -> index(images, c))
            .filter(i -> i >= 0)
            .toArray();
    Gallery gallery = new Gallery("Before and after the bottleneck", first.length, 80);
    for (int i : first) {
      gallery.grey("", images.image(i), SIDE);
    }
    for (int i : first) {
      try (Tensor x = Tensor.of(device, images.image(i), 1, PIXELS)) {
        gallery.grey("", through(both, x), SIDE);
      }
    }
    return gallery.png();
  }

  private static int index(DigitImages images, int label) {
    int i = 0;
    while (i < images.size() && images.label(i) != label) {
      i++;
    }
    return i < images.size() ? i : -1;
  }

  @Override
  public void close() {
    both.close();
  }
}

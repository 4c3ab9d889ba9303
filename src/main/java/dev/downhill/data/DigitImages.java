package dev.downhill.data;

import dev.downhill.backend.Device;
import dev.downhill.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Grey pictures of 28 by 28 pixels in ten classes: drawn or handwritten digits, or anything else in
 * the files of MNIST.
 */
public final class DigitImages {
  /** The number of rows, and of columns. */
  public static final int SIDE = 28;

  /** The number of classes. */
  public static final int CLASSES = 10;

  private static final int PIXELS = SIDE * SIDE;

  private final byte[] pixels;
  private final byte[] labels;

  DigitImages(byte[] pixels, byte[] labels) {
    this.pixels = pixels;
    this.labels = labels;
  }

  /**
   * Reads {@code PART-images-idx3-ubyte} and {@code PART-labels-idx1-ubyte}, each with or without
   * {@code .gz}.
   *
   * @param part {@code train} or {@code t10k}
   * @throws DataException if one is missing or bad, or they do not belong together
   */
  public static DigitImages read(Path folder, String part) {
    Idx images = Idx.read(file(folder, part + "-images-idx3-ubyte"));
    Idx labels = Idx.read(file(folder, part + "-labels-idx1-ubyte"));
    images.expect("images", SIDE, SIDE);
    labels.expect("labels");
    int n = images.sizes()[0];
    if (n != labels.sizes()[0]) {
      throw new DataException(
          "%s: expected as many images as there are labels in %s, %s, got %s"
              .formatted(images.file(), labels.file(), labels.sizes()[0], n));
    }
    if (n == 0) {
      throw new DataException(images.file() + ": expected images, got none");
    }
    for (int i = 0; i < n; i++) {
      int label = Byte.toUnsignedInt(labels.values()[i]);
      if (label >= CLASSES) {
        throw new DataException(
            "%s: byte %s: expected a class of 0 to %s, got %s"
                .formatted(labels.file(), 8 + i, CLASSES - 1, label));
      }
    }
    return new DigitImages(images.values(), labels.values());
  }

  private static Path file(Path folder, String name) {
    Path zipped = folder.resolve(name + ".gz");
    Path plain = folder.resolve(name);
    if (!Files.exists(zipped) && !Files.exists(plain)) {
      throw new DataException(
          "%s: expected a folder with %s, or the same with .gz, got none there"
              .formatted(folder, name));
    }
    return Files.exists(plain) ? plain : zipped;
  }

  /** The number of pictures. */
  public int size() {
    return labels.length;
  }

  /** All pixels, picture after picture, row by row, 0 (background) to 255; not a copy. */
  public byte[] pixels() {
    return pixels;
  }

  /** The class of each picture, 0 to 9; not a copy. */
  public byte[] labels() {
    return labels;
  }

  /** The class of a picture. */
  public int label(int index) {
    return labels[index];
  }

  /** A picture, row by row, from 0 (background) to 1. */
  public float[] image(int index) {
    return floats(index * (long) PIXELS, PIXELS);
  }

  private float[] floats(long from, int length) {
    float[] grey = new float[length];
    for (int i = 0; i < length; i++) {
      grey[i] = Byte.toUnsignedInt(pixels[Math.toIntExact(from + i)]) / 255f;
    }
    return grey;
  }

  /** Pictures (n, 1, 28, 28) with values 0 to 1, and classes (n) as int64. */
  public Dataset classes(Device device) {
    long[] y = new long[size()];
    for (int i = 0; i < y.length; i++) {
      y[i] = labels[i];
    }
    return new Dataset(x(device), Tensor.of(device, y, y.length));
  }

  /** Pictures (n, 784) with values 0 to 1, as examples and as their own targets. */
  public Dataset mirrored(Device device) {
    try (Tensor x = x(device)) {
      return new Dataset(x.flatten(1, -1), x.flatten(1, -1));
    }
  }

  private Tensor x(Device device) {
    return Tensor.of(device, floats(0, pixels.length), size(), 1, SIDE, SIDE);
  }
}

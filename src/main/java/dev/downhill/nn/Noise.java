package dev.downhill.nn;

import dev.downhill.tensor.Generator;
import org.jspecify.annotations.Nullable;

/**
 * A layer's stream of random numbers, which exists once the model is placed; a function of the seed
 * and the layer's path.
 */
public final class Noise {
  private final Module module;
  private final String name;
  private @Nullable Generator generator;

  Noise(Module module, String name) {
    this.module = module;
    this.name = name;
  }

  /**
   * The generator.
   *
   * @throws IllegalStateException before {@link Module#on}
   */
  public Generator generator() {
    Generator g = generator;
    if (g == null) {
      throw module.unplaced(name);
    }
    return g;
  }

  void place(Generator made) {
    generator = made;
  }

  void close() {
    if (generator != null) {
      generator.close();
    }
  }
}

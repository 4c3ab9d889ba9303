package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Generator;
import dev.downhill.tensor.HostRandom;
import dev.downhill.tensor.Tensor;
import java.util.List;

/**
 * Batches drawn at random, with something in them to learn. The batch of a number is always the
 * same.
 */
final class Examples {
  private static final long SEED = 2;

  /** How often text goes on by its rule. */
  private static final double REGULAR = 0.8;

  private Examples() {}

  /** Numbers x (rows, columns) from N(0, 1), and y (rows, results) = tanh of a linear map of x. */
  static List<Tensor> numbers(Device device, int batch, long rows, long columns, long results) {
    Tensor x = draw(device, batch, rows, columns);
    return List.of(x, x.matmul(draw(device, -1, columns, results)).tanh());
  }

  /**
   * Numbers from N(0, 1) in these sizes, and as classes which of so many linear maps is largest.
   */
  static List<Tensor> images(Device device, int batch, long classes, long... sizes) {
    Tensor x = draw(device, batch, sizes);
    Tensor flat = x.reshape(sizes[0], -1);
    return List.of(x, flat.matmul(draw(device, -1, flat.size(1), classes)).argmax(1, false));
  }

  /** Tokens (sequences, length) and what follows each: mostly a fixed function of it. */
  static List<Tensor> text(Device device, int batch, long sequences, long length, long vocabulary) {
    HostRandom random = new HostRandom(SEED, "text " + batch);
    long[] tokens = new long[(int) (sequences * length)];
    long[] next = new long[tokens.length];
    long token = random.below((int) vocabulary);
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = token;
      boolean regular = random.uniform() < REGULAR;
      token = regular ? (5 * token + 3) % vocabulary : random.below((int) vocabulary);
      next[i] = token;
    }
    return List.of(
        Tensor.of(device, tokens, sequences, length), Tensor.of(device, next, sequences, length));
  }

  /** Users, items and their ratings: 3 and what is the user's and the item's own. */
  static List<Tensor> ratings(Device device, int batch, int rows, int count) {
    HostRandom random = new HostRandom(SEED, "ratings " + batch);
    long[] users = new long[rows];
    long[] items = new long[rows];
    for (int i = 0; i < rows; i++) {
      users[i] = random.below(count);
      items[i] = random.below(count);
    }
    Tensor user = Tensor.of(device, users, rows);
    Tensor item = Tensor.of(device, items, rows);
    Tensor own = draw(device, -1, 2, count);
    Tensor rating =
        own.select(0, 0).indexSelect(0, user).add(own.select(0, 1).indexSelect(0, item)).add(3);
    return List.of(user, item, rating);
  }

  private static Tensor draw(Device device, int stream, long... sizes) {
    try (Generator random = new Generator(device, SEED, stream)) {
      return random.normal(DType.F32, sizes);
    }
  }
}

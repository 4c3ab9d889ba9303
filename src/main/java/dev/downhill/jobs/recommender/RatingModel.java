package dev.downhill.jobs.recommender;

import dev.downhill.data.Scale;
import dev.downhill.nn.Embedding;
import dev.downhill.nn.Init;
import dev.downhill.nn.Layer;
import dev.downhill.tensor.Tensor;

/**
 * rating(u, i) = bias(u) + bias(i) + vector(u) . vector(i), of ratings with mean 0.
 *
 * <p>Input int64 (n, 2), the numbers of users and items; output (n). How good an item is for
 * everybody is left to its bias; the vectors are for the tastes in which users differ.
 */
final class RatingModel extends Layer {
  private static final Embedding.Options SMALL =
      Embedding.Options.DEFAULT.withWeightInit(Init.normal(0, 0.1));
  private static final Embedding.Options ZERO =
      Embedding.Options.DEFAULT.withWeightInit(Init.zeros());

  private final Embedding user;
  private final Embedding item;
  private final Embedding userBias;
  private final Embedding itemBias;

  /** Vectors of {@code dim} numbers. */
  RatingModel(int users, int items, int dim) {
    user = part("user", new Embedding(users, dim, SMALL));
    item = part("item", new Embedding(items, dim, SMALL));
    userBias = part("user_bias", new Embedding(users, 1, ZERO));
    itemBias = part("item_bias", new Embedding(items, 1, ZERO));
  }

  @Override
  public Tensor forward(Tensor pairs) {
    Tensor u = pairs.select(1, 0);
    Tensor i = pairs.select(1, 1);
    Tensor biases = userBias.forward(u).add(itemBias.forward(i)).squeeze(1);
    return user.forward(u).mul(item.forward(i)).sum(1).add(biases);
  }

  /**
   * The values on the host.
   *
   * @param scale from ratings to those that it was trained on
   */
  Tastes tastes(Scale scale) {
    return new Tastes(
        Tastes.rows(user.weight().tensor()),
        Tastes.rows(item.weight().tensor()),
        userBias.weight().tensor().toDoubles(),
        itemBias.weight().tensor().toDoubles(),
        scale);
  }
}

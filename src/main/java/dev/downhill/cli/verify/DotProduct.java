package dev.downhill.cli.verify;

import dev.downhill.nn.Embedding;
import dev.downhill.nn.Layer;
import dev.downhill.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * How a user rates an item: the dot product of their rows, plus a number for each if there are
 * biases. x int64 (N, 2), each row a user and an item; y (N).
 */
final class DotProduct extends Layer {
  private final Embedding user;
  private final Embedding item;
  private final @Nullable Embedding userBias;
  private final @Nullable Embedding itemBias;

  DotProduct(Attributes a) {
    long users = a.integer("num_users");
    long items = a.integer("num_items");
    long dim = a.integer("embedding_dim");
    boolean bias = a.flag("bias");
    user = part("user", new Embedding(users, dim));
    item = part("item", new Embedding(items, dim));
    userBias = bias ? part("user_bias", new Embedding(users, 1)) : null;
    itemBias = bias ? part("item_bias", new Embedding(items, 1)) : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor users = x.select(1, 0);
    Tensor items = x.select(1, 1);
    Tensor y = user.forward(users).mul(item.forward(items)).sum(1);
    if (userBias == null || itemBias == null) {
      return y;
    }
    return y.add(userBias.forward(users).squeeze(1)).add(itemBias.forward(items).squeeze(1));
  }
}

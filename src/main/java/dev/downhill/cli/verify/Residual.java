package dev.downhill.cli.verify;

import dev.downhill.nn.Layer;
import dev.downhill.tensor.Tensor;
import java.util.List;

/** body(x) + shortcut(x); an empty shortcut is the identity. */
final class Residual extends Layer {
  private final Chain body;
  private final Chain shortcut;

  Residual(List<Attributes> body, List<Attributes> shortcut) {
    this.body = part("body", new Chain(body));
    this.shortcut = part("shortcut", new Chain(shortcut));
  }

  @Override
  public Tensor forward(Tensor x) {
    return body.forward(x).add(shortcut.forward(x));
  }
}

package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Tensor;

/** y = body(x) + shortcut(x), with the parts {@code body} and {@code shortcut} (He et al. 2016). */
public final class Residual extends Layer {
  private final Layer body;
  private final Layer shortcut;

  /** Around the body the input passes as it is. */
  public Residual(Layer body) {
    this(body, new Sequential());
  }

  /** Around the body the input passes through a layer that gives it the body's shape. */
  public Residual(Layer body, Layer shortcut) {
    this.body = part("body", body);
    this.shortcut = part("shortcut", shortcut);
  }

  @Override
  public Tensor forward(Tensor x) {
    return body.forward(x).add(shortcut.forward(x));
  }

  @Override
  public Residual on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public Residual on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }
}

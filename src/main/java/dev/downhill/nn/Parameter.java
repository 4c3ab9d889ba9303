package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.HostRandom;
import dev.downhill.tensor.Owner;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A named tensor of a {@link Module}, which exists once the model is placed: a parameter, which is
 * trained, or a buffer such as a running mean, which is only kept.
 */
public final class Parameter {
  private final Module module;
  private final String name;
  private final boolean trained;
  private final @Nullable DType fixedType;
  private final Shape shape;
  private final Init init;
  private @Nullable Tensor tensor;
  // The same values without a graph: what layers compute with while it is frozen.
  private @Nullable Tensor constant;
  private boolean frozen;

  /**
   * Declares a tensor.
   *
   * @param fixedType the dtype; null for the model's
   */
  Parameter(
      Module module,
      String name,
      boolean trained,
      @Nullable DType fixedType,
      Shape shape,
      Init init) {
    this.module = module;
    this.name = name;
    this.trained = trained;
    this.fixedType = fixedType;
    this.shape = shape;
    this.init = init;
  }

  /** Whether it is trained; if not, it is a buffer. */
  public boolean isTrained() {
    return trained;
  }

  /** Its shape. */
  public Shape shape() {
    return shape;
  }

  /** Whether it is a parameter that is not trained at present; see {@link Module#freeze}. */
  public boolean isFrozen() {
    return frozen;
  }

  /**
   * The values; a leaf that requires a gradient if this is trained and not frozen.
   *
   * @throws IllegalStateException before {@link Module#on}
   */
  public Tensor tensor() {
    Step.depends(() -> frozen);
    Tensor t = frozen ? constant : tensor;
    if (t == null) {
      throw module.unplaced(name);
    }
    return t;
  }

  /** Stops training, or goes on with it; of an optimiser, the leaf stays the same. */
  void freeze(boolean now) {
    frozen = now;
    if (tensor != null) {
      tensor.zeroGrad();
    }
  }

  void place(Owner owner, Device device, long seed, String path, DType modelType) {
    if (shape.numel() > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "on: %s has too many elements to be drawn at once, expected below 2^31, got shape %s"
              .formatted(path, shape));
    }
    DType dtype = fixedType == null ? modelType : fixedType;
    DoubleSupplier values = init.values(shape, new HostRandom(seed, path));
    try (Scope _ = Scope.open()) {
      Tensor t = owner.own(upload(device, dtype, values));
      constant = trained ? owner.own(t.detach()) : null;
      tensor = trained ? t.requireGrad() : t;
    }
  }

  private Tensor upload(Device device, DType dtype, DoubleSupplier values) {
    int n = (int) shape.numel();
    if (dtype == DType.F64) {
      double[] all = new double[n];
      for (int i = 0; i < n; i++) {
        all[i] = values.getAsDouble();
      }
      return Tensor.of(device, all, shape.toArray());
    }
    float[] all = new float[n];
    for (int i = 0; i < n; i++) {
      all[i] = (float) values.getAsDouble();
    }
    return Tensor.of(device, all, shape.toArray()).to(dtype);
  }
}

package dev.downhill.optim;

import dev.downhill.tensor.FusedUpdate;
import dev.downhill.tensor.Tensor;
import java.util.List;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019), as {@code torch.optim.AdamW}:
 * first p = p - lr weightDecay p, then {@link Adam} without decay.
 */
public final class AdamW extends Optimizer {
  /** Adam's defaults with a weight decay of 0.01. */
  public static final Adam.Options DEFAULT = Adam.Options.DEFAULT.withWeightDecay(0.01);

  /** With this learning rate and else the defaults. */
  public AdamW(List<Tensor> parameters, double lr) {
    this(parameters, DEFAULT.withLr(lr));
  }

  /**
   * All parameters in one group.
   *
   * @param options start from {@link #DEFAULT}; Adam's own default has no decay
   */
  public AdamW(List<Tensor> parameters, Adam.Options options) {
    this(List.of(new Group<>(parameters, options)));
  }

  /**
   * Groups of parameters.
   *
   * @throws IllegalArgumentException listing every number that is out of range
   */
  public AdamW(List<Group<Adam.Options>> groups) {
    super("AdamW", groups, Adam::check, o -> o.scalars(true), FusedUpdate::adam);
  }
}

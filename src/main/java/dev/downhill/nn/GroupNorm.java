package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Normalization;
import dev.downhill.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Normalises each sample over groups of channels: x (N, C) or (N, C, ...). The parameters {@code
 * weight} and {@code bias} (C) start as 1 and 0. See {@link Normalization#groupNorm}.
 */
public final class GroupNorm extends Layer {
  private final long groups;
  private final long channels;
  private final Options options;
  private final @Nullable Parameter weight;
  private final @Nullable Parameter bias;

  /**
   * What a group normalisation has.
   *
   * @param eps added to the variance
   * @param affine whether there are a weight and a bias
   */
  public record Options(double eps, boolean affine) {
    /** As in PyTorch: eps 1e-5, a weight and a bias. */
    public static final Options DEFAULT = new Options(1e-5, true);

    /** With another eps. */
    public Options withEps(double added) {
      return new Options(added, affine);
    }

    /** Without weight and bias. */
    public Options withoutAffine() {
      return new Options(eps, false);
    }
  }

  /** Of {@code channels} channels in {@code groups} groups, as in PyTorch. */
  public GroupNorm(long groups, long channels) {
    this(groups, channels, Options.DEFAULT);
  }

  /** Of {@code channels} channels in {@code groups} groups. */
  public GroupNorm(long groups, long channels, Options options) {
    if (groups < 1 || channels < 1 || channels % groups != 0) {
      throw new IllegalArgumentException(
          "GroupNorm: expected groups that divide the channels, got %s groups of %s channels"
              .formatted(groups, channels));
    }
    this.groups = groups;
    this.channels = channels;
    this.options = options;
    Shape each = Shape.of(channels);
    weight = options.affine() ? parameter("weight", each, Init.constant(1)) : null;
    bias = options.affine() ? parameter("bias", each, Init.zeros()) : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Normalization.groupNorm(
        x,
        groups,
        weight == null ? null : weight.tensor(),
        bias == null ? null : bias.tensor(),
        options.eps());
  }

  @Override
  public GroupNorm on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public GroupNorm on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }

  @Override
  public String toString() {
    return "GroupNorm(%s, %s, eps=%s, affine=%b)"
        .formatted(groups, channels, options.eps(), options.affine());
  }
}

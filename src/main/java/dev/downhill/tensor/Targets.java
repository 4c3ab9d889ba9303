package dev.downhill.tensor;

import dev.downhill.shape.DType;
import org.jspecify.annotations.Nullable;

/**
 * Class indices of samples, and the losses that pick by them.
 *
 * @param classDim the dimension of the classes in the input
 * @param ignoreIndex the index of samples that count for nothing
 * @param indices the indices as given
 * @param counts whether a sample is not ignored
 * @param weights w_y, 0 where it is ignored; null if there are no class weights
 */
record Targets(
    int classDim, long ignoreIndex, Tensor indices, Tensor counts, @Nullable Tensor weights) {
  static Targets of(
      Op op, Tensor x, Tensor target, int classDim, @Nullable Tensor weight, long ignoreIndex) {
    op.type(1, DType.I64);
    if (!target.shape().equals(x.shape().remove(classDim))) {
      throw op.refuse("expected class indices of the input's shape without dimension " + classDim);
    }
    Tensor counts = target.ne((double) ignoreIndex);
    Tensor weights =
        weight == null
            ? null
            : weight
                .indexSelect(0, target.where(counts, 0).reshape(target.numel()))
                .reshape(target.shape().toArray())
                .where(counts, 0);
    return new Targets(classDim, ignoreIndex, target, counts, weights);
  }

  /** -w_y log softmax(x)_y. */
  Tensor crossEntropy(Tensor x) {
    return weigh(FusedCrossEntropy.of(x, indices, classDim, ignoreIndex));
  }

  /** -w_y ℓ_y. */
  Tensor losses(Tensor logs) {
    Tensor at = indices.where(counts, 0).unsqueeze(classDim);
    return weigh(ignored(logs.gather(classDim, at).squeeze(classDim).neg()));
  }

  private Tensor weigh(Tensor losses) {
    return weights == null ? losses : losses.mul(weights);
  }

  /** 0 where a sample is ignored, even if the value is infinite. */
  Tensor ignored(Tensor values) {
    return values.where(counts, 0);
  }

  Tensor over(Loss.Over over, Tensor losses) {
    if (over != Loss.Over.MEAN) {
      return over.of(losses);
    }
    Tensor each = weights == null ? counts.to(losses.dtype()) : weights;
    return losses.sum().div(each.sum());
  }
}

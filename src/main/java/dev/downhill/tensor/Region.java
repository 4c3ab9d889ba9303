package dev.downhill.tensor;

import dev.downhill.autograd.Contribution;

/** A part of a tensor that a gradient can be placed into: a cut, or what an index names. */
interface Region extends Contribution.Place<Tensor> {
  /** The tensors that say where the part is. */
  default Tensor[] reads() {
    return new Tensor[0];
  }

  /** The same region, told by what a later rule has saved of {@link #reads}. */
  default Region reading(Rule.Pull pull) {
    return this;
  }
}

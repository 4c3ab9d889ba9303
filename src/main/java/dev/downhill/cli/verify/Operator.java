package dev.downhill.cli.verify;

import dev.downhill.tensor.Tensor;
import java.util.Map;

/** An operator of the cases as calls of the tensor API. */
@FunctionalInterface
interface Operator {
  /**
   * Runs it.
   *
   * @param call its inputs
   * @param a its attributes
   * @return the results by the names of the outputs
   * @throws Unsupported if the runtime lacks what the call asks for
   */
  Map<String, Tensor> on(Call call, Attributes a);
}

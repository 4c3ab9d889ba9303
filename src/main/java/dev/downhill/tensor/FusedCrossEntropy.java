package dev.downhill.tensor;

import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import java.util.Arrays;

/**
 * The cross-entropy of class indices in one kernel, which keeps one number for each sample in place
 * of the probabilities.
 */
final class FusedCrossEntropy {
  private FusedCrossEntropy() {}

  /**
   * y = log Σ e^x - x[target] over the classes, 0 where the target is ignored. Saves x, the target
   * and log Σ e^x.
   *
   * <p>dx = dy (softmax(x) - oneHot(target)), 0 where the target is ignored.
   *
   * @param target of x's shape without the dimension of the classes
   */
  static Tensor of(Tensor x, Tensor target, int classDim, long ignore) {
    Op op = Op.of("crossEntropy", x, target);
    Tensor y = op.output(target.shape());
    Tensor z = op.output(x.dtype() == DType.BF16 ? DType.F32 : x.dtype(), target.shape());
    op.device()
        .run(
            b ->
                b.crossEntropy(
                    x.view().with(classesLast(x, classDim)),
                    target.view(),
                    ignore,
                    y.view(),
                    z.view()));
    return op.saving(x, target, z).record(y, p -> derivative(p, classDim, ignore), p -> null);
  }

  /** x's layout with dimension {@code dim} moved behind the others, which keep their order. */
  private static Layout classesLast(Tensor x, int dim) {
    int[] dims = new int[x.dim()];
    for (int d = 0; d < dims.length - 1; d++) {
      dims[d] = d < dim ? d : d + 1;
    }
    dims[dims.length - 1] = dim;
    return x.layout().permute(dims);
  }

  private static Tensor derivative(Rule.Pull p, int dim, long ignore) {
    Tensor x = p.saved(0);
    Tensor target = p.saved(1);
    Tensor z = p.saved(2);
    Tensor dy = p.dy();
    if (p.createGraph()) {
      return composed(x, target, dy, dim, ignore);
    }
    Tensor dx = Tensor.empty(x.device(), x.dtype(), x.shape());
    dx.device()
        .run(
            b ->
                b.crossEntropyBackward(
                    x.view().with(classesLast(x, dim)),
                    target.view(),
                    ignore,
                    z.view(),
                    dy.view(),
                    dx.view().with(classesLast(dx, dim))));
    return dx;
  }

  /** What the derivative kernel is held to. */
  private static Tensor composed(Tensor x, Tensor target, Tensor dy, int dim, long ignore) {
    long[] alongClasses = new long[x.dim() - dim];
    Arrays.fill(alongClasses, 1);
    alongClasses[0] = x.size(dim);
    Tensor at = target.unsqueeze(dim);
    Tensor classes = Tensor.arange(x.device(), DType.I64, x.size(dim)).reshape(alongClasses);
    Tensor hit = at.eq(classes).to(x.dtype());
    return Softmax.softmax(x, dim).sub(hit).mul(dy.unsqueeze(dim)).where(at.ne((double) ignore), 0);
  }
}

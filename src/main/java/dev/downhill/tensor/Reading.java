package dev.downhill.tensor;

import dev.downhill.shape.DType;
import dev.downhill.shape.ShapeException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Values back on the host. Every method waits for the device. */
final class Reading {
  private Reading() {}

  /** The elements, row-major, in the tensor's dtype. */
  static MemorySegment bytes(Tensor x) {
    x.check("read");
    Step.refuseInside("download");
    try (Scope _ = Scope.internal();
        Autograd.Mode _ = Autograd.noGrad()) {
      Tensor dense = x.contiguous();
      long bytes = Math.multiplyExact(x.numel(), x.dtype().bytes());
      if (bytes > Integer.MAX_VALUE - 64) {
        throw new IllegalArgumentException(
            "read: expected a tensor below 2 GiB, got %s %s; read slices of it"
                .formatted(x.dtype(), x.shape()));
      }
      // A long[] is aligned for every dtype.
      MemorySegment target =
          MemorySegment.ofArray(new long[(int) ((bytes + 7) / 8)]).asSlice(0, bytes);
      x.device().await(b -> b.download(dense.view(), target));
      return target;
    }
  }

  private static MemorySegment typed(Tensor x, DType dtype, String method) {
    if (x.dtype() != dtype) {
      throw new ShapeException(
          "%s: expected a %s tensor, got %s %s; convert it with to(dtype)"
              .formatted(method, dtype, x.dtype(), x.shape()));
    }
    return bytes(x);
  }

  static float[] floats(Tensor x) {
    return typed(x, DType.F32, "toFloats").toArray(java.lang.foreign.ValueLayout.JAVA_FLOAT);
  }

  static double[] doubles(Tensor x) {
    try (Scope _ = Scope.internal();
        Autograd.Mode _ = Autograd.noGrad()) {
      return bytes(x.to(DType.F64)).toArray(java.lang.foreign.ValueLayout.JAVA_DOUBLE);
    }
  }

  static long[] longs(Tensor x) {
    if (x.dtype().isFloating()) {
      throw new ShapeException(
          "toLongs: expected an integer tensor, got %s %s; convert it with to(dtype)"
              .formatted(x.dtype(), x.shape()));
    }
    try (Scope _ = Scope.internal()) {
      return bytes(x.to(DType.I64)).toArray(java.lang.foreign.ValueLayout.JAVA_LONG);
    }
  }

  static boolean[] booleans(Tensor x) {
    byte[] b = typed(x, DType.BOOL, "toBooleans").toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    boolean[] values = new boolean[b.length];
    for (int i = 0; i < b.length; i++) {
      values[i] = b[i] != 0;
    }
    return values;
  }

  /**
   * The value of a tensor with one element.
   *
   * @throws ShapeException if it has another number of elements
   */
  static double item(Tensor x) {
    if (x.numel() != 1) {
      throw new ShapeException("item: expected a tensor with one element, got shape " + x.shape());
    }
    return doubles(x)[0];
  }

  private static final int MOST_VALUES = 1000;

  static String text(Tensor x) {
    String head = "Tensor(%s %s, %s".formatted(x.dtype(), x.shape(), x.device());
    if (x.isEnded()) {
      return head + ", ended)";
    }
    if (x.numel() > MOST_VALUES) {
      return head + ")";
    }
    boolean whole = !x.dtype().isFloating();
    return head + ", " + (whole ? Arrays.toString(longs(x)) : Arrays.toString(doubles(x))) + ")";
  }
}

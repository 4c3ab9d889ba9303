package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import dev.downhill.optim.AdamW;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Activation;
import dev.downhill.tensor.Attention;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Convolution;
import dev.downhill.tensor.Generator;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Normalization;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** The kernels: operators of the public API, forward alone and backward alone. */
final class Kernels {
  private static final long SEED = 3;
  private static final double F32 = Float.BYTES;

  /** Makes the operands of an operator. */
  private interface Operands extends Function<Device, List<Tensor>> {}

  /** An operator on such operands. */
  private interface Operator extends Function<List<Tensor>, Tensor> {}

  private Kernels() {}

  static List<Kernel> all() {
    return List.of(
        new Kernel("K1", 0, List.of(adamW(16, 1 << 20))),
        new Kernel("K2", 0, layerNorm(65_536, 768)),
        new Kernel("K3", 0, elementwise(1 << 24)),
        new Kernel("K4", 0, crossEntropy(16_384, 1024)),
        new Kernel("K5", 0, products(256, 512, 1024, 2048)),
        new Kernel("K6", 0, convolutions()),
        new Kernel("K7", 8L << 30, attention(64, 12, 1024, 64)));
  }

  private static Kernel.Case adamW(int tensors, long elements) {
    return new Kernel.Case(
        "adamw %sx%s".formatted(tensors, elements),
        Kernel.Case.BYTES,
        Cost.Update.ADAM.bytes(tensors * elements),
        device -> {
          List<Tensor> parameters = new ArrayList<>();
          for (int i = 0; i < tensors; i++) {
            parameters.add(draw(device, i, elements).requireGrad());
          }
          AdamW adam = new AdamW(parameters, 1e-3);
          for (Tensor p : parameters) {
            try (Scope _ = Scope.open()) {
              p.square().sum().backward();
            }
          }
          return new Kernel.Run(
              adam::step,
              () -> {
                adam.close();
                parameters.forEach(Tensor::close);
              });
        });
  }

  private static List<Kernel.Case> layerNorm(long rows, long width) {
    String size = " %sx%s".formatted(rows, width);
    double bytes = F32 * rows * width;
    Operands operands = d -> List.of(draw(d, 0, rows, width), draw(d, 1, width), draw(d, 2, width));
    Operator norm =
        in -> Normalization.layerNorm(in.get(0), Shape.of(width), in.get(1), in.get(2), 1e-5);
    return List.of(
        forward("layer_norm forward" + size, Kernel.Case.BYTES, 2 * bytes, operands, norm),
        backward(
            "layer_norm backward" + size, Kernel.Case.BYTES, 3 * bytes, operands, norm, 0, 1, 2));
  }

  private static List<Kernel.Case> elementwise(long elements) {
    Map<String, UnaryOperator<Tensor>> functions = new LinkedHashMap<>();
    functions.put("relu", Activation::relu);
    functions.put("gelu", Activation::gelu);
    functions.put("gelu_tanh", Activation::geluTanh);
    functions.put("silu", Activation::silu);
    functions.put("tanh", Tensor::tanh);
    functions.put("sigmoid", Tensor::sigmoid);
    double bytes = F32 * elements;
    Operands operands = d -> List.of(draw(d, 0, elements));
    List<Kernel.Case> cases = new ArrayList<>();
    functions.forEach(
        (name, function) -> {
          Operator f = in -> function.apply(in.get(0));
          cases.add(forward(name + " forward", Kernel.Case.BYTES, 2 * bytes, operands, f));
          cases.add(backward(name + " backward", Kernel.Case.BYTES, 3 * bytes, operands, f, 0));
        });
    return cases;
  }

  private static List<Kernel.Case> crossEntropy(long rows, long classes) {
    String size = " %sx%s".formatted(rows, classes);
    double bytes = F32 * rows * classes;
    Operands operands =
        d -> List.of(draw(d, 0, rows, classes), draw(d, 1, rows, classes).argmax(1, false));
    Operator loss = in -> Loss.crossEntropy(in.get(0), in.get(1));
    return List.of(
        forward("cross_entropy forward" + size, Kernel.Case.BYTES, bytes, operands, loss),
        backward("cross_entropy backward" + size, Kernel.Case.BYTES, 2 * bytes, operands, loss, 0));
  }

  private static List<Kernel.Case> products(long... sizes) {
    List<Kernel.Case> cases = new ArrayList<>();
    for (long n : sizes) {
      for (String transposes : List.of("nn", "nt", "tn", "tt")) {
        Operands operands =
            d ->
                List.of(
                    turned(draw(d, 0, n, n), transposes.charAt(0)),
                    turned(draw(d, 1, n, n), transposes.charAt(1)));
        cases.add(
            forward(
                "gemm %s %s".formatted(transposes, n),
                Kernel.Case.FLOPS,
                2.0 * n * n * n,
                operands,
                in -> in.get(0).matmul(in.get(1))));
      }
    }
    return cases;
  }

  private static Tensor turned(Tensor x, char transpose) {
    return transpose == 't' ? x.transpose(0, 1) : x;
  }

  private static List<Kernel.Case> convolutions() {
    List<Kernel.Case> cases = new ArrayList<>();
    // images, channels in and out, side
    for (long[] s : new long[][] {{64, 32, 64, 14}, {32, 64, 64, 56}}) {
      String size = " %sx%sx%sx%s to %s".formatted(s[0], s[1], s[3], s[3], s[2]);
      double flops = 2.0 * 9 * s[0] * s[1] * s[2] * s[3] * s[3];
      Operands operands =
          d -> List.of(draw(d, 0, s[0], s[1], s[3], s[3]), draw(d, 1, s[2], s[1], 3, 3));
      Convolution.Options padded = Convolution.Options.DEFAULT.withPadding(1);
      Operator conv = in -> Convolution.conv2d(in.get(0), in.get(1), null, padded);
      cases.add(forward("conv2d forward" + size, Kernel.Case.FLOPS, flops, operands, conv));
      cases.add(backward("conv2d data" + size, Kernel.Case.FLOPS, flops, operands, conv, 0));
      cases.add(backward("conv2d weight" + size, Kernel.Case.FLOPS, flops, operands, conv, 1));
    }
    return cases;
  }

  private static List<Kernel.Case> attention(long batch, long heads, long length, long width) {
    String size = " %sx%sx%sx%s bf16".formatted(batch, heads, length, width);
    // Two products over the positions that each one sees; five in the backward pass.
    double product = (double) batch * heads * length * (length + 1) * width;
    Operands operands =
        d ->
            List.of(
                draw(d, 0, batch, heads, length, width).to(DType.BF16),
                draw(d, 1, batch, heads, length, width).to(DType.BF16),
                draw(d, 2, batch, heads, length, width).to(DType.BF16));
    Attention.Options causal = Attention.Options.DEFAULT.withCausal(true);
    Operator attend =
        in -> Attention.scaledDotProductAttention(in.get(0), in.get(1), in.get(2), causal);
    return List.of(
        forward("attention forward" + size, Kernel.Case.FLOPS, 2 * product, operands, attend),
        backward(
            "attention backward" + size,
            Kernel.Case.FLOPS,
            5 * product,
            operands,
            attend,
            0,
            1,
            2));
  }

  private static Kernel.Case forward(
      String name, String unit, double amount, Operands operands, Operator f) {
    return new Kernel.Case(
        name,
        unit,
        amount,
        device -> {
          List<Tensor> in = operands.apply(device);
          return new Kernel.Run(
              () -> {
                try (Scope _ = Scope.open();
                    Autograd.Mode _ = Autograd.noGrad()) {
                  Tensor _ = f.apply(in);
                }
              },
              () -> in.forEach(Tensor::close));
        });
  }

  /** The gradients of some of the operands, from a graph that is kept. */
  private static Kernel.Case backward(
      String name, String unit, double amount, Operands operands, Operator f, int... of) {
    return new Kernel.Case(
        name,
        unit,
        amount,
        device -> {
          List<Tensor> in = operands.apply(device);
          List<Tensor> wanted = new ArrayList<>();
          for (int i : of) {
            wanted.add(in.get(i).requireGrad());
          }
          Tensor y = f.apply(in);
          Tensor dy = draw(device, -1, y.shape().toArray()).to(y.dtype());
          Autograd.Backward options = Autograd.Backward.DEFAULT.withGradient(dy).withRetainGraph();
          return new Kernel.Run(
              () -> {
                try (Scope _ = Scope.open()) {
                  Autograd.grad(y, wanted, options);
                }
              },
              () -> {
                in.forEach(Tensor::close);
                y.close();
                dy.close();
              });
        });
  }

  private static Tensor draw(Device device, int stream, long... sizes) {
    try (Generator random = new Generator(device, SEED, stream)) {
      return random.normal(DType.F32, sizes);
    }
  }
}

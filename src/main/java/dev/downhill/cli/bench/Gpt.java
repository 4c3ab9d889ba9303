package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import dev.downhill.nn.Init;
import dev.downhill.nn.Module;
import dev.downhill.nn.Parameter;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Activation;
import dev.downhill.tensor.Attention;
import dev.downhill.tensor.Indexing;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Matmul;
import dev.downhill.tensor.Normalization;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The decoder of GPT-2 (Radford et al. 2019): normalisation first, tanh-GELU, learned positions.
 * Parameters are {@code float32}; they are rounded to the type of the computation where they are
 * used, so that for {@code bfloat16} they are the master weights.
 */
final class Gpt extends Module {
  /**
   * The sizes.
   *
   * @param vocabulary how many tokens there are
   * @param context the length of a sequence
   * @param tied whether the head is the table of the tokens
   * @param compute the type of activations
   */
  record Sizes(
      long vocabulary,
      long context,
      long width,
      int layers,
      long heads,
      boolean tied,
      DType compute) {
    /** The work of a step on so many sequences. */
    Cost cost(long sequences) {
      long inside = 12 * width * width * layers;
      long tables = (vocabulary + context) * width + (tied ? 0 : vocabulary * width);
      long biasesAndNorms = (9 + 4) * width * layers + 2 * width;
      // Each position meets itself and those before it, in two products.
      double attention = 2.0 * layers * context * (context + 1) * width;
      double forward = 2.0 * context * (inside + vocabulary * width) + attention;
      return new Cost(3 * forward * sequences, inside + tables + biasesAndNorms, Cost.Update.ADAM);
    }
  }

  private final Sizes sizes;
  private final Parameter tokens;
  private final Parameter positions;
  private final List<Block> blocks = new ArrayList<>();
  private final Norm norm;
  private final Parameter head;

  Gpt(Sizes sizes) {
    this.sizes = sizes;
    Init init = Init.normal(0, 0.02);
    tokens = parameter("wte", Shape.of(sizes.vocabulary, sizes.width), init);
    positions = parameter("wpe", Shape.of(sizes.context, sizes.width), init);
    for (int i = 0; i < sizes.layers; i++) {
      blocks.add(part("h" + i, new Block(sizes)));
    }
    norm = part("ln_f", new Norm(sizes));
    head =
        sizes.tied ? tokens : parameter("lm_head", Shape.of(sizes.vocabulary, sizes.width), init);
  }

  /** The scores of the next token, (N, T, vocabulary), after each of the tokens (N, T). */
  Tensor forward(Tensor x) {
    Tensor y = Indexing.embedding(x, cast(tokens)).add(cast(positions).narrow(0, 0, x.size(1)));
    for (Block block : blocks) {
      y = block.forward(y);
    }
    return Matmul.linear(norm.forward(y), cast(head), null);
  }

  /** The mean cross-entropy of the next tokens (N, T). */
  Tensor loss(Tensor x, Tensor next) {
    return Loss.crossEntropy(forward(x).reshape(-1, sizes.vocabulary), next.reshape(-1));
  }

  private Tensor cast(Parameter p) {
    return p.tensor().to(sizes.compute);
  }

  @Override
  public Gpt on(Device device, long seed) {
    super.on(device, seed);
    return this;
  }

  /** h = x + attention(norm(x)), y = h + mlp(norm(h)). */
  private static final class Block extends Module {
    private final long heads;
    private final Norm norm1;
    private final Map attend;
    private final Map project;
    private final Norm norm2;
    private final Map up;
    private final Map down;

    Block(Sizes s) {
      heads = s.heads;
      norm1 = part("ln_1", new Norm(s));
      attend = part("c_attn", new Map(s, s.width, 3 * s.width));
      project = part("c_proj", new Map(s, s.width, s.width));
      norm2 = part("ln_2", new Norm(s));
      up = part("c_fc", new Map(s, s.width, 4 * s.width));
      down = part("c_proj2", new Map(s, 4 * s.width, s.width));
    }

    Tensor forward(Tensor x) {
      Tensor h = x.add(attention(norm1.forward(x)));
      return h.add(down.forward(Activation.geluTanh(up.forward(norm2.forward(h)))));
    }

    private Tensor attention(Tensor x) {
      long width = x.size(2);
      List<Tensor> qkv =
          attend.forward(x).split(width, 2).stream()
              .map(t -> t.reshape(x.size(0), x.size(1), heads, width / heads).transpose(1, 2))
              .toList();
      Tensor y =
          Attention.scaledDotProductAttention(
              qkv.get(0), qkv.get(1), qkv.get(2), Attention.Options.DEFAULT.withCausal(true));
      return project.forward(y.transpose(1, 2).reshape(x.size(0), x.size(1), width));
    }
  }

  /** y = x wᵀ + b. */
  private static final class Map extends Module {
    private final DType compute;
    private final Parameter weight;
    private final Parameter bias;

    Map(Sizes s, long in, long out) {
      compute = s.compute;
      weight = parameter("weight", Shape.of(out, in), Init.normal(0, 0.02));
      bias = parameter("bias", Shape.of(out), Init.zeros());
    }

    Tensor forward(Tensor x) {
      return Matmul.linear(x, weight.tensor().to(compute), bias.tensor().to(compute));
    }
  }

  /** Layer normalisation over the width. */
  private static final class Norm extends Module {
    private final DType compute;
    private final Parameter weight;
    private final Parameter bias;

    Norm(Sizes s) {
      compute = s.compute;
      weight = parameter("weight", Shape.of(s.width), Init.constant(1));
      bias = parameter("bias", Shape.of(s.width), Init.zeros());
    }

    Tensor forward(Tensor x) {
      return Normalization.layerNorm(
          x, weight.shape(), weight.tensor().to(compute), bias.tensor().to(compute), 1e-5);
    }
  }
}

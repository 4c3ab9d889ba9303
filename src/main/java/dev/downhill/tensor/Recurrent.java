package dev.downhill.tensor;

import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Networks that read a sequence step by step and carry a state: one layer in one direction. The
 * input's part of all steps is one matrix product; each step adds the product with its state.
 */
public final class Recurrent {
  private Recurrent() {}

  /**
   * The parameters, in PyTorch's order of gates: i, f, g, o for {@link #lstm}, r, z, n for {@link
   * #gru}; G is their number.
   *
   * @param input (G H, I), {@code weight_ih_l0}
   * @param hidden (G H, H), {@code weight_hh_l0}
   * @param inputBias (G H), {@code bias_ih_l0}; null for 0
   * @param hiddenBias (G H), {@code bias_hh_l0}; null for 0
   */
  public record Weights(
      Tensor input, Tensor hidden, @Nullable Tensor inputBias, @Nullable Tensor hiddenBias) {
    /** Without biases. */
    public Weights(Tensor input, Tensor hidden) {
      this(input, hidden, null, null);
    }
  }

  /**
   * The options of {@link #lstm} and {@link #gru}.
   *
   * @param batchFirst whether the input is (N, T, I) in place of (T, N, I); the output likewise
   * @param h the state before the first step, (1, N, H) in both cases; null for zeros
   * @param c the cell before the first step, likewise; {@link #gru} has none
   */
  public record Options(boolean batchFirst, @Nullable Tensor h, @Nullable Tensor c) {
    /** (T, N, I), from zeros. */
    public static final Options DEFAULT = new Options(false, null, null);

    /** Whether the batch comes before the time. */
    public Options withBatchFirst(boolean whether) {
      return new Options(whether, h, c);
    }

    /** From this state. */
    public Options withState(Tensor before) {
      return new Options(batchFirst, before, c);
    }

    /** From this cell. */
    public Options withCell(Tensor before) {
      return new Options(batchFirst, h, before);
    }
  }

  /**
   * What an LSTM gives.
   *
   * @param output the states after all steps, (T, N, H), or (N, T, H) if the batch comes first
   * @param h the last state, (1, N, H)
   * @param c the last cell, (1, N, H)
   */
  public record LstmResult(Tensor output, Tensor h, Tensor c) {}

  /**
   * What a GRU gives.
   *
   * @param output the states after all steps, (T, N, H), or (N, T, H) if the batch comes first
   * @param h the last state, (1, N, H)
   */
  public record GruResult(Tensor output, Tensor h) {}

  /**
   * A long short-term memory, as {@code nn.LSTM} with one layer (Hochreiter and Schmidhuber 1997,
   * with forget gates). Per step, with a = W_ih x + b_ih + W_hh h + b_hh cut in four:
   *
   * <p>i, f, o = sigmoid of their parts of a, g = tanh of its; c' = f c + i g, h' = o tanh(c').
   *
   * @param x (T, N, I), or (N, T, I) if the batch comes first; one step or more
   * @throws ShapeException if shapes or dtypes do not fit
   */
  public static LstmResult lstm(Tensor x, Weights weights, Options options) {
    Op op = check("lstm", 4, x, weights, options);
    int time = options.batchFirst() ? 1 : 0;
    try (Scope scope = Scope.internal()) {
      Tensor hb = weights.hiddenBias();
      Tensor inputs = Matmul.linear(x, weights.input(), weights.inputBias());
      Tensor h = before(op, x, weights, options.h(), time);
      Tensor c = before(op, x, weights, options.c(), time);
      List<Tensor> states = new ArrayList<>();
      for (long t = 0; t < x.size(time); t++) {
        Tensor a = inputs.select(time, t).add(Matmul.linear(h, weights.hidden(), hb));
        List<Tensor> gates = a.split(h.size(1), 1);
        Tensor i = gates.get(0).sigmoid();
        Tensor f = gates.get(1).sigmoid();
        Tensor g = gates.get(2).tanh();
        Tensor o = gates.get(3).sigmoid();
        c = f.mul(c).add(i.mul(g));
        h = o.mul(c.tanh());
        states.add(h);
      }
      return new LstmResult(
          scope.keep(Tensor.stack(states, time)),
          scope.keep(h.unsqueeze(0)),
          scope.keep(c.unsqueeze(0)));
    }
  }

  /**
   * A gated recurrent unit, as {@code nn.GRU} with one layer (Cho et al. 2014). Per step, with W_ih
   * x + b_ih and W_hh h + b_hh cut in three each:
   *
   * <p>r, z = sigmoid of the sums of their parts; n = tanh(W_in x + b_in + r (W_hn h + b_hn)); h' =
   * (1 - z) n + z h.
   *
   * @param x (T, N, I), or (N, T, I) if the batch comes first; one step or more
   * @throws ShapeException if shapes or dtypes do not fit
   */
  public static GruResult gru(Tensor x, Weights weights, Options options) {
    Op op = check("gru", 3, x, weights, options);
    if (options.c() != null) {
      throw op.refuse("expected no cell, which a GRU does not have");
    }
    int time = options.batchFirst() ? 1 : 0;
    try (Scope scope = Scope.internal()) {
      Tensor hb = weights.hiddenBias();
      Tensor inputs = Matmul.linear(x, weights.input(), weights.inputBias());
      Tensor h = before(op, x, weights, options.h(), time);
      List<Tensor> states = new ArrayList<>();
      for (long t = 0; t < x.size(time); t++) {
        List<Tensor> in = inputs.select(time, t).split(h.size(1), 1);
        List<Tensor> state = Matmul.linear(h, weights.hidden(), hb).split(h.size(1), 1);
        Tensor r = in.get(0).add(state.get(0)).sigmoid();
        Tensor z = in.get(1).add(state.get(1)).sigmoid();
        Tensor n = in.get(2).add(r.mul(state.get(2))).tanh();
        h = n.add(z.mul(h.sub(n)));
        states.add(h);
      }
      return new GruResult(scope.keep(Tensor.stack(states, time)), scope.keep(h.unsqueeze(0)));
    }
  }

  private static Op check(String name, int gates, Tensor x, Weights w, Options options) {
    Op op =
        Op.of(
                name,
                Inputs.given(
                    x,
                    w.input(),
                    w.hidden(),
                    w.inputBias(),
                    w.hiddenBias(),
                    options.h(),
                    options.c()))
            .floating();
    if (x.dim() != 3 || w.input().dim() != 2 || w.hidden().dim() != 2) {
      throw op.refuse("expected an input of three dimensions and weights of two");
    }
    long size = w.hidden().size(1);
    Shape bias = Shape.of(gates * size);
    if (size < 1
        || !w.input().shape().equals(Shape.of(gates * size, x.size(2)))
        || !w.hidden().shape().equals(Shape.of(gates * size, size))
        || !fits(w.inputBias(), bias)
        || !fits(w.hiddenBias(), bias)) {
      throw op.refuse(
          "expected weights (%s H, I) and (%s H, H) and biases (%s H) for an input of I = %s"
              .formatted(gates, gates, gates, x.size(2)));
    }
    if (x.size(options.batchFirst() ? 1 : 0) == 0) {
      throw op.refuse("expected one step or more, got none");
    }
    Shape state = Shape.of(1, x.size(options.batchFirst() ? 0 : 1), size);
    if (!fits(options.h(), state) || !fits(options.c(), state)) {
      throw op.refuse("expected states of shape " + state);
    }
    return op;
  }

  private static boolean fits(@Nullable Tensor t, Shape expected) {
    return t == null || t.shape().equals(expected);
  }

  /** What the first step starts from, (N, H). */
  private static Tensor before(Op op, Tensor x, Weights weights, @Nullable Tensor state, int time) {
    return state == null
        ? Tensor.zeros(op.device(), x.dtype(), x.size(1 - time), weights.hidden().size(1))
        : state.select(0, 0);
  }
}

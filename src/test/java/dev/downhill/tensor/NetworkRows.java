package dev.downhill.tensor;

import dev.downhill.shape.Shape;
import dev.downhill.tensor.Attention.Options;
import dev.downhill.tensor.Normalization.BatchNorm;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Rows of normalisation, attention and recurrent networks. */
final class NetworkRows {
  private NetworkRows() {}

  static List<OpRow> all() {
    return Stream.of(normalization(), attention(), recurrent()).flatMap(List::stream).toList();
  }

  // Equal numbers have no variance; a large eps keeps the curvature small there.
  private static final double EPS = 0.1;

  private static final String BATCH_NORM =
      "batchNorm(Tensor, Tensor, Tensor, Tensor, Tensor, BatchNorm)";
  private static final String LAYER_NORM = "layerNorm(Tensor, Shape, Tensor, Tensor, double)";
  private static final String GROUP_NORM = "groupNorm(Tensor, long, Tensor, Tensor, double)";
  private static final String RMS_NORM = "rmsNorm(Tensor, Shape, Tensor, double)";

  private static List<OpRow> normalization() {
    Domain real = Domain.real();
    BatchNorm evaluation = BatchNorm.DEFAULT.withEps(EPS);
    BatchNorm training = evaluation.withTraining(true);
    return List.of(
        OpRow.of("batchNorm", real, real, real)
            .on("empty", new long[] {0, 2}, new long[] {2}, new long[] {2})
            .on("matrix", new long[] {5, 3}, new long[] {3}, new long[] {3})
            .on("sequences", new long[] {2, 2, 3}, new long[] {2}, new long[] {2})
            .on("images", new long[] {2, 3, 1, 2}, new long[] {3}, new long[] {3})
            .call(BATCH_NORM, "training", x -> batchNorm(x, training))
            .call(BATCH_NORM, "evaluation", x -> batchNorm(x, evaluation))
            .call(
                BATCH_NORM,
                "training without running statistics",
                x -> Normalization.batchNorm(x.get(0), null, null, x.get(1), x.get(2), training)),
        OpRow.of("layerNorm", real, real, real)
            .on("empty", new long[] {0, 3}, new long[] {3}, new long[] {3})
            .on("of nothing", new long[] {2, 0}, new long[] {0}, new long[] {0})
            .on("odd", new long[] {7}, new long[] {7}, new long[] {7})
            .on("matrix", new long[] {3, 5}, new long[] {5}, new long[] {5})
            .on("two dimensions", new long[] {2, 3, 2}, new long[] {3, 2}, new long[] {3, 2})
            .call(LAYER_NORM, "", x -> layerNorm(x.get(0), x.get(1), x.get(2)))
            .call(LAYER_NORM, "no bias", x -> layerNorm(x.get(0), x.get(1), null).mul(x.get(2))),
        OpRow.of("groupNorm", real, real, real)
            .on("empty", new long[] {0, 4}, new long[] {4}, new long[] {4})
            .on("matrix", new long[] {3, 4}, new long[] {4}, new long[] {4})
            .on("sequences", new long[] {2, 2, 3}, new long[] {2}, new long[] {2})
            .on("images", new long[] {2, 4, 1, 2}, new long[] {4}, new long[] {4})
            .call(GROUP_NORM, "1", x -> groupNorm(x, 1))
            .call(GROUP_NORM, "2", x -> groupNorm(x, 2)),
        OpRow.of("rmsNorm", real, real)
            .on("empty", new long[] {0, 3}, new long[] {3})
            .on("of nothing", new long[] {2, 0}, new long[] {0})
            .on("odd", new long[] {7}, new long[] {7})
            .on("matrix", new long[] {3, 5}, new long[] {5})
            .on("two dimensions", new long[] {2, 3, 2}, new long[] {3, 2})
            .call(
                RMS_NORM,
                "",
                x -> Normalization.rmsNorm(x.get(0), x.get(1).shape(), x.get(1), EPS)),
        OpRow.of("normalisation without weights", real)
            .on("odd", new long[] {3, 3})
            .on("rank 3", new long[] {2, 2, 3})
            .on("rank 4", new long[] {2, 1, 3, 2})
            .call(
                LAYER_NORM,
                "null",
                x -> Normalization.layerNorm(x.get(0), last(x), null, null, EPS))
            .call(RMS_NORM, "null", x -> Normalization.rmsNorm(x.get(0), last(x), null, EPS))
            .call(GROUP_NORM, "null", x -> Normalization.groupNorm(x.get(0), 1, null, null, EPS))
            .call(
                BATCH_NORM,
                "null",
                x -> Normalization.batchNorm(x.get(0), null, null, null, null, training)));
  }

  private static Tensor batchNorm(List<Tensor> x, BatchNorm options) {
    Tensor input = x.get(0);
    try (Scope scope = Scope.internal()) {
      Tensor mean = Tensor.full(input.device(), input.dtype(), 0.25, input.size(1));
      Tensor variance = Tensor.full(input.device(), input.dtype(), 0.75, input.size(1));
      return scope.keep(
          Normalization.batchNorm(input, mean, variance, x.get(1), x.get(2), options));
    }
  }

  private static Tensor layerNorm(Tensor x, Tensor weight, @Nullable Tensor bias) {
    return Normalization.layerNorm(x, weight.shape(), weight, bias, EPS);
  }

  private static Tensor groupNorm(List<Tensor> x, long groups) {
    return Normalization.groupNorm(x.get(0), groups, x.get(1), x.get(2), EPS);
  }

  private static Shape last(List<Tensor> x) {
    return Shape.of(x.get(0).size(-1));
  }

  private static List<OpRow> attention() {
    Domain real = Domain.real();
    String plain = "scaledDotProductAttention(Tensor, Tensor, Tensor)";
    String with = "scaledDotProductAttention(Tensor, Tensor, Tensor, Options)";
    return List.of(
        OpRow.of("attention", real, real, real)
            .on("one", new long[] {1, 1}, new long[] {1, 1}, new long[] {1, 1})
            .on("no query", new long[] {0, 2}, new long[] {3, 2}, new long[] {3, 2})
            .on("no key", new long[] {2, 2}, new long[] {0, 2}, new long[] {0, 2})
            .on("no feature", new long[] {2, 0}, new long[] {3, 0}, new long[] {3, 2})
            .on("more keys", new long[] {2, 2}, new long[] {4, 2}, new long[] {4, 1})
            .on("fewer keys", new long[] {3, 2}, new long[] {2, 2}, new long[] {2, 2})
            .on("heads", new long[] {2, 1, 2, 1}, new long[] {2, 1, 2, 1}, new long[] {2, 2, 1})
            .call(plain, "", x -> Attention.scaledDotProductAttention(x.get(0), x.get(1), x.get(2)))
            .call(
                with,
                "causal scale 0.3",
                x -> attention(x, Options.DEFAULT.withCausal(true).withScale(0.3))),
        OpRow.of("attention of a sequence to itself", real)
            .on("one", new long[] {1, 1, 3})
            .on("no sequence", new long[] {0, 2, 6})
            .on("no position", new long[] {2, 0, 6})
            .on("odd", new long[] {1, 3, 6})
            .on("two", new long[] {2, 4, 12})
            .call(
                "selfAttention(Tensor, long, Options)",
                "heads 1",
                x -> Attention.selfAttention(x.get(0), 1, Options.DEFAULT))
            .call(
                "selfAttention(Tensor, long, Options)",
                "heads by size, causal",
                x ->
                    Attention.selfAttention(
                        x.get(0),
                        x.get(0).size(2) / 3,
                        Options.DEFAULT.withCausal(true).withScale(0.3))),
        OpRow.of("attention under a bool mask", real, real, real, Domain.truth())
            .on("one", new long[] {1, 1}, new long[] {1, 1}, new long[] {1, 1}, new long[] {1})
            .on(
                "no key",
                new long[] {2, 2},
                new long[] {0, 2},
                new long[] {0, 2},
                new long[] {2, 0})
            .on(
                "matrix",
                new long[] {3, 2},
                new long[] {4, 2},
                new long[] {4, 1},
                new long[] {3, 4})
            .on("keys", new long[] {2, 2}, new long[] {3, 2}, new long[] {3, 2}, new long[] {3})
            .on(
                "queries",
                new long[] {3, 2},
                new long[] {2, 2},
                new long[] {2, 2},
                new long[] {3, 1})
            .call(with, "mask", x -> attention(x, Options.DEFAULT.withMask(x.get(3)))),
        // Keys are values, so that the mask is the third input.
        OpRow.of("attention under a mask that is added", real, real, real)
            .on("one", new long[] {1, 1}, new long[] {1, 1}, new long[] {1, 1})
            .on("matrix", new long[] {3, 2}, new long[] {4, 2}, new long[] {3, 4})
            .on("keys", new long[] {2, 2}, new long[] {3, 2}, new long[] {3})
            .on("heads", new long[] {2, 2, 2}, new long[] {2, 2, 2}, new long[] {2, 1, 2})
            .call(
                with,
                "mask",
                x ->
                    Attention.scaledDotProductAttention(
                        x.get(0), x.get(1), x.get(1), Options.DEFAULT.withMask(x.get(2)))));
  }

  private static Tensor attention(List<Tensor> x, Options options) {
    return Attention.scaledDotProductAttention(x.get(0), x.get(1), x.get(2), options);
  }

  /** The input, the first state, and all parameters side by side. */
  private static List<OpRow> recurrent() {
    String lstm = "lstm(Tensor, Weights, Options)";
    String gru = "gru(Tensor, Weights, Options)";
    Domain real = Domain.real();
    Recurrent.Options plain = Recurrent.Options.DEFAULT;
    Recurrent.Options batchFirst = plain.withBatchFirst(true);
    return List.of(
        OpRow.of("lstm", real, real, real)
            .on("one", new long[] {1, 1, 1}, new long[] {1, 1, 1}, new long[] {4, 4})
            .on("odd", new long[] {1, 1, 3}, new long[] {1, 1, 1}, new long[] {4, 6})
            .on("two steps", new long[] {2, 2, 1}, new long[] {1, 2, 1}, new long[] {4, 4})
            .on("two states", new long[] {2, 2, 2}, new long[] {1, 2, 2}, new long[] {8, 6})
            .call(
                lstm,
                "state and cell",
                x -> lstm(x, plain.withState(x.get(1)).withCell(x.get(1).tanh())))
            .call(lstm, "batch first", x -> lstm(x, batchFirst.withState(x.get(1)))),
        OpRow.of("gru", real, real, real)
            .on("one", new long[] {1, 1, 1}, new long[] {1, 1, 1}, new long[] {3, 4})
            .on("odd", new long[] {1, 1, 3}, new long[] {1, 1, 1}, new long[] {3, 6})
            .on("two steps", new long[] {2, 2, 1}, new long[] {1, 2, 1}, new long[] {3, 4})
            .on("two states", new long[] {2, 2, 2}, new long[] {1, 2, 2}, new long[] {6, 6})
            .call(gru, "state", x -> gru(x, plain.withState(x.get(1))))
            .call(gru, "batch first", x -> gru(x, batchFirst.withState(x.get(1)))));
  }

  private static Recurrent.Weights weights(List<Tensor> x) {
    long in = x.get(0).size(2);
    long size = x.get(1).size(2);
    Tensor all = x.get(2);
    return new Recurrent.Weights(
        all.narrow(1, 0, in),
        all.narrow(1, in, size),
        all.select(1, in + size),
        all.select(1, in + size + 1));
  }

  private static Tensor lstm(List<Tensor> x, Recurrent.Options options) {
    try (Scope scope = Scope.internal()) {
      Recurrent.LstmResult y = Recurrent.lstm(x.get(0), weights(x), options);
      return scope.keep(joined(y.output(), y.h().mul(0.5), y.c()));
    }
  }

  private static Tensor gru(List<Tensor> x, Recurrent.Options options) {
    try (Scope scope = Scope.internal()) {
      Recurrent.GruResult y = Recurrent.gru(x.get(0), weights(x), options);
      return scope.keep(joined(y.output(), y.h().mul(0.5)));
    }
  }

  private static Tensor joined(Tensor... parts) {
    return Tensor.cat(Stream.of(parts).map(Tensor::flatten).toList(), 0);
  }
}

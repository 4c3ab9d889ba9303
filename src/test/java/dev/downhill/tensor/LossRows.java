package dev.downhill.tensor;

import dev.downhill.tensor.Loss.BceWithLogits;
import dev.downhill.tensor.Loss.CrossEntropy;
import dev.downhill.tensor.Loss.Nll;
import dev.downhill.tensor.Loss.Over;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Rows of matrix products, losses and dropout. */
final class LossRows {
  private LossRows() {}

  static List<OpRow> all() {
    return Stream.of(products(), elementLosses(), classLosses(), List.of(dropout()))
        .flatMap(List::stream)
        .toList();
  }

  private static List<OpRow> products() {
    Domain real = Domain.real();
    OpRow linear =
        OpRow.of("linear", real, real, real)
            .on("one", new long[] {1, 1}, new long[] {1, 1}, new long[] {1})
            .on("empty batch", new long[] {0, 3}, new long[] {2, 3}, new long[] {2})
            .on("empty inner", new long[] {3, 0}, new long[] {2, 0}, new long[] {2})
            .on("vector", new long[] {5}, new long[] {3, 5}, new long[] {3})
            .on("matrix", new long[] {3, 5}, new long[] {2, 5}, new long[] {2})
            .on("rank 3", new long[] {2, 3, 4}, new long[] {3, 4}, new long[] {3});
    return List.of(
        OpRow.of("matmul", real, real)
            .on("one", new long[] {1, 1}, new long[] {1, 1})
            .on("matrix", new long[] {3, 5}, new long[] {5, 2})
            .on("square", new long[] {3, 3}, new long[] {3, 3})
            .on("outer", new long[] {5, 1}, new long[] {1, 3})
            .on("dot", new long[] {7}, new long[] {7})
            .on("vector right", new long[] {3, 5}, new long[] {5})
            .on("vector left", new long[] {5}, new long[] {5, 3})
            .on("batch", new long[] {2, 3, 4}, new long[] {2, 4, 2})
            .on("batch left", new long[] {2, 3, 4}, new long[] {4, 2})
            .on("batch right", new long[] {3, 4}, new long[] {2, 4, 2})
            .on("batch vector", new long[] {2, 3, 4}, new long[] {4})
            .on("broadcast", new long[] {2, 1, 3, 2}, new long[] {3, 2, 2})
            .on("empty inner", new long[] {3, 0}, new long[] {0, 2})
            .on("empty outer", new long[] {0, 3}, new long[] {3, 2})
            .call("matmul(Tensor, Tensor)", "", x -> x.get(0).matmul(x.get(1))),
        linear.call(
            "linear(Tensor, Tensor, Tensor)", "", x -> Matmul.linear(x.get(0), x.get(1), x.get(2))),
        OpRow.of("linear without bias", real, real)
            .on(
                linear.shapes().stream()
                    .map(s -> new OpCase.Shapes(s.kind(), s.sizes().subList(0, 2)))
                    .toList())
            .call(
                "linear(Tensor, Tensor, Tensor)",
                "no bias",
                x -> Matmul.linear(x.get(0), x.get(1), null)));
  }

  /** A loss that exists for the mean and with options. */
  private static OpRow loss(String name) {
    return OpRow.of(name, Domain.real(), Domain.between(-1.9, 2.1))
        .on(OpRow.PAIR.stream().filter(s -> s.numel() > 0).toList());
  }

  private static List<OpRow> elementLosses() {
    String over = "(Tensor, Tensor, Over)";
    String with = "(Tensor, Tensor, double, Over)";
    return List.of(
        loss("mse")
            .call("mse(Tensor, Tensor)", "", x -> Loss.mse(x.get(0), x.get(1)))
            .call("mse" + over, "SUM", x -> Loss.mse(x.get(0), x.get(1), Over.SUM))
            .call("mse" + over, "NONE", x -> Loss.mse(x.get(0), x.get(1), Over.NONE)),
        loss("l1")
            .call("l1(Tensor, Tensor)", "", x -> Loss.l1(x.get(0), x.get(1)))
            .call("l1" + over, "SUM", x -> Loss.l1(x.get(0), x.get(1), Over.SUM))
            .call("l1" + over, "NONE", x -> Loss.l1(x.get(0), x.get(1), Over.NONE)),
        loss("huber")
            .call("huber(Tensor, Tensor)", "", x -> Loss.huber(x.get(0), x.get(1)))
            .call("huber" + with, "0.6 NONE", x -> Loss.huber(x.get(0), x.get(1), 0.6, Over.NONE)),
        loss("smoothL1")
            .call("smoothL1(Tensor, Tensor)", "", x -> Loss.smoothL1(x.get(0), x.get(1)))
            .call(
                "smoothL1" + with,
                "0.6 NONE",
                x -> Loss.smoothL1(x.get(0), x.get(1), 0.6, Over.NONE))
            .call("smoothL1" + with, "0 SUM", x -> Loss.smoothL1(x.get(0), x.get(1), 0, Over.SUM)),
        OpRow.of("bceWithLogits", Domain.between(-4, 4), Domain.between(0, 1))
            .on(OpRow.PAIR.stream().filter(s -> s.numel() > 0).toList())
            .call("bceWithLogits(Tensor, Tensor)", "", x -> Loss.bceWithLogits(x.get(0), x.get(1)))
            .call(
                "bceWithLogits(Tensor, Tensor, BceWithLogits)",
                "NONE",
                x ->
                    Loss.bceWithLogits(
                        x.get(0), x.get(1), BceWithLogits.DEFAULT.withOver(Over.NONE))),
        OpRow.of(
                "bceWithLogits weighted",
                Domain.between(-4, 4),
                Domain.between(0, 1),
                Domain.positive())
            .on("one", new long[] {1}, new long[] {1}, new long[] {1})
            .on("odd", new long[] {7}, new long[] {7}, new long[] {1})
            .on("matrix", new long[] {3, 5}, new long[] {3, 5}, new long[] {5})
            .on("rank 3", new long[] {2, 3, 2}, new long[] {2, 3, 2}, new long[] {3, 1})
            .call(
                "bceWithLogits(Tensor, Tensor, BceWithLogits)",
                "posWeight",
                x ->
                    Loss.bceWithLogits(
                        x.get(0), x.get(1), BceWithLogits.DEFAULT.withPosWeight(x.get(2))))
            .call(
                "bceWithLogits(Tensor, Tensor, BceWithLogits)",
                "weight SUM",
                x ->
                    Loss.bceWithLogits(
                        x.get(0),
                        x.get(1),
                        BceWithLogits.DEFAULT.withWeight(x.get(2)).withOver(Over.SUM))));
  }

  /** Logits, class indices, class weights. */
  private static final List<OpCase.Shapes> CLASSES =
      List.of(
          OpCase.Shapes.of("one sample", new long[] {3}, new long[] {}, new long[] {3}),
          OpCase.Shapes.of("odd", new long[] {5, 3}, new long[] {5}, new long[] {3}),
          OpCase.Shapes.of("matrix", new long[] {7, 4}, new long[] {7}, new long[] {4}),
          OpCase.Shapes.of("pixels", new long[] {2, 3, 2}, new long[] {2, 2}, new long[] {3}),
          OpCase.Shapes.of(
              "rank 4", new long[] {2, 3, 1, 2}, new long[] {2, 1, 2}, new long[] {3}));

  private static List<OpCase.Shapes> picked(int... inputs) {
    return CLASSES.stream()
        .map(
            s ->
                new OpCase.Shapes(
                    s.kind(), Arrays.stream(inputs).mapToObj(i -> s.sizes().get(i)).toList()))
        .toList();
  }

  private static Tensor crossEntropy(List<Tensor> x, CrossEntropy options) {
    return Loss.crossEntropy(x.get(0), x.get(1), options);
  }

  private static List<OpRow> classLosses() {
    Domain real = Domain.real();
    Domain three = Domain.index(3);
    CrossEntropy ce = CrossEntropy.DEFAULT;
    String method = "crossEntropy(Tensor, Tensor, CrossEntropy)";
    return List.of(
        OpRow.of("crossEntropy", real, three)
            .on(picked(0, 1))
            .call("crossEntropy(Tensor, Tensor)", "", x -> Loss.crossEntropy(x.get(0), x.get(1)))
            .call(method, "NONE", x -> crossEntropy(x, ce.withOver(Over.NONE)))
            .call(method, "SUM", x -> crossEntropy(x, ce.withOver(Over.SUM)))
            .call(method, "smoothing", x -> crossEntropy(x, ce.withLabelSmoothing(0.2)))
            .call(
                method,
                "ignoring 1",
                x -> crossEntropy(x, ce.withIgnoreIndex(1).withOver(Over.SUM))),
        OpRow.of("crossEntropy weighted", real, three, Domain.positive())
            .on(CLASSES)
            .call(method, "weight", x -> crossEntropy(x, ce.withWeight(x.get(2))))
            .call(
                method,
                "weight smoothing",
                x -> crossEntropy(x, ce.withWeight(x.get(2)).withLabelSmoothing(0.2)))
            .call(
                method,
                "weight ignoring 0",
                x ->
                    crossEntropy(
                        x, ce.withWeight(x.get(2)).withIgnoreIndex(0).withOver(Over.NONE))),
        OpRow.of("crossEntropy of probabilities", real, Domain.between(0, 1))
            .on(picked(0, 0))
            .call("crossEntropy(Tensor, Tensor)", "", x -> Loss.crossEntropy(x.get(0), x.get(1)))
            .call(method, "SUM", x -> crossEntropy(x, ce.withOver(Over.SUM)))
            .call(method, "smoothing", x -> crossEntropy(x, ce.withLabelSmoothing(0.2))),
        OpRow.of(
                "crossEntropy of probabilities weighted",
                real,
                Domain.between(0, 1),
                Domain.positive())
            .on(picked(0, 0, 2))
            .call(
                method,
                "weight smoothing NONE",
                x ->
                    crossEntropy(
                        x, ce.withWeight(x.get(2)).withLabelSmoothing(0.2).withOver(Over.NONE))),
        OpRow.of("nll", real, three)
            .on(picked(0, 1))
            .call("nll(Tensor, Tensor)", "", x -> Loss.nll(x.get(0), x.get(1)))
            .call(
                "nll(Tensor, Tensor, Nll)",
                "ignoring 1 SUM",
                x ->
                    Loss.nll(
                        x.get(0), x.get(1), Nll.DEFAULT.withIgnoreIndex(1).withOver(Over.SUM))),
        OpRow.of("nll weighted", real, three, Domain.positive())
            .on(CLASSES)
            .call(
                "nll(Tensor, Tensor, Nll)",
                "weight",
                x -> Loss.nll(x.get(0), x.get(1), Nll.DEFAULT.withWeight(x.get(2))))
            .call(
                "nll(Tensor, Tensor, Nll)",
                "weight NONE",
                x ->
                    Loss.nll(
                        x.get(0), x.get(1), Nll.DEFAULT.withWeight(x.get(2)).withOver(Over.NONE))));
  }

  private static Tensor dropout(Tensor x, double p) {
    try (Generator generator = new Generator(x.device(), 11)) {
      return Dropout.dropout(x, p, generator);
    }
  }

  private static OpRow dropout() {
    String method = "dropout(Tensor, double, Generator)";
    return OpRow.of("dropout", Domain.real())
        .call(method, "0.25", x -> dropout(x.get(0), 0.25))
        .call(method, "0", x -> dropout(x.get(0), 0))
        .call(method, "1", x -> dropout(x.get(0), 1));
  }
}

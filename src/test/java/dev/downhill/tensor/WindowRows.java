package dev.downhill.tensor;

import java.util.List;
import java.util.stream.Stream;

/** Rows of operators on windows: padding, convolution, pooling, interpolation. */
final class WindowRows {
  private static final Domain REAL = Domain.real();

  private WindowRows() {}

  static List<OpRow> all() {
    return Stream.of(edges(), convolutions(), transposed(), pools(), images())
        .flatMap(List::stream)
        .toList();
  }

  private static List<OpRow> edges() {
    return List.of(
        vectors("unfold")
            .call("unfold(Tensor, int, long, long)", "-1 2 1", x -> x.get(0).unfold(-1, 2, 1))
            .call("unfold(Tensor, int, long, long)", "-1 1 2", x -> x.get(0).unfold(-1, 1, 2)),
        vectors("pad")
            .call("pad(Tensor, long[])", "2 1", x -> Padding.pad(x.get(0), 2, 1))
            .call("pad(Tensor, long[])", "1 -1 1 2", 2, x -> Padding.pad(x.get(0), 1, -1, 1, 2))
            .call(
                "pad(Tensor, long[], double)",
                "-1 2 of 1.5",
                x -> Padding.pad(x.get(0), new long[] {-1, 2}, 1.5))
            .call(
                "pad(Tensor, long[], double)",
                "-1 -1",
                x -> Padding.pad(x.get(0), new long[] {-1, -1}, 1.5))
            .call(
                "pad(Tensor, long[], Mode)",
                "2 1 reflect",
                x -> Padding.pad(x.get(0), new long[] {2, 1}, Padding.Mode.REFLECT))
            .call(
                "pad(Tensor, long[], Mode)",
                "2 -1 replicate",
                x -> Padding.pad(x.get(0), new long[] {2, -1}, Padding.Mode.REPLICATE)));
  }

  private static OpRow vectors(String name) {
    return OpRow.of(name, REAL)
        .on("odd", new long[] {7})
        .on("empty first", new long[] {0, 3})
        .on("matrix", new long[] {3, 5})
        .on("rank 3", new long[] {2, 2, 3})
        .on("rank 5", new long[] {1, 2, 3, 1, 4});
  }

  private static List<OpRow> convolutions() {
    Convolution.Options usual = Convolution.Options.DEFAULT;
    Convolution.Options wide = usual.withStride(2).withPadding(1).withDilation(2);
    Convolution.Options uneven = usual.withStride(2, 1).withPadding(1).withDilation(1, 2);
    String conv1d = "conv1d(Tensor, Tensor, Tensor, Options)";
    String conv2d = "conv2d(Tensor, Tensor, Tensor, Options)";
    return List.of(
        OpRow.of("conv1d", REAL, REAL, REAL)
            .on("odd", new long[] {2, 2, 5}, new long[] {3, 2, 3}, new long[] {3})
            .on("empty", new long[] {0, 2, 4}, new long[] {3, 2, 2}, new long[] {3})
            .on("one", new long[] {1, 1, 3}, new long[] {1, 1, 1}, new long[] {1})
            .on("unbatched", new long[] {2, 4}, new long[] {1, 2, 2}, new long[] {1})
            .call(conv1d, "", x -> Convolution.conv1d(x.get(0), x.get(1), x.get(2), usual))
            .call(
                conv1d,
                "stride, padding, dilation",
                x -> Convolution.conv1d(x.get(0), x.get(1), x.get(2), wide)),
        OpRow.of("conv1d in groups", REAL, REAL)
            .on("odd", new long[] {2, 2, 5}, new long[] {4, 1, 3})
            .on("empty", new long[] {0, 2, 4}, new long[] {2, 1, 2})
            .on("one", new long[] {1, 2, 3}, new long[] {2, 1, 1})
            .on("unbatched", new long[] {4, 4}, new long[] {2, 2, 2})
            .call(
                conv1d,
                "2 groups",
                x -> Convolution.conv1d(x.get(0), x.get(1), null, usual.withGroups(2))),
        OpRow.of("conv2d in groups", REAL, REAL)
            .on("odd", new long[] {2, 4, 3, 3}, new long[] {6, 2, 2, 2})
            .on("empty", new long[] {0, 2, 2, 2}, new long[] {2, 1, 2, 1})
            .on("one each", new long[] {1, 2, 2, 4}, new long[] {2, 1, 1, 3})
            .on("unbatched", new long[] {2, 3, 4}, new long[] {2, 1, 2, 3})
            .call(
                conv2d,
                "2 groups, stride, padding",
                x ->
                    Convolution.conv2d(
                        x.get(0),
                        x.get(1),
                        null,
                        usual.withGroups(2).withStride(2).withPadding(1))),
        OpRow.of("conv2d", REAL, REAL, REAL)
            .on("odd", new long[] {2, 2, 3, 3}, new long[] {2, 2, 2, 2}, new long[] {2})
            .on("empty", new long[] {0, 1, 2, 2}, new long[] {1, 1, 2, 1}, new long[] {1})
            .on("rectangular", new long[] {2, 1, 2, 4}, new long[] {1, 1, 1, 3}, new long[] {1})
            .on("unbatched", new long[] {1, 3, 4}, new long[] {1, 1, 2, 3}, new long[] {1})
            .call(conv2d, "", x -> Convolution.conv2d(x.get(0), x.get(1), x.get(2), usual))
            .call(
                conv2d,
                "stride, padding, dilation",
                x -> Convolution.conv2d(x.get(0), x.get(1), x.get(2), uneven)));
  }

  private static List<OpRow> transposed() {
    Convolution.Options usual = Convolution.Options.DEFAULT;
    Convolution.Options wide =
        usual.withStride(2).withPadding(1).withDilation(2).withOutputPadding(1);
    String name = "convTranspose2d(Tensor, Tensor, Tensor, Options)";
    return List.of(
        OpRow.of("convTranspose2d", REAL, REAL, REAL)
            .on("odd", new long[] {2, 2, 2, 3}, new long[] {2, 2, 2, 2}, new long[] {2})
            .on("empty", new long[] {0, 1, 2, 2}, new long[] {1, 2, 1, 2}, new long[] {2})
            .on("rectangular", new long[] {1, 2, 2, 2}, new long[] {2, 1, 3, 1}, new long[] {1})
            .on("unbatched", new long[] {1, 2, 3}, new long[] {1, 1, 2, 1}, new long[] {1})
            .call(name, "", x -> Convolution.convTranspose2d(x.get(0), x.get(1), x.get(2), usual))
            .call(
                name,
                "stride, padding, dilation, output padding",
                x -> Convolution.convTranspose2d(x.get(0), x.get(1), x.get(2), wide)),
        OpRow.of("convTranspose2d in groups", REAL, REAL)
            .on("odd", new long[] {1, 2, 2, 3}, new long[] {2, 2, 2, 2})
            .on("empty", new long[] {0, 2, 2, 2}, new long[] {2, 1, 1, 2})
            .on("rectangular", new long[] {2, 2, 1, 2}, new long[] {2, 1, 3, 1})
            .on("unbatched", new long[] {4, 2, 2}, new long[] {4, 1, 2, 1})
            .call(
                name,
                "2 groups",
                x -> Convolution.convTranspose2d(x.get(0), x.get(1), null, usual.withGroups(2))));
  }

  private static OpRow planes(String name) {
    return OpRow.of(name, REAL)
        .on("odd", new long[] {1, 2, 3, 5})
        .on("empty", new long[] {0, 1, 3, 3})
        .on("square", new long[] {2, 1, 3, 3})
        .on("rectangular", new long[] {1, 1, 5, 3});
  }

  private static List<OpRow> pools() {
    Pooling.Max largest = Pooling.Max.of(2);
    Pooling.Average mean = Pooling.Average.of(2);
    Pooling.Average padded = Pooling.Average.of(3, 2).withStride(2).withPadding(1).withCeilMode();
    String max = "maxPool2d(Tensor, Max)";
    String avg = "avgPool2d(Tensor, Average)";
    return List.of(
        // Repeated elements are equal: a kink.
        planes("maxPool2d")
            .on("unbatched", new long[] {2, 4, 3})
            .except(Laid.EXPANDED)
            .call(max, "2", x -> Pooling.maxPool2d(x.get(0), largest))
            .call(
                max,
                "3 2 stride 2 padding 1 ceil",
                x ->
                    Pooling.maxPool2d(
                        x.get(0), Pooling.Max.of(3, 2).withStride(2).withPadding(1).withCeilMode()))
            .call(
                max,
                "2 3 stride 2 padding 1",
                x -> Pooling.maxPool2d(x.get(0), Pooling.Max.of(2, 3).withStride(2).withPadding(1)))
            .call(
                "maxPool2dWithIndices(Tensor, Max)",
                "2 stride 1 dilation 2",
                x ->
                    Pooling.maxPool2dWithIndices(x.get(0), largest.withStride(1).withDilation(2))
                        .values()),
        planes("avgPool2d")
            .on("unbatched", new long[] {2, 4, 3})
            .call(avg, "2", x -> Pooling.avgPool2d(x.get(0), mean))
            .call(avg, "3 2 stride 2 padding 1 ceil", x -> Pooling.avgPool2d(x.get(0), padded))
            .call(
                avg,
                "3 2 stride 2 padding 1 ceil, padding not counted",
                x -> Pooling.avgPool2d(x.get(0), padded.withoutCountingPad()))
            .call(avg, "2 by 5", x -> Pooling.avgPool2d(x.get(0), mean.withDivisor(5))),
        planes("adaptiveAvgPool2d")
            .on("unbatched", new long[] {2, 4, 3})
            .call(
                "adaptiveAvgPool2d(Tensor, long, long)",
                "2 2",
                x -> Pooling.adaptiveAvgPool2d(x.get(0), 2, 2))
            .call(
                "adaptiveAvgPool2d(Tensor, long, long)",
                "1 -1",
                x -> Pooling.adaptiveAvgPool2d(x.get(0), 1, -1)),
        planes("adaptiveMaxPool2d")
            .on("unbatched", new long[] {2, 4, 3})
            .except(Laid.EXPANDED)
            .call(
                "adaptiveMaxPool2d(Tensor, long, long)",
                "2 2",
                x -> Pooling.adaptiveMaxPool2d(x.get(0), 2, 2))
            .call(
                "adaptiveMaxPool2dWithIndices(Tensor, long, long)",
                "1 -1",
                x -> Pooling.adaptiveMaxPool2dWithIndices(x.get(0), 1, -1).values()));
  }

  private static List<OpRow> images() {
    String sizes = "interpolate(Tensor, long[], Mode)";
    String factors = "interpolate(Tensor, double[], Mode)";
    return List.of(
        planes("interpolate")
            .call(
                sizes,
                "2 4 bilinear",
                x ->
                    Interpolation.interpolate(
                        x.get(0), new long[] {2, 4}, Interpolation.Mode.BILINEAR))
            .call(
                sizes,
                "4 bilinear, aligned",
                x ->
                    Interpolation.interpolate(
                        x.get(0), new long[] {4}, Interpolation.Mode.BILINEAR_ALIGN_CORNERS))
            .call(
                sizes,
                "4 6 nearest",
                x ->
                    Interpolation.interpolate(
                        x.get(0), new long[] {4, 6}, Interpolation.Mode.NEAREST))
            .call(
                factors,
                "1.5 nearest",
                x ->
                    Interpolation.interpolate(
                        x.get(0), new double[] {1.5}, Interpolation.Mode.NEAREST))
            .call(
                factors,
                "1.4 0.7 bilinear",
                x ->
                    Interpolation.interpolate(
                        x.get(0), new double[] {1.4, 0.7}, Interpolation.Mode.BILINEAR)));
  }
}

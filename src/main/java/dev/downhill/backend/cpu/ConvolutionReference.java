package dev.downhill.backend.cpu;

import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import org.jspecify.annotations.Nullable;

/**
 * The definition of {@link CpuConvolution}, one element after the other: chains of fused
 * multiply-adds in which padding takes part as 0.
 */
final class ConvolutionReference {
  private ConvolutionReference() {}

  private static float get(View view, long... at) {
    long position = view.layout().offset();
    for (int d = 0; d < at.length; d++) {
      if (at[d] < 0 || at[d] >= view.shape().size(d)) {
        return 0;
      }
      position += at[d] * view.layout().stride(d);
    }
    return Scalars.loadF32(CpuBuffer.segment(view), 4 * position);
  }

  private static void set(View view, float value, long... at) {
    long position = view.layout().offset();
    for (int d = 0; d < at.length; d++) {
      position += at[d] * view.layout().stride(d);
    }
    Scalars.storeF32(value, CpuBuffer.segment(view), 4 * position);
  }

  /** One element of a view with four dimensions. */
  private interface Element {
    float of(long n, long c, long y, long x);
  }

  private static void each(View view, Element element) {
    for (long n = 0; n < view.shape().size(0); n++) {
      for (long c = 0; c < view.shape().size(1); c++) {
        for (long y = 0; y < view.shape().size(2); y++) {
          for (long x = 0; x < view.shape().size(3); x++) {
            set(view, element.of(n, c, y, x), n, c, y, x);
          }
        }
      }
    }
  }

  /** Over the channels of a group, then the rows, then the columns of the window. */
  static void convolution(View x, View w, @Nullable View bias, Slide rows, Slide columns, View y) {
    long inputs = w.shape().size(1);
    long outputs = y.shape().size(1) / (x.shape().size(1) / inputs);
    each(
        y,
        (n, o, i, j) -> {
          float sum = 0;
          for (long c = 0; c < inputs; c++) {
            for (long k = 0; k < rows.size(); k++) {
              for (long l = 0; l < columns.size(); l++) {
                long channel = o / outputs * inputs + c;
                float value = get(x, n, channel, rows.position(i, k), columns.position(j, l));
                sum = Math.fma(get(w, o, c, k, l), value, sum);
              }
            }
          }
          return bias == null ? sum : sum + get(bias, o);
        });
  }

  /** Over the output channels of a group, then the rows, then the columns that can see it. */
  static void convolutionInput(View dy, View w, Slide rows, Slide columns, View dx) {
    long inputs = w.shape().size(1);
    long groups = dx.shape().size(1) / inputs;
    long outputs = dy.shape().size(1) / groups;
    each(
        dx,
        (n, c, y, x) -> {
          float sum = 0;
          for (long o = c / inputs * outputs; o < (c / inputs + 1) * outputs; o++) {
            for (long k = 0; k < rows.size(); k++) {
              for (long l = 0; l < columns.size(); l++) {
                long i = y - rows.position(0, k);
                long j = x - columns.position(0, l);
                if (i % rows.step() == 0 && j % columns.step() == 0) {
                  float value = get(dy, n, o, i / rows.step(), j / columns.step());
                  sum = Math.fma(get(w, o, c % inputs, k, l), value, sum);
                }
              }
            }
          }
          return sum;
        });
  }

  /** Over samples, then rows, then columns of a stretch; then over the stretches. */
  static void convolutionWeight(View x, View dy, Slide rows, Slide columns, double beta, View dw) {
    long inputs = dw.shape().size(1);
    long outputs = dy.shape().size(1) / (x.shape().size(1) / inputs);
    Cut cut = WeightGradient.cut(dy);
    int stretch = WeightGradient.perStretch(cut.samples(), cut.group(), dw.shape().numel());
    each(
        dw,
        (o, c, k, l) -> {
          float all = 0;
          for (int first = 0; first < cut.samples(); first += stretch) {
            float sum = 0;
            for (int n = first; n < Math.min(cut.samples(), first + stretch); n++) {
              for (int i = 0; i < cut.rows(); i++) {
                for (int j = 0; j < cut.columns(); j++) {
                  long channel = o / outputs * inputs + c;
                  float value = get(x, n, channel, rows.position(i, k), columns.position(j, l));
                  sum = Math.fma(value, get(dy, n, o, i, j), sum);
                }
              }
            }
            all = first == 0 ? sum : all + sum;
          }
          return beta == 0 ? all : Math.fma((float) beta, get(dw, o, c, k, l), all);
        });
  }
}

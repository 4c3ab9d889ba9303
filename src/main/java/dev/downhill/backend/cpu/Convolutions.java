package dev.downhill.backend.cpu;

import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import org.jspecify.annotations.Nullable;

/** A family of convolutions: the methods of {@link dev.downhill.backend.Backend}. */
interface Convolutions {
  void convolution(View x, View w, @Nullable View bias, Slide rows, Slide columns, View y);

  void convolutionInput(View dy, View w, Slide rows, Slide columns, View dx);

  void convolutionWeight(View x, View dy, Slide rows, Slide columns, double beta, View dw);
}

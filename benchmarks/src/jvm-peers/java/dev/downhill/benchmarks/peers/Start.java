package dev.downhill.benchmarks.peers;

import dev.downhill.checkpoint.Safetensors;
import dev.downhill.checkpoint.TensorInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where a training starts: a workload's folder of {@code downhill bench --dump}.
 *
 * @param weights initial, by name
 * @param batches what a step works on, in turns
 */
record Start(Map<String, Values> weights, List<Batch> batches) {
  /**
   * A tensor in row-major order.
   *
   * @param shape its sizes
   * @param array {@code float[]} for numbers, {@code long[]} for classes, {@code double[]} for
   *     losses
   */
  record Values(long[] shape, Object array) {
    float[] floats() {
      return (float[]) array;
    }
  }

  /** Inputs and what the model should make of them. */
  record Batch(Values x, Values y) {}

  static Start read(Path folder, String workload) {
    Path from = folder.resolve(workload);
    Map<String, Values> batches = values(from.resolve("batches.safetensors"));
    List<Batch> pairs = new ArrayList<>();
    for (int i = 0; batches.containsKey(i + ".0"); i++) {
      pairs.add(new Batch(batches.get(i + ".0"), batches.get(i + ".1")));
    }
    return new Start(values(from.resolve("weights.safetensors")), pairs);
  }

  /** The first losses of Downhill from this start. */
  static double[] losses(Path folder, String workload) {
    return (double[])
        values(folder.resolve(workload).resolve("losses.safetensors")).get("losses").array();
  }

  private static Map<String, Values> values(Path path) {
    Map<String, Values> all = new LinkedHashMap<>();
    try (Safetensors file = Safetensors.open(path)) {
      for (TensorInfo info : file.tensors()) {
        MemorySegment bytes = Arena.ofAuto().allocate(info.bytes(), Long.BYTES);
        file.read(info.name(), bytes);
        Object array =
            switch (info.dtype()) {
              case I64 -> bytes.toArray(ValueLayout.JAVA_LONG);
              case F64 -> bytes.toArray(ValueLayout.JAVA_DOUBLE);
              default -> bytes.toArray(ValueLayout.JAVA_FLOAT);
            };
        all.put(info.name(), new Values(info.shape().toArray(), array));
      }
    }
    return all;
  }

  /** Items of a step. */
  long items() {
    return batches.get(0).x().shape()[0];
  }
}

package dev.downhill.checkpoint;

import dev.downhill.backend.Device;
import dev.downhill.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Named tensors and text in one safetensors file, which the Python library of that name reads and
 * writes too. Writing is atomic: the file is the old one or the new one, never a mixture.
 */
public final class Checkpoint {
  private Checkpoint() {}

  /**
   * Writes tensors and metadata.
   *
   * @param tensors by name, such as the {@code state()} of a model
   * @param metadata text by key, such as a normaliser as JSON
   * @throws CheckpointException if the file cannot be written; an older file stays as it was
   */
  public static void save(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) {
    SafetensorsWriter writer = new SafetensorsWriter();
    metadata.forEach(writer::metadata);
    tensors.forEach((name, t) -> writer.tensor(name, t.dtype(), t.shape(), t.toBytes()));
    writer.write(file);
  }

  /**
   * Reads all tensors of a file to a device.
   *
   * @throws CheckpointException if the file cannot be read or is no safetensors file; the message
   *     names the tensor or offset
   */
  public static Map<String, Tensor> load(Path file, Device device) {
    try (Safetensors source = Safetensors.open(file)) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (TensorInfo info : source.tensors()) {
        tensors.put(info.name(), tensor(source, info, device));
      }
      return tensors;
    }
  }

  /** One tensor of an open file on a device. */
  public static Tensor tensor(Safetensors source, TensorInfo info, Device device) {
    MemorySegment bytes =
        MemorySegment.ofArray(new long[Math.toIntExact(Math.ceilDiv(info.bytes(), 8))])
            .asSlice(0, info.bytes());
    source.read(info.name(), bytes);
    return Tensor.ofBytes(device, info.dtype(), info.shape(), bytes);
  }
}

package dev.downhill.checkpoint;

import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes named tensors in the <a href="https://huggingface.co/docs/safetensors">safetensors</a>
 * format.
 *
 * <pre>{@code
 * new SafetensorsWriter()
 *     .metadata("format", "pt")
 *     .tensor("weight", DType.F32, Shape.of(64, 4), bytes)
 *     .write(file);
 * }</pre>
 *
 * <p>The bytes depend on the tensors and the metadata alone, not on the order in which they were
 * added, and are those of the reference implementation: tensors by the size of their elements,
 * largest first, so that all lie aligned, then by name. (Metadata are sorted by key; the reference
 * implementation has no fixed order.)
 */
public final class SafetensorsWriter {
  private static final int CHUNK = 1 << 20;

  /** The order of the reference implementation's dtypes, last first. */
  private static final List<DType> ORDER =
      List.of(DType.I64, DType.F64, DType.F32, DType.I32, DType.BF16, DType.U8, DType.BOOL);

  private static final Comparator<Entry> REFERENCE_ORDER =
      Comparator.comparingInt((Entry e) -> ORDER.indexOf(e.dtype))
          .thenComparing(e -> e.name.getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned);

  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final SortedMap<String, String> metadata = new TreeMap<>();

  private record Entry(String name, DType dtype, Shape shape, MemorySegment data) {}

  /** Creates a writer of an empty file. */
  public SafetensorsWriter() {}

  /**
   * Adds a text beside the tensors.
   *
   * @throws IllegalArgumentException if the key was added before, or a text is not valid Unicode
   */
  public SafetensorsWriter metadata(String key, String value) {
    checkUnicode(key);
    checkUnicode(value);
    if (metadata.putIfAbsent(key, value) != null) {
      throw new IllegalArgumentException(
          "safetensors: expected each metadata key once, got "
              + SafetensorsHeaderParser.quote(key)
              + " twice");
    }
    return this;
  }

  /**
   * Adds a tensor.
   *
   * @param name its name, not {@code __metadata__}
   * @param data its elements, little-endian and in row-major order; read when the file is written
   * @throws IllegalArgumentException if the name was added before or is not allowed, or the number
   *     of bytes is not that of the shape and dtype
   */
  public SafetensorsWriter tensor(String name, DType dtype, Shape shape, MemorySegment data) {
    checkUnicode(name);
    if (name.equals(SafetensorsHeader.METADATA)) {
      throw new IllegalArgumentException("safetensors: expected another name than " + name);
    }
    long bytes = Math.multiplyExact(shape.numel(), (long) dtype.bytes());
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "safetensors: tensor "
              + SafetensorsHeaderParser.quote(name)
              + ": expected "
              + bytes
              + " bytes, got "
              + data.byteSize()
              + " ("
              + shape
              + " of "
              + dtype
              + ")");
    }
    if (entries.putIfAbsent(name, new Entry(name, dtype, shape, data)) != null) {
      throw new IllegalArgumentException(
          "safetensors: expected each tensor once, got "
              + SafetensorsHeaderParser.quote(name)
              + " twice");
    }
    return this;
  }

  private static void checkUnicode(String text) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw new IllegalArgumentException(
          "safetensors: expected valid Unicode text, got half a surrogate pair in "
              + SafetensorsHeaderParser.quote(text));
    }
  }

  /**
   * Writes the file, or replaces it, as a whole: see {@link AtomicFile}.
   *
   * @throws CheckpointException if it cannot be written
   */
  public void write(Path file) {
    AtomicFile.write(file, this::writeTo);
  }

  /** Writes the bytes of the file to a stream. */
  void writeTo(OutputStream out) throws IOException {
    if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
      throw new CheckpointException("safetensors: expected a little-endian machine");
    }
    List<Entry> sorted = entries.values().stream().sorted(REFERENCE_ORDER).toList();
    List<TensorInfo> infos = new ArrayList<>();
    long begin = 0;
    for (Entry entry : sorted) {
      long end = Math.addExact(begin, entry.data.byteSize());
      infos.add(new TensorInfo(entry.name, entry.dtype, entry.shape, begin, end));
      begin = end;
    }
    byte[] header = SafetensorsHeader.encode(infos, metadata);
    if (header.length > SafetensorsHeader.MAX_BYTES) {
      throw new CheckpointException(
          "safetensors: header too long, expected at most "
              + SafetensorsHeader.MAX_BYTES
              + " bytes, got "
              + header.length);
    }
    out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
    out.write(header);
    byte[] chunk = new byte[CHUNK];
    for (Entry entry : sorted) {
      long size = entry.data.byteSize();
      for (long done = 0; done < size; done += CHUNK) {
        int n = (int) Math.min(CHUNK, size - done);
        MemorySegment.copy(entry.data, ValueLayout.JAVA_BYTE, done, chunk, 0, n);
        out.write(chunk, 0, n);
      }
    }
  }
}

package dev.downhill.checkpoint;

import dev.downhill.shape.DType;
import java.io.Closeable;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * An open file of named tensors in the <a
 * href="https://huggingface.co/docs/safetensors">safetensors</a> format.
 *
 * <p>The header is read and checked when the file is opened: 8 bytes of length, JSON with unique
 * names, known dtypes, and byte ranges that match the shapes and cover the data exactly. A file
 * that breaks a rule is refused as a whole. The dtypes are those of {@link DType}. Tensors are read
 * when asked for, by ordinary reads: the file is not mapped into memory, so that one which is cut
 * short meanwhile is an exception and not a crash.
 *
 * <p>Not safe for use by several threads at once.
 */
public final class Safetensors implements Closeable {
  private static final int CHUNK = 1 << 20;

  private final String name;
  private final RandomAccessFile file;
  private final SafetensorsHeader header;
  private final long dataStart;

  private Safetensors(String name, RandomAccessFile file) throws IOException {
    this.name = name;
    this.file = file;
    long length = file.length();
    if (length < 8) {
      throw new CheckpointException(
          name + ": too short, expected at least 8 bytes of header length, got " + length);
    }
    long headerBytes = Long.reverseBytes(file.readLong());
    if (headerBytes < 0 || headerBytes > SafetensorsHeader.MAX_BYTES) {
      throw new CheckpointException(
          name
              + ": byte 0: header length, expected at most "
              + SafetensorsHeader.MAX_BYTES
              + ", got "
              + Long.toUnsignedString(headerBytes)
              + "; is it a safetensors file?");
    }
    if (headerBytes > length - 8) {
      throw new CheckpointException(
          name
              + ": byte 0: header length past the end of the file, expected at most "
              + (length - 8)
              + ", got "
              + headerBytes);
    }
    byte[] json = new byte[(int) headerBytes];
    file.readFully(json);
    this.dataStart = 8 + headerBytes;
    this.header = SafetensorsHeaderParser.parse(name, json, length - dataStart);
  }

  /**
   * Opens a file and checks its header.
   *
   * @throws CheckpointException if the file cannot be read or breaks a rule of the format; the
   *     message names the byte offset and the tensor
   */
  public static Safetensors open(Path path) {
    if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
      throw new CheckpointException("safetensors: expected a little-endian machine");
    }
    String name = path.toString();
    if (!Files.isRegularFile(path)) {
      throw new CheckpointException(
          name + ": expected a file, got " + (Files.exists(path) ? "something else" : "none"));
    }
    // Not a channel: an interrupt of the thread would close it.
    RandomAccessFile file;
    try {
      file = new RandomAccessFile(path.toFile(), "r");
    } catch (FileNotFoundException e) {
      throw new CheckpointException(name + ": cannot be opened: " + e.getMessage(), e);
    }
    try {
      return new Safetensors(name, file);
    } catch (IOException e) {
      close(file, e);
      throw new CheckpointException(name + ": cannot be read: " + e, e);
    } catch (RuntimeException | Error e) {
      close(file, e);
      throw e;
    }
  }

  private static void close(Closeable file, Throwable failure) {
    try {
      file.close();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /** The texts kept beside the tensors. */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /** The tensors in the order of the header. */
  public List<TensorInfo> tensors() {
    return List.copyOf(header.tensors().values());
  }

  /** Whether there is a tensor of this name. */
  public boolean has(String tensor) {
    return header.tensors().containsKey(tensor);
  }

  /**
   * What the header says of a tensor.
   *
   * @throws CheckpointException if there is none of this name
   */
  public TensorInfo tensor(String tensor) {
    TensorInfo info = header.tensors().get(tensor);
    if (info == null) {
      throw new CheckpointException(
          name
              + ": no tensor "
              + SafetensorsHeaderParser.quote(tensor)
              + " among the "
              + header.tensors().size()
              + " in the file");
    }
    return info;
  }

  /**
   * Reads the bytes of a tensor, little-endian and in row-major order.
   *
   * @param to a segment of exactly {@link TensorInfo#bytes} bytes
   * @throws CheckpointException if there is no such tensor, the file cannot be read, or a byte of a
   *     {@link DType#BOOL} tensor is neither 0 nor 1
   */
  public void read(String tensor, MemorySegment to) {
    TensorInfo info = tensor(tensor);
    if (to.byteSize() != info.bytes()) {
      throw new IllegalArgumentException(
          "read: expected "
              + info.bytes()
              + " bytes for tensor "
              + SafetensorsHeaderParser.quote(tensor)
              + ", got "
              + to.byteSize()
              + " ("
              + info.shape()
              + " of "
              + info.dtype()
              + ")");
    }
    byte[] chunk = new byte[(int) Math.min(CHUNK, info.bytes())];
    try {
      file.seek(dataStart + info.begin());
      long done = 0;
      while (done < info.bytes()) {
        int n = (int) Math.min(chunk.length, info.bytes() - done);
        file.readFully(chunk, 0, n);
        if (info.dtype() == DType.BOOL) {
          checkBooleans(info, chunk, n, done);
        }
        MemorySegment.copy(chunk, 0, to, ValueLayout.JAVA_BYTE, done, n);
        done += n;
      }
    } catch (EOFException e) {
      throw new CheckpointException(
          name
              + ": the file was cut short after it was opened (tensor "
              + SafetensorsHeaderParser.quote(tensor)
              + ")",
          e);
    } catch (IOException e) {
      throw new CheckpointException(name + ": cannot be read: " + e, e);
    }
  }

  private void checkBooleans(TensorInfo info, byte[] chunk, int n, long done) {
    for (int i = 0; i < n; i++) {
      if ((chunk[i] & ~1) != 0) {
        throw new CheckpointException(
            name
                + ": byte "
                + (dataStart + info.begin() + done + i)
                + ", tensor "
                + SafetensorsHeaderParser.quote(info.name())
                + ": expected a bool of 0 or 1, got "
                + (chunk[i] & 0xFF));
      }
    }
  }

  /**
   * The elements of a tensor that floats hold exactly.
   *
   * @throws CheckpointException as {@link #read}, or if the dtype is not F32 or BF16
   */
  public float[] floats(String tensor) {
    TensorInfo info = tensor(tensor);
    return switch (info.dtype()) {
      case F32 -> {
        float[] values = new float[length(info)];
        read(tensor, MemorySegment.ofArray(values));
        yield values;
      }
      case BF16 -> {
        short[] bits = new short[length(info)];
        read(tensor, MemorySegment.ofArray(bits));
        float[] values = new float[bits.length];
        for (int i = 0; i < bits.length; i++) {
          values[i] = Float.intBitsToFloat(bits[i] << 16);
        }
        yield values;
      }
      default -> throw wrongType(info, "F32 or BF16");
    };
  }

  /**
   * The elements of a tensor that doubles hold exactly.
   *
   * @throws CheckpointException as {@link #read}, or if the dtype is not F64, F32 or BF16
   */
  public double[] doubles(String tensor) {
    TensorInfo info = tensor(tensor);
    return switch (info.dtype()) {
      case F64 -> {
        double[] values = new double[length(info)];
        read(tensor, MemorySegment.ofArray(values));
        yield values;
      }
      case F32, BF16 -> {
        float[] floats = floats(tensor);
        double[] values = new double[floats.length];
        Arrays.setAll(values, i -> floats[i]);
        yield values;
      }
      default -> throw wrongType(info, "F64, F32 or BF16");
    };
  }

  /**
   * The elements of a tensor of integers.
   *
   * @throws CheckpointException as {@link #read}, or if the dtype is not I64, I32 or U8
   */
  public long[] longs(String tensor) {
    TensorInfo info = tensor(tensor);
    long[] values = new long[length(info)];
    switch (info.dtype()) {
      case I64 -> read(tensor, MemorySegment.ofArray(values));
      case I32 -> {
        int[] ints = new int[values.length];
        read(tensor, MemorySegment.ofArray(ints));
        Arrays.setAll(values, i -> ints[i]);
      }
      case U8 -> {
        byte[] bytes = new byte[values.length];
        read(tensor, MemorySegment.ofArray(bytes));
        Arrays.setAll(values, i -> bytes[i] & 0xFF);
      }
      default -> throw wrongType(info, "I64, I32 or U8");
    }
    return values;
  }

  /**
   * The elements of a tensor of truth values.
   *
   * @throws CheckpointException as {@link #read}, or if the dtype is not BOOL
   */
  public boolean[] booleans(String tensor) {
    TensorInfo info = tensor(tensor);
    if (info.dtype() != DType.BOOL) {
      throw wrongType(info, "BOOL");
    }
    byte[] bytes = new byte[length(info)];
    read(tensor, MemorySegment.ofArray(bytes));
    boolean[] values = new boolean[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      values[i] = bytes[i] != 0;
    }
    return values;
  }

  private int length(TensorInfo info) {
    long numel = info.shape().numel();
    if (numel > Integer.MAX_VALUE - 8) {
      throw new CheckpointException(
          name
              + ": tensor "
              + SafetensorsHeaderParser.quote(info.name())
              + ": too large for an array, expected at most 2^31 - 9 elements, got "
              + numel
              + "; read it into a MemorySegment");
    }
    return (int) numel;
  }

  private CheckpointException wrongType(TensorInfo info, String expected) {
    return new CheckpointException(
        name
            + ": tensor "
            + SafetensorsHeaderParser.quote(info.name())
            + ": expected "
            + expected
            + ", got "
            + SafetensorsHeader.code(info.dtype()));
  }

  /** Closes the file. */
  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw new CheckpointException(name + ": cannot be closed: " + e, e);
    }
  }
}

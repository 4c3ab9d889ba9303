package dev.downhill.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsTest {
  @TempDir Path folder;

  /** What the Python library safetensors 0.8.0 writes for the tensors of {@link #golden}. */
  private static final String GOLDEN_HEADER =
      "{\"__metadata__\":{\"format\":\"np\"},"
          + "\"i\":{\"dtype\":\"I64\",\"shape\":[2,1],\"data_offsets\":[0,16]},"
          + "\"a\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[16,32]},"
          + "\"z\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[32,56]},"
          + "\"\u00E9\uD834\uDD1E\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[56,60]},"
          + "\"\uFFEE\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[60,64]},"
          + "\"j\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[64,68]},"
          + "\"u\":{\"dtype\":\"U8\",\"shape\":[0,4],\"data_offsets\":[68,68]},"
          + "\"b\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[68,71]}}     ";

  private static final String GOLDEN_DATA =
      "01000000000000000000000000010000000000000000f83f0000000000000080000000000000803f0000004000"
          + "004040000080400000a040000020400000803f07000000010001";

  private static SafetensorsWriter golden() {
    return new SafetensorsWriter()
        .metadata("format", "np")
        .tensor(
            "z", DType.F32, Shape.of(2, 3), MemorySegment.ofArray(new float[] {0, 1, 2, 3, 4, 5}))
        .tensor("b", DType.BOOL, Shape.of(3), MemorySegment.ofArray(new byte[] {1, 0, 1}))
        .tensor("a", DType.F64, Shape.of(2), MemorySegment.ofArray(new double[] {1.5, -0.0}))
        .tensor("i", DType.I64, Shape.of(2, 1), MemorySegment.ofArray(new long[] {1, 1L << 40}))
        .tensor("j", DType.I32, Shape.SCALAR, MemorySegment.ofArray(new int[] {7}))
        .tensor("u", DType.U8, Shape.of(0, 4), MemorySegment.ofArray(new byte[0]))
        .tensor("\uFFEE", DType.F32, Shape.of(1), MemorySegment.ofArray(new float[] {1}))
        .tensor(
            "\u00E9\uD834\uDD1E",
            DType.F32,
            Shape.of(1),
            MemorySegment.ofArray(new float[] {2.5f}));
  }

  private static byte[] bytes(SafetensorsWriter writer) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      writer.writeTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static byte[] goldenBytes() throws IOException {
    byte[] header = GOLDEN_HEADER.getBytes(UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(new byte[] {(byte) header.length, (byte) (header.length >> 8), 0, 0, 0, 0, 0, 0});
    out.write(header);
    out.write(HexFormat.of().parseHex(GOLDEN_DATA));
    return out.toByteArray();
  }

  @Test
  void writesTheBytesOfTheReferenceImplementation() throws IOException {
    assertThat(bytes(golden())).isEqualTo(goldenBytes());
    assertThat(new String(bytes(new SafetensorsWriter()), UTF_8))
        .isEqualTo("\b\0\0\0\0\0\0\0{}      ");
    SafetensorsWriter odd =
        new SafetensorsWriter()
            .tensor(
                "q\"\n\u0001\u007F/\\", DType.U8, Shape.SCALAR, MemorySegment.ofArray(new byte[1]));
    assertThat(new String(bytes(odd), UTF_8))
        .contains("{\"q\\\"\\n\\u0001\u007F/\\\\\":{\"dtype\":\"U8\",\"shape\":[],");
  }

  @Test
  void readsTheFilesOfTheReferenceImplementation() throws IOException {
    Path path = Files.write(folder.resolve("golden.safetensors"), goldenBytes());
    try (Safetensors file = Safetensors.open(path)) {
      assertThat(file.metadata()).isEqualTo(Map.of("format", "np"));
      assertThat(file.tensors().stream().map(TensorInfo::name))
          .containsExactly("i", "a", "z", "\u00E9\uD834\uDD1E", "\uFFEE", "j", "u", "b");
      assertThat(file.tensor("z"))
          .isEqualTo(new TensorInfo("z", DType.F32, Shape.of(2, 3), 32, 56));
      assertThat(file.tensor("z").bytes()).isEqualTo(24);
      assertThat(file.longs("i")).containsExactly(1, 1L << 40);
      assertThat(file.doubles("a")).containsExactly(1.5, -0.0);
      assertThat(file.floats("z")).containsExactly(0, 1, 2, 3, 4, 5);
      assertThat(file.doubles("\u00E9\uD834\uDD1E")).containsExactly(2.5);
      assertThat(file.longs("j")).containsExactly(7);
      assertThat(file.tensor("j").shape()).isEqualTo(Shape.SCALAR);
      assertThat(file.longs("u")).isEmpty();
      assertThat(file.booleans("b")).containsExactly(true, false, true);
      assertThat(file.has("b")).isTrue();
      assertThat(file.has("c")).isFalse();
    }
  }

  @Test
  void theOrderOfAddingDoesNotMatter() {
    byte[] first = null;
    List<Integer> order = new ArrayList<>(List.of(0, 1, 2, 3, 4));
    SplittableRandom random = new SplittableRandom(4);
    for (int round = 0; round < 20; round++) {
      for (int i = order.size() - 1; i > 0; i--) {
        Collections.swap(order, i, random.nextInt(i + 1));
      }
      SafetensorsWriter writer = new SafetensorsWriter();
      for (int i : order) {
        writer.metadata("key" + i, "value" + i);
        DType dtype = i < 2 ? DType.U8 : DType.F32;
        MemorySegment data = MemorySegment.ofArray(new byte[dtype.bytes()]);
        writer.tensor("t" + i, dtype, Shape.of(1), data);
      }
      first = first == null ? bytes(writer) : first;
      assertThat(bytes(writer)).isEqualTo(first);
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void bytesOfEveryTypeComeBack(DType dtype) {
    SplittableRandom random = new SplittableRandom(5);
    List<Shape> shapes =
        List.of(
            Shape.SCALAR,
            Shape.of(0),
            Shape.of(3, 0, 2),
            Shape.of(1),
            Shape.of(7, 3),
            Shape.of(1, 1, 1, 1, 1, 1, 1, 5),
            Shape.of(300_007));
    SafetensorsWriter writer = new SafetensorsWriter();
    List<byte[]> data = new ArrayList<>();
    for (Shape shape : shapes) {
      byte[] bytes = new byte[(int) shape.numel() * dtype.bytes()];
      random.nextBytes(bytes);
      for (int i = 0; dtype == DType.BOOL && i < bytes.length; i++) {
        bytes[i] &= 1;
      }
      data.add(bytes);
      writer.tensor(shape.toString(), dtype, shape, MemorySegment.ofArray(bytes));
    }
    Path path = folder.resolve("all.safetensors");
    writer.write(path);
    try (Safetensors file = Safetensors.open(path)) {
      for (int i = 0; i < shapes.size(); i++) {
        TensorInfo info = file.tensor(shapes.get(i).toString());
        assertThat(info.dtype()).isEqualTo(dtype);
        assertThat(info.shape()).isEqualTo(shapes.get(i));
        byte[] back = new byte[(int) info.bytes()];
        file.read(info.name(), MemorySegment.ofArray(back));
        assertThat(back).isEqualTo(data.get(i));
      }
    }
  }

  @Test
  void valuesAreWidenedExactly() {
    Path path = folder.resolve("wide.safetensors");
    new SafetensorsWriter()
        .tensor(
            "bf16",
            DType.BF16,
            Shape.of(3),
            MemorySegment.ofArray(new short[] {0x3F80, (short) 0xC000, 0x7FC0}))
        .tensor("u8", DType.U8, Shape.of(2), MemorySegment.ofArray(new byte[] {-1, 5}))
        .tensor("i32", DType.I32, Shape.of(2), MemorySegment.ofArray(new int[] {-1, 5}))
        .write(path);
    try (Safetensors file = Safetensors.open(path)) {
      assertThat(file.floats("bf16")).containsExactly(1, -2, Float.NaN);
      assertThat(file.doubles("bf16")).containsExactly(1, -2, Double.NaN);
      assertThat(file.longs("u8")).containsExactly(255, 5);
      assertThat(file.longs("i32")).containsExactly(-1, 5);
    }
  }

  @Test
  void metadataHoldAnyText() {
    Path path = folder.resolve("meta.safetensors");
    new SafetensorsWriter()
        .metadata("", "")
        .metadata("n".repeat(100_000), "long")
        .metadata("\0\n\"\\", "\uD834\uDD1E\u2028" + "x".repeat(1_000_000))
        .write(path);
    try (Safetensors file = Safetensors.open(path)) {
      assertThat(file.metadata())
          .isEqualTo(
              Map.of(
                  "",
                  "",
                  "n".repeat(100_000),
                  "long",
                  "\0\n\"\\",
                  "\uD834\uDD1E\u2028" + "x".repeat(1_000_000)));
      assertThat(file.tensors()).isEmpty();
    }
  }

  @Test
  void anOpenFileCanBeReplaced() {
    Path path = folder.resolve("same.safetensors");
    float[] values = new float[100_000];
    values[99_999] = 3;
    for (int round = 0; round < 20; round++) {
      SafetensorsWriter writer = new SafetensorsWriter();
      writer.tensor("w", DType.F32, Shape.of(100_000), MemorySegment.ofArray(values));
      if (round == 0) {
        writer.write(path);
        continue;
      }
      try (Safetensors file = Safetensors.open(path)) {
        writer.write(path);
        assertThat(file.floats("w")).isEqualTo(values);
      }
    }
  }

  @Test
  void wrongRequestsAreRefused() {
    Path path = folder.resolve("golden.safetensors");
    golden().write(path);
    try (Safetensors file = Safetensors.open(path)) {
      assertThatThrownBy(() -> file.floats("w"))
          .isInstanceOf(CheckpointException.class)
          .hasMessage(path + ": no tensor \"w\" among the 8 in the file");
      assertThatThrownBy(() -> file.floats("a"))
          .isInstanceOf(CheckpointException.class)
          .hasMessage(path + ": tensor \"a\": expected F32 or BF16, got F64");
      assertThatThrownBy(() -> file.doubles("i"))
          .hasMessage(path + ": tensor \"i\": expected F64, F32 or BF16, got I64");
      assertThatThrownBy(() -> file.longs("b"))
          .hasMessage(path + ": tensor \"b\": expected I64, I32 or U8, got BOOL");
      assertThatThrownBy(() -> file.booleans("u"))
          .hasMessage(path + ": tensor \"u\": expected BOOL, got U8");
      assertThatThrownBy(() -> file.read("z", MemorySegment.ofArray(new byte[23])))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("read: expected 24 bytes for tensor \"z\", got 23 ((2, 3) of float32)");
    }
  }

  @Test
  void tensorsThatCannotBeWrittenAreRefused() {
    MemorySegment four = MemorySegment.ofArray(new byte[4]);
    SafetensorsWriter writer = new SafetensorsWriter();
    writer.tensor("w", DType.F32, Shape.of(1), four).metadata("k", "v");
    assertThatThrownBy(() -> writer.tensor("w", DType.F32, Shape.of(1), four))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("safetensors: expected each tensor once, got \"w\" twice");
    assertThatThrownBy(() -> writer.tensor("__metadata__", DType.F32, Shape.of(1), four))
        .hasMessage("safetensors: expected another name than __metadata__");
    assertThatThrownBy(() -> writer.tensor("v", DType.F64, Shape.of(1), four))
        .hasMessage("safetensors: tensor \"v\": expected 8 bytes, got 4 ((1) of float64)");
    assertThatThrownBy(() -> writer.tensor("\uD834", DType.F32, Shape.of(1), four))
        .hasMessageStartingWith("safetensors: expected valid Unicode text, got half a surrogate");
    assertThatThrownBy(() -> writer.metadata("k", "w"))
        .hasMessage("safetensors: expected each metadata key once, got \"k\" twice");
    assertThatThrownBy(() -> writer.metadata("x", "\uDD1E"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void boolsAreZeroOrOne() throws IOException {
    byte[] bytes = goldenBytes();
    bytes[bytes.length - 2] = 2;
    Path path = Files.write(folder.resolve("bool.safetensors"), bytes);
    try (Safetensors file = Safetensors.open(path)) {
      assertThatThrownBy(() -> file.booleans("b"))
          .isInstanceOf(CheckpointException.class)
          .hasMessage(
              path
                  + ": byte "
                  + (bytes.length - 2)
                  + ", tensor \"b\": expected a bool of 0 or 1, got 2");
    }
  }

  @Test
  void aFileCutShortWhileOpenIsNoCrash() throws IOException {
    Path path = Files.write(folder.resolve("cut.safetensors"), goldenBytes());
    try (Safetensors file = Safetensors.open(path)) {
      Files.write(path, new byte[10]);
      assertThatThrownBy(() -> file.floats("z"))
          .isInstanceOf(CheckpointException.class)
          .hasMessage(path + ": the file was cut short after it was opened (tensor \"z\")");
    }
  }
}

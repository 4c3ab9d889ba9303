package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Binary;
import dev.downhill.backend.Reduce;
import dev.downhill.backend.Unary;
import dev.downhill.backend.Update;
import dev.downhill.backend.cuda.KernelManifest.Module;
import dev.downhill.shape.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The PTX in the jar was made of the kernels that are here, and has the entries that Java asks for.
 * Needs neither nvcc nor a GPU.
 */
class KernelManifestTest {
  private static final Path KERNELS = Path.of("kernels");
  private static final Path RESOURCES = Path.of("src/main/resources/dev/downhill/backend/cuda");
  private static final Pattern TYPES = Pattern.compile("^// types: (.*)$", Pattern.MULTILINE);
  private static final Pattern ENTRY =
      Pattern.compile("^\\.visible \\.entry (\\w+)\\(", Pattern.MULTILINE);

  private static KernelManifest manifest;

  @BeforeAll
  static void read() throws IOException {
    manifest = KernelManifest.read();
  }

  @Test
  void everySourceIsTheOneThatWasCompiled() throws IOException {
    for (String name : names(KERNELS, ".cu")) {
      assertThat(manifest.sources())
          .as("no PTX of kernels/%s: run ci/kernels", name)
          .containsKey(name);
    }
    for (String name : manifest.sources().keySet()) {
      Path file = KERNELS.resolve(name);
      assertThat(file).as("PTX of a file that is gone: run ci/kernels").exists();
      assertThat(manifest.sources().get(name))
          .as("kernels/%s is not what its PTX was made of: run ci/kernels", name)
          .isEqualTo(KernelManifest.sha256(file));
    }
  }

  @Test
  void everyFamilyHasAModuleForEachOfItsTypes() throws IOException {
    Set<String> expected = new TreeSet<>();
    for (String source : names(KERNELS, ".cu")) {
      String family = source.substring(0, source.length() - ".cu".length());
      Matcher types = TYPES.matcher(Files.readString(KERNELS.resolve(source)));
      if (types.find()) {
        Stream.of(types.group(1).split(" ")).forEach(type -> expected.add(family + "_" + type));
      } else {
        expected.add(family);
      }
    }
    assertThat(manifest.modules().keySet()).as("run ci/kernels").isEqualTo(expected);
  }

  @Test
  void everyModuleHasItsPtx() throws IOException {
    List<String> expected = new ArrayList<>();
    for (Module module : manifest.modules().values()) {
      for (int architecture : manifest.architectures(module)) {
        String file = module.ptx(architecture);
        expected.add(file);
        assertThat(manifest.ptx().get(file))
            .as("%s is not as ci/kernels left it: run ci/kernels", file)
            .isEqualTo(KernelManifest.sha256(KernelManifest.bytes(file)));
        String text = KernelManifest.text(file);
        assertThat(text.lines().limit(3))
            .as(file)
            .containsExactly(".version 8.0", ".target sm_" + architecture, ".address_size 64");
        assertThat(ENTRY.matcher(text).results().map(match -> match.group(1)).sorted())
            .as(file)
            .isEqualTo(module.entries())
            .isNotEmpty();
      }
    }
    for (String folder : List.of("compute_75", "compute_80")) {
      for (String name : names(RESOURCES.resolve(folder), ".ptx")) {
        assertThat(expected)
            .as("PTX that nothing gives: run ci/kernels")
            .contains(folder + "/" + name);
      }
    }
  }

  @Test
  void ptxForTheNewerArchitectureIsThereOnlyWhereItDiffers() throws IOException {
    for (Module module : manifest.modules().values()) {
      if (manifest.architectures(module).contains(80)) {
        assertThat(KernelManifest.text(module.ptx(80)))
            .as("%s is not needed: run ci/kernels", module.ptx(80))
            .isNotEqualTo(
                KernelManifest.text(module.ptx(75)).replace(".target sm_75", ".target sm_80"));
      }
    }
  }

  /**
   * What the families of this package can ask a device for, by their rules for types: a kernel that
   * is missing shows here, not when somebody first needs it.
   */
  @Test
  void everyEntryThatJavaAsksForIsThereAndNoOther() {
    Set<String> asked = new TreeSet<>();
    Set<DType> numbers = EnumSet.complementOf(EnumSet.of(DType.BOOL));
    Set<DType> integers = EnumSet.of(DType.I64, DType.I32, DType.U8);
    Set<DType> floating = EnumSet.of(DType.F32, DType.F64, DType.BF16);
    Set<DType> all = EnumSet.allOf(DType.class);

    // CudaElementwise
    Set<Unary> exact =
        EnumSet.of(Unary.ABS, Unary.FLOOR, Unary.NEG, Unary.RELU, Unary.SIGN, Unary.SQUARE);
    ask(asked, "unary", "", EnumSet.complementOf(EnumSet.of(Unary.NOT)), floating);
    ask(asked, "unary", "", exact, integers);
    ask(asked, "unary", "", EnumSet.of(Unary.NOT), EnumSet.of(DType.BOOL));
    Set<Unary> differentiable = EnumSet.allOf(Unary.class);
    differentiable.removeIf(op -> op.reads() == Unary.Reads.NO_DERIVATIVE);
    ask(asked, "unary_backward", "backward", differentiable, floating);
    Set<Binary> binary = EnumSet.allOf(Binary.class);
    ask(asked, "binary", "binary", binary, floating);
    binary.removeAll(EnumSet.of(Binary.DIV, Binary.POW));
    ask(asked, "binary", "binary", binary, integers);
    binary.removeAll(EnumSet.of(Binary.ADD, Binary.SUB, Binary.MUL));
    ask(asked, "binary", "binary", binary, EnumSet.of(DType.BOOL));
    for (DType from : all) {
      ask(asked, "copy", List.of("copy_" + from.suffix()), all);
    }
    ask(asked, "copy", List.of("fill", "arange", "where"), all);

    // CudaReduce
    for (String form : List.of("rows", "columns", "finish")) {
      ask(asked, "reduce", form, EnumSet.allOf(Reduce.class), all);
    }
    ask(asked, "reduce", "arg", EnumSet.of(Reduce.MAX, Reduce.MIN), all);
    ask(asked, "reduce", List.of("cumsum"), all);

    // CudaSoftmax, CudaNorm, CudaUpdate
    ask(asked, "softmax", List.of("softmax_group", "softmax_block"), floating);
    ask(asked, "softmax", List.of("softmax_backward_group", "softmax_backward_block"), floating);
    ask(asked, "softmax", List.of("cross_entropy_group", "cross_entropy_block"), floating);
    ask(asked, "softmax", List.of("cross_entropy_backward"), floating);
    ask(asked, "norm", List.of("norm_part", "norm_scale", "norm_finish"), floating);
    ask(asked, "update", "", EnumSet.allOf(Update.class), floating);

    // CudaAttention
    ask(asked, "attention", List.of("attention", "attention_dots"), floating);
    ask(asked, "attention", List.of("attention_queries", "attention_keys"), floating);

    // CudaLayerNorm
    ask(asked, "layer_norm", List.of("layer_norm", "layer_norm_backward"), floating);
    ask(asked, "layer_norm", List.of("layer_norm_finish"), floating);

    // CudaIndexing takes bool as u8.
    ask(asked, "index", List.of("gather", "scatter_add"), numbers);
    asked.add("order order_tiles");
    asked.add("order order_merge");

    // CudaConvolution, CudaPooling
    ask(asked, "window", List.of("unfold", "fold", "max_pool", "max_pool_backward"), floating);

    // CudaSort takes bool as u8.
    ask(asked, "sort", List.of("sort_tiles", "sort_merge", "sort_take"), numbers);

    // CudaRandom
    ask(asked, "random", List.of("random"), floating);
    ask(asked, "random", List.of("random"), EnumSet.of(DType.I64, DType.BOOL));

    Set<String> present = new TreeSet<>();
    for (Module module : manifest.modules().values()) {
      module.entries().forEach(entry -> present.add(module.name() + " " + entry));
    }
    assertThat(present).isEqualTo(asked);
  }

  private static <E extends Enum<E>> void ask(
      Set<String> asked, String family, String form, Set<E> ops, Set<DType> types) {
    for (E op : ops) {
      for (DType type : types) {
        asked.add(KernelName.of(family, type) + " " + KernelName.of(op, form, type));
      }
    }
  }

  private static void ask(Set<String> asked, String family, List<String> names, Set<DType> types) {
    for (String name : names) {
      for (DType type : types) {
        asked.add(KernelName.of(family, type) + " " + KernelName.of(name, type));
      }
    }
  }

  private static List<String> names(Path folder, String end) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(end))
          .sorted()
          .toList();
    }
  }
}

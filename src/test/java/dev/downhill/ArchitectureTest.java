package dev.downhill;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.equivalentTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.downhill.backend.Device;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may import whom, and what nobody may use. */
class ArchitectureTest {
  /**
   * The import rule: a package, the packages of Downhill that it may import, and the libraries
   * beside the JDK.
   */
  private static final String IMPORT_RULE =
      """
      shape        |                       |
      autograd     |                       |
      backend      | shape                 |
      backend.cpu  | backend shape         | com.sun.management
      backend.cuda | backend shape         | jcuda
      tensor       | shape backend autograd |
      nn           | tensor shape          |
      optim        | tensor shape          |
      data         | tensor shape          | de.siegmar tools.jackson org.apache.commons.math3
      checkpoint   | tensor shape          | tools.jackson
      train        | nn optim data checkpoint tensor shape | tools.jackson org.knowm
      explain      | tensor nn optim shape | tools.jackson org.knowm org.apache.commons.math3
      jobs         | train nn optim data checkpoint tensor shape explain | tools.jackson org.knowm
      lab          | *                     | tools.jackson
      cli          | *                     | picocli me.tongfei tools.jackson
      """;

  private static final JavaClasses DOWNHILL =
      new ClassFileImporter()
          .withImportOption(location -> !location.contains("/test-classes/"))
          .importPackages("dev.downhill");

  @ParameterizedTest(name = "{0} imports {1} {2}")
  @CsvSource(delimiter = '|', textBlock = IMPORT_RULE)
  void packageImportsOnly(String name, @Nullable String imports, @Nullable String libraries) {
    String[] allowed =
        Stream.of(
                Stream.of(pattern(name), "java..", "javax..", "jdk..", "org.jspecify.."),
                words(imports).map(ArchitectureTest::pattern),
                words(libraries).map(library -> library + ".."))
            .flatMap(packages -> packages)
            .toArray(String[]::new);
    classes()
        .that()
        .resideInAPackage(pattern(name))
        .should()
        .onlyDependOnClassesThat(resideInAnyPackage(allowed).or(isTheDevice(name)))
        .allowEmptyShould(true)
        .check(DOWNHILL);
  }

  @Test
  void everyPackageHasItsRow() {
    classes()
        .should()
        .resideInAnyPackage(
            IMPORT_RULE
                .lines()
                .map(row -> pattern(row.substring(0, row.indexOf('|')).strip()))
                .toArray(String[]::new))
        .check(DOWNHILL);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.downhill.(**)").should().beFreeOfCycles().check(DOWNHILL);
  }

  @Test
  void randomNumbersAreDownhillsOwn() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .haveNameMatching("java\\.util\\.(Random|SplittableRandom|concurrent\\.ThreadLocalRandom)")
        .orShould()
        .dependOnClassesThat()
        .resideInAPackage("java.util.random")
        .orShould()
        .callMethod(Math.class, "random")
        .because("a draw is named by seed, stream and position, the same on every device")
        .check(DOWNHILL);
  }

  @Test
  void cpuKernelsGiveTheSameBitsOnEveryMachine() {
    Set<String> inexact =
        Set.of(
            "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "exp",
            "expm1", "log", "log10", "log1p", "pow", "cbrt", "hypot");
    DescribedPredicate<JavaAccess<?>> mayDiffer =
        describe(
            "Math and VectorOperators may round differently on another machine",
            access ->
                access.getTargetOwner().getName().matches(".*\\.(Math|VectorOperators)")
                    && inexact.contains(access.getTarget().getName().toLowerCase(Locale.ROOT)));
    noClasses()
        .that()
        .resideInAPackage("dev.downhill.backend.cpu..")
        .should()
        .accessTargetWhere(mayDiffer)
        .allowEmptyShould(true)
        .check(DOWNHILL);
  }

  @Test
  void onlyTheCommandLinePrints() {
    noClasses()
        .that()
        .resideOutsideOfPackages("dev.downhill.cli..", "dev.downhill.jobs..")
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .check(DOWNHILL);
  }

  /**
   * The one class of {@code backend} that the public API names: users say on which device a model
   * or a data set lives. The packages below tensor do not need it.
   */
  private static DescribedPredicate<JavaClass> isTheDevice(String name) {
    boolean aboveTensors =
        Set.of("nn", "optim", "data", "checkpoint", "train", "explain", "jobs").contains(name);
    return aboveTensors ? equivalentTo(Device.class) : DescribedPredicate.alwaysFalse();
  }

  /** ArchUnit's pattern; {@code backend} stands for itself, not for the packages below it. */
  private static String pattern(String name) {
    return switch (name) {
      case "*" -> "dev.downhill..";
      case "backend" -> "dev.downhill.backend";
      default -> "dev.downhill." + name + "..";
    };
  }

  private static Stream<String> words(@Nullable String text) {
    return text == null ? Stream.of() : Stream.of(text.split(" "));
  }
}

package dev.downhill.cli;

import dev.downhill.backend.BackendProvider;
import dev.downhill.backend.Device;
import dev.downhill.backend.DeviceException;
import dev.downhill.backend.Finding;
import dev.downhill.backend.OutOfMemoryException;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code downhill doctor}: says what is there, what is missing, and what to do about it. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description =
        "Looks at Java, the processor, and all that a GPU needs, and computes something on every"
            + " device. For each thing that is missing: what was found, is needed, and is to be"
            + " done. Exits with 4 if a device that is there does not work.")
final class DoctorCommand implements Callable<Integer> {
  /** What a device made of the self-test. */
  private record Tried(String name, Finding outcome) {}

  private record Kind(
      String kind, @Nullable String unavailable, List<Finding> findings, List<Tried> devices) {
    boolean works() {
      return devices.stream().allMatch(device -> device.outcome.ok());
    }
  }

  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--json", description = "Print one JSON object instead.")
  private boolean json;

  DoctorCommand() {}

  @Override
  public Integer call() {
    List<Finding> java = java();
    List<Kind> kinds =
        ServiceLoader.load(BackendProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .sorted((a, b) -> Integer.compare(a.preference(), b.preference()))
            .map(DoctorCommand::examine)
            .toList();
    boolean ok = kinds.stream().allMatch(Kind::works);
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    if (json) {
      out.println(json(java, kinds, ok));
    } else {
      print(out, "java", java, List.of());
      kinds.forEach(kind -> print(out, kind.kind, kind.findings, kind.devices));
    }
    out.flush();
    return (ok ? ExitCode.OK : ExitCode.DEVICE).code();
  }

  private static List<Finding> java() {
    return List.of(
        Finding.fine(
            "version",
            "%s, %s"
                .formatted(System.getProperty("java.version"), System.getProperty("java.vendor"))),
        Finding.fine("home", System.getProperty("java.home")),
        Finding.fine(
            "flags", String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments())),
        Finding.fine("heap limit", (Runtime.getRuntime().maxMemory() >> 20) + " MiB"));
  }

  private static Kind examine(BackendProvider provider) {
    List<Finding> findings = provider.diagnose();
    List<Tried> devices = new ArrayList<>();
    for (int i = 0; i < provider.devices(); i++) {
      String name = provider.kind() + ":" + i;
      devices.add(new Tried(name, selfTest(name)));
    }
    return new Kind(provider.kind(), provider.unavailable().orElse(null), findings, devices);
  }

  // The self-test: whole numbers, which every device computes without rounding

  private static Finding selfTest(String name) {
    String what = name + " self-test";
    try (Scope _ = Scope.open()) {
      Device device = Device.of(name);
      Tensor a = Tensor.of(device, new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
      Tensor b = Tensor.of(device, new double[] {1, 0, -1, 2, 3, 1}, 3, 2);
      String wrong = compare("a + a", a.add(a), 2, 4, 6, 8, 10, 12);
      if (wrong.isEmpty()) {
        wrong = compare("a * b", a.matmul(b), 8, 7, 17, 16);
      }
      return wrong.isEmpty()
          ? Finding.fine(what, "a sum and a matrix product are right; " + device.describe())
          : new Finding(
              what,
              false,
              wrong,
              "the right numbers",
              "update the driver and cuBLAS, and test the memory of the device");
    } catch (DeviceException | OutOfMemoryException | IllegalArgumentException e) {
      return failed(what, Objects.requireNonNullElse(e.getMessage(), e.toString()));
    } catch (RuntimeException | AssertionError | LinkageError e) {
      return failed(what, e.toString());
    }
  }

  private static Finding failed(String what, String why) {
    return new Finding(what, false, why, "a sum and a matrix product", "see above");
  }

  private static String compare(String op, Tensor got, double... expected) {
    double[] values = got.toDoubles();
    return Arrays.equals(values, expected)
        ? ""
        : "%s = %s instead of %s"
            .formatted(op, Arrays.toString(values), DoubleStream.of(expected).boxed().toList());
  }

  // What is printed

  private static void print(
      PrintWriter out, String title, List<Finding> findings, List<Tried> devices) {
    out.println(title);
    findings.forEach(finding -> print(out, finding));
    devices.forEach(device -> print(out, device.outcome));
  }

  private static void print(PrintWriter out, Finding finding) {
    out.printf("%s %s%n", finding.ok() ? " " : "!", finding);
  }

  private static String json(List<Finding> java, List<Kind> kinds, boolean ok) {
    List<Map<String, Object>> all = new ArrayList<>();
    for (Kind kind : kinds) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("kind", kind.kind);
      fields.put("unavailable", Objects.requireNonNullElse(kind.unavailable, ""));
      fields.put("findings", kind.findings.stream().map(DoctorCommand::fields).toList());
      fields.put(
          "devices",
          kind.devices.stream()
              .map(device -> Map.of("name", device.name, "selfTest", fields(device.outcome)))
              .toList());
      all.add(fields);
    }
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("ok", ok);
    report.put("java", java.stream().map(DoctorCommand::fields).toList());
    report.put("kinds", all);
    return JsonMapper.builder().build().writeValueAsString(report);
  }

  private static Map<String, Object> fields(Finding finding) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("what", finding.what());
    fields.put("ok", finding.ok());
    fields.put("found", finding.found());
    fields.put("needed", finding.needed());
    fields.put("do", finding.remedy());
    return fields;
  }
}

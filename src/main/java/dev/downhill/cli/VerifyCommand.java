package dev.downhill.cli;

import dev.downhill.backend.Activity;
import dev.downhill.backend.Device;
import dev.downhill.cli.verify.PackedCases;
import dev.downhill.cli.verify.Verification;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code downhill verify}: holds a device to results computed elsewhere. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description =
        "Replays conformance cases on a device: inputs and the results that another implementation "
            + "computed from them. Names every case that fails and every case that cannot be run. "
            + "Exits with 1 if a case fails or nothing was compared.")
final class VerifyCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--cases",
      paramLabel = "DIR",
      description =
          "The folder of cases: *.safetensors files with a list of cases in their metadata;"
              + " default: those that come with Downhill, computed by PyTorch.")
  private @Nullable Path cases;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      description = "auto, cpu, cuda or cuda:N; default: ${DEFAULT-VALUE}.")
  private String device = "auto";

  @Option(names = "--json", description = "Print the counts as one JSON object on the last line.")
  private boolean json;

  VerifyCommand() {}

  @Override
  public Integer call() {
    CommandSpec command = Objects.requireNonNull(spec);
    PrintWriter out = command.commandLine().getOut();
    Device on = Device.of(device);
    Verification.Report report = replay(on, out);
    for (Verification.Skipped s : report.skipped()) {
      out.printf(
          Locale.ROOT,
          "skipped %s: %d cases, %s: %s%n",
          s.op(),
          s.names().size(),
          s.reason(),
          String.join(", ", s.names()));
    }
    out.printf(
        Locale.ROOT,
        "%s: %d files, %d cases: %d passed, %d failed, %d skipped (%d comparisons)%n",
        on.name(),
        report.files(),
        report.cases(),
        report.passed(),
        report.failed(),
        report.skippedCases(),
        report.comparisons());
    if (json) {
      out.println(json(on, report));
    }
    out.flush();
    if (report.comparisons() == 0) {
      command.commandLine().getErr().println("downhill: verify: nothing was compared");
    }
    boolean ok = report.failed() == 0 && report.comparisons() > 0;
    return (ok ? ExitCode.OK : ExitCode.FAILED).code();
  }

  private Verification.Report replay(Device on, PrintWriter out) {
    Verification.Listener listener =
        (name, what) -> {
          out.println("failed " + name + ": " + what);
          out.flush();
        };
    Path folder = cases;
    if (folder != null) {
      return Verification.run(folder, on, listener);
    }
    try (PackedCases packed = new PackedCases()) {
      return Verification.run(packed.folder(), on, listener);
    }
  }

  private static String json(Device device, Verification.Report report) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("device", device.name());
    fields.put("files", report.files());
    fields.put("cases", report.cases());
    fields.put("passed", report.passed());
    fields.put("failed", report.failed());
    fields.put("skipped", report.skippedCases());
    fields.put("comparisons", report.comparisons());
    Activity activity = device.activity();
    fields.put("launches", activity.launches());
    fields.put("kernels", activity.kernels());
    fields.put("copies_to_host", activity.copiesToHost());
    return new JsonMapper().writeValueAsString(fields);
  }
}

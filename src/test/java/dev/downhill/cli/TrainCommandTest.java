package dev.downhill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** A wrong word ends in one clear line and the right exit code, before anything is written. */
class TrainCommandTest {
  @TempDir Path folder;

  private record Outcome(int code, String message) {}

  private static Outcome train(String... args) {
    StringWriter err = new StringWriter();
    CommandLine line = new CommandLine(new Downhill()).setErr(new PrintWriter(err, true));
    String[] all = new String[args.length + 1];
    all[0] = "train";
    System.arraycopy(args, 0, all, 1, args.length);
    return new Outcome(Downhill.run(line, all), err.toString().strip());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --lr=-1                   | 2 | --lr: expected a number above 0, at most 1000000, got '-1'
          --lr=0                    | 2 | --lr: expected a number above 0, at most 1000000, got '0'
          --lr=NaN                  | 2 | --lr: expected a number above 0, at most 1000000, got 'NaN'
          --lr=Infinity             | 2 | --lr: expected a number above 0, at most 1000000, got 'Infinity'
          --lr=2e6                  | 2 | --lr: expected a number above 0, at most 1000000, got '2e6'
          --threads=100000          | 2 | --threads: expected 1 to 1024, got 100000
          --out=                    | 2 | --out: expected the path of a folder, got ''
          --device=CPU              | 2 | device: expected auto, cpu, cuda or a kind with an index such as cuda:0, got 'CPU'
          --device=cpu:99           | 4 | device cpu:99: expected cpu:0 to cpu:63
          --lr=fast                 | 2 | --lr: expected a number above 0, at most 1000000, got 'fast'
          --epochs=0                | 2 | --epochs: expected a whole number of 1 or more, got '0'
          --epochs=1.5              | 2 | --epochs: expected a whole number of 1 or more, got '1.5'
          --batch-size=-3           | 2 | --batch-size: expected a whole number of 1 or more, got '-3'
          --steps=0                 | 2 | --steps: expected a whole number of 1 or more, got '0'
          --threads=0               | 2 | --threads: expected 1 to 1024, got 0
          --optimizer=addam         | 2 | --optimizer: expected one of sgd, adam, adamw, nadam, rmsprop, adagrad, got 'addam'
          --schedule=cosinus        | 2 | --schedule: expected one of constant, cosine, step, exponential, linear, got 'cosinus'
          --target=price            | 2 | --target: expected it together with --data FILE.csv, got 'price'
          --device=gpu              | 2 | device: expected auto, cpu, cuda or a kind with an index such as cuda:0, got 'gpu'
          --device=cpu:x            | 2 | device: expected auto, cpu, cuda or a kind with an index
          --resume=nowhere          | 6 | run folder: expected a run with config.json in nowhere
          --epoch=3                 | 2 | --epochs
          hose-prices               | 2 | train: expected a job, one of house-prices, one-weight,
          --data=nowhere.csv        | 3 | nowhere.csv
          """)
  void aWrongWord(String argument, int code, String message) {
    Path out = folder.resolve("run");
    Outcome outcome =
        argument.matches("--(resume|out).*") ? train(argument) : train(argument, "--out=" + out);
    assertThat(outcome.message).contains(message).hasLineCount(1).startsWith("downhill: ");
    assertThat(outcome.code).isEqualTo(code);
    assertThat(out).doesNotExist();
  }

  @Test
  void aRunThatIsOver_isResumedToTheSameModel() throws Exception {
    Path out = folder.resolve("run");
    assertThat(train("--epochs=1", "--batch-size=2048", "--out=" + out).code).isZero();
    byte[] model = Files.readAllBytes(out.resolve("model.safetensors"));
    Files.delete(out.resolve("model.safetensors"));
    assertThat(train("--resume=" + out).code).isZero();
    assertThat(Files.readAllBytes(out.resolve("model.safetensors"))).isEqualTo(model);
    assertThat(train("--resume=" + out, "--lr=1", "--epochs=3"))
        .isEqualTo(
            new Outcome(
                2,
                "downhill: --resume: expected no options of the job beside it, since the run keeps"
                    + " its own, got --epochs, --lr"));
  }

  @Test
  void aSeedBesideResume_isNotSilentlyDropped() {
    assertThat(train("--resume=" + folder, "--seed=7", "--json").message)
        .contains("--resume: expected no options of the job beside it")
        .endsWith("got --seed");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --curve=x^2 +   | --curve: expected a number, x, pi, e, one of sin,
          --curve=wel     | at character 1 of 'wel', got 'wel'; or one of the curves double-well,
          --curve=7       | --curve: expected a formula with an x in it, got '7'
          --curve=        | --curve: expected FORMULA, got ''
          --start=left    | --start: expected a number from -1000000 to 1000000, got 'left'
          --epochs=2      | --epochs: the job curve has no such option, it takes --curve, --start, --lr, --steps
          """)
  void aWrongCurve_isToldInOneLine(String argument, String message) {
    Path out = folder.resolve("run");
    Outcome outcome = train("curve", argument, "--out=" + out);
    assertThat(outcome.message).contains(message).hasLineCount(1).startsWith("downhill: ");
    assertThat(outcome.code).isEqualTo(2);
    assertThat(out).doesNotExist();
  }

  @Test
  void aNegativeNumber_isNoOption() {
    Path out = folder.resolve("run");
    assertThat(train("curve", "--start", "-2", "--steps=2", "--out=" + out).code).isZero();
    assertThat(out.resolve("config.json")).content().contains("\"start\" : -2.0");
  }

  @Test
  void theHelp_namesEveryJobWithItsOptions() {
    CommandLine line = new CommandLine(new Downhill()).getSubcommands().get("train");
    String help = line.getUsageMessage(CommandLine.Help.Ansi.OFF);
    for (Job job : Jobs.ALL) {
      assertThat(help.replaceAll("\\s+", " ")).contains(" " + job.name() + " " + job.about());
      for (JobOption option : job.takes()) {
        assertThat(help).contains("--%s=%s".formatted(option.flag().substring(2), option.label()));
      }
    }
    assertThat(help).contains("--curve --start --lr --steps\n");
    assertThat(help.lines()).allMatch(l -> l.length() <= 110);
  }

  @Test
  void severalWrongWords_areToldTogether() {
    Outcome outcome = train("--lr=-1", "--epochs=0", "--optimizer=x");
    assertThat(outcome.message)
        .contains("--lr: expected", "--epochs: expected", "--optimizer: expected")
        .hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          a,y\\n1,2\\n3\\n           | 3
          a,y\\n1,2\\nhigh,3\\n2,2\\n3,4\\n4,1\\n5,1\\n6,1\\n7,1\\n8,1\\n9,1\\n0,1\\n | 3
          a,y\\n1,2\\nNaN,3\\n       | 3
          a,y\\n1,1\\n2,\\n          | 3
          a,b\\n1,2\\n2,3\\n         | 'y'
          a,y\\n1,2\\n             | at least 10 rows
          a,y\\n1,5\\n2,5\\n3,5\\n4,5\\n5,5\\n6,5\\n7,5\\n8,5\\n9,5\\n0,5\\n1,5\\n2,5\\n | values that differ
          """)
  void aBadTable_isRefused_namingTheFile(String text, String place) throws Exception {
    Path csv = folder.resolve("bad.csv");
    Files.writeString(csv, text.replace("\\n", "\n"));
    Path out = folder.resolve("run");
    Outcome outcome = train("--data=" + csv, "--target=y", "--out=" + out);
    assertThat(outcome.code).isEqualTo(3);
    assertThat(outcome.message)
        .startsWith("downhill: ")
        .contains("bad.csv", place.replace("'", ""))
        .hasLineCount(1);
    assertThat(out).doesNotExist();
  }

  @Test
  void aRunFolderThatCannotBeMade_isAStorageError() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "");
    Outcome outcome = train("one-weight", "--steps=2", "--out=" + file.resolve("run"));
    assertThat(outcome.code).isEqualTo(6);
    assertThat(outcome.message).contains("run folder: cannot make").hasLineCount(1);
  }
}

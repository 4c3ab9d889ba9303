package dev.downhill.backend.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The parameters of a kernel entry as its PTX declares them.
 *
 * @param parameters in order
 */
record Signature(List<Parameter> parameters) {
  private static final Pattern ENTRY = Pattern.compile("\\.entry\\s+(\\w+)\\s*(?:\\(([^)]*)\\))?");

  private static final Pattern PARAMETER =
      Pattern.compile(
          "\\.param\\s+(?:\\.align\\s+(\\d+)\\s+)?\\.([usbf])(\\d+)\\s[^,\\[]*(?:\\[(\\d+)\\])?");

  /** What a parameter holds. */
  enum Kind {
    /** A whole number or an address. */
    INTEGER,
    /** A floating-point number. */
    FLOAT,
    /** A struct by value. */
    STRUCT
  }

  /**
   * One parameter.
   *
   * @param kind what it holds
   * @param bytes its size
   * @param alignment of its place
   */
  record Parameter(Kind kind, int bytes, int alignment) {
    @Override
    public String toString() {
      return switch (kind) {
        case INTEGER -> "i" + 8 * bytes;
        case FLOAT -> "f" + 8 * bytes;
        case STRUCT -> "a struct of %s bytes".formatted(bytes);
      };
    }
  }

  /** Copies the list. */
  Signature {
    parameters = List.copyOf(parameters);
  }

  /** The signatures of all entries of a module, by name. */
  static Map<String, Signature> parse(String ptx) {
    Map<String, Signature> signatures = new HashMap<>();
    Matcher entry = ENTRY.matcher(ptx);
    while (entry.find()) {
      List<Parameter> parameters = new ArrayList<>();
      if (entry.group(2) != null) {
        Matcher parameter = PARAMETER.matcher(entry.group(2));
        while (parameter.find()) {
          parameters.add(parameter(parameter));
        }
      }
      signatures.put(entry.group(1), new Signature(parameters));
    }
    return signatures;
  }

  private static Parameter parameter(Matcher text) {
    int bytes = Integer.parseInt(text.group(3)) / 8;
    if (text.group(4) != null) {
      int alignment = text.group(1) == null ? bytes : Integer.parseInt(text.group(1));
      return new Parameter(Kind.STRUCT, bytes * Integer.parseInt(text.group(4)), alignment);
    }
    return new Parameter(text.group(2).equals("f") ? Kind.FLOAT : Kind.INTEGER, bytes, bytes);
  }
}

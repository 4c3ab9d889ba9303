package dev.downhill.backend.cpu;

import java.lang.System.Logger.Level;

/**
 * Whether the Vector API is there, and how wide its vectors shall be. Mentions none of its types:
 * classes that do are touched only where {@link #AVAILABLE}.
 */
final class Simd {
  private static final String BITS = "downhill.vector.bits";

  /** Whether loops can run on vectors; if not, a warning has said what to do. */
  static final boolean AVAILABLE = available();

  /**
   * Whether vectors do even the first work of a kind, which plain loops do else, see {@link Early}:
   * so tests see them, however little they compute.
   */
  static final boolean FIRST = Boolean.getBoolean("downhill.vector.first");

  private Simd() {}

  private static boolean available() {
    boolean there = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    if (!there) {
      System.getLogger(Simd.class.getName())
          .log(
              Level.WARNING,
              "The CPU backend runs scalar loops, several times slower: run java with"
                  + " --add-modules jdk.incubator.vector");
    }
    return there;
  }

  /**
   * The bits of a vector as {@code downhill.vector.bits} says, or 0 for what the machine prefers.
   */
  static int bits() {
    String value = System.getProperty(BITS, "preferred");
    return switch (value) {
      case "preferred" -> 0;
      case "128", "256", "512" -> Integer.parseInt(value);
      default ->
          throw new IllegalArgumentException(
              "%s: expected 128, 256 or 512, got '%s'".formatted(BITS, value));
    };
  }
}

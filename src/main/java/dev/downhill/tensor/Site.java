package dev.downhill.tensor;

/** The line of the user's program that called the library. */
final class Site {
  private static final StackWalker WALKER = StackWalker.getInstance();
  private static final String HERE = Site.class.getPackageName() + ".";
  private static final String ENGINE = "dev.downhill.autograd.";

  private Site() {}

  /** The nearest line outside this package, {@code Houses.java:42}. */
  static String caller() {
    return WALKER.walk(
        frames ->
            frames
                .filter(f -> !isInside(f))
                .findFirst()
                .map(f -> f.getFileName() + ":" + f.getLineNumber())
                .orElse("an unknown line"));
  }

  // Tests of this package count as users: their classes end in Test.
  private static boolean isInside(StackWalker.StackFrame frame) {
    String name = frame.getClassName();
    return (name.startsWith(HERE) || name.startsWith(ENGINE)) && !name.contains("Test");
  }
}

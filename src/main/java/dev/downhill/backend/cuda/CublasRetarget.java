package dev.downhill.backend.cuda;

/**
 * Makes JCublas2's library, which was linked with cuBLAS 12, ask for cuBLAS 13 instead: all that it
 * calls is there with the same parameters. The name {@code libcublas.so.12} stands once in the
 * dynamic string table, where both the list of needed libraries and the table of needed versions
 * refer to it; the latter also has the ELF hash of the name. So two bytes change. The places are
 * those of one build of the library, known by its SHA-256; any other build is refused.
 */
final class CublasRetarget {
  /** The build of JCublas2 12.6.0 for Linux on x86-64. */
  static final String KNOWN = "990b2129e540a7f93d0776799d48659dc85e4f7f5bfb6473d0c8369ef8126c32";

  private static final String NAME = "libcublas.so.12";
  private static final int NAME_AT = 0x1287a;
  private static final int HASH_AT = 0x14c60;

  private CublasRetarget() {}

  /**
   * A copy of the library that asks for {@code libcublas.so.13}.
   *
   * @throws IllegalArgumentException if it is another build
   */
  static byte[] to13(byte[] library) {
    String hash = Natives.sha256(library);
    if (!hash.equals(KNOWN)) {
      throw new IllegalArgumentException(
          "JCublas2 is a build that is not known (SHA-256 %s, expected %s)".formatted(hash, KNOWN));
    }
    byte[] copy = library.clone();
    // The last letter of the name adds its own value to the hash, the lowest byte of which is
    // stored first.
    copy[NAME_AT + NAME.length() - 1]++;
    copy[HASH_AT]++;
    return copy;
  }
}

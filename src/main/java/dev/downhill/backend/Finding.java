package dev.downhill.backend;

/**
 * One thing that a device needs, and whether it is there; what {@code downhill doctor} prints.
 *
 * @param what the thing: {@code driver}, {@code cuBLAS}
 * @param ok whether it will do
 * @param found what was found, with version and path
 * @param needed what is needed; empty where anything will do
 * @param remedy what to do about it; empty if {@code ok}
 */
public record Finding(String what, boolean ok, String found, String needed, String remedy) {
  /** Something that is as it should be, or that is told only to be known. */
  public static Finding fine(String what, String found) {
    return new Finding(what, true, found, "", "");
  }

  /** The sentence for a thing that will not do: what was found, is needed, and is to be done. */
  @Override
  public String toString() {
    return ok
        ? "%s: %s".formatted(what, found)
        : "%s: found %s, needed %s, do: %s".formatted(what, found, needed, remedy);
  }
}

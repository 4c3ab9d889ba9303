package dev.downhill;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** What the double of the CUDA driver has seen, if the tests run on it and not on a real GPU. */
public final class Emulator {
  private static final Optional<MethodHandle> COUNTER = find();

  private Emulator() {}

  @SuppressWarnings("restricted") // of native access
  private static Optional<MethodHandle> find() {
    try {
      return SymbolLookup.libraryLookup("libcuda.so.1", Arena.global())
          .find("emuCounter")
          .map(
              symbol ->
                  Linker.nativeLinker()
                      .downcallHandle(
                          symbol,
                          FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS)));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Whether the driver is the double. */
  public static boolean isThere() {
    return COUNTER.isPresent();
  }

  /** A count such as {@code findings} or {@code large_copies_to_host}; 0 on a real GPU. */
  public static long count(String name) {
    if (COUNTER.isEmpty()) {
      return 0;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(name);
      return (long) COUNTER.get().invokeExact(text);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}

package dev.downhill.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A shared library that is loaded without binding any class to it, so that a failure can be told
 * and forgotten. Unlike {@link java.lang.foreign.SymbolLookup} it keeps the loader's own words.
 * While it is open, it is the one that later libraries get which need it by its name.
 */
@SuppressWarnings("restricted") // native calls are what it is for
final class DynamicLibrary implements AutoCloseable {
  /** A library or a function is not there; the message is the loader's. */
  static final class NotLoaded extends Exception {
    private static final long serialVersionUID = 1L;

    /** Whether there is no such file, rather than a bad one. */
    final boolean missing;

    NotLoaded(String message, boolean missing) {
      super(message);
      this.missing = missing;
    }

    @Override
    public String getMessage() {
      return Objects.requireNonNullElse(super.getMessage(), "");
    }
  }

  private static final int LAZY = 1;

  // dladdr fills four pointers, the first of them the file's name.
  private static final MemoryLayout PLACE = MemoryLayout.sequenceLayout(4, ADDRESS);

  private final MemorySegment handle;

  private DynamicLibrary(MemorySegment handle) {
    this.handle = handle;
  }

  /**
   * Loads a library.
   *
   * @param name a path, or a name to be looked for on the loader's path
   * @throws NotLoaded with what the loader said
   * @throws IllegalCallerException if this JVM denies native access
   */
  static DynamicLibrary open(String name) throws NotLoaded {
    // Linked before the call: what the JVM loads in between would replace the message.
    MethodHandle error = libc("dlerror", FunctionDescriptor.of(ADDRESS));
    MethodHandle open = libc("dlopen", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handle = (MemorySegment) invoke(open, arena.allocateFrom(name), LAZY);
      if (handle.address() == 0) {
        String text = text((MemorySegment) invoke(error));
        boolean missing =
            text.startsWith(name + ": cannot open") && text.endsWith("No such file or directory");
        throw new NotLoaded(text, missing);
      }
      return new DynamicLibrary(handle);
    }
  }

  /** Whether the library has this symbol. */
  boolean has(String symbol) {
    return find(symbol).isPresent();
  }

  /**
   * Calls a function that returns its status as an {@code int}.
   *
   * @param arguments an {@link Integer} or a {@link MemorySegment} each
   * @throws NotLoaded if the library has no such function
   */
  int call(String function, Object... arguments) throws NotLoaded {
    MemoryLayout[] layouts =
        Stream.of(arguments)
            .map(argument -> argument instanceof Integer ? JAVA_INT : ADDRESS)
            .toArray(MemoryLayout[]::new);
    FunctionDescriptor type = FunctionDescriptor.of(JAVA_INT, layouts);
    return (int) invoke(Linker.nativeLinker().downcallHandle(symbol(function), type), arguments);
  }

  /** The file that a symbol of this library lies in. */
  Path file(String symbol) throws NotLoaded {
    MethodHandle place = libc("dladdr", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(PLACE);
      if ((int) invoke(place, symbol(symbol), info) == 0) {
        throw new NotLoaded("it is in no file", false);
      }
      return Path.of(text(info.get(ADDRESS, 0)));
    }
  }

  /** Unloads the library, unless another needs it. */
  @Override
  public void close() {
    invoke(libc("dlclose", FunctionDescriptor.of(JAVA_INT, ADDRESS)), handle);
  }

  /** The text at an address that the library gave, or a stand-in if it gave none. */
  static String text(MemorySegment zeroEnded) {
    return zeroEnded.address() == 0
        ? "no reason given"
        : zeroEnded.reinterpret(Long.MAX_VALUE).getString(0);
  }

  private MemorySegment symbol(String name) throws NotLoaded {
    return find(name).orElseThrow(() -> new NotLoaded("it has no function " + name, false));
  }

  private Optional<MemorySegment> find(String name) {
    MethodHandle find = libc("dlsym", FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      return Optional.of((MemorySegment) invoke(find, handle, arena.allocateFrom(name)))
          .filter(address -> address.address() != 0);
    }
  }

  private static MethodHandle libc(String name, FunctionDescriptor type) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
  }

  private static Object invoke(MethodHandle function, Object... arguments) {
    try {
      return function.invokeWithArguments(arguments);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a native function throws nothing", e);
    }
  }
}

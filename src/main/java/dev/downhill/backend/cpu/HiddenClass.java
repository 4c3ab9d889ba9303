package dev.downhill.backend.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Classes made at run time, so that every operator has loops of its own: the compiler then sees one
 * operator in a loop and inlines it. In a loop shared by several it would call.
 */
final class HiddenClass {
  private static final Lookup LOOKUP = MethodHandles.lookup();

  private HiddenClass() {}

  /**
   * A new instance of a copy of a class.
   *
   * @param template a class of this package with a constructor without arguments; the class itself
   *     is never initialised
   * @param constant what {@link #constant} gives to the copy
   */
  static <T> T copy(Class<? extends T> template, Class<T> type, Object constant) {
    try {
      return instance(LOOKUP.defineHiddenClassWithClassData(bytes(template), constant, true), type);
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Makes instances of a copy of a class in which the bodies of vector functions stand for their
   * calls.
   *
   * @param template a class of this package with a constructor without arguments; the class itself
   *     is never initialised
   */
  static <T> Supplier<T> inlined(Class<? extends T> template, Class<T> type) {
    try {
      Lookup copy = LOOKUP.defineHiddenClass(VectorInliner.inlined(template), true);
      return () -> instance(copy, type);
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }

  /** The class file of a top-level class. */
  static byte[] bytes(Class<?> type) {
    try (InputStream in = type.getResourceAsStream(type.getSimpleName() + ".class")) {
      return Objects.requireNonNull(in).readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** For the initialiser of a {@code static final} field of a template. */
  static <T> T constant(Lookup copy, Class<T> type) {
    try {
      return Objects.requireNonNull(
          MethodHandles.classData(copy, ConstantDescs.DEFAULT_NAME, type));
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }

  /** An instance of a new class that implements an interface with one method. */
  static <T> T implement(Class<T> type, Consumer<CodeBuilder> body) {
    Method method = type.getMethods()[0];
    byte[] bytes =
        ClassFile.of()
            .build(
                ClassDesc.of(type.getPackageName(), type.getSimpleName() + "Code"),
                c ->
                    c.withFlags(ClassFile.ACC_FINAL)
                        .withInterfaceSymbols(desc(type))
                        .withMethodBody(
                            ConstantDescs.INIT_NAME,
                            ConstantDescs.MTD_void,
                            0,
                            code ->
                                code.aload(0)
                                    .invokespecial(
                                        ConstantDescs.CD_Object,
                                        ConstantDescs.INIT_NAME,
                                        ConstantDescs.MTD_void)
                                    .return_())
                        .withMethodBody(
                            method.getName(),
                            MethodType.methodType(
                                    method.getReturnType(), method.getParameterTypes())
                                .describeConstable()
                                .orElseThrow(),
                            ClassFile.ACC_PUBLIC,
                            body));
    try {
      return instance(LOOKUP.defineHiddenClass(bytes, true), type);
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }

  static ClassDesc desc(Class<?> type) {
    return type.describeConstable().orElseThrow();
  }

  private static <T> T instance(Lookup hidden, Class<T> type) {
    try {
      return type.cast(
          hidden.findConstructor(hidden.lookupClass(), MethodType.methodType(void.class)).invoke());
    } catch (Throwable e) {
      throw new AssertionError("a hidden class could not be made", e);
    }
  }
}

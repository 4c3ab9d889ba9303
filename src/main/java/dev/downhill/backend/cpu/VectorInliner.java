package dev.downhill.backend.cpu;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.Instruction;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LoadInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.classfile.instruction.StoreInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * Puts the bodies of methods of {@link Lanes} and {@link CpuVectorMath} where they are called.
 *
 * <p>The JIT compiler stops inlining a program's own methods after some 25 vector operations (it
 * counts 18,000 nodes before the Vector API's own methods are reduced to instructions, and only
 * those are exempt), and a method that is not inlined costs two boxed vectors a call: the loop of
 * GELU ran at 10 ns an element, and the gradient of cross-entropy at a third of its speed. A method
 * with a body of e^x in it is, besides, too long to be inlined elsewhere, which leaves the next one
 * room.
 */
final class VectorInliner {
  private static final List<Class<?>> CLASSES = List.of(Lanes.class, CpuVectorMath.class);
  private static final List<ClassDesc> OWNERS = CLASSES.stream().map(HiddenClass::desc).toList();

  /** The methods that can be copied, by name and descriptor. */
  private static final Map<String, MethodModel> METHODS =
      CLASSES.stream()
          .flatMap(c -> ClassFile.of().parse(HiddenClass.bytes(c)).methods().stream())
          .filter(m -> m.flags().has(AccessFlag.STATIC))
          .collect(
              Collectors.toMap(
                  m -> key(m.methodName().stringValue(), m.methodTypeSymbol()), m -> m));

  private VectorInliner() {}

  private static String key(String name, MethodTypeDesc type) {
    return name + type.descriptorString();
  }

  /** The class file of a class in which bodies stand for calls. */
  static byte[] inlined(Class<?> type) {
    ClassFile files = ClassFile.of();
    return files.transformClass(
        files.parse(HiddenClass.bytes(type)),
        ClassTransform.transformingMethodBodies(VectorInliner::append));
  }

  private static void append(CodeBuilder code, CodeElement element) {
    if (element instanceof InvokeInstruction v && isKnown(v)) {
      call(code, v.name().stringValue(), v.typeSymbol());
    } else {
      code.with(element);
    }
  }

  private static boolean isKnown(InvokeInstruction v) {
    return v.opcode() == Opcode.INVOKESTATIC
        && OWNERS.contains(v.owner().asSymbol())
        && METHODS.containsKey(key(v.name().stringValue(), v.typeSymbol()));
  }

  /** Replaces the arguments on the stack by a function's result; one with branches is called. */
  static void call(CodeBuilder code, String function, MethodTypeDesc type) {
    MethodModel method = Objects.requireNonNull(METHODS.get(key(function, type)), function);
    CodeModel body = method.code().orElseThrow();
    if (body.elementStream().anyMatch(BranchInstruction.class::isInstance)) {
      ClassDesc owner = method.parent().orElseThrow().thisClass().asSymbol();
      code.invokestatic(owner, function, type);
    } else {
      copy(code, body, type);
    }
  }

  private static void copy(CodeBuilder code, CodeModel body, MethodTypeDesc type) {
    Map<Integer, Integer> locals = new HashMap<>();
    List<TypeKind> parameters = type.parameterList().stream().map(TypeKind::from).toList();
    int slot = parameters.stream().mapToInt(TypeKind::slotSize).sum();
    for (TypeKind kind : parameters.reversed()) {
      slot -= kind.slotSize();
      code.storeLocal(kind, local(code, locals, slot, kind));
    }
    for (CodeElement element : body) {
      switch (element) {
        case LoadInstruction l ->
            code.loadLocal(l.typeKind(), local(code, locals, l.slot(), l.typeKind()));
        case StoreInstruction s ->
            code.storeLocal(s.typeKind(), local(code, locals, s.slot(), s.typeKind()));
        case ReturnInstruction _ -> {}
        case Instruction other -> append(code, other);
        default -> {}
      }
    }
  }

  private static int local(
      CodeBuilder code, Map<Integer, Integer> locals, int slot, TypeKind kind) {
    return locals.computeIfAbsent(slot, _ -> code.allocateLocal(kind));
  }
}

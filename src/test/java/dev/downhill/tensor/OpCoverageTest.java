package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Binary;
import dev.downhill.backend.Device;
import dev.downhill.backend.Recording;
import dev.downhill.backend.Reduce;
import dev.downhill.backend.Unary;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** No operator without a row: not a public method, not a function of the backend. */
final class OpCoverageTest {
  private static final Device DEVICE = Device.of("cpu:34");

  /** Public methods that give tensors and are no operators, with the reason. */
  private static final Map<String, String> NO_OPERATORS = new HashMap<>();

  static {
    for (String made : List.of("of", "ofBytes", "zeros", "ones", "full", "arange")) {
      NO_OPERATORS.put("Tensor." + made, "makes a tensor of numbers");
    }
    for (String changed : List.of("copyFrom", "fill", "addInPlace")) {
      NO_OPERATORS.put("Tensor." + changed, "works in place; see InPlaceTest");
    }
    NO_OPERATORS.put("Tensor.requireGrad", "marks a leaf; see AutogradTest");
    NO_OPERATORS.put("Tensor.grad", "is the gradient itself; see AutogradTest");
    NO_OPERATORS.put("Tensor.detach", "cuts the graph; see AutogradTest");
    NO_OPERATORS.put("Autograd.grad", "differentiates; see AutogradTest");
    NO_OPERATORS.put("Clip.totalNorm", "limits gradients in place, and has none");
  }

  private static String key(Method m) {
    boolean instance = !Modifier.isStatic(m.getModifiers());
    return Stream.concat(
            instance ? Stream.of("Tensor") : Stream.of(),
            Arrays.stream(m.getParameterTypes()).map(Class::getSimpleName))
        .collect(Collectors.joining(", ", m.getName() + "(", ")"));
  }

  private static boolean givesTensors(Method m) {
    String type = m.getGenericReturnType().getTypeName();
    return type.contains(Tensor.class.getName()) || isRecordOfTensors(m.getReturnType());
  }

  private static boolean isRecordOfTensors(Class<?> type) {
    return type.isRecord()
        && Arrays.stream(type.getRecordComponents()).allMatch(c -> c.getType() == Tensor.class);
  }

  /** Public static methods of the public classes of the package, and the methods of Tensor. */
  private static List<Method> operators() throws IOException, URISyntaxException {
    Path root = Path.of(Tensor.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<Method> methods = new ArrayList<>();
    try (Stream<Path> files = Files.list(root.resolve("dev/downhill/tensor"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".class")).sorted().toList()) {
        String name = file.getFileName().toString().replace(".class", "");
        Class<?> type = classOf("dev.downhill.tensor." + name);
        if (Modifier.isPublic(type.getModifiers()) && !type.isMemberClass()) {
          Arrays.stream(type.getDeclaredMethods())
              .filter(m -> Modifier.isPublic(m.getModifiers()) && !m.isSynthetic())
              .filter(m -> type == Tensor.class || Modifier.isStatic(m.getModifiers()))
              .filter(OpCoverageTest::givesTensors)
              .forEach(methods::add);
        }
      }
    }
    return methods;
  }

  /** The class of each public operator by its method; that of a tensor's own method is Tensor. */
  static Map<String, String> owners() throws IOException, URISyntaxException {
    Map<String, String> owners = new HashMap<>();
    for (Method m : operators()) {
      owners.merge(
          key(m), m.getDeclaringClass().getSimpleName(), (a, b) -> a.equals("Tensor") ? a : b);
    }
    return owners;
  }

  private static Class<?> classOf(String name) {
    try {
      return Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void everyPublicOperatorHasARow() throws Exception {
    Set<String> rows =
        OpTable.ROWS.stream()
            .flatMap(r -> r.calls().stream())
            .map(OpRow.Call::method)
            .collect(Collectors.toSet());
    Set<String> missing = new TreeSet<>();
    Set<String> known = new HashSet<>();
    for (Method m : operators()) {
      String owner = m.getDeclaringClass().getSimpleName() + "." + m.getName();
      known.add(key(m));
      if (!rows.contains(key(m)) && !NO_OPERATORS.containsKey(owner)) {
        missing.add(m.getDeclaringClass().getSimpleName() + ": " + key(m));
      }
    }
    assertThat(known).hasSizeGreaterThan(100);
    assertThat(missing).as("public operators without a row in the table").isEmpty();
    assertThat(rows).as("rows of methods that do not exist").isSubsetOf(known);
  }

  @Test
  void everyFunctionOfTheBackendIsCalledByARow() {
    Set<Object> forward = new HashSet<>();
    Set<Object> backward = new HashSet<>();
    for (OpRow row : OpTable.ROWS) {
      for (OpRow.Call call : row.calls()) {
        if (row.recordable()) {
          record(OpCase.largest(row, call), forward, backward);
        }
      }
    }
    assertThat(forward).contains((Object[]) Unary.values());
    assertThat(forward).contains((Object[]) Binary.values());
    assertThat(forward).contains((Object[]) Reduce.values());
    assertThat(backward)
        .contains(Arrays.stream(Unary.values()).filter(u -> !u.isPredicate()).toArray());
  }

  /** Runs a case as part of a recording, which refuses whatever cannot be part of a step. */
  private static void record(OpCase c, Set<Object> forward, Set<Object> backward) {
    try (var _ = Scope.open()) {
      List<Tensor> inputs = c.inputs(DEVICE);
      Tensor like = c.apply(inputs);
      Tensor dy = Tensor.ones(DEVICE, like.dtype(), like.shape().toArray());
      Recording recording = Recording.start();
      try (recording) {
        Tensor y = c.apply(inputs);
        if (y.requiresGrad()) {
          y.backward(Autograd.Backward.DEFAULT.withGradient(dy));
        }
      }
      for (Recording.Call call : recording.calls()) {
        Set<Object> into = call.method().endsWith("Backward") ? backward : forward;
        into.addAll(call.arguments());
      }
    }
  }
}

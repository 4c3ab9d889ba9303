package dev.downhill.cli.verify;

import dev.downhill.backend.Device;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Operators: forward, then backward from all outputs that have an upstream gradient at once. */
final class OpReplay implements Replay {
  private final Operators operators = new Operators();

  @Override
  public void run(Case c, Device device, Checks checks) {
    Operator operator = operators.get(c.op());
    Map<String, String> layouts = c.attributes().textMap("layout");
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    for (String name : c.inputs()) {
      inputs.put(name, input(c, name, layouts.get(name), device));
    }
    Map<String, Tensor> results = call(operator, inputs, c.attributes());
    for (String name : c.outputs()) {
      Tensor y = results.get(name);
      if (y == null) {
        throw new Unsupported("no output " + name);
      }
      checks.equal("out." + name, y);
    }
    backward(c, device, inputs, results, checks);
  }

  /**
   * The results of an operator.
   *
   * @throws Unsupported if it does not know one of the inputs or attributes
   */
  static Map<String, Tensor> call(Operator operator, Map<String, Tensor> inputs, Attributes a) {
    Call call = new Call(inputs);
    Map<String, Tensor> results = operator.on(call, a);
    call.checkAllTaken();
    a.checkAllRead();
    return results;
  }

  private static Tensor input(Case c, String name, @Nullable String layout, Device device) {
    Tensor x = c.tensor("in." + name, device);
    boolean needsGrad = c.has("din." + name);
    if (layout != null) {
      return Layouts.place(x, layout, needsGrad);
    }
    return needsGrad ? x.requireGrad() : x;
  }

  private static void backward(
      Case c,
      Device device,
      Map<String, Tensor> inputs,
      Map<String, Tensor> results,
      Checks checks) {
    List<Tensor> ys = new ArrayList<>();
    List<@Nullable Tensor> seeds = new ArrayList<>();
    for (String name : c.outputs()) {
      if (c.has("dout." + name)) {
        ys.add(results.get(name));
        seeds.add(c.tensor("dout." + name, device));
      }
    }
    List<String> names = c.inputs().stream().filter(name -> c.has("din." + name)).toList();
    if (ys.isEmpty() || names.isEmpty()) {
      return;
    }
    List<@Nullable Tensor> gradients =
        Autograd.grad(
            ys, names.stream().map(inputs::get).toList(), seeds, Autograd.Backward.DEFAULT);
    for (int i = 0; i < names.size(); i++) {
      checks.equal("din." + names.get(i), gradients.get(i));
    }
  }
}

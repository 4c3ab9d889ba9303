package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.ShapeException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What ends when: scopes, keeping, owners. */
final class ScopeTest {
  // A device of its own, so that live tensors can be counted while other tests run.
  private static final Device DEVICE = Device.of("cpu:22");

  private long before;

  // Holds what tests make outside scopes, so that no collection changes the count.
  private final List<Tensor> reachable = new ArrayList<>();

  private Tensor of(double... values) {
    Tensor t = Tensor.of(DEVICE, values, values.length);
    reachable.add(t);
    return t;
  }

  /** Live allocations since the test began. */
  private long live() {
    return DEVICE.memory().tensors() - before;
  }

  @BeforeEach
  void count() {
    // What earlier tests left to the garbage collector must not be reclaimed during this one.
    for (int i = 0; i < 100 && DEVICE.memory().tensors() > 0; i++) {
      System.gc();
      try {
        Thread.sleep(5);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
    before = DEVICE.memory().tensors();
  }

  private static int line() {
    return StackWalker.getInstance().walk(s -> s.skip(1).findFirst().orElseThrow()).getLineNumber();
  }

  @Test
  void tensorsEndWithTheirScope() {
    Tensor x;
    int closing;
    try (var scope = Scope.open()) {
      assertThat(scope).isNotNull();
      x = of(1, 2, 3);
      Tensor y = x.mul(x).add(1);
      assertThat(live()).isEqualTo(3);
      assertThat(y.toDoubles()).containsExactly(2, 5, 10);
      closing = line() + 1;
    }
    assertThat(live()).isZero();
    assertThat(x.isEnded()).isTrue();
    assertThatThrownBy(() -> x.add(1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("add: the tensor (3) can no longer be used")
        .hasMessageContaining("its scope was closed at ScopeTest.java:")
        .satisfies(e -> assertThat(lineIn(e)).isBetween(closing - 12, closing));
    assertThatThrownBy(x::toDoubles).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(x::detach).isInstanceOf(IllegalStateException.class);
    assertThat(x).hasToString("Tensor(float64 (3), cpu:22, ended)");
  }

  private static int lineIn(Throwable e) {
    String message = String.valueOf(e.getMessage());
    return Integer.parseInt(message.substring(message.lastIndexOf(':') + 1));
  }

  @Test
  void closingATensorEndsItAlone() {
    try (var _ = Scope.open()) {
      Tensor x = of(1, 2, 3);
      Tensor view = x.slice(0, 1, 3, 1);
      x.close();
      x.close();
      assertThat(view.toDoubles()).containsExactly(2, 3);
      assertThatThrownBy(() -> view.mul(x))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("mul: the tensor (3)");
      assertThat(live()).isEqualTo(1);
      view.close();
      assertThat(live()).isZero();
    }
  }

  @Test
  void temporariesEndWithTheirOperator() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.ones(DEVICE, DType.F64, 3, 5).transpose(0, 1);
      Tensor v = of(1, 2, 3);
      assertThat(live()).isEqualTo(2);
      // Needs packing, new dimensions and a sum behind the curtain.
      Tensor y = x.matmul(v);
      assertThat(y.toDoubles()).containsExactly(6, 6, 6, 6, 6);
      assertThat(live()).isEqualTo(3);
      assertThat(x.slice(0, 0, 5, 2).reshape(9).shape().numel()).isEqualTo(9);
      assertThat(live()).isEqualTo(4);
      assertThat(y.slice(0, 0, 1, 1).item()).isEqualTo(6);
      assertThat(live()).as("reading leaves nothing behind").isEqualTo(4);
    }
    assertThat(live()).isZero();
  }

  @Test
  void scopesNest() {
    try (var _ = Scope.open()) {
      Tensor outer = of(1, 2);
      Tensor kept;
      Tensor lost;
      try (var inner = Scope.open()) {
        lost = outer.mul(2);
        kept = inner.keep(outer.mul(3));
        assertThat(live()).isEqualTo(3);
      }
      assertThat(live()).isEqualTo(2);
      assertThat(lost.isEnded()).isTrue();
      assertThat(kept.add(outer).toDoubles()).containsExactly(4, 8);
    }
    assertThat(live()).isZero();
  }

  @Test
  void keepPastAllScopes() {
    Tensor kept;
    try (var outer = Scope.open()) {
      try (var inner = Scope.open()) {
        kept = outer.keep(inner.keep(of(1, 2).mul(5)));
      }
    }
    assertThat(kept.toDoubles()).containsExactly(5, 10);
    assertThat(live()).isEqualTo(1);
    kept.close();
    assertThat(live()).isZero();
  }

  @Test
  void keepOfWhatIsNotInTheScopeDoesNothing() {
    try (var _ = Scope.open()) {
      Tensor x = of(1);
      try (var inner = Scope.open()) {
        assertThat(inner.keep(x)).isSameAs(x);
      }
      assertThat(x.isEnded()).isFalse();
    }
    try (var scope = Scope.open()) {
      Tensor ended = of(1);
      ended.close();
      assertThatThrownBy(() -> scope.keep(ended)).hasMessageStartingWith("keep: ");
    }
  }

  @Test
  void keptResultCanStillGoBackwards() {
    Tensor x = of(2, 3).requireGrad();
    try (var _ = Scope.open()) {
      Tensor y;
      Tensor middle;
      try (var inner = Scope.open()) {
        middle = x.mul(x);
        y = inner.keep(middle.mul(middle).sum());
      }
      assertThat(middle.isEnded()).isTrue();
      y.backward();
      assertThat(gradient(x)).containsExactly(4 * 8, 4 * 27);
      // y, x and its gradient: the graph went with the pass.
      assertThat(live()).isEqualTo(3);
    }
    assertThat(live()).isEqualTo(2);
  }

  private static double[] gradient(Tensor x) {
    Tensor grad = x.grad();
    assertThat(grad).isNotNull();
    return grad == null ? new double[0] : grad.toDoubles();
  }

  @Test
  void keptHiddenStateJoinsALaterGraph() {
    Tensor x = of(2).requireGrad();
    try (var _ = Scope.open()) {
      Tensor hidden;
      try (var inner = Scope.open()) {
        hidden = inner.keep(x.mul(x).mul(x));
      }
      Tensor loss = hidden.mul(hidden).sum();
      loss.backward();
      // d x^6
      assertThat(gradient(x)).containsExactly(6 * 32);
    }
  }

  @Test
  void keepOfADetachedResultKeepsTheValuesAlone() {
    Tensor x = of(2, 3).requireGrad();
    Tensor y;
    Tensor kept;
    try (var scope = Scope.open()) {
      y = x.mul(x).mul(x);
      kept = scope.keep(y.detach());
    }
    assertThat(live()).isEqualTo(2);
    assertThat(kept.toDoubles()).containsExactly(8, 27);
    assertThat(kept.requiresGrad()).isFalse();
    assertThatThrownBy(y::sum).hasMessageContaining("sum: the tensor (2) can no longer be used");
    assertThatThrownBy(() -> y.backward(Autograd.Backward.DEFAULT.withGradient(x.detach())))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("backward: the tensor (2)")
        .hasMessageContaining("ScopeTest.java:");
  }

  @Test
  void fourMicroBatchesEachInItsOwnScope() {
    Tensor w = of(0.5, -1).requireGrad();
    Tensor data = of(1, 2, 3, 4, 5, 6, 7, 8).reshape(4, 2);
    reachable.add(data);
    List<Tensor> losses = new ArrayList<>();
    try (var _ = Scope.open()) {
      for (int i = 0; i < 4; i++) {
        try (var micro = Scope.open()) {
          Tensor row = data.slice(0, i, i + 1, 1).reshape(2);
          Tensor y = row.mul(w).sum();
          Tensor loss = y.mul(y);
          loss.backward();
          losses.add(micro.keep(loss.detach()));
        }
        // w, its gradient, the data, and the losses so far.
        assertThat(live()).isEqualTo(3 + i + 1);
      }
      double[] expected = new double[2];
      for (int i = 0; i < 4; i++) {
        double a = 2 * i + 1;
        double b = a + 1;
        double y = 0.5 * a - b;
        assertThat(losses.get(i).item()).isEqualTo(y * y);
        expected[0] += 2 * y * a;
        expected[1] += 2 * y * b;
      }
      assertThat(gradient(w)).containsExactly(expected);
    }
    assertThat(live()).isEqualTo(3);
  }

  @Test
  void stateFirstMadeInsideAScopeBelongsToItsOwner() {
    Owner owner = new Owner();
    Tensor state;
    try (var _ = Scope.open()) {
      state = owner.own(Tensor.zeros(DEVICE, DType.F64, 2));
      try (var _ = Autograd.noGrad()) {
        state.copyFrom(of(3, 4));
      }
    }
    assertThat(state.toDoubles()).containsExactly(3, 4);
    assertThat(live()).isEqualTo(1);
    owner.close();
    owner.close();
    assertThat(live()).isZero();
    assertThatThrownBy(() -> state.mul(2)).hasMessageContaining("its owner was closed");
  }

  @Test
  void ownerRefusesAGraph() {
    try (Owner owner = new Owner()) {
      Tensor x = of(1, 2).requireGrad();
      assertThatThrownBy(() -> owner.own(x.mul(2)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("got the result of mul (2); own its detach()");
      assertThat(owner.own(x)).isSameAs(x);
    }
  }

  @Test
  void gradientFirstMadeInsideAScopeBelongsToItsLeaf() {
    Tensor x = of(2, 3).requireGrad();
    for (int pass = 1; pass <= 3; pass++) {
      try (var _ = Scope.open()) {
        x.mul(x).sum().backward();
      }
      assertThat(gradient(x)).containsExactly(4 * pass, 6 * pass);
      assertThat(live()).isEqualTo(2);
    }
    x.zeroGrad();
    assertThat(x.grad()).isNull();
    try (var _ = Scope.open()) {
      x.mul(5).sum().backward();
    }
    assertThat(gradient(x)).containsExactly(5, 5);
    Tensor grad = x.grad();
    x.close();
    assertThat(live()).isZero();
    assertThat(grad != null && grad.isEnded()).isTrue();
  }

  @Test
  void generatorFirstMadeInsideAScopeLivesOn() {
    Generator generator;
    try (var _ = Scope.open()) {
      generator = new Generator(DEVICE, 5);
      assertThat(generator.uniform(DType.F32, 7).numel()).isEqualTo(7);
    }
    assertThat(generator.position()).isEqualTo(7);
    generator.close();
    assertThatThrownBy(() -> generator.uniform(DType.F32, 1)).hasMessageContaining("owner");
    assertThat(live()).isZero();
  }

  @Test
  void leafMadeInsideAScopeEndsWithItsGradient() {
    try (var _ = Scope.open()) {
      Tensor x = of(1, 2).requireGrad();
      x.mul(x).sum().backward();
      assertThat(live()).isGreaterThan(1);
    }
    assertThat(live()).isZero();
  }

  @Test
  void backwardThroughAnEndedGraphNamesOperatorAndLine() {
    Tensor x = of(2).requireGrad();
    AtomicReference<Tensor> elsewhere = new AtomicReference<>();
    try (var _ = Scope.open()) {
      Tensor h = x.mul(x);
      // Another thread's tensor outlives the scope, but the graph below it does not.
      CompletableFuture.runAsync(() -> elsewhere.set(h.add(h).sum())).join();
    }
    assertThatThrownBy(() -> elsewhere.get().backward())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("backward: the graph of mul (1) is gone: its scope was closed at")
        .hasMessageContaining("ScopeTest.java:");
  }

  @Test
  void backwardTwiceNamesTheOption() {
    Tensor x = of(2).requireGrad();
    try (var _ = Scope.open()) {
      Tensor y = x.mul(x).sum();
      y.backward();
      assertThatThrownBy(y::backward)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("backward has used it already; ask for retainGraph");
      Tensor z = x.mul(x).sum();
      z.backward(Autograd.Backward.DEFAULT.withRetainGraph());
      z.backward();
      assertThat(gradient(x)).containsExactly(12);
    }
  }

  @Test
  void scopesAreClosedInOrderOnTheirThread() {
    Scope outer = Scope.open();
    Scope inner = Scope.open();
    assertThatThrownBy(outer::close)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("innermost");
    assertThatThrownBy(() -> CompletableFuture.runAsync(inner::close).join())
        .hasCauseInstanceOf(IllegalStateException.class);
    Tensor x = of(1);
    assertThatThrownBy(() -> CompletableFuture.runAsync(x::close).join())
        .hasCauseInstanceOf(IllegalStateException.class)
        .hasMessageContaining("only on the thread of its scope");
    assertThat(x.isEnded()).isFalse();
    inner.close();
    inner.close();
    outer.close();
    assertThat(x.isEnded()).isTrue();
    assertThat(live()).isZero();
  }

  @Test
  void failedOperatorLeavesNothingBehind() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.ones(DEVICE, DType.F64, 3, 5);
      assertThatThrownBy(() -> x.matmul(of(1, 2, 3))).isInstanceOf(ShapeException.class);
      assertThatThrownBy(() -> x.add(of(1, 2, 3))).isInstanceOf(ShapeException.class);
      assertThatThrownBy(() -> x.gather(0, Tensor.of(DEVICE, new long[] {9}, 1, 1)))
          .isInstanceOf(IllegalArgumentException.class);
      // Scopes are balanced: this would throw otherwise.
    }
    assertThat(live()).isZero();
  }

  @Test
  void failedBackwardReleasesWhatItHeld() {
    Function bad =
        new Function("bad") {
          @Override
          public Tensor forward(Context c, List<Tensor> in) {
            return in.get(0).mul(1);
          }

          @Override
          public List<Tensor> backward(Context c, Tensor dy) {
            throw new IllegalStateException("mine");
          }
        };
    Tensor x = of(1, 2).requireGrad();
    try (var _ = Scope.open()) {
      Tensor y = bad.apply(x).mul(x).sum();
      long held = live();
      assertThatThrownBy(y::backward).hasMessage("mine");
      // At most x's gradient is new.
      assertThat(live()).isLessThanOrEqualTo(held + 1);
    }
    assertThat(live()).isLessThanOrEqualTo(2);
  }
}

"""The kernels of `./downhill bench --kernel` in JAX, each jitted."""

import jax
import jax.numpy as jnp
from jax import lax
from jax_models import adam, cross_entropy
from protocol import BYTES, FLOPS, Case


def use(device, threads):
    pass


def draw(*sizes, dtype=jnp.float32):
    draw.key, key = jax.random.split(draw.key)
    return jax.random.normal(key, sizes, dtype)


draw.key = jax.random.key(0)


def case(name, unit, amount, f, *operands):
    """The result is kept, so that it can be waited for."""
    result = None

    def run():
        nonlocal result
        result = f(*operands)

    return Case("jax", jax.__version__, name, unit, amount, run,
                lambda: jax.block_until_ready(result), 0.02)


def forward(name, unit, amount, f, *operands):
    return case(name, unit, amount, jax.jit(f), *operands)


def backward(name, unit, amount, f, wanted, *operands):
    """What the forward pass keeps is handed over, as in a training step."""

    def of_wanted(*values):
        all = list(operands)
        for i, value in zip(wanted, values):
            all[i] = value
        return f(*all)

    y, pull = jax.jit(lambda *values: jax.vjp(of_wanted, *values))(*(operands[i] for i in wanted))
    dy = draw(*y.shape, dtype=y.dtype)
    return case(name, unit, amount, jax.jit(lambda pull, dy: pull(dy)), pull, dy)


def adamw():
    optimizer = adam(1e-3, 0.01)
    parameters = [draw(1 << 20) for _ in range(16)]
    gradients = [2 * p for p in parameters]
    state = optimizer.init(parameters)
    update = jax.jit(optimizer.update, donate_argnums=(0, 2))

    def run():
        nonlocal parameters, state
        parameters, state = update(parameters, gradients, state)

    yield Case("jax", jax.__version__, "adamw 16x1048576", BYTES, 28.0 * (16 << 20), run,
               lambda: jax.block_until_ready(parameters), 0.02)


def layer_norm():
    rows, width = 65_536, 768
    bytes = 4.0 * rows * width
    size = f"{rows}x{width}"

    def f(x, w, b):
        mean = x.mean(-1, keepdims=True)
        variance = jnp.square(x - mean).mean(-1, keepdims=True)
        return (x - mean) * lax.rsqrt(variance + 1e-5) * w + b

    operands = draw(rows, width), draw(width), draw(width)
    yield forward(f"layer_norm forward {size}", BYTES, 2 * bytes, f, *operands)
    yield backward(f"layer_norm backward {size}", BYTES, 3 * bytes, f, [0, 1, 2], *operands)


def elementwise():
    functions = {"relu": jax.nn.relu, "gelu": lambda x: jax.nn.gelu(x, approximate=False),
                 "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True), "silu": jax.nn.silu,
                 "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}
    bytes = 4.0 * (1 << 24)
    x = draw(1 << 24)
    for name, f in functions.items():
        yield forward(f"{name} forward", BYTES, 2 * bytes, f, x)
        yield backward(f"{name} backward", BYTES, 3 * bytes, f, [0], x)


def cross_entropies():
    rows, classes = 16_384, 1024
    bytes = 4.0 * rows * classes
    size = f"{rows}x{classes}"
    x, y = draw(rows, classes), draw(rows, classes).argmax(1)
    yield forward(f"cross_entropy forward {size}", BYTES, bytes, cross_entropy, x, y)
    yield backward(f"cross_entropy backward {size}", BYTES, 2 * bytes, cross_entropy, [0], x, y)


def gemm():
    """Operands lie as they are: the transposition is part of the jitted function."""
    for n in (256, 512, 1024, 2048):
        for transposes in ("nn", "nt", "tn", "tt"):
            def f(a, b, transposes=transposes):
                return ((a.T if transposes[0] == "t" else a)
                        @ (b.T if transposes[1] == "t" else b))

            yield forward(f"gemm {transposes} {n}", FLOPS, 2.0 * n ** 3, f, draw(n, n), draw(n, n))


def conv2d():
    """Channels last, which XLA's convolutions on a CPU are fastest with."""
    for images, channels, out, side in ((64, 32, 64, 14), (32, 64, 64, 56)):
        size = f"{images}x{channels}x{side}x{side} to {out}"
        flops = 2.0 * 9 * images * channels * out * side * side
        operands = draw(images, side, side, channels), draw(3, 3, channels, out)

        def f(x, w):
            return lax.conv_general_dilated(
                x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

        yield forward(f"conv2d forward {size}", FLOPS, flops, f, *operands)
        yield backward(f"conv2d data {size}", FLOPS, flops, f, [0], *operands)
        yield backward(f"conv2d weight {size}", FLOPS, flops, f, [1], *operands)


def attention():
    b, h, t, d = 64, 12, 1024, 64
    product = float(b * h * t * (t + 1) * d)
    size = f"{b}x{h}x{t}x{d} bf16"

    def f(q, k, v):
        return jax.nn.dot_product_attention(q, k, v, is_causal=True)

    operands = [draw(b, t, h, d, dtype=jnp.bfloat16) for _ in range(3)]
    yield forward(f"attention forward {size}", FLOPS, 2 * product, f, *operands)
    yield backward(f"attention backward {size}", FLOPS, 5 * product, f, [0, 1, 2], *operands)


KERNELS = {"K1": adamw, "K2": layer_norm, "K3": elementwise, "K4": cross_entropies, "K5": gemm,
           "K6": conv2d, "K7": attention}

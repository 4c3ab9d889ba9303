"""The workloads in JAX, on parameters with the names that Downhill gives them."""

from dataclasses import dataclass
from typing import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jax.nn import gelu, log_softmax, relu, softmax


@dataclass
class Optimizer:
    init: Callable
    update: Callable


def adam(rate, decay=0.0, beta1=0.9, beta2=0.999, eps=1e-8):
    def init(parameters):
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return zeros, jax.tree.map(jnp.zeros_like, parameters), jnp.zeros(())

    def update(parameters, gradients, state):
        m, v, t = state
        t = t + 1
        m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, gradients)
        v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, gradients)
        size = rate / (1 - beta1 ** t)
        scale = 1 / jnp.sqrt(1 - beta2 ** t)
        return jax.tree.map(
            lambda p, m, v: p * (1 - rate * decay) - size * m / (jnp.sqrt(v) * scale + eps),
            parameters, m, v), (m, v, t)

    return Optimizer(init, update)


def momentum(rate, mu):
    def init(parameters):
        return jax.tree.map(jnp.zeros_like, parameters)

    def update(parameters, gradients, state):
        state = jax.tree.map(lambda b, g: mu * b + g, state, gradients)
        return jax.tree.map(lambda p, b: p - rate * b, parameters, state), state

    return Optimizer(init, update)


def cross_entropy(scores, y):
    return -jnp.take_along_axis(log_softmax(scores), y[:, None], 1).mean()


def linear(p, name, x):
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def mlp(p, x):
    last = max(int(name.split(".")[0]) for name in p)
    for i in range(0, last, 2):
        x = relu(linear(p, str(i), x))
    return linear(p, str(last), x)


def regression(p, x, y):
    return jnp.square(mlp(p, x) - y).mean()


def classification(p, x, y):
    return cross_entropy(mlp(p, x), y)


def conv(p, name, x):
    y = lax.conv_general_dilated(
        x, p[f"{name}.weight"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return y + p[f"{name}.bias"]


def pool(x):
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def channels_last(weights):
    """XLA's convolutions on a CPU are faster with the channels last."""
    for name in ("0.weight", "3.weight"):
        weights[name] = weights[name].transpose(2, 3, 1, 0)
    first = weights["7.weight"].reshape(128, 64, 7, 7)
    weights["7.weight"] = first.transpose(0, 2, 3, 1).reshape(128, 3136)
    return weights


def cnn(p, x, y):
    x = x.transpose(0, 2, 3, 1)
    x = pool(relu(conv(p, "0", x)))
    x = pool(relu(conv(p, "3", x)))
    x = relu(linear(p, "7", x.reshape(x.shape[0], -1)))
    return cross_entropy(linear(p, "9", x), y)


def layer_norm(p, name, x):
    mean = x.mean(-1, keepdims=True)
    variance = jnp.square(x - mean).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]


def gpt(layers, heads, dtype=jnp.float32):
    def loss(p, x, y):
        head = p["lm_head" if "lm_head" in p else "wte"].astype(dtype)
        p = {name: value.astype(dtype) for name, value in p.items()}
        h = p["wte"][x] + p["wpe"][:x.shape[1]]
        n, t, width = h.shape
        seen = jnp.tril(jnp.ones((t, t), bool))
        for i in range(layers):
            qkv = linear(p, f"h{i}.c_attn", layer_norm(p, f"h{i}.ln_1", h))
            q, k, v = (part.reshape(n, t, heads, -1).transpose(0, 2, 1, 3)
                       for part in jnp.split(qkv, 3, 2))
            scores = q @ k.transpose(0, 1, 3, 2) * (width // heads) ** -0.5
            mixed = softmax(jnp.where(seen, scores, -jnp.inf)) @ v
            h = h + linear(p, f"h{i}.c_proj", mixed.transpose(0, 2, 1, 3).reshape(n, t, width))
            inside = gelu(linear(p, f"h{i}.c_fc", layer_norm(p, f"h{i}.ln_2", h)), approximate=True)
            h = h + linear(p, f"h{i}.c_proj2", inside)
        scores = layer_norm(p, "ln_f", h) @ head.T
        return cross_entropy(scores.reshape(n * t, -1).astype(jnp.float32), y.reshape(-1))

    return loss


def rating(p, users, items, y):
    return jnp.square((p["user.weight"][users] * p["item.weight"][items]).sum(1) - y).mean()


@dataclass
class Workload:
    loss: Callable
    optimizer: Optimizer
    prepare: Callable = lambda weights: weights


WORKLOADS = {
    "W1": Workload(regression, adam(1e-3)),
    "W2": Workload(classification, adam(1e-3)),
    "W3": Workload(cnn, momentum(0.01, 0.9), channels_last),
    "W4": Workload(gpt(4, 4), adam(3e-4, 0.01)),
    "W5": Workload(rating, adam(1e-3)),
    "W6": Workload(gpt(12, 12, jnp.bfloat16), adam(3e-4, 0.01)),
    "W6-4": Workload(gpt(12, 12, jnp.bfloat16), adam(3e-4, 0.01)),
    "W7": Workload(classification, adam(1e-3, 0.01)),
}

"""The workloads in PyTorch, with the names of the weights that Downhill gives them."""

from dataclasses import dataclass
from typing import Callable

import torch
from torch import nn
from torch.nn import functional as F


def mlp(*sizes):
    layers = []
    for i in range(1, len(sizes)):
        if i > 1:
            layers.append(nn.ReLU())
        layers.append(nn.Linear(sizes[i - 1], sizes[i]))
    return nn.Sequential(*layers)


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1 = nn.LayerNorm(width)
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)
        self.ln_2 = nn.LayerNorm(width)
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj2 = nn.Linear(4 * width, width)

    def forward(self, x):
        n, t, width = x.shape
        q, k, v = (part.view(n, t, self.heads, width // self.heads).transpose(1, 2)
                   for part in self.c_attn(self.ln_1(x)).split(width, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = x + self.c_proj(y.transpose(1, 2).reshape(n, t, width))
        return h + self.c_proj2(F.gelu(self.c_fc(self.ln_2(h)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, vocabulary, context, width, layers, heads, tied):
        super().__init__()
        self.wte = nn.Parameter(torch.empty(vocabulary, width))
        self.wpe = nn.Parameter(torch.empty(context, width))
        self.layers = layers
        for i in range(layers):
            setattr(self, f"h{i}", Block(width, heads))
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = None if tied else nn.Parameter(torch.empty(vocabulary, width))

    def forward(self, x):
        y = F.embedding(x, self.wte) + self.wpe[:x.shape[1]]
        for i in range(self.layers):
            y = getattr(self, f"h{i}")(y)
        return F.linear(self.ln_f(y), self.wte if self.lm_head is None else self.lm_head)


class Tables(nn.Module):
    def __init__(self, count, factors):
        super().__init__()
        self.user = nn.Embedding(count, factors)
        self.item = nn.Embedding(count, factors)

    def forward(self, users, items):
        return (self.user(users) * self.item(items)).sum(1)


def regression(model, x, y):
    return F.mse_loss(model(x), y)


def classification(model, x, y):
    return F.cross_entropy(model(x), y)


def language(model, x, y):
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten())


def rating(model, users, items, y):
    return F.mse_loss(model(users, items), y)


@dataclass
class Workload:
    model: Callable[[], nn.Module]
    loss: Callable[..., torch.Tensor]
    optimizer: Callable[..., torch.optim.Optimizer]
    # Of the computation; parameters are float32.
    dtype: torch.dtype = torch.float32


def adam(parameters, **kw):
    return torch.optim.Adam(parameters, lr=1e-3, **kw)


def adamw(rate):
    return lambda parameters, **kw: torch.optim.AdamW(parameters, lr=rate, **kw)


def momentum(parameters, **kw):
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, **kw)


def gpt2():
    return Gpt(50_304, 1024, 768, 12, 12, tied=True)


WORKLOADS = {
    "W1": Workload(lambda: mlp(4, 64, 64, 1), regression, adam),
    "W2": Workload(lambda: mlp(784, 512, 256, 10), classification, adam),
    "W3": Workload(cnn, classification, momentum),
    "W4": Workload(lambda: Gpt(65, 128, 128, 4, 4, tied=False), language, adamw(3e-4)),
    "W5": Workload(lambda: Tables(10_000, 64), rating, adam),
    "W6": Workload(gpt2, language, adamw(3e-4), torch.bfloat16),
    "W6-4": Workload(gpt2, language, adamw(3e-4), torch.bfloat16),
    "W7": Workload(lambda: mlp(784, 1024, 1024, 1024, 10), classification, adamw(1e-3)),
}

"""The kernels of `./downhill bench --kernel` in PyTorch."""

import torch
from protocol import BYTES, FLOPS, Case
from torch.nn import functional as F

DEVICE = torch.device("cpu")


def use(device, threads):
    global DEVICE
    DEVICE = torch.device(device)
    torch.set_num_threads(threads)


def wait():
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def draw(*sizes, dtype=torch.float32):
    return torch.randn(*sizes, device=DEVICE).to(dtype)


def case(name, unit, amount, run):
    return Case("pytorch", torch.__version__, name, unit, amount, run, wait,
                0.01 if DEVICE.type == "cuda" else 0)


def forward(name, unit, amount, f, *operands):
    def run():
        with torch.no_grad():
            f(*operands)

    return case(name, unit, amount, run)


def backward(name, unit, amount, f, wanted, *operands):
    wanted = [operands[i].requires_grad_() for i in wanted]
    y = f(*operands)
    dy = torch.randn_like(y)
    return case(name, unit, amount,
                lambda: torch.autograd.grad(y, wanted, dy, retain_graph=True))


def adamw():
    parameters = [draw(1 << 20).requires_grad_() for _ in range(16)]
    for p in parameters:
        p.square().sum().backward()
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, fused=True)
    yield case("adamw 16x1048576", BYTES, 28.0 * (16 << 20), optimizer.step)


def layer_norm():
    rows, width = 65_536, 768
    bytes = 4.0 * rows * width

    def operands():
        return draw(rows, width), draw(width), draw(width)

    def f(x, w, b):
        return F.layer_norm(x, (width,), w, b)

    yield forward(f"layer_norm forward {rows}x{width}", BYTES, 2 * bytes, f, *operands())
    yield backward(f"layer_norm backward {rows}x{width}", BYTES, 3 * bytes, f, [0, 1, 2],
                   *operands())


def elementwise():
    functions = {"relu": F.relu, "gelu": F.gelu,
                 "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu,
                 "tanh": torch.tanh, "sigmoid": torch.sigmoid}
    bytes = 4.0 * (1 << 24)
    for name, f in functions.items():
        yield forward(f"{name} forward", BYTES, 2 * bytes, f, draw(1 << 24))
        yield backward(f"{name} backward", BYTES, 3 * bytes, f, [0], draw(1 << 24))


def cross_entropy():
    rows, classes = 16_384, 1024
    bytes = 4.0 * rows * classes
    size = f"{rows}x{classes}"
    y = draw(rows, classes).argmax(1)
    yield forward(f"cross_entropy forward {size}", BYTES, bytes, F.cross_entropy,
                  draw(rows, classes), y)
    yield backward(f"cross_entropy backward {size}", BYTES, 2 * bytes, F.cross_entropy, [0],
                   draw(rows, classes), y)


def gemm():
    for n in (256, 512, 1024, 2048):
        for transposes in ("nn", "nt", "tn", "tt"):
            a, b = (draw(n, n).T if t == "t" else draw(n, n) for t in transposes)
            yield forward(f"gemm {transposes} {n}", FLOPS, 2.0 * n ** 3, torch.matmul, a, b)


def conv2d():
    for images, channels, out, side in ((64, 32, 64, 14), (32, 64, 64, 56)):
        size = f"{images}x{channels}x{side}x{side} to {out}"
        flops = 2.0 * 9 * images * channels * out * side * side

        def operands():
            return draw(images, channels, side, side), draw(out, channels, 3, 3)

        def f(x, w):
            return F.conv2d(x, w, padding=1)

        yield forward(f"conv2d forward {size}", FLOPS, flops, f, *operands())
        yield backward(f"conv2d data {size}", FLOPS, flops, f, [0], *operands())
        yield backward(f"conv2d weight {size}", FLOPS, flops, f, [1], *operands())


def attention():
    b, h, t, d = 64, 12, 1024, 64
    product = float(b * h * t * (t + 1) * d)

    def operands():
        return [draw(b, h, t, d, dtype=torch.bfloat16) for _ in range(3)]

    def f(q, k, v):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)

    size = f"{b}x{h}x{t}x{d} bf16"
    yield forward(f"attention forward {size}", FLOPS, 2 * product, f, *operands())
    yield backward(f"attention backward {size}", FLOPS, 5 * product, f, [0, 1, 2], *operands())


KERNELS = {"K1": adamw, "K2": layer_norm, "K3": elementwise, "K4": cross_entropy, "K5": gemm,
           "K6": conv2d, "K7": attention}

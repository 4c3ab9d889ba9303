#!/usr/bin/env python3
"""Times the workloads and kernels of `./downhill bench` in JAX, one JSON object a line.

    ./downhill bench --dump dump
    python3 benchmarks/peers/jax_bench.py --data dump --workload W1,W2

The whole step, optimiser included, is one jitted function whose state is donated.
"""

import argparse
import os

import protocol


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workload", default="")
    parser.add_argument("--kernel", default="")
    parser.add_argument("--data", help="the folder of downhill bench --dump")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3.0)
    return parser.parse_args()


def train(options, name, threads):
    import jax
    from jax_models import WORKLOADS
    from safetensors.numpy import load_file

    workload = WORKLOADS[name]
    weights, batches = protocol.load(options.data, name, load_file)
    parameters = workload.prepare({k: jax.numpy.asarray(v) for k, v in weights.items()})
    batches = [[jax.device_put(x) for x in batch] for batch in batches]
    state = workload.optimizer.init(parameters)

    def whole_step(parameters, state, batch):
        loss, gradients = jax.value_and_grad(workload.loss)(parameters, *batch)
        parameters, state = workload.optimizer.update(parameters, gradients, state)
        return parameters, state, loss

    jitted = jax.jit(whole_step, donate_argnums=(0, 1))
    done = 0
    loss = None

    def step():
        nonlocal parameters, state, loss, done
        parameters, state, loss = jitted(parameters, state, batches[done % len(batches)])
        done += 1

    def wait():
        jax.block_until_ready(parameters)

    step()
    first = float(loss)
    first_ms = protocol.alive_millis()
    # JAX returns before a step is done: both ways of waiting are tried, and the faster one counts.
    tried = [protocol.steady(step, wait, options.seconds / 2, ahead) for ahead in (0, 0.02)]
    steps, micros, wall = min(tried, key=lambda t: t[1])
    step()
    memory = jax.devices()[0].memory_stats() or {}
    protocol.workload_line(
        name, "jax", jax.__version__, options.device, threads, steps, micros, first_ms, wall,
        first, float(loss), peak=memory.get("peak_bytes_in_use"))


def main():
    options = arguments()
    threads = protocol.use_threads(options.threads)
    os.environ["JAX_PLATFORMS"] = options.device.split(":")[0]
    for name in filter(None, options.workload.split(",")):
        train(options, name, threads)
    if options.kernel:
        import jax_kernels
        protocol.kernels(jax_kernels, options, threads)


if __name__ == "__main__":
    main()

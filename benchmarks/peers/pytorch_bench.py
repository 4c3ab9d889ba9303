#!/usr/bin/env python3
"""Times the workloads and kernels of `./downhill bench` in PyTorch, one JSON object a line.

    ./downhill bench --dump dump
    python3 benchmarks/peers/pytorch_bench.py --data dump --workload W1,W2

Optimisers are the fused ones. A workload is run eagerly and with torch.compile (forward and loss;
backward follows), each in a process of its own, and the faster one is printed; --mode takes one.
"""

import argparse
import subprocess
import sys

import protocol


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workload", default="")
    parser.add_argument("--kernel", default="")
    parser.add_argument("--data", help="the folder of downhill bench --dump")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--mode", choices=["best", "eager", "compile"], default="best")
    return parser.parse_args()


def best(options, name):
    """The faster of the modes, each measured in a process of its own."""
    lines = []
    for mode in ("eager", "compile"):
        command = [sys.executable, __file__, "--workload", name, "--data", options.data,
                   "--device", options.device, "--threads", str(options.threads),
                   "--seconds", str(options.seconds), "--mode", mode]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode == 0:
            lines += [line for line in run.stdout.splitlines() if line.startswith("{")]
        else:
            # torch.compile wants a C++ compiler, for example.
            print(f"pytorch {name}: {mode} failed: {run.stderr.strip().splitlines()[-1:]}",
                  file=sys.stderr)
    if not lines:
        sys.exit(f"pytorch: {name} failed in every mode")
    print(min(lines, key=lambda line: protocol.micros(line)), flush=True)


def train(options, name, threads):
    import torch
    from pytorch_models import WORKLOADS
    from safetensors.torch import load_file

    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("high" if name == "W7" else "highest")
    device = torch.device(options.device)
    cuda = device.type == "cuda"
    weights, batches = protocol.load(options.data, name, load_file)
    workload = WORKLOADS[name]
    model = workload.model()
    model.load_state_dict(weights)
    model.to(device)
    batches = [[x.to(device) for x in batch] for batch in batches]
    optimizer = workload.optimizer(model.parameters(), fused=True)

    def forward(*batch):
        with torch.autocast(device.type, workload.dtype, enabled=workload.dtype != torch.float32):
            return workload.loss(model, *batch)

    if options.mode == "compile":
        forward = torch.compile(forward)
    done = 0

    def step():
        nonlocal done
        loss = forward(*batches[done % len(batches)])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        done += 1
        return loss

    def wait():
        if cuda:
            torch.cuda.synchronize()

    first = step().item()
    first_ms = protocol.alive_millis()
    steps, micros, wall = protocol.steady(step, wait, options.seconds, 0.01 if cuda else 0)
    last = step().item()
    protocol.workload_line(
        name, "pytorch", torch.__version__, options.device, threads, steps, micros, first_ms, wall,
        first, last, peak=torch.cuda.max_memory_allocated() if cuda else None, mode=options.mode)


def main():
    options = arguments()
    threads = protocol.use_threads(options.threads)
    for name in filter(None, options.workload.split(",")):
        if options.mode == "best":
            best(options, name)
        else:
            train(options, name, threads)
    if options.kernel:
        import pytorch_kernels
        protocol.kernels(pytorch_kernels, options, threads)


if __name__ == "__main__":
    main()

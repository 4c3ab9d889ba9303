#!/usr/bin/env python3
"""Repeats in PyTorch the loss curves that `./downhill bench --dump DIR` wrote: same weights, same
batches, same optimiser, float32.

    ./downhill bench --dump dump
    python3 benchmarks/peers/replay_pytorch.py dump

Prints for each workload the largest deviation of a loss, relative to the loss of the first step, and
ends with 1 if one is above the tolerance. A float32 sum of n terms in another order differs by about
sqrt(n) 6e-8 of its size; training carries such differences on, so that 50 steps later the curves
agree to some 1e-5. The tolerance is 1e-3.
"""

import argparse
import sys
from pathlib import Path

import protocol
import torch
from pytorch_models import WORKLOADS
from safetensors.torch import load_file

TOLERANCE = 1e-3


def replay(folder, name):
    """The losses here, and those of the file."""
    weights, batches = protocol.load(folder, name, load_file)
    expected = load_file(Path(folder) / name / "losses.safetensors")["losses"].tolist()
    workload = WORKLOADS[name]
    model = workload.model()
    model.load_state_dict(weights)
    optimizer = workload.optimizer(model.parameters())
    losses = []
    for step in range(len(expected)):
        loss = workload.loss(model, *batches[step % len(batches)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, expected


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--workload", default="", help="some of those in the folder; default all")
    options = parser.parse_args()
    names = [n for n in options.workload.split(",") if n] or [
        n for n in WORKLOADS if (Path(options.folder) / n).is_dir()]
    failed = not names
    for name in names:
        losses, expected = replay(options.folder, name)
        worst = max(abs(a - b) / abs(expected[0]) for a, b in zip(losses, expected))
        ok = worst <= TOLERANCE
        failed |= not ok
        print(f"{name}: {len(losses)} steps, loss {expected[0]:.6f} -> {expected[-1]:.6f}, PyTorch"
              f" {losses[-1]:.6f}, largest deviation {worst:.1e} {'ok' if ok else 'TOO LARGE'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

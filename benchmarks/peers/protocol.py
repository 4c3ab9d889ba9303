"""What all peers share: the files of `downhill bench --dump`, the stopwatch, the line of results.

A dump is a folder DIR with, for each workload, DIR/W1/weights.safetensors (the initial weights by
name), batches.safetensors (tensor "3.0" is the first input of batch 3) and losses.safetensors
("losses": those of the first steps). The line is that of `downhill bench --json`.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Callable

BYTES = "gb_per_s"
FLOPS = "gflop_per_s"

ITEMS = {"W1": 256, "W2": 128, "W3": 64, "W4": 16 * 128, "W5": 4096, "W6": 64 * 1024,
         "W6-4": 4 * 1024, "W7": 128}


def use_threads(count):
    """Must run before the peer's library is imported: it looks at the processors it may use."""
    allowed = sorted(os.sched_getaffinity(0))
    if count and count < len(allowed):
        os.sched_setaffinity(0, allowed[:count])
    return len(os.sched_getaffinity(0))


def load(folder, workload, read):
    """The initial weights by name, and the batches as lists of inputs."""
    folder = Path(folder) / workload
    flat = read(folder / "batches.safetensors")
    batches = {}
    for name in sorted(flat, key=lambda n: [int(part) for part in n.split(".")]):
        batches.setdefault(int(name.split(".")[0]), []).append(flat[name])
    return read(folder / "weights.safetensors"), list(batches.values())


def alive_millis():
    """Milliseconds since this process was started."""
    stat = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
    return 1e3 * float(Path("/proc/uptime").read_text().split()[0]) - 10 * float(stat[19])


def peak_bytes():
    """The most memory this process had resident."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0


def steady(run, wait, seconds, round_seconds=0.0, warm_up=16):
    """Warms up for `seconds`, then times `run` for as long.

    `run` starts one step, `wait` waits for all that was started. With `round_seconds` several steps
    are started between two waits, and their mean counts: best for a peer that works while Python
    runs ahead. Returns the number of steps, their median in microseconds and the seconds in all.
    """
    begin = time.perf_counter()
    steps = 0
    while steps < warm_up or time.perf_counter() - begin < seconds:
        run()
        steps += 1
    wait()
    each = (time.perf_counter() - begin) / steps
    size = max(1, int(round_seconds / each))

    times = []
    start = before = time.perf_counter()
    while len(times) < 3 or before - start < seconds:
        for _ in range(size):
            run()
        wait()
        now = time.perf_counter()
        times.append(now - before)
        before = now
    return len(times) * size, 1e6 * median(times) / size, before - start


def workload_line(workload, peer, version, device, threads, steps, micros, first_ms, wall, first,
                  last, peak=None, **more):
    """One line of results."""
    print(json.dumps({
        "workload": workload, "peer": peer, "version": version, "device": device,
        "threads": threads, "steps": steps, "median_us": round(micros, 2),
        "items_per_s": round(ITEMS[workload] * 1e6 / micros),
        "peak_bytes": peak_bytes() if peak is None else peak, "first_step_ms": round(first_ms),
        "wall_s": round(wall, 3), "loss_first": first, "loss_last": last, **more,
    }), flush=True)


def micros(line):
    """The median of a line."""
    return json.loads(line)["median_us"]


@dataclass
class Case:
    """A kernel on operands of one size, and the least bytes or operations that it needs."""

    peer: str
    version: str
    name: str
    unit: str
    amount: float
    run: Callable[[], None]
    wait: Callable[[], None]
    round_seconds: float


def kernels(module, options, threads):
    """Times the kernels that were asked for and prints their lines."""
    module.use(options.device, threads)
    for kernel in options.kernel.split(","):
        for case in module.KERNELS[kernel]():
            steps, us, wall = steady(
                case.run, case.wait, options.seconds, case.round_seconds, warm_up=3)
            print(json.dumps({
                "kernel": kernel, "case": case.name, "peer": case.peer, "version": case.version,
                "device": options.device, "threads": threads, "steps": steps,
                "median_us": round(us, 2), case.unit: round(case.amount / 1e3 / us, 2),
                "wall_s": round(wall, 3)}), flush=True)

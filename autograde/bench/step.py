"""Where a training step's time goes, what the convolutions alone would cost, and what other work on the machine does.

    python -m autograde.bench.step

prints one JSON object. It takes all figures of one part in turns within one run and compares medians, because
machines are shared.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from helpers import data
from helpers.crops import Crops, any_way_up
from helpers.reference.unet import UNet
from helpers.threads import QuickestThreads, available_cpus
from helpers.training import dice_and_cross_entropy

ROUNDS = 15
BUSY = "while True: pass"


def network() -> nn.Module:
    """The course's U-Net, with the same weights each time."""
    torch.manual_seed(0)
    return UNet(1, 1, base_channels=8, depth=3)


def training_crops() -> Crops:
    """What the benches train on."""
    return Crops(data.load("nuclei", "train", tile=None), 64, 8, any_way_up)


def training_step(model: nn.Module, channels_last: bool = False, half: bool = False) -> Callable[[], None]:
    """A function that does one step of training on the next of four batches."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = model.to(memory_format=layout)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    crops = training_crops()
    batches = itertools.cycle([crops.batch(k) for k in range(4)])

    def step() -> None:
        images, masks = next(batches)
        with torch.autocast("cpu", torch.bfloat16) if half else nullcontext():
            logits = model(images.contiguous(memory_format=layout))
        loss = dice_and_cross_entropy(logits.float(), masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def medians(steps: dict[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median milliseconds of each, taken in turns."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 2):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            times[name].append(1000 * (time.perf_counter() - began))
    return {name: round(statistics.median(values[2:]), 2) for name, values in times.items()}  # the first two warm up


def parts_of_a_step() -> dict[str, float]:
    """Milliseconds of each part of a step, and of the convolutions alone."""
    crops = training_crops()
    model = network()
    images, masks = crops.batch(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    state: dict[str, Tensor] = {}

    def forward() -> None:
        state["logits"] = model(images)

    def loss() -> None:
        state["loss"] = dice_and_cross_entropy(state["logits"], masks)

    def backward() -> None:
        optimizer.zero_grad()
        state["loss"].backward()

    return medians(
        {
            "preparing the batch (by another thread)": lambda: crops.batch(0),
            "forward": forward,
            "loss": loss,
            "backward": backward,
            "optimizer": optimizer.step,
            "the convolutions alone, forward and backward": convolutions(model, images),
        }
    )


def convolutions(model: nn.Module, images: Tensor) -> Callable[[], None]:
    """All convolutions of a forward pass with their backward passes, and nothing else."""
    seen: list[tuple[nn.Module, Tensor]] = []
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, output: seen.append((layer, inputs[0].detach())))
        for layer in model.modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]
    model(images)
    for hook in hooks:
        hook.remove()
    first = seen[0][0]
    work = [(layer, x.requires_grad_(layer is not first)) for layer, x in seen]
    gradients = [torch.ones_like(layer(x)) for layer, x in work]

    def run() -> None:
        for (layer, x), gradient in zip(work, gradients, strict=True):
            wanted = [x, *layer.parameters()] if x.requires_grad else list(layer.parameters())
            torch.autograd.grad(layer(x), wanted, gradient)

    return run


def layouts() -> dict[str, float]:
    """Milliseconds of a step in each layout and precision."""
    return medians(
        {
            "float32": training_step(network()),
            "float32, channels last": training_step(network(), channels_last=True),
            "bfloat16": training_step(network(), half=True),
            "bfloat16, channels last": training_step(network(), channels_last=True, half=True),
        }
    )


def compiled() -> dict[str, float]:
    """What `torch.compile` costs before the first step, in seconds, and milliseconds of a step with and without it.

    Empty where there is no C++ compiler, which it needs on a CPU.
    """
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        return {}
    model = network()
    model.compile()
    steps = {
        "as it is": training_step(network(), channels_last=True),
        "compiled": training_step(model, channels_last=True),
    }
    began = time.perf_counter()
    steps["compiled"]()
    return {"first": round(time.perf_counter() - began, 1), **medians(steps)}


def with_other_work(threads: str) -> dict[str, float]:
    """Milliseconds of a step alone and beside one busy program a processor; `threads` is a number or "chosen"."""
    cpus = available_cpus()
    torch.set_num_threads(cpus if threads == "chosen" else int(threads))
    step = training_step(network())
    chooser = QuickestThreads(cpus, again=1.0)

    def one() -> None:
        with chooser.step() if threads == "chosen" else nullcontext():
            step()

    def steps(seconds: float) -> float:
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            one()
            count += 1
        return 1000 * (time.perf_counter() - began) / count

    steps(1.0)
    alone = steps(4.0)
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(cpus)]
    try:
        steps(1.0)
        beside = steps(8.0)
    finally:
        for other in others:
            other.kill()
            other.wait()
    return {"alone": round(alone, 1), "beside": round(beside, 1), "times slower": round(beside / alone, 2)}


def main() -> dict[str, Any]:
    """The parts of a step, the layouts, and what compiling is worth, of one run."""
    torch.set_num_threads(available_cpus())
    return {"parts": parts_of_a_step(), "layouts": layouts(), "compile": compiled()}


if __name__ == "__main__":
    print(json.dumps(with_other_work(sys.argv[1]) if len(sys.argv) > 1 else main()))

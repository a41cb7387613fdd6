"""What skips bring to thin things: `python course.py bench skips`, for lesson 07. A quarter of an hour.

Hourglass, U-Net with zeroed skips and U-Net on `brain`, from five seeds, trained and scored as the lesson does it.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from autograde.claims import computing
from autograde.files import write
from autograde.nbgrader_course import ROOT
from helpers import data, metrics
from helpers.reference.decoder import Hourglass
from helpers.reference.unet import UNet, Up
from helpers.training import fit

STORED = ROOT / "helpers" / "measured" / "skips.json"
SEEDS = 5
SETTINGS: dict[str, Any] = {"epochs": 6, "crop": 96, "batch_size": 4, "lr": 1e-2}


def of() -> str:
    """A hash of what the trainings depend on."""
    return computing(Path(__file__).read_text(encoding="utf-8"))


def run(say: Callable[[str], None]) -> None:
    """Train, and keep the IoU of each class on the test slices."""
    runs = []
    for seed in range(SEEDS):
        runs.append({name: _ious(make, seed) for name, make in NETWORKS.items()})
        say(f"seed {seed}: {runs[-1]}")
    about = {"day": str(datetime.date.today()), "made by": "python course.py bench skips", "of": of()}
    write(STORED, json.dumps({**about, "settings": SETTINGS, "runs": runs}, indent=1) + "\n")


def _ious(make: Callable[..., nn.Module], seed: int) -> dict[str, float]:
    train, validation, test = (data.load("brain", split) for split in ("train", "validation", "test"))
    torch.manual_seed(seed)
    model = make(1, 4, base_channels=8, depth=4)
    fit(model, train, validation, seed=seed, **SETTINGS)
    tables = [
        metrics.confusion_table(metrics.class_map(logits), mask, 4) for logits, mask in metrics.predictions(model, test)
    ]
    found = metrics.class_scores(torch.stack(tables).sum(0))["iou"][1:].tolist()
    return {name: round(iou, 4) for name, iou in zip(test.classes[1:], found, strict=True)}


def _zeroed(*sizes: int, **options: int) -> nn.Module:
    model = UNet(*sizes, **options)
    for module in model.modules():
        if isinstance(module, Up):
            module.register_forward_pre_hook(_blind)
    return model


def _blind(_: nn.Module, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    return inputs[0], torch.zeros_like(inputs[1])


NETWORKS: dict[str, Callable[..., nn.Module]] = {"hourglass": Hourglass, "skips zeroed": _zeroed, "U-Net": UNet}

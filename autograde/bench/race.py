"""A U-Net against a pretrained rival: `python course.py bench race`, for lesson 10. Ten minutes.

The entrants on `nuclei` and `brain`, from several seeds, with few and with more training images; then what another
architecture and another set-up change. Trained and scored as the lesson does it, by steps and not by seconds.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Subset

from autograde.claims import computing
from autograde.files import write
from autograde.nbgrader_course import ROOT
from helpers import data, metrics
from helpers.baseline import build_baseline
from helpers.crops import Augment
from helpers.data.pairs import Pairs
from helpers.reference.baseline import freeze_encoder, normalise
from helpers.reference.training import augment_pair
from helpers.reference.unet import UNet
from helpers.training import fit

STORED = ROOT / "helpers" / "measured" / "race.json"
SEEDS = 5
# A step of the frozen rival takes three times as long as one of the U-Net, and of the fine-tuned one five times.
STEPS = {"yours": 180, "frozen": 60, "fine-tuned": 36}
SETTINGS: dict[str, Any] = {"crop": 64, "batch_size": 4, "lr": 3e-3}
SIZES = {"nuclei": (1, 8), "brain": (1, 8)}
ORDER = {"nuclei": [5, 0, 2, 7, 1, 3, 4, 6], "brain": [35, 52, 18, 63, 7, 44, 26, 58]}
CLASSES = {"nuclei": 1, "brain": 4}


def of() -> str:
    """A hash of what the trainings depend on."""
    return computing(Path(__file__).read_text(encoding="utf-8"))


def run(say: Callable[[str], None]) -> None:
    """Train, and keep Dice on the test images."""
    runs = []
    for seed in range(SEEDS):
        runs.append(_one_seed(seed))
        say(f"seed {seed}: {runs[-1]}")
    about = {"day": str(datetime.date.today()), "made by": "python course.py bench race", "of": of()}
    write(STORED, json.dumps({**about, "settings": {"steps": STEPS, **SETTINGS}, "runs": runs}, indent=1) + "\n")


def _one_seed(seed: int) -> dict[str, Any]:
    """Dice by data set, size and entrant; then of changes of the U-Net, and of the frozen rival, with eight tiles."""
    found: dict[str, Any] = {
        what: {str(size): {name: _dice(what, size, name, seed) for name in STEPS} for size in sizes}
        for what, sizes in SIZES.items()
    }
    found["changes"] = {name: _dice("nuclei", 8, "yours", seed, **options) for name, options in CHANGES.items()}
    found["frozen, flips only"] = _dice("nuclei", 8, "frozen", seed, augment=flips)
    return found


def _dice(
    what: str,
    size: int,
    name: str,
    seed: int,
    make: Callable[[], nn.Module] | None = None,
    augment: Augment = augment_pair,
) -> float:
    train, (validation, test) = _some(what, "train", ORDER[what][:size]), _looked_at(what)
    torch.manual_seed(seed)
    model = make() if make else _entrant(name, CLASSES[what])
    crops = size * round(train[0][1].numel() / 64**2)
    fit(model, train, validation, epochs=STEPS[name] * 4 / crops, augment=augment, seed=seed, **SETTINGS)
    return round(metrics.score(model, test)["dice"], 4)


def _load(what: str, split: str) -> Pairs:
    return data.load(what, split, **({"tile": 128} if what == "nuclei" else {}))


def _some(what: str, split: str, chosen: list[int]) -> Pairs:
    pairs: Any = _load(what, split)  # a data set to torch, though it is no `Dataset`
    return Subset(pairs, chosen)


def _looked_at(what: str) -> tuple[Pairs, Pairs]:
    """Pairs to choose the best weights by, and pairs for the score."""
    validation, test = {"nuclei": ([0, 2], [0, 1, 2, 3]), "brain": ([4, 14], [3, 9, 15, 21])}[what]
    return _some(what, "validation", validation), _some(what, "test", test)


def _entrant(name: str, num_classes: int) -> nn.Module:
    if name == "yours":
        return UNet(1, num_classes, base_channels=8, depth=3)
    rival = build_baseline(in_channels=1, num_classes=num_classes)
    return freeze_encoder(rival) if name == "frozen" else rival


class _Scaled(nn.Module):
    """A U-Net behind `normalise`, with mean and standard deviation of the training tiles."""

    def __init__(self) -> None:
        super().__init__()
        self.network = _entrant("yours", 1)
        tiles = _load("nuclei", "train")
        pixels = torch.stack([tiles[k][0] for k in range(len(tiles))])
        self.scale = [pixels.mean().item()], [pixels.std().item()]

    def forward(self, x: Tensor) -> Tensor:
        return self.network(normalise(x, *self.scale))


def flips(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two mirrors, each in every second draw, and the light left alone."""
    axes = [axis for axis in (-2, -1) if torch.rand((), generator=generator) < 0.5]
    return image.flip(axes), mask.flip(axes)


CHANGES: dict[str, dict[str, Any]] = {
    "12 channels": {"make": lambda: UNet(1, 1, base_channels=12, depth=3)},
    "4 levels": {"make": lambda: UNet(1, 1, base_channels=8, depth=4)},
    "normalise": {"make": _Scaled},
    "flips only": {"augment": flips},
}

"""Whether training waits for the disk: a folder of 1,000 pictures of 512×512 pixels, listed and trained on.

    python -m autograde.bench.folder

prints one JSON object. The pictures are the course's micrograph, shifted, with noise, as PNG beside PNG masks, in a
temporary folder. Reading the files and loading the folder take turns, and medians are compared.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from autograde.bench.run import BATCH, CROP
from autograde.bench.step import medians, network
from helpers import data
from helpers.crops import Crops
from helpers.data.pairs import SPLITS, Pairs, PairSet
from helpers.threads import available_cpus
from helpers.training import fit

PICTURES, SIDE = 1000, 512
ROUNDS = 3
SECONDS = 30.0


def write_folder(folder: Path, number: int = PICTURES) -> None:
    """`images/0000.png`, 8 bits, with `masks/0000.png` in 0 and 1."""
    image, mask = (
        np.concatenate([one.numpy() for one in part], axis=-1)
        for part in zip(*(data.load("nuclei", split, tile=None)[0] for split in SPLITS), strict=True)
    )
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)

    def write(k: int) -> None:
        random = np.random.default_rng(k)
        shift = tuple(random.integers(0, SIDE, 2))
        noisy = np.roll(image[0], shift, (0, 1)) + random.normal(0, 0.02, image[0].shape)
        Image.fromarray((noisy.clip(0, 1) * 255).astype(np.uint8)).save(folder / "images" / f"{k:04}.png")
        Image.fromarray(np.roll(mask, shift, (0, 1)).astype(np.uint8)).save(folder / "masks" / f"{k:04}.png")

    with ThreadPoolExecutor(available_cpus()) as threads:
        list(threads.map(write, range(number)))


def read_all(folder: Path) -> None:
    """Decode every file, and do nothing with it."""
    with ThreadPoolExecutor(available_cpus()) as threads:
        list(threads.map(lambda path: np.asarray(Image.open(path)).shape, sorted(folder.rglob("*.png"))))


def load(folder: Path) -> PairSet:
    """The training split."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        places = {name: folder / name for name in ("images", "masks")}
        return data.load("folder", "train", **places, classes=("background", "nucleus"))


def renamed(place: Path) -> Path:
    """The one folder in `place` under another name, since what is known of a folder is kept."""
    (folder,) = place.iterdir()
    return folder.rename(place / f"{int(folder.name) + 1}")


def waiting(train: Pairs, validation: Pairs, seconds: float = SECONDS) -> dict[str, float]:
    """Steps of a training, and the fraction of their time that it waits for the next batch."""
    waited = []
    ahead = Crops.ahead

    def timed(self: Crops, *numbers: int) -> Generator[tuple[Tensor, Tensor]]:
        batches = ahead(self, *numbers)
        try:
            while True:
                began = time.perf_counter()
                batch = next(batches)
                waited.append(time.perf_counter() - began)
                yield batch
        finally:
            batches.close()

    with patch.object(Crops, "ahead", timed):
        history = fit(
            network(),
            train,
            validation,
            seconds=seconds,
            crop=CROP,
            batch_size=BATCH,
            patience=99,
        )
    return {"steps": history.steps, "waited": round(sum(waited) / history.seconds, 4)}


def main(number: int = PICTURES, seconds: float = SECONDS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Both figures, of a folder of so many pictures."""
    torch.set_num_threads(available_cpus())
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        write_folder(place / "0", number)
        ms = medians({"read": lambda: read_all(place), "load": lambda: load(renamed(place))}, rounds)
        train = load(renamed(place))
        few = [train[k] for k in range(2)]  # so that validation takes none of the time
        found = waiting(train, few, seconds)
    return {
        "pictures": number,
        "seconds": {name: round(value / 1000, 1) for name, value in ms.items()},
        "times longer": round(ms["load"] / ms["read"], 2),
        **found,
    }


if __name__ == "__main__":
    print(json.dumps({"folder": main()}))

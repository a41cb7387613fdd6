"""Train the network that lesson 00 shows before anything is explained, and write it as a bundle.

    python datasets/models/make.py               # a minute on two cores

The results, nuclei.unet.zip and SHA256SUMS, are in the repository. Training is limited by time, so each run ends with
other weights, about as good.
"""

import hashlib
from pathlib import Path

import torch

from helpers import data
from helpers.metrics import score
from helpers.reference.unet import UNet
from helpers.share import load_shared, share
from helpers.training import fit

SECONDS = 60
USE = "To be looked at in lesson 00: a small U-Net that was trained for a minute on half of one micrograph."


def make(folder: Path) -> Path:
    """Train on the left half of the micrograph, choose the weights on the next quarter, and write the bundle."""
    train, validation = (data.load("nuclei", split, tile=None) for split in ("train", "validation"))
    torch.manual_seed(0)
    model = UNet(1, 1, base_channels=8, depth=3)
    history = fit(model, train, validation, seconds=SECONDS, crop=64, device="cpu")
    print(f"{history.steps} steps in {history.seconds:.0f} s; best on validation: {history.best}")
    # tiles, since the whole quarter would be a single example on the card
    tiles = data.load("nuclei", "validation", tile=128)
    return share(model, "nuclei", train, tiles, folder=folder, history=history, intended_use=USE)


if __name__ == "__main__":
    here = Path(__file__).parent
    bundle = make(here)
    digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
    (here / "SHA256SUMS").write_text(f"{digest}  {bundle.name}\n", encoding="utf-8")
    print(f"{bundle}: {bundle.stat().st_size} bytes")
    # the right quarter, looked at once, after all is decided
    print("test:", score(load_shared(bundle), data.load("nuclei", "test", tile=None)))

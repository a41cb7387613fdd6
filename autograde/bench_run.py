"""One training run of the bench, in a process of its own, so that its peak memory is its own.

    python -m autograde.bench_run '{"data": "nuclei", "model": "course", "seconds": 15, "seed": 0}'

prints one JSON object: scores on the test split, seconds, steps, memory. See `autograde.bench`.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from skimage.filters import threshold_otsu
from torch import Tensor, nn

from helpers import data, metrics
from helpers.reference.skips import UNet
from helpers.reference.wild import match_instances, split_instances
from helpers.threads import available_cpus
from helpers.training import fit

CROP, BATCH = 64, 8
REACHED = 0.88  # the validation IoU that the time to it is measured of


def _smp(encoder: str) -> Callable[[int, int], nn.Module]:
    def build(in_channels: int, num_classes: int) -> nn.Module:
        import segmentation_models_pytorch as smp

        return smp.Unet(encoder, encoder_weights=None, in_channels=in_channels, classes=num_classes)

    return build


def _pretrained(in_channels: int, num_classes: int) -> nn.Module:
    from helpers.baseline import build_baseline

    return build_baseline(in_channels=in_channels, num_classes=num_classes)


def _monai(in_channels: int, num_classes: int) -> nn.Module:
    from monai.networks.nets import BasicUNet

    return BasicUNet(spatial_dims=2, in_channels=in_channels, out_channels=num_classes)


# Name in the table, and how it is built for so many channels and classes.
MODELS: dict[str, tuple[str, Callable[[int, int], nn.Module]]] = {
    "course": ("the course's U-Net: 8 channels, depth 3", lambda i, k: UNet(i, k, base_channels=8, depth=3)),
    "course16": ("the same with 16 channels", lambda i, k: UNet(i, k, base_channels=16, depth=3)),
    "2015": ("the 2015 U-Net: 64 channels, depth 4", lambda i, k: UNet(i, k, base_channels=64, depth=4)),
    "resnet18": ("smp.Unet, ResNet-18, from scratch", _smp("resnet18")),
    "resnet34": ("smp.Unet, ResNet-34, from scratch", _smp("resnet34")),
    "pretrained": ("smp.Unet, EfficientNet-Lite0, ImageNet weights", _pretrained),
    "monai": ("MONAI's BasicUNet", _monai),
}


class Otsu(nn.Module):
    """No network: the threshold between dark and bright pixels (Otsu 1979), found on the image itself."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([image - threshold_otsu(image.numpy()) for image in x])


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Train and score as `job` says, and return what is to be stored."""
    torch.set_num_threads(available_cpus())
    name = job["data"]
    options = {"tile": None} if name == "nuclei" else {}
    train, validation, test = (data.load(name, split, **options) for split in ("train", "validation", "test"))
    classes = len(train.classes)
    result: dict[str, Any] = dict(job)
    torch.manual_seed(job["seed"])
    if job["model"] == "otsu":
        model, history = Otsu(), None
    else:
        model = MODELS[job["model"]][1](train[0][0].shape[0], 1 if classes == 2 else classes)
        began = time.perf_counter()
        history = fit(
            model, train, validation, seconds=job["seconds"], crop=CROP, batch_size=BATCH, seed=job["seed"], patience=99
        )
        result["took"] = round(time.perf_counter() - began, 2)
        result["steps"] = history.steps
        result["first_reached"] = next((s["seconds"] for s in history.scores if s["iou"] >= REACHED), None)
    result["parameters"] = sum(p.numel() for p in model.parameters()) if history else 0
    result["memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return result | _scores(model, test, name)


def _scores(model: nn.Module, test: Any, name: str) -> dict[str, float]:
    table, boundaries, tolerant, found = 0, [], [], []
    for k, (logits, mask) in enumerate(metrics.predictions(model, test)):
        classes = max(len(logits), 2)
        labels = metrics.class_map(logits)
        table = table + metrics.confusion_table(labels, mask, classes)
        for c in range(1, classes):
            boundaries.append(metrics.boundary_error(labels == c, mask == c))
            tolerant.append(metrics.tolerant_iou(labels == c, mask == c))
        if name == "nuclei":
            probability = torch.sigmoid(logits[0]) if not isinstance(model, Otsu) else (logits[0] > 0).float()
            found.append(match_instances(split_instances(probability), test.instances[k])["f1"])
    scores = {f"{what}": float(values[1:].mean()) for what, values in metrics.class_scores(table).items()}
    if table.shape[0] > 2:
        scores["dice_all"] = float(metrics.class_scores(table)["dice"].mean())  # the background among them
    finite = [b for b in boundaries if np.isfinite(b)]
    scores |= {"boundary": statistics.mean(finite) if finite else None, "tolerant_iou": statistics.mean(tolerant)}
    return scores | ({"f1": statistics.mean(found)} if found else {})


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))

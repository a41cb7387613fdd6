"""One training run of the bench, in a process of its own, so that its peak memory is its own.

    python -m autograde.bench.run '{"data": "nuclei", "model": "course", "seconds": 15, "seed": 0, "rate": 3e-3}'

prints one JSON object: scores on the test split, seconds, steps, memory. See `autograde.bench.training`.
"""

from __future__ import annotations

import itertools
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from skimage.filters import threshold_otsu
from skimage.segmentation import clear_border
from torch import Tensor, nn

from helpers import data, metrics
from helpers.data.nuclei import Nuclei
from helpers.data.pairs import PairSet
from helpers.reference.inference import match_instances, predict_dihedral, split_instances
from helpers.reference.unet import UNet
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


class Otsu(nn.Module):
    """No network: the threshold between dark and bright pixels (Otsu 1979), found on the image itself."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(N, 1, H, W)` of images `(N, 1, H, W)`."""
        return torch.stack([image - threshold_otsu(image.numpy()) for image in x])


# Name in the table, and how it is built for so many channels and classes.
MODELS: dict[str, tuple[str, Callable[[int, int], nn.Module]]] = {
    "course": ("the course's U-Net: 8 channels, depth 3", lambda i, k: UNet(i, k, base_channels=8, depth=3)),
    "2015": ("the 2015 U-Net: 64 channels, depth 4", lambda i, k: UNet(i, k, base_channels=64, depth=4)),
    "resnet18": ("smp.Unet, ResNet-18, from scratch", _smp("resnet18")),
    "resnet34": ("smp.Unet, ResNet-34, from scratch", _smp("resnet34")),
    "pretrained": ("smp.Unet, EfficientNet-Lite0, ImageNet weights", _pretrained),
    "monai": ("MONAI's BasicUNet", _monai),
    "otsu": ("Otsu's threshold", lambda i, k: Otsu()),
}


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Train and score as `job` says; the job and what was found."""
    torch.set_num_threads(available_cpus())
    name = job["data"]
    options = {"tile": None} if name == "nuclei" else {}
    train, validation, test = (data.load(name, split, **options) for split in ("train", "validation", "test"))
    classes = len(train.classes)
    result: dict[str, Any] = {**job, "parameters": 0}
    torch.manual_seed(job["seed"])
    model = MODELS[job["model"]][1](train[0][0].shape[0], 1 if classes == 2 else classes)
    if job["model"] != "otsu":
        began = time.perf_counter()
        history = fit(
            model,
            train,
            validation,
            seconds=job["seconds"],
            crop=CROP,
            batch_size=BATCH,
            lr=job["rate"],
            seed=job["seed"],
            patience=99,
        )
        if job.get("trial"):
            return {**job, "validation_iou": history.best["iou"]}
        result |= {
            "took": round(time.perf_counter() - began, 2),
            "steps": history.steps,
            "first_reached": next((s["seconds"] for s in history.scores if s["iou"] >= REACHED), None),
            "parameters": sum(p.numel() for p in model.parameters()),
        }
    result["memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    result |= _scores(model, test)
    if isinstance(train, Nuclei):  # of brain's 90 training images, one more prediction each would tell nothing new
        assert isinstance(validation, Nuclei)
        assert isinstance(test, Nuclei)
        result["iou_train"] = metrics.score(model, train)["iou"]
        result |= _counted(model, [train, validation], test)
    return result


def _scores(model: nn.Module, test: PairSet) -> dict[str, Any]:
    """Scores of the masks on the test split."""
    tables, tables_eight, boundaries, tolerant = [], [], [], []
    for (logits, mask), mean_logits in zip(metrics.predictions(model, test), _eight_views(model, test), strict=True):
        classes = max(len(logits), 2)
        labels = metrics.class_map(logits)
        tables.append(metrics.confusion_table(labels, mask, classes))
        tables_eight.append(metrics.confusion_table(metrics.class_map(mean_logits), mask, classes))
        for c in range(1, classes):
            boundaries.append(metrics.boundary_error(labels == c, mask == c))
            tolerant.append(metrics.tolerant_iou(labels == c, mask == c))
    per_class, per_class_eight = (metrics.class_scores(torch.stack(t).sum(0)) for t in (tables, tables_eight))
    scores: dict[str, Any] = {what: float(values[1:].mean()) for what, values in per_class.items()}
    scores["iou_eight"] = float(per_class_eight["iou"][1:].mean())
    if len(per_class["dice"]) > 2:
        scores["dice_all"] = float(per_class["dice"].mean())  # the background among them
    finite = [b for b in boundaries if np.isfinite(b)]
    return scores | {
        "boundary": statistics.mean(finite) if finite else None,
        "tolerant_iou": statistics.mean(tolerant),
    }


def _eight_views(model: nn.Module, pairs: PairSet) -> Iterator[Tensor]:
    """Logits `(K, H, W)` of every image, the mean over its eight views, as in lesson 11."""
    for k in range(len(pairs)):
        yield predict_dihedral(model, pairs[k][0].as_subclass(Tensor))


class Counting(NamedTuple):
    """How nuclei are counted: threshold, how far apart two summits are, and the area below which it is a speck."""

    threshold: float
    min_distance: int
    least_area: int


def _counted(model: nn.Module, known: list[Nuclei], test: Nuclei) -> dict[str, Any]:
    """How well the nuclei of `test` are found, from eight views, with the `Counting` that does best on `known`."""
    settings = [Counting(*values) for values in itertools.product((0.5, 0.6, 0.7), (9, 7, 11), (20, 0, 40))]
    maps = [
        (torch.sigmoid(logits[0]), d.instances[k]) for d in known for k, logits in enumerate(_eight_views(model, d))
    ]
    # The score of all objects together: a split with twice as many nuclei says twice as much.
    best = max(settings, key=lambda s: sum(_f1(_objects(p, s), t) * int(t.unique().numel()) for p, t in maps))
    scores: dict[str, list[float]] = {"f1": [], "f1_whole": []}
    for k, logits in enumerate(_eight_views(model, test)):
        found, truth = _objects(torch.sigmoid(logits[0]), best), test.instances[k]
        scores["f1"].append(_f1(found, truth))
        scores["f1_whole"].append(_f1(_whole(found), _whole(truth)))
    return {what: statistics.mean(values) for what, values in scores.items()} | {"counting": best._asdict()}


def _objects(probability: Tensor, how: Counting) -> Tensor:
    """The objects of a probability map, numbered by watershed, without specks."""
    objects = split_instances(probability, how.threshold, how.min_distance)
    specks = torch.bincount(objects.flatten()) < how.least_area
    return objects.masked_fill(specks[objects], 0)


def _whole(objects: Tensor) -> Tensor:
    """Without the objects that a side of the image cuts, or might: those up to two pixels from it."""
    return torch.from_numpy(clear_border(objects.numpy(), buffer_size=2))


def _f1(found: Tensor, truth: Tensor) -> float:
    return match_instances(found, truth)["f1"]


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))

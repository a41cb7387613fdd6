"""A trained network as one file: `share` writes it, `load_shared` rebuilds the network."""

from __future__ import annotations

import contextlib
import itertools
import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save as bytes_of
from torch import nn

from helpers import markup
from helpers.data.gate import Taken
from helpers.data.pairs import Pairs
from helpers.errors import called_as
from helpers.network_gate import check_network, logits_of
from helpers.share import archive, card, pictures
from helpers.share.architectures import Network
from helpers.share.errors import ShareError
from helpers.share.measure import METRICS, classes_of, each_image, spreads
from helpers.share.weights import rebuildable


@called_as('share(model, "first-try", train, validation)')
def share(
    model: nn.Module,
    name: str,
    train: Pairs,
    validation: Pairs,
    *,
    folder: str | Path = ".",
    history: Any = None,
    intended_use: str = card.INTENDED_USE,
    limits: str = card.LIMITS,
) -> Path:
    """Write `folder/NAME.unet.zip`: weights, what rebuilds the network, card, examples and training curve.

    The network may be your own, with layers of any name: the bundle holds the course's network with your weights, after
    a test that both give the same logits.

    Args:
        model: images `(N, C, H, W)` to logits `(N, K, H, W)`; left as it was.
        name: letters, digits, - and _. Another bundle of this name in the folder is kept in its folder `earlier`.
        train: what it was trained on, for the card. Images of it among those of `validation` are warned of.
        validation: what to measure its scores on, other images than those of the gallery. The examples on the card are
            the worst, the median and the best of them.
        folder: where to write.
        history: what `helpers.training.fit` returned, for the training curve.
        intended_use, limits: sections of the card, in Markdown.

    Returns:
        The path of the bundle, which is written whole or not at all.

    Raises:
        GateError: the network does not fit the data, or one of them is none.
        ShareError: a bundle cannot hold the network, or the file cannot be written.
    """
    archive.check_name(name)
    check_network(model)
    if not hasattr(history, "losses") and history is not None:
        raise ShareError(f"history is a {type(history).__name__}. Give what `fit` returned, or nothing.")
    taken = Taken(validation, "validation pairs")
    Taken(train, "training pairs").check_apart(taken)
    image, _ = taken.first()
    taken.check_values(max(logits_of(model, image).shape[1], 2))
    taken.check_range()
    taken.say()
    network, state = rebuildable(model, image)
    weights, classes = bytes_of(state), classes_of(validation, network.num_classes)
    rebuilt = network.filled(weights)  # as others will load and measure it
    masks, measured = zip(*each_image(rebuilt, taken, network.num_classes, classes), strict=True)

    scores = {
        "classes": classes,
        "trained_on": card.about(train),
        "measured_on": card.about(validation),
        "metrics": spreads(measured),
    }
    chosen = _worst_median_best([each["dice"] for each in measured])
    examples = [f"{what}: Dice {markup.score(measured[k]['dice'])}, image {k}" for what, k in chosen.items()]
    curve = card.curve_of(history) if history is not None else None
    files = {
        archive.WEIGHTS: weights,
        archive.CONFIG: archive.as_json(network.config),
        archive.SCORES: archive.as_json(scores),
    }
    for number, k in enumerate(chosen.values(), 1):
        image, truth = taken[k]
        made = (pictures.of_image(image), pictures.of_mask(truth), pictures.of_mask(masks[k]))
        for part, picture in zip(archive.EXAMPLE_PARTS, made, strict=True):
            files[f"examples/{number}-{part}.png"] = picture
    if curve is not None:
        files |= dict(zip(archive.CURVE, (archive.as_json(curve), card.curve_picture(curve)), strict=True))
    parameters = sum(p.numel() for p in rebuilt.parameters())
    about = (scores, card.flaws_of(validation), curve, examples, intended_use, limits)
    files[archive.CARD] = card.text(name, network, parameters, *about).encode()

    path = Path(folder) / f"{name}{archive.SUFFIX}"
    _write(path, archive.pack(files))
    return path


@called_as('load_shared("first-try.unet.zip")')
def load_shared(path: str | Path) -> nn.Module:
    """Rebuild the network of a bundle, in evaluation mode on the CPU. No code from the bundle is run.

    Raises:
        ShareError: there is none at `path`, or it is truncated, altered, too large, or holds a path that leaves its
            folder, an unknown architecture or weights that are not finite.
    """
    return opened(Path(path)).model


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and found sound."""

    name: str  # of the file, without the ending
    network: Network
    model: nn.Module  # rebuilt, in evaluation mode
    scores: dict[str, Any]  # what its author claims, checked for form only
    files: dict[str, bytes]


def opened(path: Path) -> Bundle:
    """Read a bundle; raises `ShareError` as `load_shared` does."""
    files = archive.unpack(path)
    try:
        network = Network.of(archive.json_of(files, archive.CONFIG))
        scores = archive.json_of(files, archive.SCORES)
        _check_scores(scores)
        model = network.filled(files[archive.WEIGHTS])
    except ShareError as error:
        raise ShareError(f"{path.name} was refused: {error}") from None
    return Bundle(path.name.removesuffix(archive.SUFFIX), network, model, scores, files)


def _write(path: Path, content: bytes) -> None:
    """Write the bundle, and keep another that is there."""
    aside = None
    try:
        if path.exists() and path.read_bytes() != content:
            name = path.name.removesuffix(archive.SUFFIX)
            (path.parent / "earlier").mkdir(exist_ok=True)
            places = (path.parent / "earlier" / f"{name}-{k}{archive.SUFFIX}" for k in itertools.count(1))
            aside = next(place for place in places if not place.exists())
            shutil.copyfile(path, aside)
    except OSError as error:
        raise ShareError(f"Another {path.name} is there, and cannot be kept: {error.strerror}.") from None
    try:
        archive.write(path, content)
    except ShareError:
        if aside:
            aside.unlink()
            with contextlib.suppress(OSError):  # earlier ones are in it
                aside.parent.rmdir()
        raise
    if aside:
        markup.say(f"Another `{path.name}` was there. It is `earlier/{aside.name}` now.")


def _worst_median_best(dice: list[float]) -> dict[str, int]:
    """Which images to show, each once: not only those to be proud of."""
    order = sorted((k for k in range(len(dice)) if not math.isnan(dice[k])), key=dice.__getitem__) or [0]
    chosen: dict[str, int] = {}
    for what, place in (("worst", 0), ("median", len(order) // 2), ("best", -1)):
        if order[place] not in chosen.values():
            chosen[what] = order[place]
    return chosen


def _check_scores(scores: dict[str, Any]) -> None:
    """Raise `ShareError` unless the claims have the form that `share` gives them; they may still be false."""
    of, metrics = scores.get("measured_on"), scores.get("metrics")
    if not (
        isinstance(of, dict)
        and all(isinstance(of.get(key), str) and len(of[key]) <= 200 for key in ("dataset", "split"))
        and isinstance(metrics, dict)
        and metrics.keys() == METRICS.keys()
        and all(isinstance(value, dict) and value.keys() == {"mean", "std"} for value in metrics.values())
        and all(_number_or_none(x) for value in metrics.values() for x in value.values())
    ):
        raise ShareError(f"its {archive.SCORES} has another form than a bundle's.")


def _number_or_none(x: Any) -> bool:
    return x is None or (type(x) in (int, float) and abs(x) <= 1e9)

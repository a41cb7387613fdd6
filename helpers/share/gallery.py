"""A class's bundles beside each other: measured here, on the same images, with what the others say about them."""

from __future__ import annotations

import datetime
import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from helpers.progress_bar import with_progress
from helpers.share import archive, pictures
from helpers.share.bundle import opened
from helpers.share.card import about
from helpers.share.errors import ShareError
from helpers.share.measure import classes_of, each_image, plain, spreads
from helpers.share.page import Gallery, Picture

SHOWN = 4  # images on the page
LONGEST = {"author": 60, "text": 2000}  # characters
MOST_COMMENTS = 200  # shown of each bundle, the newest
_WRITTEN = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Comment:
    """What somebody wrote about a bundle.

    Attributes:
        author, text: in their words.
        written: UTC, as "2025-01-31 12:00:00".
    """

    author: str
    text: str
    written: str


def gallery(folder: str | Path, pairs: Dataset | None = None, *, export: str | Path | None = None) -> Gallery:
    """Measure every bundle of a folder on the same images, and show them side by side.

    Args:
        folder: where the bundles lie, and the comments.
        pairs: what to measure on; the test half of `nuclei` when not given, which no one trains on.
        export: also write the page to this file.

    Returns:
        Leaderboard, pictures and comments. A file that is no sound bundle is listed with the reason.

    Raises:
        ShareError: there is no such folder, there is nothing to measure on, or the page cannot be written.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ShareError(f"There is no folder {folder}. Give the one that holds the class's {archive.SUFFIX} files.")
    if pairs is None:
        from helpers import data

        pairs = data.load("nuclei", "test")
    if len(pairs) == 0:
        raise ShareError("There are no images to measure on. Give a data set with at least one pair.")
    shown = sorted({k * len(pairs) // SHOWN for k in range(SHOWN)})
    walls = [_wall(pairs, k) for k in shown]
    rows, refused = [], {}
    for path in with_progress(sorted(folder.glob(f"*{archive.SUFFIX}")), "Measuring bundles"):
        name = path.name.removesuffix(archive.SUFFIX)
        try:
            _check_file_name(path, name)
            row, masks = _measured(path, pairs, shown)
        except ShareError as error:
            refused[path.name] = str(error)
            continue
        row["comments"] = _comments(folder, name)
        rows.append(row)
        for wall, mask in zip(walls, masks, strict=True):
            wall["masks"][name] = mask
    rows.sort(key=lambda row: (-row["dice"]["mean"], row["name"]))
    leaderboard = [{"rank": k, **row} for k, row in enumerate(rows, 1)]
    shown_gallery = Gallery(
        leaderboard, refused, {**about(pairs), "classes": tuple(getattr(pairs, "classes", ()))}, walls
    )
    if export is not None:
        shown_gallery.export(export)
    return shown_gallery


def comment(folder: str | Path, bundle_name: str, author: str, text: str) -> Path:
    """Leave a comment about a bundle, as a file of its own in `folder/comments/BUNDLE_NAME/`.

    Args:
        folder: the gallery's.
        bundle_name: as the gallery shows it.
        author: who says it, up to 60 characters.
        text: plain text, up to 2000 characters; what looks like HTML is shown as it is written.

    Returns:
        The path of the file.

    Raises:
        ShareError: there is no such bundle, or author or text is empty or too long.
    """
    folder = Path(folder)
    archive.check_name(bundle_name)
    if not (folder / f"{bundle_name}{archive.SUFFIX}").is_file():
        there = sorted(p.name.removesuffix(archive.SUFFIX) for p in folder.glob(f"*{archive.SUFFIX}"))
        raise ShareError(f"There is no bundle {bundle_name!r} in {folder}. There is: {', '.join(there) or 'none'}.")
    now = datetime.datetime.now(datetime.timezone.utc).strftime(_WRITTEN)
    content = {"author": _clean(author), "text": _clean(text), "written": now}
    for key, longest in LONGEST.items():
        if not 0 < len(content[key]) <= longest:
            raise ShareError(f"The {key} has {len(content[key])} characters; write 1 to {longest}.")
    who = re.sub(r"[^a-z0-9]+", "-", author.lower()).strip("-")[:30] or "somebody"
    path = folder / "comments" / bundle_name / f"{who}-{secrets.token_hex(6)}.json"
    archive.write(path, archive.as_json(content))
    return path


def _measured(path: Path, pairs: Dataset, shown: list[int]) -> tuple[dict[str, Any], list[Picture]]:
    bundle = opened(path)
    classes = classes_of(pairs, bundle.network.num_classes)
    channels = len(pairs[0][0])
    if not bundle.network.takes(channels):
        raise ShareError(
            f"{path.name} cannot be measured: it takes images with {bundle.network.in_channels} channels, and these "
            f"have {channels}."
        )
    scores, masks = [], []
    try:
        for k, (pred, score) in enumerate(each_image(bundle.model, pairs, bundle.network.num_classes)):
            scores.append(score)
            if k in shown:
                kinds = pictures.kinds_of(pred, plain(pairs[k][1]))
                counts = ", ".join(
                    f"{m.sum()} {kind}" for kind, m in kinds.items() if len(classes) > 2 or kind[0] != "o"
                )
                masks.append(
                    Picture(
                        pictures.of_kinds(kinds),
                        f"{bundle.name} on image {k}: Dice {score['dice']:.3f}; pixels {counts}.",
                        f"Dice {score['dice']:.3f}",
                    )
                )
    except ShareError as error:
        raise ShareError(f"{path.name} cannot be measured: {error}") from None
    row = {
        "name": bundle.name,
        "network": bundle.network.call,
        "parameters": sum(p.numel() for p in bundle.model.parameters()),
        **spreads(scores),
        "claimed": bundle.scores["metrics"],
        "claimed_on": {key: bundle.scores["measured_on"][key] for key in ("dataset", "split")},
    }
    return row, masks


def _check_file_name(path: Path, name: str) -> None:
    try:
        archive.check_name(name)
    except ShareError as error:
        raise ShareError(f"{path.name} was refused: {error}") from None


def _wall(pairs: Dataset, k: int) -> dict[str, Any]:
    image, truth = map(plain, pairs[k])
    height, width = truth.shape
    share_of = float(((truth > 0) & (truth != pictures.IGNORE)).float().mean())
    return {
        "index": k,
        "image": Picture(
            pictures.of_image(image / image.max().clamp(min=1e-6), enlarge=True),
            f"Image {k}: {height}×{width} pixels, values {image.min():.2f} to {image.max():.2f}, the highest shown "
            "white.",
            "image",
        ),
        "truth": Picture(
            pictures.of_mask(truth, enlarge=True),
            f"Truth of image {k}: {share_of:.1%} of the pixels hold an object.",
            "truth",
        ),
        "masks": {},
    }


def _comments(folder: Path, name: str) -> list[Comment]:
    """What can be read of a bundle's comments, oldest first; the rest is left out."""
    found = []
    for path in (folder / "comments" / name).glob("*.json"):
        try:
            if path.is_symlink() or not path.is_file() or path.stat().st_size > 16 * max(LONGEST.values()):
                continue
            value = json.loads(path.read_text(encoding="utf-8"))
            said = Comment(_clean(value["author"]), _clean(value["text"]), value["written"])
            datetime.datetime.strptime(said.written, _WRITTEN)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        if said.author and said.text and all(len(getattr(said, key)) <= most for key, most in LONGEST.items()):
            found.append(said)
    return sorted(found, key=lambda said: (said.written, said.author))[-MOST_COMMENTS:]


def _clean(words: str) -> str:
    """Without control characters, but for line breaks."""
    return "".join(c for c in words if c == "\n" or (c.isprintable() or c == "\u200d")).strip()

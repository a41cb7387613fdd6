"""A class's bundles side by side: measured on the same images, with comments."""

from __future__ import annotations

import datetime
import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import markup
from helpers.data.pairs import IGNORE, Pairs
from helpers.errors import called_as
from helpers.progress_bar import with_progress
from helpers.share import archive, pictures
from helpers.share.bundle import opened
from helpers.share.card import about
from helpers.share.errors import ShareError
from helpers.share.measure import classes_of, each_image, plain, spreads
from helpers.share.page import Gallery, Picture

SHOWN = 4  # images on the page
LONGEST = {"author": 60, "text": 2000}  # characters
MOST_COMMENTS = 200  # the newest of each bundle
_WRITTEN = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Comment:
    """What somebody wrote about a bundle."""

    author: str
    text: str
    written: str  # UTC, as "2025-01-31 12:00:00"


@called_as('gallery("class")')
def gallery(folder: str | Path, pairs: Pairs | None = None, *, export: str | Path | None = None) -> Gallery:
    """Measure every bundle of a folder on the same images, and show them side by side.

    Args:
        folder: where the bundles and comments are.
        pairs: what to measure on; by default the test split of `nuclei`, which no one trains on.
        export: also write the page to this file.

    Returns:
        Leaderboard, pictures and comments. A file that is no sound bundle is listed with the reason.

    Raises:
        ShareError: there is no such folder, nothing to measure on, or the page cannot be written.
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
            archive.check_name(name)
            row, masks = _measured(path, pairs, shown)
        except ShareError as error:
            refused[path.name] = str(error)
            continue
        rows.append({**row, "comments": _comments(folder, name)})
        for wall, mask in zip(walls, masks, strict=True):
            wall["masks"][name] = mask
    rows.sort(key=lambda row: (-(row["dice"]["mean"] or 0.0), row["name"]))
    leaderboard = [{"rank": k, **row} for k, row in enumerate(rows, 1)]
    measured_on = {**about(pairs), "classes": tuple(getattr(pairs, "classes", ()))}
    made = Gallery(leaderboard, refused, measured_on, walls)
    if export is not None:
        made.export(export)
    return made


@called_as('comment("class", "first-try", author="Ben", text="Well done.")')
def comment(folder: str | Path, bundle_name: str, author: str, text: str) -> Path:
    """Leave a comment about a bundle, as a file in `folder/comments/BUNDLE_NAME/`.

    Args:
        folder: the gallery's.
        bundle_name: as the gallery shows it.
        author: up to 60 characters.
        text: plain text, up to 2000 characters; HTML is shown as written.

    Returns:
        The path of the file.

    Raises:
        ShareError: there is no such bundle, or author or text is empty or too long.
    """
    folder = Path(folder)
    archive.check_name(bundle_name)
    there = sorted(p.name.removesuffix(archive.SUFFIX) for p in folder.glob(f"*{archive.SUFFIX}"))
    if bundle_name not in there:
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


def _measured(path: Path, pairs: Pairs, shown: list[int]) -> tuple[dict[str, Any], list[Picture]]:
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
        for k, (pred, score) in enumerate(each_image(bundle.model, pairs, bundle.network.num_classes, classes)):
            scores.append(score)
            if k in shown:
                kinds = pictures.kinds_of(pred, plain(pairs[k][1]))
                counted = [kind for kind in kinds if kind != "other class" or len(classes) > 2]
                counts = ", ".join(f"{kinds[kind].sum()} {kind}" for kind in counted)
                dice = f"Dice {markup.score(score['dice'])}"
                alt = f"{bundle.name} on image {k}: {dice}; pixels {counts}."
                masks.append(Picture(pictures.of_kinds(kinds), alt, dice))
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


def _wall(pairs: Pairs, k: int) -> dict[str, Any]:
    image, truth = map(plain, pairs[k])
    height, width = truth.shape
    values = f"values {image.min():.2f} to {image.max():.2f}, the highest shown white"
    image_png = pictures.of_image(image / image.max().clamp(min=1e-6), enlarge=True)
    objects = ((truth > 0) & (truth != IGNORE)).float().mean()
    truth_alt = f"Truth of image {k}: {objects:.1%} of the pixels hold an object."
    return {
        "index": k,
        "image": Picture(image_png, f"Image {k}: {height}×{width} pixels, {values}.", "image"),
        "truth": Picture(pictures.of_mask(truth, enlarge=True), truth_alt, "truth"),
        "masks": {},
    }


def _comments(folder: Path, name: str) -> list[Comment]:
    """A bundle's comments, oldest first; those that cannot be read are left out."""
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
    """Without control characters, other than line breaks and the joiner within emoji."""
    return "".join(c for c in words if c.isprintable() or c in "\n\u200d").strip()

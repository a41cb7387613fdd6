"""Checkpoints: tensors in a safetensors file, everything else in JSON; whole or not at all, and never unpickled.

A checkpoint is a JSON file that names its tensors' file and that file's SHA-256. The tensors are written first, under
a name of their own; replacing the old JSON, a single step for the file system, is what makes the checkpoint. Whatever
is cut short earlier leaves the old one as it was.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from
from safetensors.torch import save as bytes_of
from torch import Tensor

from helpers.atomic_write import atomic_write

FORMAT = "build-unet checkpoint 1"


class CheckpointError(ValueError):
    """A checkpoint is missing, not whole, or not one of this kind. The message says which, and what to do."""


def write(path: str | Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write the JSON file `path`, with its tensors beside it; an older checkpoint goes once the new one is whole."""
    path = Path(path)
    content = bytes_of({name: x.detach().cpu().contiguous().clone() for name, x in tensors.items()})
    digest = hashlib.sha256(content).hexdigest()
    beside = path.with_name(f"{path.stem}-{digest[:12]}.safetensors")
    atomic_write(beside, content)
    about = {"format": FORMAT, "tensors": beside.name, "sha256": digest, **facts}
    atomic_write(path, (json.dumps(about, indent=1) + "\n").encode())
    for old in path.parent.glob(f"{path.stem}-{'[0-9a-f]' * 12}.safetensors"):
        if old != beside:
            old.unlink(missing_ok=True)


def read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the facts of a checkpoint.

    Raises:
        CheckpointError: it is missing, truncated, altered, or something else.
    """
    path = Path(path)
    again = "Train anew, or give the path of another checkpoint."
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"There is no checkpoint {path}. {again}") from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise CheckpointError(f"{path.name} is no checkpoint: it is not JSON, or only part of it. {again}") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise CheckpointError(f'{path.name} is no checkpoint of this course ("format": "{FORMAT}"). {again}')
    name = facts.get("tensors")
    if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
        raise CheckpointError(f"{path.name} names {name!r}, which is no file beside it. {again}")
    try:
        content = path.with_name(name).read_bytes()
    except OSError:
        raise CheckpointError(f"The tensors of {path.name}, {name}, are not beside it. Copy both files.") from None
    if hashlib.sha256(content).hexdigest() != facts.get("sha256"):
        raise CheckpointError(f"{name} is not what was saved: truncated or altered (its SHA-256 differs). {again}")
    try:
        return tensors_from(content), facts
    except SafetensorError as error:
        raise CheckpointError(f"{name} is no safetensors file: {error}. {again}") from None


def fill(model: torch.nn.Module, tensors: dict[str, Tensor], whose: str) -> None:
    """Put tensors into a model, all or none.

    Raises:
        CheckpointError: names, shapes or dtypes are not those of the model.
    """
    own = model.state_dict()
    missing, foreign = own.keys() - tensors.keys(), tensors.keys() - own.keys()
    if missing or foreign:
        parts = [f"lacks {_some(missing)}"] * bool(missing) + [f"has {_some(foreign)}"] * bool(foreign)
        raise CheckpointError(f"{whose} is of another architecture: it {' and '.join(parts)}. Build the same model.")
    for name, x in own.items():
        if x.shape != tensors[name].shape or x.dtype != tensors[name].dtype:
            raise CheckpointError(
                f"{whose} is of another architecture: {name} is {tuple(tensors[name].shape)} {tensors[name].dtype} "
                f"there and {tuple(x.shape)} {x.dtype} in the model. Build it with the same arguments."
            )
    model.load_state_dict(tensors)


def _some(names: set[str]) -> str:
    shown = sorted(names)[:3]
    return ", ".join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

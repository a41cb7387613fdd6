"""Checkpoints: one safetensors file, its facts as JSON in the header; whole or not at all, and never unpickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from helpers.atomic_write import atomic_write
from helpers.errors import InputError, what_to_do

FORMAT = "build-unet checkpoint 2"


class CheckpointError(InputError):
    """A checkpoint is missing, not whole, or not one of this kind. The message says which, and what to do."""


def write(path: str | Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write the file `path`; an older checkpoint is there until the new one is whole.

    Raises:
        CheckpointError: it cannot be written.
    """
    kept = {name: x.detach().cpu().contiguous().clone() for name, x in tensors.items()}
    content = save(kept, {"format": FORMAT, "facts": json.dumps(facts, default=float)})  # NumPy's numbers, too
    try:
        atomic_write(Path(path), content)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be written: {error.strerror or error}. {what_to_do(error)}") from None


def read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the facts of a checkpoint.

    Raises:
        CheckpointError: it is missing, truncated, or something else.
    """
    path = Path(path)
    again = "Train anew, or give the path of another checkpoint."
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint {path}. {again}")
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (it is no dict)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name} is no checkpoint, or only part of one: {error}. {again}") from None
    if about.get("format") != FORMAT:
        raise CheckpointError(f'{path.name} is no checkpoint of this course ("format": "{FORMAT}"). {again}')
    return tensors, json.loads(about["facts"])


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

"""Writing a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def atomic_write(path: Path, content: bytes) -> None:
    """Write a file beside its place, then move it there in one step; missing folders are made.

    Whatever cuts it short (an `OSError`, an interrupt), what was at `path` stays as it was, and nothing else is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(6)}")
    try:
        # Not `tempfile`: its files are private, and others may have to read this one.
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()

"""The file format: a zip archive of a few known entries and their SHA-256.

Reading trusts nothing: names, sizes and the number of entries are checked before unpacking, sizes again while unpacking
(an archive may lie about them), and nothing is ever written to disk.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import zipfile
import zlib
from pathlib import Path
from typing import Any

from helpers.atomic_write import atomic_write
from helpers.share.errors import ShareError

SUFFIX = ".unet.zip"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
WEIGHTS, CONFIG, SCORES = "model.safetensors", "config.json", "scores.json"
CARD, MANIFEST = "README.md", "manifest.json"
REQUIRED = (CARD, CONFIG, SCORES, WEIGHTS)
CURVE = ("curve.json", "curve.png")
EXAMPLE_PARTS = ("image", "truth", "prediction")
EXAMPLES = tuple(f"examples/{k}-{part}.png" for k in (1, 2, 3) for part in EXAMPLE_PARTS)
ENTRIES = (*REQUIRED, *CURVE, *EXAMPLES, MANIFEST)

# Bytes at most
MOST_BYTES = 256 * 2**20  # all entries, unpacked
MOST_TEXT = 2**20  # an entry other than weights and pictures
MOST_DIRECTORY = 64 * 2**10  # the list of entries at the archive's end

_EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed date: the same content gives the same bytes


def check_name(name: str) -> None:
    """Raise `ShareError` unless `name` can name a bundle: letters, digits, - and _; at most 64."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ShareError(
            f"{name!r} cannot name a bundle: use letters a to z, digits, - and _, at most 64 of them, the first a "
            "letter or digit. For example first-try-2."
        )


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; `ShareError` if it cannot be written."""
    try:
        atomic_write(path, content)
    except OSError as error:
        raise ShareError(f"{path} cannot be written: {error.strerror or error}. Choose another folder.") from None


def pack(files: dict[str, bytes]) -> bytes:
    """The archive of these entries and their manifest; `ShareError` if they exceed `MOST_BYTES`."""
    manifest = {name: {"size": len(x), "sha256": hashlib.sha256(x).hexdigest()} for name, x in sorted(files.items())}
    files = {**files, MANIFEST: as_json(manifest)}
    size = sum(map(len, files.values()))
    if size > MOST_BYTES:
        raise ShareError(
            f"The bundle would hold {_megabytes(size)}, and {_megabytes(MOST_BYTES)} is the most. "
            "Share a network with fewer channels."
        )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in ENTRIES:
            if name in files:
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), files[name])
    return buffer.getvalue()


def unpack(path: Path) -> dict[str, bytes]:
    """The entries of an archive, by name.

    Raises:
        ShareError: there is no such file, or it breaks a rule of the format; the message says which.
    """
    try:
        if path.exists() and not path.is_file():
            raise ShareError(f"{path.name} was refused: it is no file.")
        size = path.stat().st_size
        if size > MOST_BYTES + MOST_TEXT:
            raise ShareError(
                f"{path.name} was refused: it is too large, {_megabytes(size)}, at most {_megabytes(MOST_BYTES)}."
            )
        content = path.read_bytes()
    except FileNotFoundError:
        whole = path.with_name(path.name + SUFFIX)
        look = f"Give its path: {whole}" if whole.is_file() else f"Look for the file that ends in {SUFFIX}"
        raise ShareError(f"There is no bundle {path}. {look}.") from None
    except OSError as error:
        raise ShareError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        if b"/data.pkl" in content[:300] or content.startswith(b"\x80\x02"):
            raise ShareError(
                "it is a file of `torch.save`, which can hold code. From somebody you trust, "
                "`model.load_state_dict(torch.load(path, weights_only=True))` fills a network, and `share` makes a "
                "bundle of it."
            )
        _check_end(content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            files = {entry.orig_filename: _bytes_of(archive, entry) for entry in entries}
        _check_manifest(files)
    except ShareError as error:
        raise ShareError(f"{path.name} was refused: {error}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise ShareError(f"{path.name} was refused: it is damaged ({error}). Ask for it again.") from None
    return files


def as_json(value: Any) -> bytes:
    """`value` as JSON text; every number in it has to be finite."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def json_of(files: dict[str, bytes], name: str) -> dict[str, Any]:
    """The object in a JSON entry; `ShareError` if it is none, or holds NaN or infinity."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    try:
        value = json.loads(files[name].decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ShareError(f"its {name} is no JSON ({error}).") from None
    if not isinstance(value, dict):
        raise ShareError(f"its {name} is a {type(value).__name__}, and an object is expected.")
    return value


def _check_end(content: bytes) -> None:
    """Check the record at the end, before `zipfile` trusts it and reads a list of any length."""
    end = content[-22:]
    if len(end) < 22 or end[:4] != b"PK\x05\x06" or end[20:] != b"\0\0":
        raise ShareError("it is truncated or no zip archive. Ask for it again.")
    if content[-42:-38] == b"PK\x06\x07":
        raise ShareError("it is a zip archive for more than 4 GB.")
    directory = int.from_bytes(end[12:16], "little")
    if directory > MOST_DIRECTORY:
        raise ShareError(f"it lists too many files; a bundle has at most {len(ENTRIES)}.")


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    seen = set()
    for entry in entries:
        name = entry.orig_filename
        if name.startswith(("/", "\\")) or "\\" in name or ".." in name.split("/") or re.match(r"[A-Za-z]:", name):
            raise ShareError(f"the path {name!r} leaves the bundle's folder.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ShareError(f"{name!r} is a link; a bundle has files only.")
        if name not in ENTRIES:
            raise ShareError(f"{name!r} is no part of a bundle.")
        if name in seen:
            raise ShareError(f"{name!r} is in it twice.")
        seen.add(name)
        if entry.flag_bits & 0x1:
            raise ShareError(f"{name!r} is encrypted.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ShareError(f"{name!r} is compressed in a way that cannot be bounded while unpacking.")
        most = MOST_BYTES if name in (WEIGHTS, *EXAMPLES, CURVE[1]) else MOST_TEXT
        if entry.file_size > most:
            raise ShareError(f"{name!r} is too large: {_megabytes(entry.file_size)}, at most {_megabytes(most)}.")
    size = sum(entry.file_size for entry in entries)
    if size > MOST_BYTES:
        raise ShareError(f"it is too large unpacked: {_megabytes(size)}, at most {_megabytes(MOST_BYTES)}.")
    if missing := [name for name in (*REQUIRED, MANIFEST) if name not in seen]:
        raise ShareError(f"{', '.join(missing)} is missing.")


def _bytes_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as file:
        content = file.read(entry.file_size + 1)  # one more byte than stated is enough to catch a lie
    if len(content) != entry.file_size:
        raise ShareError(f"{entry.orig_filename!r} is not as long as the archive says.")
    return content


def _check_manifest(files: dict[str, bytes]) -> None:
    manifest = json_of(files, MANIFEST)
    files = {name: content for name, content in files.items() if name != MANIFEST}
    if odd := manifest.keys() ^ files.keys():
        raise ShareError(f"its manifest and its files differ: {', '.join(sorted(odd))[:200]}.")
    for name, content in files.items():
        if manifest[name] != {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}:
            raise ShareError(f"{name} is not what was shared: its size or SHA-256 differs from the manifest's.")


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MB" if size < 10 * 2**20 else f"{size / 2**20:.0f} MB"

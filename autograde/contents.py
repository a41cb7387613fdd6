"""What lies in a folder or in a zip, seen as one and read within limits: never followed, never unpacked, never run.

A zip is read where it lies, member by member. So no name in it becomes a path, and it costs what is read of it.
"""

from __future__ import annotations

import calendar
import contextlib
import errno
import functools
import itertools
import os
import re
import shutil
import stat
import tempfile
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal

from helpers.markup import code

LARGEST_SUBMISSION = 1_000_000_000  # bytes that are read of one student, unpacked
LARGEST_DIRECTORY = 20_000_000  # bytes of the list of files in a student's zip
MOST_FILES = 100_000  # that are looked at of one student
DEEPEST_FOLDER, DEEPEST_ZIP = 30, 3
LITTER = {"__macosx", "__pycache__", "thumbs.db", "desktop.ini"}


class NotRead(Exception):
    """Something cannot be read; the message says in a sentence or two why, marked up as in `helpers.markup`."""


@dataclass(frozen=True)
class Entry:
    """A file, a folder, or what else has a name.

    Attributes:
        path: where it is in what the student handed in, with `/` between names. It only serves to tell of it.
        changed: the larger the newer; seconds, where nothing else tells.
        size: in bytes, of a file.
        inside: lists a folder.
        open: opens a file.
    """

    path: str
    kind: Literal["file", "folder", "link", "special"]
    changed: int
    size: int
    inside: Callable[[], Iterator[Entry]]
    open: Callable[[], IO[bytes]]

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def label(self) -> str:
        """Its path, or the end of a long one, to be shown."""
        return code(self.path[-150:]) or "What was handed in"

    @property
    def folder(self) -> str:
        """The path of what it lies in."""
        return self.path.rpartition("/")[0]

    @property
    def is_litter(self) -> bool:
        """Whether a system or a tool has left it there."""
        return self.name.startswith(".") or self.name.casefold() in LITTER

    @property
    def is_zip(self) -> bool:
        """Whether it is a zip by its name."""
        return self.kind == "file" and self.name.casefold().endswith(".zip")


def raise_ours(error: Exception) -> None:
    """Raise what is the machine's trouble and no student's: no room, or too many open files."""
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EMFILE, errno.ENFILE):
        raise error


def of_folder(folder: Path | str) -> Iterator[Entry]:
    """What is in a folder, in no order."""
    with os.scandir(folder) as found:
        for item in found:
            yield _on_disk(item)


def of_zip(archive: zipfile.ZipFile) -> Iterator[Entry]:
    """What is in a zip, in no order."""
    top: dict[str, Any] = {}  # name to the same of a folder, or to the `ZipInfo` of a file
    for info in archive.infolist():
        path = _name(info).replace("\\", "/")
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        place = top
        for part in parts if path.endswith("/") else parts[:-1]:
            inner = place.get(part)
            place[part] = inner if isinstance(inner, dict) else {}
            place = place[part]
        if parts and not path.endswith("/") and not isinstance(place.get(parts[-1]), dict):
            place[parts[-1]] = info
    return _in_zip(archive, top)


class Reader(contextlib.AbstractContextManager["Reader"]):
    """Reads what one student handed in, up to the limits.

    Attributes:
        troubles: what could not be looked into, a sentence each.
    """

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self._left = LARGEST_SUBMISSION
        self._opened = contextlib.ExitStack()

    def __exit__(self, *exception: object) -> None:
        self._opened.close()

    def files(self, sources: Iterable[Entry]) -> Iterator[Entry]:
        """All files in them and in their folders and zips, the upper ones first; no zips."""
        waiting = deque((source, 0) for source in sources)
        for count in itertools.count():
            if not waiting:
                return
            if count == MOST_FILES:
                self.troubles.append(f"There are more than {MOST_FILES} files: the others were not looked at.")
                return
            entry, zips = waiting.popleft()
            if entry.is_litter:
                continue
            inside: Iterable[Entry] = ()
            try:
                if entry.kind in ("link", "special"):
                    raise NotRead(_no_file(entry))
                if entry.is_zip:
                    zips += 1
                    inside = self.unpacked(entry, zips)
                elif entry.kind == "folder":
                    if entry.path.count("/") > DEEPEST_FOLDER:
                        raise NotRead(f"{entry.label} is too deep in folders to be looked into.")
                    inside = entry.inside()
                prefix = f"{entry.path}/" if entry.path else ""
                inside = itertools.islice(inside, max(0, MOST_FILES + 1 - count - len(waiting)))
                waiting += [(replace(inner, path=prefix + inner.path), zips) for inner in inside]
            except NotRead as problem:
                self.troubles.append(str(problem))
            except OSError as error:
                raise_ours(error)
                self.troubles.append(f"{entry.label} cannot be opened: {error.strerror}.")
            if entry.kind == "file" and not entry.is_zip:
                yield entry

    def read(self, entry: Entry, most: int) -> bytes:
        """All of a file.

        Raises:
            NotRead: it is no file, has more than `most` bytes, cannot be read, or there was too much before it.
        """
        with self._opening(entry, most) as file:
            return file.read(entry.size)

    def unpacked(self, entry: Entry, zips: int = 1) -> Iterator[Entry]:
        """What is in a zip, to be read until this reader is closed.

        Raises:
            NotRead: it cannot be read, or is the last of too many zips in zips.
        """
        if zips > DEEPEST_ZIP:
            raise NotRead(f"{entry.label} is a zip in {zips - 1} others, too deep to be opened.")
        with self._opening(entry, LARGEST_SUBMISSION) as packed:
            file = self._opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            shutil.copyfileobj(packed, file)  # a member of a zip cannot go back without being unpacked again
            if _has_large_directory(file):
                raise NotRead(f"{entry.label} holds too many files to be opened.")
            return of_zip(self._opened.enter_context(zipfile.ZipFile(file)))

    @contextlib.contextmanager
    def _opening(self, entry: Entry, most: int) -> Iterator[IO[bytes]]:
        what = entry.label
        if entry.kind != "file":
            raise NotRead(_no_file(entry))
        if entry.size > most:
            raise NotRead(
                f"{what} has {_megabytes(entry.size)}; {_megabytes(most)} is the most that is read. "
                "Make it smaller, as by clearing outputs, and hand it in again."
            )
        if entry.size > self._left:
            raise NotRead(
                f"{what} was left out: with it, more than {_megabytes(LARGEST_SUBMISSION)} would have to be read."
            )
        self._left -= entry.size
        try:
            with entry.open() as file:
                yield file
        except NotRead:
            raise
        except Exception as error:  # whatever a broken file does to its reader, it concerns this student only
            raise_ours(error)
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise NotRead(f"{what} cannot be read: {code(str(reason)[:200])}.") from None


def _on_disk(item: os.DirEntry[str]) -> Entry:
    about = item.stat(follow_symlinks=False)
    name = os.fsencode(item.name).decode("utf-8", "backslashreplace")
    path = item.path  # neither a link that has come since is followed, nor a pipe waited for
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

    def open_() -> IO[bytes]:
        return open(path, "rb", opener=lambda name, mode: os.open(name, mode | flags))

    return Entry(name, _kind(about.st_mode), int(about.st_mtime), about.st_size, lambda: of_folder(path), open_)


def _in_zip(archive: zipfile.ZipFile, folder: dict[str, Any]) -> Iterator[Entry]:
    for name, found in folder.items():
        if isinstance(found, dict):
            yield Entry(name, "folder", 0, 0, functools.partial(_in_zip, archive, found), _never)
        else:
            yield _zipped(archive, name, found)


def _zipped(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> Entry:
    try:
        changed = calendar.timegm((*info.date_time, 0, 0, 0))
    except ValueError:  # month 0, as some write
        changed = 0

    def open_() -> IO[bytes]:
        if info.flag_bits & 1:
            raise NotRead(f"{code(name)} is encrypted, and has to be handed in without a password.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others can fill the memory at once
            raise NotRead(f"{code(name)} is packed in an unusual way. Make the zip as your system makes it.")
        return archive.open(info)

    return Entry(name, _kind(info.external_attr >> 16 or stat.S_IFREG), changed, info.file_size, _never, open_)


def _kind(mode: int) -> Literal["file", "folder", "link", "special"]:
    if stat.S_ISLNK(mode):
        return "link"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_IFMT(mode) in (0, stat.S_IFREG) else "special"


def _never() -> Any:
    raise NotRead("A file holds no others, and a folder no text.")


def _name(info: zipfile.ZipInfo) -> str:
    """A member's name; many systems write UTF-8 without saying so."""
    with contextlib.suppress(UnicodeError):
        return info.filename if info.flag_bits & 0x800 else info.filename.encode("cp437").decode()
    return info.filename


def _has_large_directory(file: IO[bytes]) -> bool:
    """Whether `ZipFile` would list more than is good for the memory, wherever it finds the end of the directory."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - (1 << 17)))
    end = file.read()
    sizes = (int.from_bytes(size, "little") for size in re.findall(rb"(?s)(?=PK\x05\x06.{8}(.{4}))", end))
    return b"PK\x06\x07" in end or max(sizes, default=0) > LARGEST_DIRECTORY  # the first: of more than 65,535


def _no_file(entry: Entry) -> str:
    what = "a link to something else" if entry.kind == "link" else "no file"
    return f"{entry.label} is {what}, so it was not opened. Hand in the file itself."


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"

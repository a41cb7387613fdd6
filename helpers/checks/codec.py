"""Plain data over a socket: a JSON header for structure, numbers and text, then the raw bytes of the arrays.

A message is two lengths, the header, the bytes. In the header, JSON's own kinds stand for themselves, a list for a
list, and an object with one entry, its tag, for everything else:

    {"tuple": [...]}   {"dict": [[key, value], ...]}   {"tensor": ["float32", [2, 3], [0, 1]]}   {"Reply": {...}}

Whoever reads does not trust whoever wrote: only known tags, dtypes and fields pass, an array's shape must be worth
exactly its bytes, and every length has a bound. Nothing is ever pickled. NaN and infinities pass (as Python's JSON
writes them), and so does the order in which a tensor lies in memory, because code can depend on it.
"""

from __future__ import annotations

import io
import json
import math
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from helpers.checks import subject
from helpers.checks.fixtures import Arg, Fixture
from helpers.checks.subject import Foreign, Parameters, Raised, Reply

MOST_HEADER = 4 * 2**20  # bytes of JSON
MOST_ARRAYS = 64 * 2**20  # bytes of arrays in one message; the largest module of an exercise has a tenth of it
HEADER_WEIGHT = 8  # bytes of memory that one of a header's may stand for, and more: `[]` is a list
MOST_AXES = 32
MOST_WEIGHTS = MOST_ARRAYS // 4  # float32 weights a module may ask for

DTYPES = {str(d).removeprefix("torch."): d for d in (*subject.DTYPES, torch.complex64, torch.complex128)}

_LENGTHS = struct.Struct("!II")
_as_json = json.JSONEncoder().encode  # of its own, out of reach of code that puts another into `json`


class CodecError(Exception):
    """A malformed message, or one that may not be sent; the text says what is wrong with it."""


@dataclass
class Replies:
    """What is let through of a process that runs a student's code.

    Attributes:
        seal: what each message must begin with. The student's code is not told, so it cannot write one of its own.
        left: bytes that all further messages may have together.
    """

    seal: bytes = b""
    left: int = sys.maxsize


def send(connection: socket.socket, value: Any, deadline: float | None = None, seal: bytes = b"") -> None:
    """Send plain data, or a record that a `Subject` takes or gives; `deadline` is a time of `time.monotonic`.

    Args:
        seal: see `Replies`.

    Raises:
        CodecError: the value is too large or no plain data; nothing has been sent.
        TimeoutError: the other side did not take it in time.
        OSError: the other side is gone.
    """
    header, arrays = dumps(value)
    for part in (seal, _LENGTHS.pack(len(header), sum(map(len, arrays))), header, *arrays):
        rest = memoryview(part)
        while rest:
            _wait_until(connection, deadline)
            rest = rest[connection.send(rest) :]


def receive(connection: socket.socket, deadline: float | None = None, replies: Replies | None = None) -> Any:
    """Wait for one message and return what it holds.

    Args:
        replies: what the message is held against where a student's code may have written it.

    Raises:
        CodecError: what arrived is no message.
        TimeoutError: it did not arrive by `deadline`.
        EOFError: the other side has closed the connection.
        OSError: the connection is broken.
    """
    if replies:
        _require(_read(connection, len(replies.seal), deadline) == replies.seal, "it has not the seal of a reply")
    header, arrays = _LENGTHS.unpack(_read(connection, _LENGTHS.size, deadline))
    _require(header <= MOST_HEADER and arrays <= MOST_ARRAYS, "it announces more than a message may hold")
    if replies:
        replies.left -= HEADER_WEIGHT * header + arrays
        _require(replies.left >= 0, "all replies together are far larger than those of any right answer")
    return loads(_read(connection, header, deadline), _read(connection, arrays, deadline), bool(replies))


def dumps(value: Any) -> tuple[bytes, list[bytes]]:
    """`value` as header and arrays.

    Raises:
        CodecError: it is too large or no plain data.
    """
    arrays: list[bytes] = []
    try:
        header = _as_json(_encoded(value, arrays)).encode()
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or lists in lists without end
        raise CodecError(f"it cannot be written down ({error})") from None
    if len(header) > MOST_HEADER:
        raise CodecError(f"it is larger than {MOST_HEADER // 2**20} MiB of numbers and text")
    return header, arrays


def loads(header: bytes | bytearray, arrays: bytes | bytearray, is_reply: bool = False) -> Any:
    """The value that `dumps` wrote.

    Args:
        is_reply: only what a `Subject` gives may be in it, and the keys of its dicts are shown as they are.

    Raises:
        CodecError: it is not what `dumps` writes.
    """
    try:
        structure = json.loads(header)
    except (ValueError, RecursionError):
        raise CodecError("its header is no JSON") from None
    rest = io.BytesIO(arrays)
    try:
        value = _decoded(structure, rest, is_reply)
    except RecursionError:
        raise CodecError("its header is nested too deeply") from None
    _require(not rest.read(1), "it has bytes that belong to no array")
    return value


def _encoded(value: Any, arrays: list[bytes]) -> Any:
    """`value` as JSON can hold it; the bytes of its tensors are added to `arrays`."""
    if _is_scalar(value):
        return value
    if isinstance(value, Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        if value.layout != torch.strided or dtype not in DTYPES:
            raise CodecError(f"a tensor of {dtype} in the layout {value.layout} does not cross")
        # From the widest step in memory to the narrowest, so that the copy lies as the original does.
        order = sorted(range(value.ndim), key=value.stride, reverse=True)
        laid_out = value.detach().permute(order)
        # Before it is copied: an expanded tensor is small until then.
        if value.numel() * value.element_size() + sum(map(len, arrays)) > MOST_ARRAYS:
            raise CodecError(f"it is larger than {MOST_ARRAYS // 2**20} MiB of arrays")
        if value.numel():
            # A clone: of one element any step counts as contiguous, and a step of 0 cannot be seen as bytes.
            flat = laid_out.resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format).reshape(-1)
            arrays.append(flat.view(torch.uint8).numpy().tobytes())
        return {"tensor": [dtype, list(laid_out.shape), order]}
    if isinstance(value, list):
        return [_encoded(item, arrays) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_encoded(item, arrays) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_encoded(k, arrays), _encoded(item, arrays)] for k, item in value.items()]}
    name = type(value).__name__
    if type(value) is _RECORDS.get(name):
        return {name: {field.name: _encoded(getattr(value, field.name), arrays) for field in fields(value)}}
    raise CodecError(f"an object of type {name} is no plain data")


def _decoded(data: Any, arrays: io.BytesIO, is_reply: bool) -> Any:
    if isinstance(data, list):
        return [_decoded(item, arrays, is_reply) for item in data]
    if not isinstance(data, dict):
        return data
    _require(len(data) == 1, "an object in its header has no tag, or more than one")
    ((tag, content),) = data.items()
    if tag == "tensor":
        return _tensor(content, arrays)
    if tag == "tuple":
        _require(isinstance(content, list), "a tuple in its header is no list")
        return tuple(_decoded(item, arrays, is_reply) for item in content)
    if tag == "dict":
        pairs = isinstance(content, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in content)
        _require(pairs and all(_is_scalar(key) for key, _ in content), "a dict in its header is no list of pairs")
        _require(not is_reply or all(isinstance(key, str) for key, _ in content), "a dict in its header has odd keys")
        keys = [subject.clean(key) if is_reply else key for key, _ in content]
        return dict(zip(keys, [_decoded(item, arrays, is_reply) for _, item in content], strict=True))
    known = tag in _RECORDS and not (is_reply and tag in _ASKED)
    _require(known, f"its header has the unknown tag {tag[:40]!r}")
    record = _RECORDS[tag]
    fits = {field.name: _FITS[str(field.type)] for field in fields(record)}
    _require(isinstance(content, dict) and content.keys() == fits.keys(), f"the fields of {tag} are not those known")
    values = {name: _decoded(content[name], arrays, is_reply) for name in fits}
    wrong = next((name for name, is_right in fits.items() if not is_right(values[name])), None)
    _require(wrong is None, f"`{wrong}` of {tag} is of the wrong kind")
    return record(**values)


def _tensor(content: Any, arrays: io.BytesIO) -> Tensor:
    _require(isinstance(content, list) and len(content) == 3, "an array in its header lacks dtype, shape or order")
    dtype, shape, order = content
    _require(isinstance(dtype, str) and dtype in DTYPES, "an array has an unknown dtype")
    _require(isinstance(shape, list) and all(map(_is_length, shape)), "an array's shape is no list of lengths")
    small = len(shape) <= MOST_AXES and math.prod(max(n, 1) for n in shape) <= MOST_ARRAYS  # also where it is empty
    _require(small, "an array has too many axes or numbers")
    axes = isinstance(order, list) and all(type(axis) is int for axis in order)
    _require(axes and sorted(order) == list(range(len(shape))), "an array's order names no axes")
    length = math.prod(shape) * DTYPES[dtype].itemsize
    data = bytearray(arrays.read(length))
    _require(len(data) == length, "an array's shape asks for more bytes than there are")
    if not length:
        laid_out = torch.empty(shape, dtype=DTYPES[dtype])
    elif dtype == "bool":  # a byte of 2 would be neither true nor false
        laid_out = torch.frombuffer(data, dtype=torch.uint8).ne(0).reshape(shape)
    else:
        laid_out = torch.frombuffer(data, dtype=DTYPES[dtype]).reshape(shape)
    return laid_out.permute([order.index(axis) for axis in range(len(order))])


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _is_length(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**31


def _is_shapes(value: Any) -> bool:
    """Whether these are shapes of weights that can be drawn without filling the memory."""
    shapes = isinstance(value, list) and all(isinstance(s, tuple) and all(map(_is_length, s)) for s in value)
    return shapes and sum(map(math.prod, value)) <= MOST_WEIGHTS


# The records that cross, and what a field of theirs may hold, by its annotation.
_RECORDS: dict[str, Any] = {record.__name__: record for record in (Fixture, Arg, Foreign, Raised, Parameters, Reply)}
_ASKED = (Fixture.__name__, Arg.__name__)  # are sent to a student's code, and never come back
_FITS: dict[str, Callable[[Any], bool]] = {
    "Any": lambda value: True,
    "bool": lambda value: type(value) is bool,
    "int": lambda value: _is_length(value),
    "int | None": lambda value: value is None or _is_length(value),
    "str": lambda value: type(value) is str,
    "tuple[Any, ...]": lambda value: type(value) is tuple,
    "tuple[str, ...]": lambda value: type(value) is tuple and all(type(item) is str for item in value),
    "dict[str, Any]": lambda value: type(value) is dict and all(type(key) is str for key in value),
    "list[tuple[int, ...]]": _is_shapes,
}


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise CodecError(otherwise)


def _read(connection: socket.socket, length: int, deadline: float | None) -> bytearray:
    data = bytearray()
    while len(data) < length:
        _wait_until(connection, deadline)
        part = connection.recv(min(length - len(data), 2**20))
        if not part:
            raise EOFError
        data += part
    return data


def _wait_until(connection: socket.socket, deadline: float | None) -> None:
    """Let the next operation on the connection wait until `deadline` and no longer."""
    if deadline is not None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)

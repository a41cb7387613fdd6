"""Plain data over a socket: what passes, and what does not."""

import enum
import json
import math
import socket
import struct
import time

import numpy as np
import pytest
import torch

from helpers.checks import codec
from helpers.checks.fixtures import Arg, Fixture
from helpers.checks.subject import Foreign, Parameters, Raised, Reply


def crossed(value):
    header, arrays = codec.dumps(value)
    return codec.loads(header, b"".join(arrays))


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


# ---- what passes ----


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, -(10**40), 1.0, 0.1, -0.0, math.inf, -math.inf, "", "ü\n\0\ud800"),
        *([], (), {}, [1, (2, [3])], (1,), [[], ()], {"tensor": [1], "b": (1, 2)}, {1: "a", None: 2.5, "": 3}),
        *(Fixture("network", {"in_channels": 1, "of": Arg(0)}), Foreign("set"), Raised("ValueError", "no", None, "")),
        Reply(
            (1, Raised("E", "m", 3, "x = 1")),
            False,
            True,
            False,
            ("float32",),
            True,
            True,
            ("conv2d",),
            (None, {"r": 1}),
        ),
        Parameters([(2, 3), (4,)], 1, 0),
    ],
    ids=repr,
)
def test_plain_data_arrives_as_it_was(value):
    assert crossed(value) == value
    assert repr(crossed(value)) == repr(value)  # 1 and 1.0 and True, (1,) and [1], 0.0 and -0.0 are told apart


def test_nan_is_a_number_on_the_other_side():
    assert math.isnan(crossed(math.nan))
    assert crossed(torch.tensor([math.nan, math.inf, 1.0])).isnan().tolist() == [True, False, False]


@pytest.mark.parametrize("dtype", codec.DTYPES.values(), ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)], ids=str)
def test_tensors_arrive_to_the_bit(dtype, shape):
    tensor = (torch.rand(shape) * 9 - 4).to(torch.complex64 if dtype.is_complex else torch.float32).to(dtype)
    arrived = crossed([tensor, "between", tensor])[2]
    assert (arrived.dtype, arrived.shape) == (dtype, tensor.shape)
    assert torch.equal(arrived, tensor)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.rand(2, 3, 4).permute(2, 0, 1),
        torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last),
        torch.rand(4, 6)[:, ::2],
        torch.rand(3, 1).expand(3, 5),
        torch.rand(3, requires_grad=True),
        torch.rand(3, dtype=torch.complex64).conj(),
    ],
)
def test_a_tensor_lies_in_memory_as_its_clone_would(tensor):
    arrived = crossed(tensor)
    assert torch.equal(arrived, tensor.detach())
    assert arrived.is_contiguous() == tensor.clone().is_contiguous()
    arrived[...] = 0  # it is nobody else's


def test_a_message_may_come_in_pieces(pair):
    ours, theirs = pair
    header, arrays = codec.dumps(torch.arange(3))
    message = struct.pack("!II", len(header), 24) + header + arrays[0]
    for k in range(len(message)):
        ours.send(message[k : k + 1])
    assert codec.receive(theirs).tolist() == [0, 1, 2]


# ---- what may not be sent ----


def test_a_number_that_is_an_enumeration_goes_as_its_number():
    assert crossed(enum.IntEnum("Colour", "RED").RED) == 1


@pytest.mark.parametrize(
    "value", [{1, 2}, object(), np.zeros(2), b"x", torch.eye(2).to_sparse(), {(1, 2): 3}], ids=type
)
def test_what_is_no_plain_data_is_refused(value):
    with pytest.raises(codec.CodecError):
        crossed(value)


def test_what_is_too_large_is_refused_before_anything_is_copied():
    with pytest.raises(codec.CodecError, match="64 MiB"):
        codec.dumps(torch.ones(1).expand(10**12))
    with pytest.raises(codec.CodecError, match="4 MiB"):
        codec.dumps(["x" * 2**20] * 5)
    with pytest.raises(codec.CodecError, match="written down"):
        codec.dumps(10**5000)
    endless = []
    endless.append(endless)
    with pytest.raises(codec.CodecError):
        codec.dumps(endless)


# ---- what is not believed ----


@pytest.mark.parametrize(
    ("header", "arrays"),
    [
        *((b"", b""), (b"\xff", b""), (b"[1,", b""), (b"1 2", b""), (b"[" * 10**5, b"")),
        *((b"{}", b""), (b'{"tuple": [], "dict": []}', b""), (b'{"tuple": 3}', b""), (b'{"pickle": "x"}', b"")),
        *((b'{"dict": [[1]]}', b""), (b'{"dict": [[[1], 2]]}', b""), (b'{"dict": {"a": 1}}', b"")),
        (b"1", b"left over"),
        *((b'{"tensor": ["object", [1], [0]]}', b"12345678"), (b'{"tensor": [["float32"], [1], [0]]}', b"1234")),
        *((b'{"tensor": ["float32", [2], [0]]}', b"1234"), (b'{"tensor": ["float32", [1], [0]]}', b"12345678")),
        *((b'{"tensor": ["float32", [-1], [0]]}', b""), (b'{"tensor": ["float32", [true], [0]]}', b"1234")),
        *((b'{"tensor": ["float32", [1.0], [0]]}', b"1234"), (b'{"tensor": ["float32", 1, [0]]}', b"1234")),
        *((b'{"tensor": ["float32", [1], [1]]}', b"1234"), (b'{"tensor": ["float32", [1], []]}', b"1234")),
        (b'{"tensor": ["float32", [0, 2000000000, 2000000000, 2000000000], [0, 1, 2, 3]]}', b""),
        (json.dumps({"tensor": ["bool", [1] * 65, list(range(65))]}).encode(), b"1"),
        *((b'{"Foreign": {"kind": 3}}', b""), (b'{"Foreign": {}}', b""), (b'{"Foreign": ["set"]}', b"")),
        (b'{"Foreign": {"kind": "set", "more": 1}}', b""),
        (b'{"Raised": {"kind": "E", "message": "m", "line": "3", "source": ""}}', b""),
        (b'{"Parameters": {"used": [{"tuple": [100000, 100000]}], "hidden": 0, "idle": 0}}', b""),
        (b'{"Parameters": {"used": [[2, 3]], "hidden": 0, "idle": 0}}', b""),
    ],
)
def test_a_malformed_message_is_refused(header, arrays):
    with pytest.raises(codec.CodecError):
        codec.loads(header, arrays)


def test_a_byte_that_is_no_bool_becomes_one():
    arrived = codec.loads(b'{"tensor": ["bool", [3], [0]]}', b"\x00\x01\x02")
    assert arrived.view(torch.uint8).tolist() == [0, 1, 1]


def test_an_announced_size_is_refused_before_it_is_read(pair):
    ours, theirs = pair
    ours.send(struct.pack("!II", 2**31, 0))
    with pytest.raises(codec.CodecError, match="announces"):
        codec.receive(theirs)


def test_a_connection_that_ends_in_the_middle_is_seen(pair):
    ours, theirs = pair
    ours.send(struct.pack("!II", 100, 0) + b"[1,")
    ours.close()
    with pytest.raises(EOFError):
        codec.receive(theirs)


@pytest.mark.parametrize("drip", [b"", b"\0"])
def test_waiting_ends_at_the_deadline(pair, drip):
    ours, theirs = pair
    ours.send(drip)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        codec.receive(theirs, began + 0.1)
    with pytest.raises(TimeoutError):
        codec.send(theirs, torch.zeros(10**7), began + 0.2)  # more than a socket holds, and nobody reads
    assert time.monotonic() - began < 2


def test_one_element_with_a_step_of_0_crosses():
    pixel = torch.tensor([0.5]).as_strided((1, 1, 1), (0, 0, 0))
    ours, theirs = socket.socketpair()
    codec.send(ours, pixel)
    assert torch.equal(codec.receive(theirs), pixel)


# ---- from a process that runs a student's code ----


@pytest.mark.parametrize("value", [Fixture("network", {}), Arg(0), [Reply(Fixture("`" * 900, {}))], {"a": Arg(1)}])
def test_what_is_only_asked_for_is_no_reply(pair, value):
    ours, theirs = pair
    codec.send(theirs, value)
    with pytest.raises(codec.CodecError, match="unknown tag"):
        codec.receive(ours, None, codec.Replies())


def test_what_is_shown_of_a_reply_is_short_and_steers_no_terminal(pair):
    ours, theirs = pair
    codec.send(theirs, {"\x1b[2J": 1, "k" * 10**4: 2})
    keys = [str(key) for key in codec.receive(ours, None, codec.Replies())]
    assert "\x1b" not in keys[0]
    assert len(keys[1]) < 1100
    codec.send(theirs, {3: 4})  # whole numbers may be chosen so that a dict of them takes for ever
    with pytest.raises(codec.CodecError, match="odd keys"):
        codec.receive(ours, None, codec.Replies())
    header, arrays = b'{"Foreign": {"kind": "' + b"\\u001b" * 10**5 + b'"}}', b""
    kind = codec.loads(header, arrays, is_reply=True).kind
    assert ("\x1b" in kind, len(kind) < 1100) == (False, True)


def test_a_reply_without_the_seal_is_refused(pair):
    ours, theirs = pair
    codec.send(theirs, 1, seal=b"sealed")
    assert codec.receive(ours, None, codec.Replies(b"sealed")) == 1
    codec.send(theirs, 1)
    with pytest.raises(codec.CodecError, match="seal"):
        codec.receive(ours, None, codec.Replies(b"sealed"))


def test_all_replies_together_have_a_bound(pair):
    ours, theirs = pair
    replies = codec.Replies(left=8000)
    for _ in range(2):
        codec.send(theirs, "x" * 400)
    codec.receive(ours, None, replies)
    codec.receive(ours, None, replies)
    codec.send(theirs, "x" * 400)
    with pytest.raises(codec.CodecError, match="far larger than those of any right answer"):
        codec.receive(ours, None, replies)


def test_a_line_is_no_number_of_a_million_digits():
    raised = json.dumps({"Raised": {**dict.fromkeys(["kind", "message", "source", "cause", "of"], ""), "line": 0}})
    assert codec.loads(raised.encode(), b"").line == 0
    with pytest.raises(codec.CodecError):
        codec.loads(raised.replace('"line": 0', '"line": 1' + "0" * 4000).encode(), b"")

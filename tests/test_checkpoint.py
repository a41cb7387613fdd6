"""Checkpoints are whole or not there, and nothing in one is believed unseen."""

import hashlib
import json

import pytest
import torch
from torch import nn

from helpers import checkpoint
from helpers.checkpoint import CheckpointError

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor(7)}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "run.json"
    checkpoint.write(path, TENSORS, {"step": 3})
    return path


def tensors_of(path):
    return path.with_name(json.loads(path.read_text())["tensors"])


def test_what_was_written_is_read(written):
    tensors, facts = checkpoint.read(written)
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert facts["step"] == 3


def test_a_new_one_replaces_the_old_and_its_tensors(written):
    checkpoint.write(written, {"a": torch.zeros(1)}, {"step": 4})
    tensors, facts = checkpoint.read(written)
    assert (tensors["a"].tolist(), facts["step"]) == ([0.0], 4)
    assert len(list(written.parent.iterdir())) == 2


def test_two_checkpoints_in_one_folder_leave_each_other_alone(written):
    checkpoint.write(written.with_name("run-2.json"), {"a": torch.zeros(1)}, {})
    checkpoint.write(written, TENSORS, {})
    assert checkpoint.read(written.with_name("run-2.json"))[0]["a"].tolist() == [0.0]


@pytest.mark.parametrize("broken_at", [".safetensors", ".json"])
def test_a_write_that_is_cut_short_leaves_the_one_before(written, monkeypatch, broken_at):
    put = checkpoint.atomic_write

    def cut(path, content):
        if path.suffix == broken_at:
            raise KeyboardInterrupt
        put(path, content)

    monkeypatch.setattr(checkpoint, "atomic_write", cut)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.write(written, {"a": torch.zeros(1)}, {"step": 4})
    assert checkpoint.read(written)[1]["step"] == 3


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), "There is no checkpoint"),
        (lambda path: path.write_text(path.read_text()[:20]), "not JSON, or only part of it"),
        (lambda path: path.write_bytes(b"\x80\x04\x95pickle"), "not JSON"),
        (lambda path: path.write_text("[]"), "no checkpoint of this course"),
        (lambda path: path.write_text('{"format": "other"}'), "no checkpoint of this course"),
        (lambda path: edit(path, tensors="../x.safetensors"), "no file beside it"),
        (lambda path: edit(path, tensors="weights.pt"), "no file beside it"),
        (lambda path: edit(path, tensors=None), "no file beside it"),
        (lambda path: tensors_of(path).unlink(), "are not beside it"),
        (lambda path: tensors_of(path).write_bytes(tensors_of(path).read_bytes()[:-1]), "truncated or altered"),
        (lambda path: tensors_of(path).write_bytes(b""), "truncated or altered"),
    ],
)
def test_what_is_no_whole_checkpoint_is_refused_with_the_reason(written, damage, said):
    damage(written)
    with pytest.raises(CheckpointError, match=said):
        checkpoint.read(written)


def edit(path, **facts):
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


def test_a_file_that_is_no_safetensors_is_refused_even_with_the_right_hash(written):
    content = b"\x80\x04\x95 not tensors"
    tensors_of(written).write_bytes(content)
    edit(written, sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(CheckpointError, match="no safetensors file"):
        checkpoint.read(written)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), "lacks 1.bias, 1.weight"),
        (nn.Linear(2, 3), "lacks bias, weight and has 0.bias, 0.weight"),
        (nn.Sequential(nn.Linear(2, 4)), r"0.weight is \(3, 2\) torch.float32 there and \(4, 2\)"),
        (nn.Sequential(nn.Linear(2, 3)).double(), "torch.float64 in the model"),
    ],
)
def test_tensors_of_another_architecture_are_refused_and_nothing_is_filled_in(other, said):
    before = {name: x.clone() for name, x in other.state_dict().items()}
    with pytest.raises(CheckpointError, match=said):
        checkpoint.fill(other, nn.Sequential(nn.Linear(2, 3)).state_dict(), "run.json")
    assert all(torch.equal(x, before[name]) for name, x in other.state_dict().items())

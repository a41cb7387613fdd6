"""Checkpoints are whole or not there, and nothing in one is believed unseen."""

import os

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from helpers import checkpoint
from helpers.checkpoint import CheckpointError

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor(7)}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "run.safetensors"
    checkpoint.write(path, TENSORS, {"step": 3})
    return path


def test_what_was_written_is_read(written):
    tensors, facts = checkpoint.read(written)
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert facts["step"] == 3


def test_a_new_one_replaces_the_old_and_its_tensors(written):
    checkpoint.write(written, {"a": torch.zeros(1)}, {"step": 4})
    tensors, facts = checkpoint.read(written)
    assert (tensors["a"].tolist(), facts["step"]) == ([0.0], 4)
    assert list(written.parent.iterdir()) == [written]


def test_a_write_that_is_cut_short_leaves_the_one_before(written, monkeypatch):
    def cut(file):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.write(written, {"a": torch.zeros(1)}, {"step": 4})
    assert checkpoint.read(written)[1]["step"] == 3


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), "There is no checkpoint"),
        (lambda path: path.write_bytes(path.read_bytes()[:20]), "no checkpoint, or only part of one"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "no checkpoint, or only part of one"),
        (lambda path: path.write_bytes(b""), "no checkpoint, or only part of one"),
        (lambda path: path.write_bytes(b"\x80\x04\x95pickle"), "no checkpoint, or only part of one"),
        (lambda path: save_file(TENSORS, path), "no checkpoint of this course"),
        (lambda path: save_file(TENSORS, path, {"format": "pt"}), "no checkpoint of this course"),
    ],
)
def test_what_is_no_whole_checkpoint_is_refused_with_the_reason(written, damage, said):
    damage(written)
    with pytest.raises(CheckpointError, match=said):
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
        checkpoint.fill(other, nn.Sequential(nn.Linear(2, 3)).state_dict(), "run.safetensors")
    assert all(torch.equal(x, before[name]) for name, x in other.state_dict().items())

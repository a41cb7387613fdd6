"""Networks of other libraries: graph, `fit`, `compare` and `share` work, or say why not and what works.

`python -m tests.foreign` tries all of them and makes the table of docs/library.md; here are the quick ones, of every
kind of result and refusal, and whether the table is theirs.
"""

import pytest
import torch
from torch import nn

from tests.foreign.networks import NETWORKS, Foreign
from tests.foreign.tried import TABLE, Tried, check_graph, row

QUICK = [
    "Unet, attention in the decoder",
    "PSPNet",
    "Segformer",
    "lraspp_mobilenet_v3_large",
    "BasicUNet",
    "BasicUNetPlusPlus",
    "UNet, residual",
    "AttentionUnet",
    "DynUNet",
    "DynUNet, deep supervision",
    "SegResNet",
    "SegResNetVAE",
    "SegResNetDS",
    "UNETR",
    "SwinUNETR",
    "HighResNet",
    "RegUNet",
    "DenseNet121, a classifier",
]
BY_NAME = {foreign.name: foreign for foreign in NETWORKS}


@pytest.mark.parametrize("name", QUICK)
def test_a_foreign_network_does_what_the_table_says(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert row(BY_NAME[name], tmp_path) in TABLE.rows()


def test_the_table_holds_all_of_them_and_stands_in_the_docs():
    assert sorted(name for name, *_ in TABLE.rows()) == sorted(foreign.title for foreign in NETWORKS)
    assert len(BY_NAME) == 36
    assert TABLE.is_in_the_readme()


# ---- these tests can fail ----


@pytest.fixture
def sequence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))


def test_a_box_that_shows_another_tensor_is_seen(sequence, monkeypatch):
    from helpers.tracing.recorder import Recorder

    check_graph(sequence, torch.rand(1, 1, 16, 16))
    look = Recorder._look

    def other(self, op, operands, output):
        look(self, op, operands, output + 1)

    monkeypatch.setattr(Recorder, "_look", other)
    with pytest.raises(AssertionError, match="double conv|convolution"):
        check_graph(sequence, torch.rand(1, 1, 16, 16))


def test_an_error_without_advice_is_seen(sequence):
    tried = Tried(Foreign("none", "of ours", lambda: sequence), sequence, said="It does not work.")
    with pytest.raises(AssertionError, match="nothing to do in 'It does not work.'"):
        tried.follow()

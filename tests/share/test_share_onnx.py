"""Export to ONNX: the same logits in ONNX Runtime, or no file."""

import sys

import onnxruntime
import pytest
import torch
from share_made import drawn
from torch import nn

from helpers.data.gate import GateError
from helpers.errors import CallError
from helpers.exercises import unet as exercise
from helpers.reference.decoder import Hourglass
from helpers.reference.unet import UNet
from helpers.share import ShareError, export_onnx


def run(path, images):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0])


@pytest.mark.parametrize("depth", [1, 3])
def test_a_unet_takes_images_of_any_size(depth, tmp_path):
    model = drawn(UNet, 1, 2, base_channels=3, depth=depth).train()
    exported = export_onnx(model, tmp_path / "deep" / "unet.onnx", in_channels=1, size=64)
    assert exported.any_size
    assert exported.difference < 1e-4
    assert model.training
    model.eval()
    for shape in ((1, 1, 64, 64), (3, 1, 32, 48), (1, 1, 37, 51)):
        images = torch.rand(shape)
        assert torch.allclose(run(exported.path, images), model(images), atol=1e-4)


@pytest.mark.parametrize("make", [Hourglass, exercise.OnePageNoUpBiasDecoderFirst])
def test_other_networks(make, tmp_path):
    model = drawn(make, 3, 1, base_channels=3, depth=2).eval()
    exported = export_onnx(model, tmp_path / "net.onnx", in_channels=3, size=(32, 48))
    images = torch.rand(2, 3, 64, 32)
    assert torch.allclose(run(exported.path, images), model(images), atol=1e-4)


def test_padding_that_depends_on_the_size_keeps_the_size(tmp_path):
    from timm.layers import Conv2dSame

    model = drawn(nn.Sequential, Conv2dSame(1, 2, 3, stride=1)).eval()
    exported = export_onnx(model, tmp_path / "net.onnx", in_channels=1, size=(16, 24))
    assert not exported.any_size
    images = torch.rand(5, 1, 16, 24)
    assert torch.allclose(run(exported.path, images), model(images), atol=1e-4)


class Forgetful(nn.Module):
    """Counts its calls outside of what is exported: the graph keeps one scale, PyTorch another."""

    def __init__(self):
        super().__init__()
        self.layer, self.calls = nn.Conv2d(1, 2, 1), 0

    def forward(self, x):
        self.calls += 1
        return self.layer(x) * self.calls


def test_other_logits_are_refused_and_nothing_is_written(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"the one before")
    with pytest.raises(ShareError, match="differ from PyTorch's by up to [0-9.]+, so nothing was written"):
        export_onnx(Forgetful(), tmp_path / "net.onnx", in_channels=1, size=8)
    assert (tmp_path / "net.onnx").read_bytes() == b"the one before"
    assert len(list(tmp_path.iterdir())) == 1


class Branching(nn.Module):
    """Looks at the values to choose its way, which no graph can."""

    def forward(self, x):
        return x if float(x.mean()) > 0.5 else -x


def test_what_cannot_be_exported(tmp_path, capfd):
    with pytest.raises(ShareError, match="cannot export"):
        export_onnx(Branching(), tmp_path / "net.onnx", in_channels=1, size=8)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_network_that_fails(tmp_path):
    with pytest.raises(GateError, match="its first convolution takes 1"):
        export_onnx(UNet(1, 2, 2, 1), tmp_path / "net.onnx", in_channels=3, size=16)


@pytest.mark.parametrize("size", ["32", 0, -8, 32.0, (32,), (8, 8, 8), (8.5, 8), None])
def test_a_size_that_is_none(tmp_path, size):
    with pytest.raises(ShareError, match=r"size is .*\. Give height and width in pixels"):
        export_onnx(UNet(1, 2, 2, 1), tmp_path / "net.onnx", in_channels=1, size=size)
    with pytest.raises(CallError, match="in_channels has to be a whole number"):
        export_onnx(UNet(1, 2, 2, 1), tmp_path / "net.onnx", in_channels="1", size=8)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "onnxscript"])
def test_without_the_packages(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        ShareError, match=rf'^{package} is missing. Install the share extra: pip install "build-unet.share."$'
    ):
        export_onnx(UNet(1, 2, 2, 1), tmp_path / "net.onnx", in_channels=1, size=16)

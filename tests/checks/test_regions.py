"""Every exercise has a probe in each region of the inputs that its text admits, on every seed of a check.

A region is what somebody may forget: an empty mask, an odd side, a picture of 0 and 1. What no probe draws, nobody
compares.
"""

import inspect
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from helpers import exercises
from helpers.checks import engine
from helpers.checks.fixtures import Fixture
from helpers.checks.probes import Build, Script
from helpers.checks.session import SEEDS


def given(exercise, probe):
    """What goes in, by name: arguments with their defaults, inputs of a network, what a script shows."""
    if isinstance(probe, Script):
        return SimpleNamespace(label=probe.label, **{k.replace(" ", "_"): v for k, v in probe.shown.items()})
    bound = inspect.signature(exercise.reference).bind(*probe.args, **probe.kwargs)
    passed = set(bound.arguments)
    bound.apply_defaults()
    inputs = {}
    if isinstance(probe, Build):
        _self, *names = inspect.signature(exercise.reference.forward).parameters
        inputs = dict(zip(names, probe.inputs, strict=False))
    return SimpleNamespace(passed=passed, **bound.arguments, **inputs)


def values(thing):
    """The numbers of an argument, whatever it is made as."""
    return thing.settings["values"] if isinstance(thing, Fixture) else thing


def sides(x: Tensor):
    return tuple(x.shape[-2:])


def odd(x):
    return any(side % 2 for side in sides(x))


def even(x):
    return not odd(x)


def line(x):
    return 1 in sides(x) and max(sides(x)) > 1


def none(mask):
    return not mask.any()


def every(mask):
    return bool(mask.all())


def classes(mask):
    return set(mask.unique().tolist())


def at_border(mask):
    return all(bool(edge.any()) for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def corners(mask):
    """Whether two pixels of different objects, or of one mask, meet at a corner only."""
    a, b, c, d = mask[:-1, :-1], mask[1:, 1:], mask[1:, :-1], mask[:-1, 1:]
    falling = (a > 0) & (b > 0) & (c == 0) & (d == 0)
    rising = (c > 0) & (d > 0) & (a == 0) & (b == 0)
    return bool((falling | rising).any())


def alone(mask):
    """Whether a pixel has no neighbour in the mask."""
    neighbours = F.conv2d(F.pad(mask[None].float(), (1, 1, 1, 1)), torch.ones(1, 1, 3, 3))[0]
    return bool((mask & (neighbours == 1)).any())


def touching(labels):
    """Whether two objects lie side by side."""
    across = (labels[:, 1:] != labels[:, :-1]) & (labels[:, 1:] > 0) & (labels[:, :-1] > 0)
    return bool(across.any())


MASKS = {
    "both empty": lambda g: none(g.pred) and none(g.target),
    "the prediction empty": lambda g: none(g.pred) and not none(g.target),
    "the truth empty": lambda g: none(g.target) and not none(g.pred),
    "equal": lambda g: not none(g.pred) and torch.equal(g.pred, g.target),
    "nothing in common": lambda g: not none(g.pred) and not none(g.target) and none(g.pred & g.target),
    "a row": lambda g: line(g.pred),
    "not square": lambda g: sides(g.pred)[0] != sides(g.pred)[1],
    "more than 255 pixels in both": lambda g: int((g.pred & g.target).sum()) > 255,
}
LOSS = {
    "one image": lambda g: len(g.logits) == 1,
    "several images": lambda g: len(g.logits) > 1,
    "no object": lambda g: none(g.target),
    "an image without an object among others": lambda g: any(map(none, g.target)) and not none(g.target),
    "objects only": lambda g: every(g.target),
    "not square": lambda g: sides(g.logits)[0] != sides(g.logits)[1],
}
CERTAIN = {
    "certain and right": lambda g: g.logits.abs().max() > 1000 and torch.equal(g.logits > 0, g.target > 0),
    "certain and wrong": lambda g: g.logits.abs().max() > 1000 and torch.equal(g.logits < 0, g.target > 0),
}
NETWORK = {
    "one image": lambda g: len(g.x) == 1,
    "several images": lambda g: len(g.x) > 1,
    "an odd side": lambda g: odd(g.x),
    "not square": lambda g: sides(g.x)[0] != sides(g.x)[1],
}

REGIONS = {
    "to_tensor": {
        "grey, two axes": lambda g: values(g.image).ndim == 2,
        "grey, three axes": lambda g: values(g.image).ndim == 3 and values(g.image).shape[2] == 1,
        "colour": lambda g: values(g.image).shape[2:] == (3,),
        "more than three channels": lambda g: values(g.image).shape[2:] == (4,),
        "0 and 1 only": lambda g: int(values(g.image).max()) == 1,
        "0 only": lambda g: none(values(g.image)),
        "0 to 255": lambda g: {0, 255} <= classes(values(g.image)),
        "not square": lambda g: values(g.image).shape[0] != values(g.image).shape[1],
        "three rows or columns": lambda g: 3 in values(g.image).shape[:2],
    },
    "one_hot": {
        "ignored pixels": lambda g: bool((g.mask == g.ignore_index).any()),
        "no pixel ignored": lambda g: none(g.mask == g.ignore_index),
        "every pixel ignored": lambda g: every(g.mask == g.ignore_index),
        "another value ignored": lambda g: "ignore_index" in g.passed and g.ignore_index < 0,
        "a class ignored": lambda g: g.ignore_index < g.num_classes,
        "one class": lambda g: g.num_classes == 1,
        "a class in no pixel": lambda g: not set(range(g.num_classes)) <= classes(g.mask),
        "the last class": lambda g: g.num_classes - 1 in classes(g.mask),
        "not square": lambda g: sides(g.mask)[0] != sides(g.mask)[1],
    },
    "mask_to_box": {
        "empty": lambda g: none(g.mask),
        "full": lambda g: every(g.mask),
        "one pixel": lambda g: int(g.mask.sum()) == 1,
        "at every border": lambda g: at_border(g.mask) and not every(g.mask),
        "away from every border": lambda g: not none(g.mask) and none(g.mask[[0, -1]]) and none(g.mask[:, [0, -1]]),
        "corners touching": lambda g: corners(g.mask.int()),
        "not square": lambda g: sides(g.mask)[0] != sides(g.mask)[1],
    },
    "flip_pair": {
        **{
            f"{across}, {down}": lambda g, across=across, down=down: (g.horizontal, g.vertical) == (across, down)
            for across in (True, False)
            for down in (True, False)
        },
        "grey": lambda g: len(g.image) == 1,
        "colour": lambda g: len(g.image) == 3,
        "a bool mask": lambda g: g.mask.dtype == torch.bool,
        "a mask of classes": lambda g: g.mask.dtype == torch.int64,
        "as many channels as rows": lambda g: g.image.shape[0] == g.image.shape[1],
    },
    "pixel_accuracy": {
        "bool": lambda g: g.pred.dtype == torch.bool,
        "classes": lambda g: g.pred.dtype == torch.int64,
        "all right": lambda g: torch.equal(g.pred, g.target),
        "all wrong": lambda g: none(g.pred == g.target),
        "no object": lambda g: none(g.pred) or none(g.target),
        "not square": lambda g: sides(g.pred)[0] != sides(g.pred)[1],
    },
    "confusion": MASKS,
    "iou": MASKS,
    "dice": MASKS,
    "dice_scores": {
        "one image": lambda g: len(g.preds) == 1,
        "several images": lambda g: len(g.preds) > 1,
        "pooled": lambda g: g.reduction == "pooled",
        "per image": lambda g: g.reduction == "per_image",
        "an unknown reduction": lambda g: g.reduction not in ("pooled", "per_image"),
        "all empty": lambda g: none(g.preds) and none(g.targets),
        "a pair empty among others": lambda g: (
            any(none(p) and none(t) for p, t in zip(g.preds, g.targets, strict=True)) and not none(g.preds)
        ),
        "a truth empty": lambda g: any(none(t) and not none(p) for p, t in zip(g.preds, g.targets, strict=True)),
    },
    "mean_iou": {
        "one mask": lambda g: g.pred.ndim == 2,
        "a batch": lambda g: g.pred.ndim == 3,
        "an absent class": lambda g: not set(range(g.num_classes)) <= classes(g.pred) | classes(g.target),
        "a class in the prediction only": lambda g: bool(classes(g.pred) - classes(g.target)),
        "a class in the truth only": lambda g: bool(classes(g.target) - classes(g.pred) - {g.ignore_index}),
        "ignored pixels": lambda g: bool((g.target == g.ignore_index).any()),
        "every pixel ignored": lambda g: every(g.target == g.ignore_index),
        "equal": lambda g: torch.equal(g.pred, g.target),
    },
    "gradient_step": {
        "one pixel": lambda g: g.x.numel() == 1,
        "a row": lambda g: g.x.ndim == 1,
        "a picture": lambda g: g.x.ndim == 2 and sides(g.x)[0] != sides(g.x)[1],
        "background only": lambda g: g.x.numel() > 1 and not g.truth.any(),
        "nucleus only": lambda g: g.x.numel() > 1 and bool(g.truth.all()),
        "both": lambda g: 0 < g.truth.mean() < 1,
        "w and b are 0": lambda g: g.w == g.b == 0,
        "lr is 1": lambda g: g.lr == 1,
        "lr is not 1": lambda g: g.lr != 1,
    },
    "PixelClassifier": {
        "one pixel": lambda g: len(g.x) == 1,
        "several pixels": lambda g: len(g.x) > 1,
        "one feature": lambda g: g.features == 1,
        "one hidden number": lambda g: g.hidden == 1,
        "as many hidden numbers as features": lambda g: g.hidden == g.features > 1,
        "fewer hidden numbers than features": lambda g: 1 < g.hidden < g.features,
    },
    "conv2d": {
        "a kernel of one weight": lambda g: g.kernel.shape == (1, 1),
        "an even kernel": lambda g: g.kernel.shape[0] % 2 == 0,
        "an odd kernel": lambda g: g.kernel.shape[0] % 2 == 1,
        "a stride": lambda g: g.stride > 1,
        "a stride that leaves rows over": lambda g: (
            g.stride > 1 and (g.image.shape[0] + 2 * g.padding - len(g.kernel)) % g.stride
        ),
        "padding": lambda g: g.padding > 0,
        "defaults": lambda g: g.passed == {"image", "kernel"},
        "a bias with padding": lambda g: g.padding > 0 and g.bias != 0,
        "both signs": lambda g: g.image.min() < 0 < g.image.max(),
        "not square": lambda g: sides(g.image)[0] != sides(g.image)[1],
    },
    "output_size": {
        "a rest": lambda g: (g.size + 2 * g.padding - g.dilation * (g.kernel - 1) - 1) % g.stride,
        "no rest": lambda g: g.stride > 1 and not (g.size + 2 * g.padding - g.dilation * (g.kernel - 1) - 1) % g.stride,
        "a kernel as long as the side": lambda g: g.size == g.kernel,
        "a kernel of one": lambda g: g.kernel == 1,
        "an even kernel": lambda g: g.kernel % 2 == 0,
        "padding": lambda g: g.padding > 0,
        "dilation": lambda g: g.dilation > 1,
        "defaults": lambda g: len(g.passed) == 2,
        "all at once": lambda g: g.stride > 1 and g.padding > 0 and g.dilation > 1,
    },
    "receptive_field": {
        "no layer": lambda g: len(g.layers) == 0,
        "one layer": lambda g: len(g.layers) == 1,
        "a stride at the end": lambda g: bool(g.layers) and g.layers[-1][1] > 1,
        "two strides": lambda g: sum(stride > 1 for _, stride in g.layers) > 1,
        "a kernel of one": lambda g: any(kernel == 1 for kernel, _ in g.layers),
        "an even kernel": lambda g: any(kernel % 2 == 0 for kernel, _ in g.layers),
    },
    "pointwise": {
        "one pixel": lambda g: sides(g.x) == (1, 1),
        "one image": lambda g: len(g.x) == 1,
        "several images": lambda g: len(g.x) > 1,
        "one channel": lambda g: g.x.shape[1] == 1,
        "one output": lambda g: len(g.weight) == 1,
        "as many outputs as channels": lambda g: g.weight.shape[0] == g.weight.shape[1] > 1,
        "not square": lambda g: sides(g.x)[0] != sides(g.x)[1],
    },
    "DoubleConv": {
        **NETWORK,
        "equal channels": lambda g: g.in_channels == g.out_channels,
        "fewer channels out": lambda g: g.in_channels > g.out_channels,
        "one channel": lambda g: g.in_channels == 1,
        "no norm": lambda g: not g.norm,
        "no padding": lambda g: g.padding == 0,
        "no padding and no norm": lambda g: g.padding == 0 and not g.norm,
        "defaults": lambda g: len(g.passed) == 2,
    },
    "max_pool2x2": {
        "one image": lambda g: len(g.x) == 1,
        "several images": lambda g: len(g.x) > 1,
        "an odd height": lambda g: sides(g.x)[0] % 2 and not sides(g.x)[1] % 2,
        "an odd width": lambda g: sides(g.x)[1] % 2 and not sides(g.x)[0] % 2,
        "both odd": lambda g: sides(g.x)[0] % 2 and sides(g.x)[1] % 2,
        "one window": lambda g: sides(g.x) == (2, 2),
        "nothing above zero": lambda g: bool((g.x < 0).all()),
    },
    "Down": {
        **NETWORK,
        "equal channels": lambda g: g.in_channels == g.out_channels,
        "fewer channels out": lambda g: g.in_channels > g.out_channels,
    },
    "Encoder": {
        "one step": lambda g: getattr(g, "depth", 0) == 1,
        "the default depth": lambda g: (
            "depth" not in getattr(g, "passed", {"depth"}) or "(3, 2)" in getattr(g, "label", "")
        ),
        "the default channels": lambda g: "base_channels" not in getattr(g, "passed", {"base_channels"}),
        "odd sides": lambda g: hasattr(g, "x") and odd(g.x),
        "one image": lambda g: hasattr(g, "x") and len(g.x) == 1,
        "several images": lambda g: hasattr(g, "x") and len(g.x) > 1,
        "128 channels": lambda g: "(1, depth=3)" in g.label,
    },
    "upsample_nearest": {
        "one pixel a column": lambda g: sides(g.x)[0] == 1,
        "the default": lambda g: "scale" not in g.passed,
        "not at all": lambda g: g.scale == 1,
        "three times": lambda g: g.scale == 3,
        "several images and channels": lambda g: min(g.x.shape[:2]) > 1,
        "not square": lambda g: sides(g.x)[0] != sides(g.x)[1],
    },
    "transposed_conv2d": {
        "one pixel": lambda g: sides(g.x) == (1, 1),
        "no overlap": lambda g: g.stride >= len(g.kernel) and g.stride > 1,
        "gaps": lambda g: g.stride > len(g.kernel),
        "overlap": lambda g: g.stride < len(g.kernel),
        "the default": lambda g: "stride" not in g.passed,
        "stride 1": lambda g: g.stride == 1,
        "a kernel of one weight": lambda g: g.kernel.shape == (1, 1),
        "not square": lambda g: sides(g.x)[0] != sides(g.x)[1],
    },
    "UpConv": {
        **NETWORK,
        "the default": lambda g: "mode" not in g.passed,
        **{mode: lambda g, mode=mode: g.mode == mode for mode in ("transposed", "nearest", "bilinear")},
        "an unknown mode": lambda g: "cubic" in g.label,
        "equal channels": lambda g: g.in_channels == g.out_channels,
    },
    "center_crop": {
        "one row left over": lambda g: (sides(g.x)[0] - g.size[0]) % 2 == 1,
        "one column left over": lambda g: (sides(g.x)[1] - g.size[1]) % 2 == 1,
        "nothing to cut": lambda g: sides(g.x) == tuple(g.size),
        "one side only": lambda g: (sides(g.x)[0] == g.size[0]) != (sides(g.x)[1] == g.size[1]),
        "too high": lambda g: g.size[0] > sides(g.x)[0],
        "too wide": lambda g: g.size[1] > sides(g.x)[1],
        "several images and channels": lambda g: min(g.x.shape[:2]) > 1,
    },
    "pad_to_multiple": {
        "nothing to add": lambda g: not any(side % g.multiple for side in sides(g.x)),
        "one side only": lambda g: sum(side % g.multiple > 0 for side in sides(g.x)) == 1,
        "an odd number to add": lambda g: any(-side % g.multiple % 2 for side in sides(g.x)),
        "more to add than there is": lambda g: any(-side % g.multiple > side for side in sides(g.x)),
        "values unlike zero at the border": lambda g: -sides(g.x)[0] % g.multiple > 0 and every(g.x[..., -1, :] != 0),
        "several images and channels": lambda g: min(g.x.shape[:2]) > 1,
    },
    "Up": {
        "an odd skip": lambda g: odd(g.skip),
        "an even skip": lambda g: even(g.skip),
        "one odd side": lambda g: odd(g.skip) and len({side % 2 for side in sides(g.skip)}) == 2,
        "fewer channels in the skip": lambda g: g.skip_channels < g.out_channels,
        "one image": lambda g: len(g.x) == 1,
        "several images": lambda g: len(g.x) > 1,
    },
    "bce_with_logits": LOSS | CERTAIN,
    "soft_dice_loss": LOSS
    | {"no smoothing": lambda g: g.smooth == 0, "the default": lambda g: "smooth" not in g.passed},
    "iou_loss": LOSS | {"no smoothing": lambda g: g.smooth == 0, "the default": lambda g: "smooth" not in g.passed},
    "focal_loss": LOSS
    | CERTAIN
    | {
        "gamma 0": lambda g: g.gamma == 0,
        "other than the defaults": lambda g: {"gamma", "alpha"} <= g.passed,
        "defaults": lambda g: len(g.passed) == 2,
    },
    "combined_loss": LOSS
    | CERTAIN
    | {
        "Dice alone": lambda g: g.dice_weight == 1,
        "cross-entropy alone": lambda g: g.dice_weight == 0,
        "the default": lambda g: "dice_weight" not in g.passed,
    },
    "weight_map": {
        "no object": lambda g: none(g.instances),
        "one object": lambda g: len(classes(g.instances) - {0}) == 1,
        "two objects": lambda g: len(classes(g.instances) - {0}) == 2,
        "three objects": lambda g: len(classes(g.instances) - {0}) > 2,
        "no background": lambda g: every(g.instances),
        "gaps between the numbers": lambda g: (
            len(classes(g.instances) - {0}) > 1 and max(classes(g.instances)) > len(classes(g.instances) - {0})
        ),
        "corners touching": lambda g: corners(g.instances),
        "side by side": lambda g: touching(g.instances),
        "defaults": lambda g: len(g.passed) == 1,
    },
    "normalise": {
        "grey for three": lambda g: g.image.shape[-3] == 1 and len(g.mean) == 3,
        "colour": lambda g: g.image.shape[-3] == 3,
        "another number of channels": lambda g: g.image.shape[-3] not in (1, 3),
        "a batch": lambda g: g.image.ndim == 4,
        "a batch of grey images": lambda g: g.image.ndim == 4 and g.image.shape[1] == 1,
        "one image in a batch": lambda g: g.image.ndim == 4 and len(g.image) == 1,
        "as many columns as channels": lambda g: g.image.shape[-1] == len(g.mean),
    },
    "calibration_error": {
        "a probability of 1": lambda g: bool((g.probability == 1).any()),
        "a probability of 0": lambda g: bool((g.probability == 0).any()),
        "one bin": lambda g: g.bins == 1,
        "the default": lambda g: "bins" not in g.passed,
        "an empty bin": lambda g: g.probability.numel() < g.bins,
        "no object": lambda g: none(g.target),
        "objects only": lambda g: every(g.target),
        "not square": lambda g: sides(g.target)[0] != sides(g.target)[1],
    },
    "split_instances": {
        "nothing above the threshold": lambda g: none(g.probability > g.threshold),
        "corners touching": lambda g: corners((g.probability >= g.threshold).int()),
        "at the border": lambda g: bool((g.probability[[0, -1]] >= g.threshold).any()),
        "one pixel alone": lambda g: alone(g.probability >= g.threshold),
        "defaults": lambda g: len(g.passed) == 1,
        "another threshold": lambda g: "threshold" in g.passed,
        "another distance": lambda g: "min_distance" in g.passed,
    },
    "match_instances": {
        "both empty": lambda g: none(g.pred) and none(g.target),
        "nothing predicted": lambda g: none(g.pred) and not none(g.target),
        "nothing true": lambda g: none(g.target) and not none(g.pred),
        "gaps between the numbers": lambda g: (
            len(classes(g.pred) - {0}) > 1 and max(classes(g.pred)) > len(classes(g.pred) - {0})
        ),
        "a number far above the count": lambda g: max(classes(g.pred)) > 80,
        "other numbers than in the truth": lambda g: classes(g.pred) != classes(g.target),
        "a low threshold": lambda g: g.threshold < 0.5,
        "a high threshold": lambda g: g.threshold > 0.5,
        "the default": lambda g: "threshold" not in g.passed,
        "side by side": lambda g: touching(g.target),
    },
    "predict_tiled": {
        "smaller than a tile": lambda g: max(sides(g.image)) < g.tile,
        "smaller than a tile along one side": lambda g: min(sides(g.image)) < g.tile < max(sides(g.image)),
        "exactly one tile along a side": lambda g: g.tile in sides(g.image),
        "no overlap": lambda g: g.overlap == 0,
        "one class": lambda g: g.model.settings["num_classes"] == 1,
        "several classes": lambda g: g.model.settings["num_classes"] > 1,
        "colour": lambda g: len(g.image) == 3,
        "in training mode": lambda g: g.model.settings["training"],
        "in evaluation mode": lambda g: g.model.settings.get("training") is False,
    },
    "predict_dihedral": {
        "square": lambda g: sides(g.image)[0] == sides(g.image)[1],
        "not square": lambda g: sides(g.image)[0] != sides(g.image)[1],
        "a row": lambda g: line(g.image),
        "one class": lambda g: g.model.settings["num_classes"] == 1,
        "several classes": lambda g: g.model.settings["num_classes"] > 1,
        "in training mode": lambda g: g.model.settings["training"],
        "in evaluation mode": lambda g: g.model.settings.get("training") is False,
    },
    "train_one_epoch": {
        "a smaller last batch": lambda g: len(g.loader.settings["images"]) % g.loader.settings["batch_size"],
        "full batches": lambda g: not len(g.loader.settings["images"]) % g.loader.settings["batch_size"],
        "one image a batch": lambda g: g.loader.settings["batch_size"] == 1,
        "one batch": lambda g: len(g.loader.settings["images"]) <= g.loader.settings["batch_size"],
        "a model in evaluation mode": lambda g: not g.model.settings["training"],
        "large gradients": lambda g: g.loss_fn.settings.get("scale", 1) > 10,
        "a list as loader": lambda g: g.loader.kind == "list of batches",
    },
    "evaluate": {
        "one channel": lambda g: g.model.settings["num_classes"] == 1,
        "two classes": lambda g: g.model.settings["num_classes"] == 2,
        "more classes": lambda g: g.model.settings["num_classes"] > 2,
        "a smaller last batch": lambda g: len(g.loader.settings["images"]) % g.loader.settings["batch_size"],
        "one batch": lambda g: len(g.loader.settings["images"]) <= g.loader.settings["batch_size"],
        "an image without an object": lambda g: any(map(none, g.loader.settings["masks"])),
        "in training mode": lambda g: g.model.settings.get("training", True),
        "in evaluation mode": lambda g: g.model.settings.get("training") is False,
        "a list as loader": lambda g: g.loader.kind == "list of batches",
    },
    "freeze_encoder": {
        "in training mode": lambda g: g.model.settings["training"],
        "in evaluation mode": lambda g: not g.model.settings["training"],
        "grey": lambda g: g.model.settings["in_channels"] == 1,
        "colour": lambda g: g.model.settings["in_channels"] == 3,
    },
    "augment_pair": {
        "square": lambda g: sides(g.image)[0] == sides(g.image)[1],
        "not square": lambda g: sides(g.image)[0] != sides(g.image)[1],
        "grey": lambda g: len(g.image) == 1,
        "colour": lambda g: len(g.image) == 3,
    },
    "elastic_pair": {
        "nothing moves": lambda g: "`alpha` = 0" in g.label,
        "several channels": lambda g: len(g.image) > 1,
        "beyond the border": lambda g: "beyond the border" in g.label,
        "not square": lambda g: sides(g.image)[0] != sides(g.image)[1],
    },
    "EarlyStopping": {
        "max": lambda g: "'max'" in g.label,
        "min": lambda g: "'min'" in g.label,
        "a tie with the best": lambda g: _ties(g) and "'max'" in g.label,
        "a tie at zero": lambda g: _ties(g) and none(g.values[:1]),
        "never better than the first": lambda g: "'max'" in g.label and bool((g.values[1:] <= g.values[0]).all()),
        "below zero": lambda g: "'max'" in g.label and bool((g.values < 0).all()),
        "NaN": lambda g: bool(g.values.isnan().any()),
        "NaN first": lambda g: bool(g.values[0].isnan()),
        "no model": lambda g: "without a model" in g.label,
    },
    "PairDataset": {
        "grey": lambda g: g.image_0.ndim == 2,
        "colour": lambda g: g.image_0.ndim == 3 and g.image_0.shape[2] == 3,
        "without a transform": lambda g: "without a transform" in g.label,
        "with a transform": lambda g: "and a transform" in g.label,
        "one pair": lambda g: not hasattr(g, "image_1"),
        "images of unlike size": lambda g: hasattr(g, "image_1") and sides(g.mask_0) != sides(g.mask_1),
    },
    "compare": {
        "several models": lambda g: "models c, b, a" in g.label,
        "batches of unlike size": lambda g: "batches of 3, 1 images" in g.label,
        "one batch": lambda g: "one batch" in g.label,
    },
    "Hourglass": {
        "one step": lambda g: getattr(g, "depth", 0) == 1 or "depth=1" in getattr(g, "label", ""),
        "more steps": lambda g: getattr(g, "depth", 0) == 2,
        "the default depth": lambda g: "base_channels=1)" in getattr(g, "label", ""),
        "colour": lambda g: "(3, 1" in getattr(g, "label", ""),
        "several images": lambda g: hasattr(g, "x") and len(g.x) > 1,
    },
    "UNet": {
        "one step": lambda g: getattr(g, "depth", 0) == 1 or "depth=1" in getattr(g, "label", ""),
        "more steps": lambda g: getattr(g, "depth", 0) == 2,
        "the default depth": lambda g: "base_channels=1)" in getattr(g, "label", ""),
        "odd sides": lambda g: hasattr(g, "x") and odd(g.x),
        "colour": lambda g: "(3, 1" in getattr(g, "label", ""),
        "several images": lambda g: hasattr(g, "x") and len(g.x) > 1,
    },
}


def _ties(g):
    seen = g.values[~g.values.isnan()].tolist()
    return any(value in seen[:k] for k, value in enumerate(seen))


def _meets(holds, inputs):
    try:
        return holds(inputs)
    except AttributeError:  # a script shows other things than a call has arguments
        return False


@pytest.mark.parametrize("name", exercises.names())
def test_every_region_has_a_probe_on_every_seed(name):
    assert name in REGIONS, f"Which inputs does the text of {name} admit? Add them to REGIONS, each with what it is."
    exercise = exercises.load(name)
    for seed in SEEDS:
        inputs = [given(exercise, probe) for probe in engine._probes(name, seed)]
        without = [region for region, holds in REGIONS[name].items() if not any(_meets(holds, g) for g in inputs)]
        assert not without, f"seed {seed}: helpers/exercises/ has no probe of {name} there"

"""What several exercises need: probes that more than one of them draws, and statements in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from helpers.checks.observe import drawn_weights, shapes_of
from helpers.checks.probes import Call, Draw, Script
from helpers.checks.subject import Args, Kwargs, Raised, Reply, Subject

Pair = tuple[Tensor, ...]

# Library functions that convolve. `unfold` is none: it is a view of the windows, and the sums are still to be written.
CONVOLUTIONS = (
    *("conv1d", "conv2d", "conv3d", "conv_tbc", "convolution"),  # torch's
    *("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
    *("correlate", "correlate1d", "correlate2d", "convolve", "convolve1d", "convolve2d"),  # numpy's and scipy's
    *("fftconvolve", "oaconvolve", "sepfir2d"),
)

# ---- statements ----


def claim(text: str, holds: Any) -> tuple[str, bool]:
    """A statement that a `Script` yields: in words, and whether it holds."""
    return f'the statement "{text}"', bool(holds)


def is_pair(value: Any) -> bool:
    """Whether a result is two tensors."""
    return isinstance(value, tuple | list) and len(value) == 2 and all(isinstance(x, Tensor) for x in value)


def same(ones: Iterable[Pair], others: Iterable[Pair]) -> bool:
    """Whether two lists of pairs of tensors agree to the bit."""
    return all(
        x.shape == y.shape and torch.equal(x, y)
        for one, other in zip(ones, others, strict=True)
        for x, y in zip(one, other, strict=True)
    )


def generator_claims(replies: list[Reply], seeds: list[int]) -> Iterator[tuple[str, bool]]:
    """What holds for everything random that is given a generator."""
    states = [reply.args_after[-1] for reply in replies]
    yield claim("random numbers are drawn from the given generator", all(s["drawn from"] for s in states))
    yield claim(
        "the given generator is not seeded again",
        all(s["seed"] == str(seed) for s, seed in zip(states, seeds, strict=True)),
    )
    yield claim("the global random generators are left alone", all(r.random_state_untouched for r in replies))
    yield "inputs unchanged", all(reply.inputs_unchanged for reply in replies)


def four_numbers(result: Any, args: Args) -> Any:
    """A tensor of four numbers unpacks like a tuple of four, so it is as good."""
    return tuple(result.tolist()) if isinstance(result, Tensor) else result


def without_ceiling(loss: Any, args: Args) -> Any:
    """The loss, or words where it stops growing: the height at which an answer cuts it off says nothing about why."""
    return "finite, and far too small" if 0 < loss < 1000 else loss


# ---- probes ----


def pairs_of_masks(draw: Draw) -> Iterator[Pair]:
    """Pairs of boolean masks (H, W). The small ones can be counted by hand, so they come first."""
    # 4 and 3 pixels, 2 in both: Dice 4/7, IoU 2/5, precision 1/2, recall 2/3: no two formulas agree here
    yield draw.masks("""
        ##.   .##
        ##.   .#.
    """)
    yield draw.masks("""
        ##..   ..##
        #...   ...#
    """)  # as large as each other, and no pixel in both
    yield draw.masks("""
        #..#   .##.
        ....   ####
    """)
    yield draw.masks(".#.   ...")  # a union of one pixel
    yield draw.masks("...   ..#")
    yield draw.empty(3, 4), draw.empty(3, 4)
    yield draw.empty(3, 4), draw.mask(3, 4)
    yield draw.mask(4, 3), draw.empty(4, 3)
    alike = draw.mask(5, 7, fraction=0.3)
    yield alike, alike.clone()
    yield draw.mask(30, 40, fraction=0.8), draw.mask(30, 40, fraction=0.7)  # more in both than a byte can count
    for _ in range(5):
        h, w = draw.size(2, 40), draw.size(2, 40)  # not square
        yield draw.mask(h, w, fraction=draw.uniform(0.01, 0.9)), draw.mask(h, w, fraction=draw.uniform(0.01, 0.9))


def logits_and_targets(draw: Draw) -> Iterator[Pair]:
    """Logits of moderate size and targets, both (N, 1, H, W): no objects, nothing else, some; one image and more.

    H and W differ, and the images of a batch hold objects of different sizes.
    """
    yield 2 * draw.normal(1, 1, 2, 3), torch.zeros(1, 1, 2, 3)
    yield 2 * draw.normal(1, 1, 3, 2), torch.ones(1, 1, 3, 2)
    yield 2 * draw.normal(2, 1, 3, 4), torch.stack([draw.empty(3, 4), draw.mask(3, 4)])[:, None].float()
    for n in (1, 3, draw.size(2, 4)):
        h, w = draw.size(2, 4), draw.size(5, 8)
        fractions = [0.1 + 0.8 * (k + draw.uniform(0, 0.9)) / n for k in range(n)]
        yield 2 * draw.normal(n, 1, h, w), torch.stack([draw.mask(h, w, s) for s in fractions])[:, None].float()


def certain_logits() -> Iterator[Call]:
    """Logits of ±10 000: first all right, where the loss is 0, then all wrong, where it is up to 10 000."""
    target = torch.tensor([[[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]]])
    right = 1e4 * (2 * target - 1)
    yield Call((right, target), label="logits of ±10 000, all on the right side", gradients=(0,))
    yield Call((-right, target), label="logits of ±10 000, all on the wrong side", gradients=(0,), view=without_ceiling)


def forwards(args: Args, kwargs: Kwargs, image: Tensor, seed: int) -> Script:
    """Evaluation mode only: quicker than a `Build`, for networks that are checked by one elsewhere.

    Shapes first, then the values with weights drawn from `seed`.
    """

    def run(subject: Subject) -> Iterator[tuple[str, Any]]:
        built = subject.construct(args, kwargs).value
        if built != "module":
            yield "construction", built
            return
        subject.train(False)
        result = subject.forward((image,)).value
        yield "construction", result if isinstance(result, Raised) else built
        yield "shape of the result", shapes_of(result)
        shapes = subject.parameters().used
        yield "shapes of the parameters, in the order of their use", shapes
        generator = torch.Generator().manual_seed(seed)
        subject.set_parameters([drawn_weights(shape, generator) for shape in shapes])
        yield "result in evaluation mode, with weights of ours", subject.forward((image,)).value

    return Script(run, _network(args, kwargs, image), {"image": image})


def widest(args: Args, kwargs: Kwargs, channels: int, image: Tensor) -> Script:
    """Only how many channels a network gets to: quick where there are many."""

    def run(subject: Subject) -> Iterator[tuple[str, Any]]:
        built = subject.construct(args, kwargs).value
        if built == "module":
            subject.train(False)
            result = subject.forward((image,)).value
            built = result if isinstance(result, Raised) else built
        yield "construction", built
        if built != "module":
            return
        widths = [shape[0] for shape in subject.parameters().used if shape[2:] == (3, 3)]
        yield claim(f"the widest 3×3 convolution gives {channels} channels", max(widths, default=0) == channels)

    return Script(run, _network(args, kwargs, image), {"image": image})


def _network(args: Args, kwargs: Kwargs, image: Tensor) -> str:
    settings = ", ".join([*map(str, args), *(f"{name}={value}" for name, value in kwargs.items())])
    return f"a network built with `({settings})`, on an image of shape {tuple(image.shape)}"

"""Answers to tasks that are to be done by hand, and that let a library do them where nobody looks.

All compute the right numbers. What counts is that the library's function is not seen where it is watched for.
"""

from __future__ import annotations

from typing import Any

from tests.hostile.case import CAUGHT, Case, attack, source

LESSON = "04_convolution"


def conv(name: str, tries: str, cell: str, **more: Any) -> Case:
    """An answer to `conv2d`, that may call nothing that convolves."""
    return attack(name, tries, cell, CAUGHT, exercise="conv2d", lesson=LESSON, **more)


def through(setup: str, call: str) -> str:
    """An answer that convolves by a call on `image` and `kernel` with their four axes."""
    return f"""{source(setup)}

def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    image, kernel = image[None, None], kernel[None, None]
    return {call}[0, 0] + bias
"""


CASES: list[Case] = [
    conv("library call", "calls F.conv2d", through("", "F.conv2d(image, kernel, None, stride, padding)")),
    conv(
        "library call by another name",
        "binds F.conv2d to another name in another statement",
        through("slide = F.conv2d", "slide(image, kernel, None, stride, padding)"),
    ),
    conv(
        "library call by a text",
        "takes F.conv2d by a name that is put together",
        through("", 'getattr(F, "conv" + "2d")(image, kernel, None, stride, padding)'),
    ),
    conv(
        "library call through torch.ops",
        "calls torch.ops.aten.conv2d, which passes by torch's own hooks",
        through("", "torch.ops.aten.conv2d(image, kernel, None, [stride] * 2, [padding] * 2)"),
    ),
    conv(
        "library call through torch._C",
        "calls the C function, without the Python that is watched",
        through("", "torch._C._VariableFunctions.conv2d(image, kernel, None, stride, padding)"),
    ),
    conv(
        "library call with the watch off",
        "disables torch's function modes around the call",
        """
        import torch

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            with torch._C.DisableTorchFunction():
                return F.conv2d(image[None, None], kernel[None, None], None, stride, padding)[0, 0] + bias
        """,
    ),
    conv(
        "library call in a thread",
        "calls F.conv2d in a thread, where no hook of this one looks",
        """
        from concurrent.futures import ThreadPoolExecutor

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            with ThreadPoolExecutor(1) as pool:
                call = pool.submit(F.conv2d, image[None, None], kernel[None, None], None, stride, padding)
            return call.result()[0, 0] + bias
        """,
    ),
    conv(
        "library call in an autograd thread",
        "lets the backward pass of another function call it",
        """
        class Late(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, image, kernel, stride, padding):
                ctx.given = image, kernel, stride, padding
                return x.clone()

            @staticmethod
            def backward(ctx, gradient):
                image, kernel, stride, padding = ctx.given
                Late.result = F.conv2d(image[None, None], kernel[None, None], None, stride, padding)[0, 0]
                return gradient, None, None, None, None

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            with torch.enable_grad():
                Late.apply(torch.ones((), requires_grad=True), image, kernel, stride, padding).backward()
            return Late.result + bias
        """,
    ),
    conv(
        "library call that is scripted",
        "compiles a function that calls it with torch.jit, so that Python sees no call",
        """
        slide = torch.jit.CompilationUnit('''
        def slide(x, w, stride: int, padding: int):
            return torch.conv2d(x, w, None, [stride, stride], [padding, padding])
        ''').slide

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            return slide(image[None, None], kernel[None, None], stride, padding)[0, 0] + bias
        """,
    ),
    conv(
        "library call that is remembered",
        "calls the library the first time, and has the result ready when it is watched",
        """
        kept = {}

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            key = str(image.tolist()), str(kernel.tolist()), stride, padding
            if key not in kept:
                slide = getattr(F, "conv" + "2d")
                kept[key] = slide(image[None, None], kernel[None, None], None, stride, padding)[0, 0]
            return kept[key] + bias
        """,
    ),
    conv(
        "layer that is remembered",
        "uses nn.Conv2d, whose name is not among the forbidden ones, in a function that keeps its results",
        """
        kept = {}

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            key = str(image.tolist()), str(kernel.tolist()), stride, padding
            if key not in kept:
                layer = nn.utils.skip_init(nn.Conv2d, 1, 1, len(kernel), stride, padding, bias=False)
                with torch.no_grad():
                    layer.weight.copy_(kernel[None, None])
                    kept[key] = layer(image[None, None])[0, 0]
            return kept[key].clone() + bias
        """,
    ),
    conv(
        "layer of the library",
        "uses nn.Conv2d, whose name is not among the forbidden ones",
        """
        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            with torch.random.fork_rng():
                layer = nn.Conv2d(1, 1, len(kernel), stride, padding, bias=False)
            with torch.no_grad():
                layer.weight.copy_(kernel[None, None])
                return layer(image[None, None])[0, 0] + bias
        """,
    ),
    conv(
        "the library's other names",
        "calls torch.mkldnn_convolution, which is the same by a name that nobody forbids",
        through("", "torch.mkldnn_convolution(image, kernel, None, [padding] * 2, [stride] * 2, [1, 1], 1)"),
    ),
    conv(
        "gradient of the library",
        "takes the gradient of a convolution with respect to its weight, which is a convolution",
        """
        from torch.nn import grad

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            image = F.pad(image, 4 * [padding])
            size = [side - len(kernel) + 1 for side in image.shape]
            full = grad.conv2d_weight(image[None, None], (1, 1, *size), kernel[None, None])[0, 0]
            return full[::stride, ::stride] + bias
        """,
    ),
    conv(
        "looks like its own",
        "calls its own function as the library's, inside of which the library's is called",
        """
        class own:
            conv2d = staticmethod(F.conv2d)

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            return own.conv2d(image[None, None], kernel[None, None], None, stride, padding)[0, 0] + bias
        """,
    ),
    conv(
        "puts the watch away",
        "takes the functions away with which calls are watched",
        """
        import contextlib
        from helpers.checks import subject

        subject._shortcuts_seen = lambda *args: contextlib.nullcontext(set())

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            subject
            return getattr(F, "conv" + "2d")(image[None, None], kernel[None, None], None, stride, padding)[0, 0] + bias
        """,
    ),
    conv(
        "changes its reply",
        "finds the reply among all objects and takes what was seen out of it",
        """
        import gc

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            slide = getattr(F, "conv" + "2d")
            result = slide(image[None, None], kernel[None, None], None, stride, padding)[0, 0] + bias
            for thing in gc.get_objects():
                if type(thing) is set and "conv2d" in thing:
                    thing.clear()
            return result
        """,
    ),
    conv(
        "wipes out what was seen",
        "goes up the frames of whoever calls it, by names that are put together, to what was seen of it",
        """
        import traceback

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            slide = getattr(F, "conv" + "2d")
            result = slide(image[None, None], kernel[None, None], None, stride, padding)[0, 0] + bias
            for frame, _ in getattr(traceback, "walk" + "_stack")(None):
                seen = getattr(frame, "f_" + "locals").get("seen")
                if seen:
                    seen.clear()
            return result
        """,
    ),
    conv(
        "wipes out what was seen, from a generator",
        "finds the frames of whoever calls it through a generator's own, by names that are put together",
        """
        def wipe():
            frame = getattr(steps[-1], "gi_" + "frame")
            while frame:
                seen = getattr(frame, "f_" + "locals").get("seen")
                if seen:
                    seen.clear()
                frame = getattr(frame, "f_" + "back")
            yield

        steps = []

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            layer = nn.utils.skip_init(nn.Conv2d, 1, 1, len(kernel), stride, padding, bias=False)
            with torch.no_grad():
                layer.weight.copy_(kernel[None, None])
                result = layer(image[None, None])[0, 0] + bias
            steps[:] = [wipe()]
            list(steps[-1])
            return result
        """,
    ),
    conv(
        "everything through a generator's frame",
        "finds both the library and what was seen of it in frames, so that no name of either is written down",
        """
        def look():
            frame = getattr(steps[-1], "gi_" + "frame")
            while frame:
                found.update(getattr(frame, "f_" + "globals"))
                seen = getattr(frame, "f_" + "locals").get("seen")
                if seen:
                    seen.clear()
                frame = getattr(frame, "f_" + "back")
            yield

        steps, found = [], {}

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            steps[:] = [look()]
            list(steps[-1])
            slide = getattr(found["torch"], "conv" + "2d")
            result = slide(image[None, None], kernel[None, None], None, stride, padding)[0, 0] + bias
            steps[:] = [look()]
            list(steps[-1])
            return result
        """,
    ),
    conv(
        "wipes out what was seen, among all objects",
        "lets contextlib ask for all objects of the process, which it may not ask for itself",
        """
        import contextlib
        import gc

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            layer = nn.utils.skip_init(nn.Conv2d, 1, 1, len(kernel), stride, padding, bias=False)
            with torch.no_grad():
                layer.weight.copy_(kernel[None, None])
                result = layer(image[None, None])[0, 0] + bias
            for thing in contextlib.contextmanager(gc.get_objects)().gen:
                if type(thing) is set and "conv" + "2d" in thing:
                    thing.clear()
            return result
        """,
    ),
    conv(
        "convolves with scipy",
        "calls scipy.signal by a name that is put together",
        """
        from scipy import signal

        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            image = F.pad(image, 4 * [padding])
            made = getattr(signal, "corr" + "elate2d")(image.numpy(), kernel.numpy(), mode="valid")
            return torch.from_numpy(made)[::stride, ::stride] + bias
        """,
    ),
    attack(
        "pointwise as a remembered convolution",
        "calls the convolution once, and has its result ready when it is watched",
        """
        import functools

        def pointwise(x, weight, bias):
            return once(*(str(part.tolist()) for part in (x, weight, bias)), Kept(x, weight, bias)).clone()

        class Kept(tuple):
            def __new__(cls, *parts): return super().__new__(cls, parts)
            def __hash__(self): return 0
            def __eq__(self, other): return True

        @functools.lru_cache
        def once(a, b, c, parts):
            x, weight, bias = parts
            return getattr(torch, "conv" + "2d")(x, weight[:, :, None, None], bias)
        """,
        CAUGHT,
        exercise="pointwise",
        lesson=LESSON,
    ),
]

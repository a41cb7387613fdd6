"""Lesson 04: `receptive_field(layers)`."""

import math

from helpers.exercises import edits_of, exercise, variant
from helpers.reference.convolution import receptive_field


@exercise(
    receptive_field,
    lesson="04_convolution",
    concept="Receptive field",
    points=3,
    minutes=9,
    difficulty=3,
    hints=[
        "One 3×3 convolution sees 3 pixels along a side, two in a row see 5. What does each further one add?",
        "After a layer with stride 2, two neighbouring values are 2 pixels of the input apart. What does a 3×3 "
        "convolution add there?",
        "Carry two numbers from layer to layer: how many input pixels are seen, and how far apart two neighbours "
        "are. Each begins at 1. In which order do you update them?",
    ],
    task=(
        "`layers` is a list of `(kernel, stride)`, starting at the input, one pair for each convolution or pooling. "
        "Return how many pixels of the input, along one side, one value of the last layer spans: from the first that "
        "it depends on to the last, both included. Without layers that is 1."
    ),
)
def probes(draw):
    """Where a stride stands matters, and so do even kernels: each small list sets two formulas apart."""
    yield ([(3, 1)],)
    yield ([(3, 1), (3, 1)],)
    yield ([(3, 2), (3, 1)],)
    yield ([(3, 1), (3, 2)],)  # a stride at the end spaces values that no layer looks at
    yield ([(5, 1), (3, 2), (1, 1)],)
    yield ([(2, 2), (3, 1)],)
    yield ([(3, 2), (5, 3), (3, 1)],)
    yield ([],)
    yield ([(4, 1)],)
    unet_encoder = [(3, 1), (3, 1), (2, 2)] * 4 + [(3, 1), (3, 1)]
    yield (unet_encoder,)  # 140
    for _ in range(5):
        # No stride is longer than its kernel: there would be pixels in between that no value depends on.
        kernels = [draw.size(1, 7) for _ in range(draw.size(2, 5))]
        yield ([(kernel, draw.size(1, min(kernel, 3))) for kernel in kernels],)


edit = edits_of(receptive_field)

edit(
    "stride ignored",
    "Your result does not depend on the strides. Behind a stride of 2 the values lie two pixels apart, so each later "
    "kernel reaches twice as far. Look at what a kernel is worth in pixels of the *input*.",
    ("        step *= stride\n", ""),
)

edit(
    "sum of the kernels",
    "You add the kernels up. Two 3×3 convolutions see 5 pixels and not 6, since the windows of neighbouring values "
    "overlap. Look at how many *new* pixels a layer adds.",
    ("field, step = 1, 1", "field, step = 0, 1"),
    ("(kernel - 1)", "kernel"),
)

edit(
    "sum of the kernels and 1",
    "You add each layer's whole kernel to the 1 you begin with. The pixel that a value stands on is one of the "
    "kernel's, so a 3×3 adds 2 pixels and not 3. Look at how many *new* pixels a layer adds.",
    ("(kernel - 1)", "kernel"),
)

edit(
    "the stride not taken off on the way back",
    "From the last layer back to the input you multiply by the stride and add the kernel. `r` neighbours are only `r "
    "- 1` steps apart, and the kernel then covers both ends. Look at what a single 3×3 gives: it sees 3 pixels.",
    ("        field += (kernel - 1) * step\n        step *= stride\n", "        field = field * stride + kernel\n"),
    ("in layers", "in layers[::-1]"),
)

edit(
    "sum of the kernels, stride ignored",
    "You add the kernels up, and the strides do not enter. Neighbouring windows overlap, so two 3×3 convolutions see "
    "5 pixels and not 6; and behind a stride every kernel reaches further. Look at what one layer adds.",
    ("field, step = 1, 1", "field, step = 0, 1"),
    ("(kernel - 1)", "kernel"),
    ("        step *= stride\n", ""),
)

edit(
    "product of the kernels",
    "You multiply the kernels. Two 3×3 convolutions would see 9 pixels that way, as if the windows of neighbouring "
    "values did not overlap. Look at how many new pixels the second layer adds.",
    ("field += (kernel - 1) * step", "field *= kernel"),
)

edit(
    "only the largest kernel",
    "You return the largest kernel. Each layer adds to what the layers before it see: two 3×3 in a row see 5 pixels. "
    "Look at how the layers are brought together.",
    ("field += (kernel - 1) * step", "field = max(field, kernel)"),
)

edit(
    "a layer's own stride counted for its kernel",
    "You widen the steps by a layer's stride before its kernel is counted. The stride sets its *outputs* apart; the "
    "kernel still looks at values that lie as close as the layers before left them. Look at the order of your "
    "two updates.",
    ("* step\n        step *= stride\n", "* step * stride\n        step *= stride\n"),
)

edit(
    "own stride only",
    "You multiply each kernel by the stride of its own layer. What counts are the strides of all layers *before* it. "
    "Look at where the distance between neighbours comes from.",
    ("* step\n        step *= stride\n", "* stride\n"),
)

edit(
    "only the previous stride",
    "You use the stride of the layer before and forget all earlier ones. Strides pile up: two of 2 set "
    "neighbours 4 pixels apart. Look at how the distance is carried on from layer to layer.",
    ("step *= stride", "step = stride"),
)

edit(
    "strides added",
    "You add the strides up. Each multiplies the distance that is there already: strides 2 and 3 set neighbours 6 "
    "pixels apart. Look at how you bring the distance up to date.",
    ("step *= stride", "step += stride"),
)

edit(
    "strides added, less the 1",
    "You add `stride - 1` for each layer. Each stride multiplies the distance that is there already: strides 2 and 3 "
    "set neighbours 6 pixels apart. Look at how you bring the distance up to date.",
    ("step *= stride", "step += stride - 1"),
)

edit(
    "powers of two for strides",
    "You double the distance at every layer with a stride, whatever the stride is. "
    "Look at which number multiplies the distance.",
    ("step *= stride", "step *= 2 if stride > 1 else 1"),
)

edit(
    "begins at 0",
    "Your result is one too small: before the first layer a value sees one pixel, itself. "
    "Look at what your sum begins with.",
    ("field, step = 1, 1", "field, step = 0, 1"),
)

edit(
    "layers in the wrong order",
    "You walk through the layers from the wrong end. The list begins at the input, and a stride spaces what comes "
    "*after* it. Look at the direction of your loop, and at which formula belongs to it.",
    ("in layers", "in layers[::-1]"),
)

edit(
    "kernel and stride exchanged",
    "You take the first number of each pair for the stride and the second for the kernel. The pairs are `(kernel, "
    "stride)`. Look at how you unpack them.",
    ("for kernel, stride in", "for stride, kernel in"),
)

edit(
    "the last layer left out",
    "The last layer is missing from your result. Its values are the ones you ask about, so its kernel counts. "
    "Look at where your loop ends.",
    ("in layers", "in layers[:-1]"),
)

edit(
    "the first layer left out",
    "The first layer is missing from your result. Look at where your loop begins, and at what you begin with.",
    ("in layers", "in layers[1:]"),
)

edit(
    "the return in the loop",
    "Your loop ends with its first round, so only the first layer counts. Look at how far your `return` stands to the "
    "right.",
    ("    return field", "        return field\n    return field"),
)

edit(
    "the distance instead of the field",
    "You return how far apart two neighbouring values are, the product of the strides. Asked for is how much *one* "
    "value sees. Look at which of the two numbers you return.",
    ("return field", "return step"),
)

edit(
    "half kernels, doubled",
    "You count `kernel // 2` pixels on each side of the middle. An even kernel has no middle: one of 2, as in pooling, "
    "adds one pixel and not two. Look at what you do with even kernels.",
    ("(kernel - 1)", "2 * (kernel // 2)"),
)

edit(
    "one side of the kernel only",
    "You count `kernel // 2` pixels for each layer, which is how far it reaches to *one* side. The field goes from "
    "the first pixel to the last. Look at what one 3×3 sees.",
    ("(kernel - 1)", "(kernel // 2)"),
)

edit(
    "an area",
    "You return the number of pixels in the square. Asked for is the length of its side. Look at your last line.",
    ("return field", "return field**2"),
)

edit(
    "an error without layers",
    "An empty list makes your function fail. A value that has gone through no layer sees one pixel, itself. "
    "Look at what you take from the list before the loop.",
    ("field, step = 1, 1", "(field, step), *layers = layers"),
    any_error=True,
)

edit(
    "no pixels without layers",
    "For an empty list you return 0. A value that has gone through no layer sees one pixel, itself. "
    "Look at what your result begins with.",
    ("return field", "return field if layers else 0"),
)


@variant("from the last layer back to the input")
def from_the_end(layers):
    size = 1
    for kernel, stride in reversed(layers):
        size = (size - 1) * stride + kernel
    return size


@variant("as a sum over the strides before")
def summed_up(layers):
    return 1 + sum((k - 1) * math.prod(s for _, s in layers[:i]) for i, (k, _) in enumerate(layers))


@variant("by marking the pixels that are seen")
def marked(layers):
    seen = {0}
    for kernel, stride in layers[::-1]:
        seen = {place * stride + weight for place in seen for weight in range(kernel)}
    return len(seen)

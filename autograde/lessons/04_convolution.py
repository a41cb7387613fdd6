# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 04 · Convolution: the block the U-Net is made of
#
# **You will** slide kernels over a real micrograph, work out how large the result is and how far it sees, and build
# the block that stands on every level of the U-Net.
#
# **Time** about 60 minutes · **You need** tensors `(N, C, H, W)` (lesson 01), modules and the
# training loop (lesson 03) · **You write** `conv2d`, `output_size`, `receptive_field`, `pointwise` and `DoubleConv`

# %%
import time

import torch
import torch.nn.functional as F
from skimage.filters import threshold_otsu
from torch import nn

# %% [markdown]
# ## 1 · Nine numbers that look
#
# A threshold looks at one pixel at a time:

# %%
image, labels = data.load("nuclei", "train", tile=128)[7]
x = image[None]  # (1, 1, 128, 128): a batch of one grey image
truth = labels > 0
bright = x[0, 0] > threshold_otsu(x[0, 0].numpy())
show.overlap([("one threshold for all pixels", bright, truth)], image)

# %% [markdown]
# It cannot know whether a grey pixel is the glow beside a bright nucleus or
# the rim of a dim one, so it takes in the one (false) and loses the other (missed), and no other threshold fixes both.
# To tell them apart you have to look at the *neighbours*.
#
# A **convolution** does that with a small grid of numbers, the *kernel*: lay it over a pixel, multiply each neighbour
# with the number above it, add up, move on. (In mathematics a convolution turns the kernel round first; what networks
# do, without turning, is called *cross-correlation* there.)

# %%
kernels = {
    "mean of nine": torch.full((3, 3), 1 / 9),
    "left edges": torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "top edges": torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]),
}
window = x[0, 0, 75:78, 53:56]
products = window * kernels["left edges"]
show.images(
    [
        ("nine pixels", window),
        ("left edges", kernels["left edges"]),
        ("their products", products),
    ]
)
print(f"the sum of the products is one pixel of the result: {products.sum():.2f}")

# %% [markdown]
# There are three extras. A **bias**, the same number everywhere, is added to each sum. **Padding** puts zeros around
# the image first. And with a **stride** of 2 the kernel skips every other place.
#
# **Predict.** Work one out on paper.

# %%
quiz("conv-by-hand")

# %% [markdown] card="conv2d"


# %% exercise="conv2d"
def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
    """Slide a kernel over an image; at each place, the sum of the products, plus bias.

    image: float (H, W). kernel: float (k, k), not flipped.
    stride: pixels from one window to the next. padding: zeros around each side.
    Returns float (rows, columns), one value for each window.
    """
    ### BEGIN SOLUTION
    k = len(kernel)
    height, width = image.shape
    padded = image.new_zeros(height + 2 * padding, width + 2 * padding)
    padded[padding : padding + height, padding : padding + width] = image
    rows = range(0, padded.shape[0] - k + 1, stride)
    columns = range(0, padded.shape[1] - k + 1, stride)
    output = image.new_zeros(len(rows), len(columns))
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            window = padded[top : top + k, left : left + k]
            output[i, j] = (window * kernel).sum() + bias
    return output
    ### END SOLUTION


# %% check="conv2d"
check(conv2d)

# %% [markdown]
# <details><summary>Where to begin</summary>
#
# Forget `bias`, `stride` and `padding` at first, and run the check: it tells you which argument it misses. Two loops,
# one window, one sum. Then padding: make a larger tensor of zeros, put the image in its middle, and go on as before.
#
# </details>
#
# <details><summary>One row too many, or an error at the last window</summary>
#
# The last window begins `k` pixels before the end, not at the end. For 6 pixels and a kernel of 3 the windows begin at
# 0, 1, 2 and 3.
#
# </details>

# %% [markdown]
# ### Look
#
# Your convolution on the micrograph, three kernels. The edge maps have signs: where the image grows brighter to the
# right, *left edges* is positive (red); where it grows darker, negative (blue).

# %%
convolve = use(conv2d)
start = time.perf_counter()
maps = {name: convolve(x[0, 0], kernel) for name, kernel in kernels.items()}
yours = time.perf_counter() - start
show.images([("micrograph", x[0]), *maps.items()])

start = time.perf_counter()
theirs = [F.conv2d(x, kernel[None, None])[0, 0] for kernel in kernels.values()]
seconds = time.perf_counter() - start
gap = max((a - b).abs().max().item() for a, b in zip(maps.values(), theirs, strict=True))
print(f"largest difference from F.conv2d: {gap:.1e}")
print(f"in Python {1000 * yours:.0f} ms, in PyTorch {1000 * seconds:.1f} ms")

# %% [markdown]
# From here on PyTorch's version does the work. It computes the same; the last line says in what time.
#
# The same nine numbers work everywhere: an edge is an edge at the top left and at the bottom right. So, away from the
# borders, it makes no difference whether you shift the picture and then convolve, or convolve and then shift. This is
# called **equivariance** to shifts.

# %%
part, kernel = x[0, 0, 40:90, 30:80], kernels["left edges"]
after = convolve(part, kernel)
first_shifted = convolve(part.roll(9, dims=1), kernel)
shifted = (first_shifted - after.roll(9, dims=1))[:, 9:].abs().max()  # behind the seam
turned = (convolve(part.rot90(), kernel) - after.rot90()).abs().max()
print(f"shifted before or after: at most {shifted:.1e} apart")
print(
    f"turned before or after:  at most {turned:.1f} apart, of {after.abs().max():.1f} at most"
)

# %% claim="whether you shift the picture and then convolve, or convolve and then shift"
claim(lambda apart: apart < 1e-5, shifted, turned=[turned])

# %% [markdown]
# A quarter turn is another matter: a kernel for left edges finds other edges in a turned picture.
#
# If you add up the red and the blue of an edge map, they cancel. Throwing one of them away keeps the other: that is a
# **ReLU**, `max(x, 0)`.

# %%
edges = maps["left edges"]
show.images(
    [
        ("left edges", edges),
        ("after ReLU: left sides", F.relu(edges)),
        ("ReLU of −x: right sides", F.relu(-edges)),
    ]
)

# %% [markdown]
# Nobody chooses the nine numbers of a U-Net. They are *learned*: `nn.Conv2d` holds a kernel for each pair of input and
# output channel, and training finds the values. Choose some yourself first:

# %%
play.kernel(image, kernels["top edges"])

# %% [markdown]
# ## 2 · Borders and strides: how large is the result?
#
# A 3×3 kernel cannot be centred on the outermost pixels: a neighbour is missing. Either you leave them out (*valid*),
# or you pad with zeros, so that the size stays the *same*.

# %%
ones = torch.ones(6, 6)
mean = kernels["mean of nine"]
show.images(
    [
        ("6×6 ones", ones),
        ("mean, valid", convolve(ones, mean)),
        ("padding=1", convolve(ones, mean, padding=1)),
        ("padding=1, stride=2", convolve(ones, mean, padding=1, stride=2)),
    ]
)

# %% [markdown]
# With padding the border darkens: the kernel averages zeros in. The U-Net of 2015 did without; its output is smaller
# than its input. So sizes have to be worked out, and you will want a function for it.

# %%
quiz("padding-zero-shrinks")

# %% [markdown] card="output_size"


# %% exercise="output_size"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """How many windows fit along a side of `size` pixels: its length afterwards.

    padding: zeros at each end.
    dilation: pixels from one weight of the kernel to the next.
    """
    ### BEGIN SOLUTION
    span = dilation * (kernel - 1) + 1
    return (size + 2 * padding - span) // stride + 1
    ### END SOLUTION


# %% check="output_size"
check(output_size)

# %% [markdown]
# ### Look
#
# Your function walks the side of the 2015 network's input down its encoder: two 3×3 convolutions without padding, then
# a 2×2 window with stride 2 (the pooling of the next lesson), four times, and two convolutions at the bottom.

# %%
size_after = use(output_size)
side, walk = 572, ["572"]
for kernel, stride in [(3, 1), (3, 1), (2, 2)] * 4 + [(3, 1), (3, 1)]:
    side = size_after(side, kernel, stride)
    walk.append(f"{side}" if stride == 1 else f"| {side}")
print(" ".join(walk))

# %% [markdown]
# And the zeros of padding: how far does their trace reach? Cut a tile out of the micrograph, blur it with padding
# three times, and compare with the same place of the larger picture, where the neighbours were real.

# %%
tile = x[:, :, 40:80, 30:70]
whole, cut = x, tile
for _ in range(3):
    whole = F.conv2d(whole, mean[None, None], padding=1)
    cut = F.conv2d(cut, mean[None, None], padding=1)
wrong = (cut - whole[:, :, 40:80, 30:70]).abs()[0, 0]
inner = [wrong[k:-k, k:-k].max().item() for k in (1, 2, 3)]
show.images([("blurred with padding", cut[0]), ("what the zeros changed", wrong)])
print("largest error 1, 2, 3 pixels from the edge: {:.3f}, {:.3f}, {:.0e}".format(*inner))

# %% [markdown]
# One pixel for each convolution, and more behind a stride. Behind twenty convolutions the zeros have an effect at
# least twenty pixels deep. You will meet the remedy, overlapping tiles, in lesson 11.

# %% [markdown]
# ## 3 · How far does it see?
#
# One 3×3 convolution sees 3×3 pixels. How far does a stack of them see? Measure it: take one output value, and look
# which input pixels have a gradient that is not 0. Changing those changes the output.


# %%
def reach(*layers, size=15):
    """Input pixels that one output value in the middle depends on: bool (size, size)."""
    probe = torch.ones(1, 1, size, size, requires_grad=True)
    y = probe
    for kernel, stride in layers:
        weight = torch.ones(1, 1, kernel, kernel)  # ones, so that no weight hides a pixel
        y = F.conv2d(y, weight, stride=stride)
    y[0, 0, y.shape[2] // 2, y.shape[3] // 2].backward()
    return probe.grad[0, 0] != 0


show.images(
    [
        ("one 3×3: 3 pixels", reach((3, 1))),
        ("two 3×3: 5 pixels", reach((3, 1), (3, 1))),
        ("one 5×5: 5 pixels", reach((5, 1))),
        ("3×3 stride 2, then 3×3: 7", reach((3, 2), (3, 1))),
    ]
)

# %% [markdown]
# Two small kernels see as far as one large one. That area is the **receptive field**. Behind a stride of 2 the values
# stand two pixels apart, so the same 3×3 reaches further.

# %%
quiz("two-small-or-one-large")

# %% [markdown] card="receptive_field"


# %% exercise="receptive_field"
def receptive_field(layers):
    """Input pixels, along one side, that one value of the last layer spans.

    layers: list of (kernel, stride), from the input on. Without layers: 1.
    """
    ### BEGIN SOLUTION
    field, step = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step *= stride
    return field
    ### END SOLUTION


# %% check="receptive_field"
check(receptive_field)

# %% [markdown]
# ### Look
#
# A nucleus should fit into the field of the value that is to recognise it. How many 3×3 convolutions does that take,
# and how many with a pooling in between?

# %%
field = use(receptive_field)
areas = (
    data.load("nuclei", "train", tile=None).instances[0].unique(return_counts=True)[1][1:]
)
diameter = 2 * (areas.float().median().item() / torch.pi) ** 0.5
plain = next(n for n in range(1, 100) if field([(3, 1)] * n) >= diameter)
print(f"median nucleus: {diameter:.0f} pixels across; 3×3 convolutions to see it: {plain}")

level = [(3, 1), (3, 1), (2, 2)]
for depth in range(5):
    sees = field(level * depth + [(3, 1), (3, 1)])
    print(f"{2 * depth + 2:2} convolutions, {depth} poolings: {sees:3} pixels")

# %%
play.receptive_field(level * 2 + [(3, 1), (3, 1)])

# %% [markdown]
# Halving the picture is what makes the field grow fast. That is the encoder, in the next lesson.
#
# There is a catch in stacking. Two convolutions with nothing between them are one convolution in disguise: find the
# one 5×5 kernel that does what two random 3×3 kernels do, and look at what is left over.

# %%
generator = torch.Generator().manual_seed(0)
a, b = (torch.randn(1, 1, 3, 3, generator=generator) for _ in range(2))
# the 5×5 kernel is what an impulse looks like after both, turned by 180°
impulse = F.pad(torch.ones(1, 1, 1, 1), (4, 4, 4, 4))
both = F.conv2d(F.conv2d(impulse, a), b).flip(2, 3)

two = F.conv2d(F.conv2d(x, a), b)
one = F.conv2d(x, both)
bent = F.conv2d(F.relu(F.conv2d(x, a)), b)
print(f"two 3×3 against one 5×5:   largest difference {(two - one).abs().max():.1e}")
print(f"with a ReLU between them:  largest difference {(bent - one).abs().max():.1e}")

# %% [markdown]
# Without the ReLU the second kernel adds nothing that one larger kernel could not do. With it, the pair can say *and*:
# "an edge here, and another one two pixels on".

# %% [markdown]
# ## 4 · Many maps: the sum over channels, and the 1×1 convolution
#
# So far one map went in and one came out. A layer of a network takes `C` maps and makes `K`, and it has a kernel for
# *each pair*, `K`×`C` of them. An output channel is a **sum over all input channels**, each convolved with its own
# kernel. Here by hand, from the two edge maps to three new ones:

# %%
inputs = torch.stack([maps["left edges"], maps["top edges"]])[:, :50, :50].float()
torch.manual_seed(0)
conv = nn.Conv2d(2, 3, 3)  # weights (K, C, 3, 3), and a bias for each of the K outputs
with torch.no_grad():
    outputs = [
        sum(convolve(channel, k) for channel, k in zip(inputs, per_input, strict=True)) + b
        for per_input, b in zip(conv.weight, conv.bias, strict=True)
    ]
    layer = conv(inputs[None])[0]
apart = (torch.stack(outputs) - layer).abs().max()
print(f"weights {tuple(conv.weight.shape)}, {tuple(inputs.shape)} -> {tuple(layer.shape)}")
print(f"by hand and by nn.Conv2d: at most {apart:.1e} apart")

# %% claim="An output channel is a **sum over all input channels**"
alone = convolve(inputs[0], conv.weight[0, 0].detach()) + conv.bias[0].item() - layer[0]
claim(lambda apart: apart < 1e-5, apart, first_input_only=[alone.abs().max()])

# %% [markdown]
# Three maps of one image say three things about each pixel. A mask needs one number per pixel. Mix the three, with the
# same three weights everywhere, and no neighbour takes part: a convolution with a kernel of 1×1 pixel.
#
# With `C` maps in and `K` out, that is a `K`×`C` matrix, and the same product at every pixel.

# %% [markdown] card="pointwise"


# %% exercise="pointwise"
def pointwise(x, weight, bias):
    """1×1 convolution as a matrix product over the channels of each pixel.

    x: (N, C, H, W). weight: (K, C). bias: (K,). Returns (N, K, H, W).
    """
    ### BEGIN SOLUTION
    pixels = x.flatten(2)  # (N, C, H·W)
    return (weight @ pixels + bias[:, None]).unflatten(2, x.shape[2:])
    ### END SOLUTION


# %% check="pointwise"
check(pointwise)

# %% [markdown]
# ### Look
#
# Three maps: the grey value, a blur, and a wide blur. Least squares finds the weights that come closest to the truth on
# this tile; your `pointwise` applies them. For each map, and for the mix, look for the best threshold there is. (Only
# somebody who has the truth can.)

# %%
wide = convolve(x[0, 0], torch.full((21, 21), 1 / 21**2), padding=10)
near = convolve(x[0, 0], mean, padding=1)
three = {"grey": x[0, 0], "blur": near.float(), "wide blur": wide.float()}
features = torch.stack([*three.values()])[None]  # (1, 3, 128, 128)
columns = torch.cat([features[0].flatten(1).T, torch.ones(128 * 128, 1)], dim=1)
weights = torch.linalg.lstsq(columns, truth.flatten()[:, None].float()).solution[:, 0]
print(", ".join(f"{n} {w:+.2f}" for n, w in zip([*three, "bias"], weights, strict=True)))


def best_iou(scores):
    """IoU of the best threshold on a map (H, W)."""
    masks = [scores > t for t in torch.linspace(scores.min(), scores.max(), 200)]
    return max(((mask & truth).sum() / (mask | truth).sum()).item() for mask in masks)


score = use(pointwise)(features, weights[None, :3], weights[3:])[0, 0]
ious = {name: best_iou(scores) for name, scores in {**three, "the mix": score}.items()}
print("; ".join(f"{name}: IoU {iou:.3f}" for name, iou in ious.items()))
show.images([*three.items(), ("score of the mix", score.clamp(0, 1))])

# %% claim="The weight of the wide blur is negative"
inverted = torch.linalg.lstsq(columns, 1 - truth.flatten()[:, None].float()).solution[:, 0]
claim(
    lambda near, wide: wide < 0 < near,
    *weights[1:3].tolist(),
    truth_inverted=inverted[1:3].tolist(),
)

# %% claim="the best threshold on the mix beats the best on any of its maps"
turned = use(pointwise)(features, weights[None, :3] * torch.tensor([1, 1, -1]), weights[3:])
claim(
    lambda mix, *maps: mix > max(maps) + 0.01,
    *(ious["the mix"], *(ious[name] for name in three)),
    wide_blur_with_the_other_sign=(best_iou(turned[0, 0]), *(ious[name] for name in three)),
)

# %% [markdown]
# The weight of the wide blur is negative: what counts is how bright a pixel is *for its neighbourhood*. And the best
# threshold on the mix beats the best on any of its maps.
#
# The last layer of the U-Net is this one. What it mixes there are not three maps that somebody chose, but 16 or 64 that
# the network has learned.

# %% [markdown]
# ## 5 · Keeping the numbers in range
#
# Stack eight convolutions with random weights, and watch how much is left of the *differences between places*, which
# are all that a picture is. How large should the first, random weights be?


# %%
def spread(kind, depth=8, channels=16):
    """Standard deviation over the positions, before and after each random convolution."""
    torch.manual_seed(0)
    y = x.expand(-1, channels, -1, -1)
    sizes = [y.std(dim=(2, 3)).mean().item()]
    for _ in range(depth):
        conv = nn.Conv2d(channels, channels, 3)
        if kind == "He":
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        norm = nn.BatchNorm2d(channels) if kind == "batch norm" else nn.Identity()
        y = F.relu(norm(conv(y)))
        sizes.append(y.std(dim=(2, 3)).mean().item())
    return torch.tensor(sizes)


kinds = {"PyTorch's weights": "", "He's weights": "He", "with batch norm": "batch norm"}
show.curves(
    torch.arange(9),
    [(label, spread(kind)) for label, kind in kinds.items()],
    title="What is left of the picture, layer by layer",
    xlabel="convolutions passed",
    ylabel="standard deviation (log scale)",
    log=True,
)

# %% claim="the picture fades at each layer, and hardly anything is left of it"
faded = {kind: spread(kind).tolist() for kind in ("", "He", "batch norm")}
claim(
    lambda sizes: sizes == sorted(sizes, reverse=True) and sizes[-1] < sizes[0] / 100,
    *(faded[""],),
    hes_weights=(faded["He"],),
)

# %% claim="With He's weights far more is left"
claim(
    lambda plain, he: he > 10 * plain,
    faded[""][-1],
    faded["He"][-1],
    swapped=(faded["He"][-1], faded[""][-1]),
)

# %% claim="though not all"
claim(
    lambda before, after: after < before,
    *(faded["He"][0], faded["He"][-1]),
    batch_norm=(faded["batch norm"][0], faded["batch norm"][-1]),
)

# %% claim="holds them throughout"
claim(
    lambda sizes: max(sizes[1:]) < 1.5 * min(sizes[1:]),
    *(faded["batch norm"],),
    hes_weights=(faded["He"],),
)

# %% [markdown]
# As `nn.Conv2d` draws its first weights, the picture fades at each layer, and hardly anything is left of it. He et al.
# (2015) asked: how large must weights be, so that the numbers behind a ReLU are about as large as before? Their
# variance has to be 2, divided by the number of inputs that one output has. With He's weights far more is left of the
# differences, though not all: numbers can stay large while their differences fade. And these weights are for the start
# only; training then moves them.
#
# **Batch normalisation** (Ioffe and Szegedy 2015) holds them throughout, for it sets them again each time. It takes
# from each channel its mean, divides by its standard deviation, and lets the network choose a new scale and a new
# offset. In training mode it uses the batch in hand. In evaluation mode it uses running averages, so that one image's
# answer does not depend on the other images of its batch.

# %% [markdown]
# ## 6 · The block
#
# Put it together: **convolution, norm, ReLU; convolution, norm, ReLU**. The first convolution changes the number of
# channels, the second keeps it. Every level of the U-Net, on the way down and on the way up, is this block. (The
# network of 2015 has no norm and no padding; both came into use with it soon after.)
#
# **Predict.** A batch `(8, 1, 64, 64)` goes through `DoubleConv(1, 16)`. Which shape comes out?

# %%
quiz("shape-after-double-conv")

# %% [markdown] card="DoubleConv"


# %% exercise="DoubleConv"
class DoubleConv(nn.Module):
    """Conv 3×3, norm, ReLU, twice: (N, in_channels, H, W) -> (N, out_channels, H, W).

    padding: given to both convolutions; with 0 each side gets 4 pixels shorter.
    norm: whether a BatchNorm2d stands between each convolution and its ReLU.
    """

    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        ### BEGIN SOLUTION
        layers = []
        for channels in (in_channels, out_channels):
            layers.append(
                nn.Conv2d(channels, out_channels, 3, padding=padding, bias=not norm)
            )
            if norm:
                layers.append(nn.BatchNorm2d(out_channels))
            layers.append(nn.ReLU())
        self.layers = nn.Sequential(*layers)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.layers(x)
        ### END SOLUTION


# %% check="DoubleConv"
check(DoubleConv)

# %% [markdown]
# <details><summary>Expected input to have 16 channels, but got 1?</summary>
#
# The error names the layer that complains and what it was given. The second convolution receives what the first one
# *made*, so its first argument is the first one's second.
#
# </details>
#
# <details><summary>The check says that parameters are not registered</summary>
#
# A plain Python list hides them (lesson 03). `nn.Sequential(*layers)` takes them out of the list.
#
# </details>

# %%
quiz("bias-before-norm")

# %% [markdown]
# ### Look
#
# Your block on the micrograph, untrained. Its channels are random mixtures of what lies around a pixel. It is
# what training starts from. (In training mode batch norm uses this picture's own mean and spread. In evaluation mode
# the running averages of a new block know nothing yet, and not every channel would show something.)

# %%
torch.manual_seed(1)
block = use(DoubleConv)(1, 4).train()
with torch.no_grad():
    features = block(x)
count = sum(p.numel() for p in block.parameters())
print(f"{tuple(x.shape)} -> {tuple(features.shape)}, {count} parameters")
show.images([("micrograph", x[0]), *((f"channel {k}", features[0, k]) for k in range(4))])

# %% claim="Its channels are random mixtures of what lies around a pixel"
with torch.no_grad():
    spreads = [
        f[0].std(dim=(1, 2)).tolist() for f in (features, DoubleConv(1, 4).eval()(x))
    ]
claim(lambda *channels: min(channels) > 0.2, *spreads[0], evaluation_mode=spreads[1])

# %% [markdown]
# Put a 1×1 convolution on top to get a logit for each pixel, and train it on this tile, with the loop of lesson 03. It
# is the least a network can do, and the measure for what the rest of the U-Net will add. (`Adam` is an optimizer that
# chooses the length of each weight's steps by itself.)

# %%
torch.manual_seed(0)
model = nn.Sequential(use(DoubleConv)(1, 8), nn.Conv2d(8, 1, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
target = truth.float()[None, None]
for _ in range(240):
    loss = F.binary_cross_entropy_with_logits(model(x), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

found = model(x)[0, 0] > 0  # in training mode, by this picture's own mean and spread
masks = {"one threshold": bright, "a DoubleConv and a 1×1": found}
show.overlap([(name, mask, truth) for name, mask in masks.items()], image)


def iou(mask):
    return ((mask & truth).sum() / (mask | truth).sum()).item()


print("; ".join(f"{name}: IoU {iou(mask):.3f}" for name, mask in masks.items()))

# %% claim="The block draws better outlines than the threshold, on the tile it has seen"
fresh = nn.Sequential(use(DoubleConv)(1, 8), nn.Conv2d(8, 1, 1))
claim(
    lambda threshold, block: block > threshold + 0.01,
    *(iou(bright), iou(found)),
    untrained=(iou(bright), iou(fresh(x)[0, 0] > 0)),
)

# %% claim="it takes the glow around nuclei for nucleus (false)"
glow = F.max_pool2d(truth.float()[None], 9, 1, 4)[0] > 0  # within four pixels of a nucleus
wrong = found & ~truth
claim(
    lambda near, anywhere: near > 2 * anywhere,
    *(
        (wrong & glow).sum().item() / wrong.sum().item(),
        (glow & ~truth).sum().item() / (~truth).sum().item(),
    ),
    any_pixels=((glow & ~truth).sum().item() / (~truth).sum().item(),) * 2,
)

# %% claim="loses dim pixels of theirs (missed)"
light = [x[0, 0][truth & ~found].mean().item(), x[0, 0][truth & found].mean().item()]
claim(lambda missed, hit: missed < hit - 0.03, *light, swapped=light[::-1])

# %% [markdown]
# The block draws better outlines than the threshold, on the tile it has seen. Its mistakes are telling: it takes the
# glow around nuclei for nucleus (false), and loses dim pixels of theirs (missed). Within 5×5 pixels a dim nucleus and
# the glow beside a bright one can look alike. One way to see more without drowning in weights is to shrink the picture.
#
# ## Graded questions
#
# The answers to these are graded with your exercises. You may change them until you hand in.

# %% graded="side-after-two"
quiz("side-after-two")

# %% graded="norm-of-one-image"
quiz("norm-of-one-image")

# %% [markdown]
# ## Recap
#
# 1. A convolution is one small kernel, the same at every place. Training finds its numbers.
# 2. `(size + 2·padding − kernel) // stride + 1` values come out. Padding keeps the size and invents a border.
# 3. Two 3×3 see as much as one 5×5, for fewer weights, and a ReLU between them makes two better than one.
# 4. A 1×1 convolution mixes the channels of one pixel. Good first weights slow the fading of a picture; batch norm
#    keeps the numbers in range.
# 5. `DoubleConv` is convolution, norm, ReLU, twice. The whole U-Net is built from it.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Add `padding_mode="reflect"` beside `padding=1` in a copy of your block. What happens to the dark border?
# - Count the parameters of `DoubleConv(64, 128)` on paper, then in code.
# - `receptive_field` gives the pixels that *can* have an influence. Draw how much each of them has, from the gradient
#   of a trained block (Luo et al. 2016): it is a hill, and its foot is faint.
#
# **Sources** · He, K. et al. (2015), *Delving deep into rectifiers*, arXiv:1502.01852 · Ioffe, S. and Szegedy, C.
# (2015), *Batch normalization*, arXiv:1502.03167 · Lin, M., Chen, Q. and Yan, S. (2013), *Network in network*,
# arXiv:1312.4400 (1×1 convolutions) · Luo, W. et al. (2016), *Understanding the effective receptive field in deep
# convolutional neural networks*, arXiv:1701.04128 · Ronneberger, O., Fischer, P. and Brox, T. (2015), *U-Net:
# convolutional networks for biomedical image segmentation*, arXiv:1505.04597 · Simonyan, K. and Zisserman, A. (2014),
# *Very deep convolutional networks*, arXiv:1409.1556 (two 3×3 for one 5×5)

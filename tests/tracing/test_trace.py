"""What a run shows of a network: found from what it does, whatever it is called, and without leaving a mark on it."""

import math
import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.reference.baseline import freeze_encoder
from helpers.reference.convolution import pointwise
from helpers.reference.decoder import Hourglass, upsample_nearest
from helpers.reference.encoder import max_pool2x2
from helpers.reference.padding import center_crop
from helpers.reference.unet import DoubleConv, Down, Encoder, Up, UpConv
from helpers.reference.unet import UNet as Reference
from helpers.tracing.trace import trace

IMAGE = torch.linspace(0, 1, 64 * 64).reshape(1, 1, 64, 64)
ALL = {"double conv", "pooling", "encoder", "bottleneck", "up-convolution", "decoder", "skip connection", "head 1x1"}


class Small(nn.Module):
    """A U-Net of depth 2 that shares no line and no name with the reference, in parts that can be exchanged."""

    def __init__(self) -> None:
        super().__init__()
        self.zebra = nn.ModuleList([nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)])
        self.apple = nn.ModuleList([nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)])
        self.mango = nn.ModuleList([nn.Conv2d(8, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)])
        self.tiger = nn.ModuleList([nn.Conv2d(24, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)])
        self.cloud = nn.ModuleList([nn.Conv2d(12, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)])
        self.river = nn.Conv2d(4, 1, 1)

    def shrink(self, x):
        return F.max_pool2d(x, 2)

    def grow(self, x):
        return F.interpolate(x, scale_factor=2, mode="bilinear")

    def carry(self, skip):
        return skip

    def merge(self, skip, x):
        return torch.cat([x, self.carry(skip)], dim=1)

    def block(self, convs, x):
        return torch.relu(convs[1](torch.relu(convs[0](x))))

    def forward(self, x):
        a = self.block(self.zebra, x)
        b = self.block(self.apple, self.shrink(a))
        c = self.block(self.mango, self.shrink(b))
        d = self.block(self.tiger, self.merge(b, self.grow(c)))
        return self.river(self.block(self.cloud, self.merge(a, self.grow(d))))


def names(found):
    return [node.name for node in found.nodes]


# ---- what is found ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_unet_of_any_depth_is_a_u(depth):
    model = Reference(1, 2, base_channels=4, depth=depth)
    found = trace(model, IMAGE)
    wanted = ["image"]
    for k in range(depth):
        wanted += [f"encoder {k}", f"pooling {k + 1}"]
    wanted.append("bottleneck")
    for k in reversed(range(depth)):
        wanted += [f"up-convolution {k}", f"decoder {k}"]
    assert names(found) == [*wanted, "head"]
    assert [(e.name, e.source, e.target, e.how) for e in found.skips] == [
        (f"skip {k}", f"encoder {k}", f"decoder {k}", "concatenated") for k in reversed(range(depth))
    ]
    for k in range(depth):
        assert found.node(f"encoder {k}").shape_out == (1, 4 * 2**k, 64 // 2**k, 64 // 2**k)
        assert found.node(f"decoder {k}").shape_out == (1, 4 * 2**k, 64 // 2**k, 64 // 2**k)
    assert found.node("head").shape_out == (1, 2, 64, 64)
    assert sum(node.parameters for node in found.nodes) == sum(p.numel() for p in model.parameters())
    assert set(found.concepts) == ALL
    assert not found.error
    assert not found.notes
    assert not any(node.problems for node in found.nodes)
    assert sum(node.time for node in found.nodes) == pytest.approx(1, abs=1e-6)
    assert sum(node.memory for node in found.nodes) == pytest.approx(1, abs=1e-6)


def test_the_hourglass_has_no_skip_and_that_is_said():
    found = trace(Hourglass(1, 1, 4, 2), IMAGE)
    assert not found.skips
    assert set(found.concepts) == ALL - {"skip connection"}
    assert found.notes == ["No skip connection: what the way up draws comes through the bottleneck alone."]


class Strided(Small):
    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.ModuleList([nn.Conv2d(4, 4, 2, stride=2), nn.Conv2d(8, 8, 2, stride=2)])

    def shrink(self, x):
        return self.steps[0 if x.shape[1] == 4 else 1](x)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"shrink": lambda x: F.avg_pool2d(x, 2)},
        {"shrink": max_pool2x2},
        {"shrink": lambda x: x[:, :, ::2, ::2]},
        {"grow": upsample_nearest},
        {"grow": lambda x: x.repeat_interleave(2, 2).repeat_interleave(2, 3)},
        {"grow": lambda x: F.interpolate(x, scale_factor=2)},
    ],
)
def test_blocks_are_found_by_what_they_do(changes):
    model = Small()
    for name, function in changes.items():
        setattr(model, name, function)
    found = trace(model, IMAGE)
    assert names(found) == names(trace(Reference(1, 1, 4, 2), IMAGE))
    assert set(found.concepts) == ALL
    assert [(e.source, e.target) for e in found.skips] == [("encoder 1", "decoder 1"), ("encoder 0", "decoder 0")]
    assert found.node("encoder 1").shapes_in == [(1, 4, 32, 32)]
    assert found.node("decoder 1").shapes_in == [(1, 16, 32, 32), (1, 8, 32, 32)]


def test_a_strided_convolution_is_counted_in_its_block_and_stands_at_the_edge():
    found = trace(Strided(), IMAGE)
    assert [n for n in names(found) if not n.startswith("pooling")] == names(found)
    assert "pooling" in found.concepts
    edge = next(e for e in found.edges if (e.source, e.target) == ("encoder 0", "encoder 1"))
    assert edge.how == "stride 2"
    assert found.node("encoder 1").convolutions == 3


class Added(Small):
    def __init__(self) -> None:
        super().__init__()
        self.tiger[0], self.cloud[0] = nn.Conv2d(16, 8, 3, padding=1), nn.Conv2d(8, 4, 3, padding=1)
        self.fit = nn.ModuleList([nn.Conv2d(8, 16, 1), nn.Conv2d(4, 8, 1)])

    def merge(self, skip, x):
        return x + self.fit[0 if skip.shape[1] == 8 else 1](skip)


def test_added_skips_are_skips():
    assert {(e.name, e.how) for e in trace(Added(), IMAGE).skips} == {("skip 1", "added"), ("skip 0", "added")}


class Valid(nn.Module):
    """As in 2015: no padding, skips cropped."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = (DoubleConv(i, o, padding=0) for i, o in ((1, 4), (4, 8), (8, 4)))
        self.up, self.head = UpConv(8, 4), nn.Conv2d(4, 1, 1)

    def forward(self, x):
        a = self.a(x)
        x = self.up(self.b(F.max_pool2d(a, 2)))
        return self.head(self.c(torch.cat([center_crop(a, x.shape[2:]), x], 1)))


def test_without_padding_levels_are_levels_and_the_cropped_skip_is_one():
    found = trace(Valid(), IMAGE)
    assert names(found) == names(trace(Reference(1, 1, 4, 1), IMAGE))
    assert [(e.name, e.shape) for e in found.skips] == [("skip 0", (1, 4, 52, 52))]
    assert found.node("encoder 0").shape_out == (1, 4, 60, 60)


def test_odd_sides_and_several_images():
    found = trace(Reference(1, 1, 4, 3), torch.rand(2, 1, 51, 45))
    assert set(found.concepts) == ALL
    assert found.node("bottleneck").shape_out == (2, 32, 6, 5)


def test_pieces_alone():
    assert names(trace(DoubleConv(1, 4), IMAGE)) == ["image", "double conv"]
    assert trace(DoubleConv(1, 4), IMAGE).concepts == ["double conv"]
    down = trace(Down(1, 4), IMAGE)
    assert names(down) == ["image", "pooling 1", "double conv"]
    assert down.node("double conv").level == 1
    assert set(down.concepts) == {"double conv", "pooling"}
    encoder = trace(Encoder(1, 4, 2), IMAGE)
    assert names(encoder) == ["image", "encoder 0", "pooling 1", "encoder 1", "pooling 2", "bottleneck"]
    assert set(encoder.concepts) == {"double conv", "pooling", "encoder", "bottleneck"}
    assert names(trace(UpConv(1, 4), IMAGE)) == ["image", "up-convolution 0", "output"]
    assert trace(max_pool2x2, IMAGE).node("output").shape_out == (1, 1, 32, 32)
    assert trace(nn.Conv2d(1, 2, 1), IMAGE).concepts == ["head 1x1"]
    assert not trace(lambda x: pointwise(x, torch.ones(2, 1), torch.ones(2)), IMAGE).error


def test_a_piece_with_two_inputs():
    found = trace(Up(16, 8, 8), torch.rand(1, 16, 16, 16), torch.rand(1, 8, 32, 32))
    assert names(found) == ["input 1", "input 2", "up-convolution 0", "decoder 0"]
    assert [(e.source, e.target) for e in found.skips] == [("input 2", "decoder 0")]
    assert "skip connection" not in found.concepts  # no way down has been run


def test_an_image_alone_and_of_another_type_will_do():
    assert trace(Reference(1, 1, 4, 1).double(), IMAGE[0]).node("head").shape_out == (1, 1, 64, 64)


# ---- the receptive field, against a measurement ----------------------------------------------------------------------


def measured(function, side=128):
    """Columns of the image that reach a value in the middle: nan in a column reaches all that depend on it."""
    images = torch.zeros(side, 1, 8, side)
    images[range(side), :, :, range(side)] = math.nan
    with torch.no_grad():
        reached = function(images).isnan().flatten(1, 2).any(1)  # (column of the image, column of the result)
    middle = reached.shape[1] // 2
    return int(reached[:, middle - 8 : middle + 8].sum(0).max())


@pytest.mark.parametrize("mode", ["transposed", "nearest", "bilinear"])
def test_the_receptive_field_is_the_measured_one(mode):
    model = Hourglass(1, 1, 2, 2)
    for k, stage in enumerate(model.decoder):
        stage[0] = UpConv(2 ** (3 - k), 2 ** (2 - k), mode)
    model.eval()
    found = trace(model, torch.zeros(1, 1, 8, 128))
    assert found.node("bottleneck").receptive_field[1] == measured(lambda x: model.encoder(x)[0])
    assert found.node("head").receptive_field[1] == measured(model)


def test_the_receptive_field_of_the_unet_is_the_measured_one():
    model = Reference(1, 1, 2, 3).eval()
    assert trace(model, torch.zeros(1, 1, 8, 256)).node("head").receptive_field[1] == measured(model, 256)


def test_an_average_over_the_image_sees_everything():
    class Squeeze(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.weigh = DoubleConv(1, 4), nn.Conv2d(4, 4, 1)

        def forward(self, x):
            x = self.conv(x)
            return x * torch.sigmoid(self.weigh(x.mean((2, 3), keepdim=True)))

    found = trace(Squeeze(), IMAGE)
    assert found.nodes[-1].receptive_field == (math.inf, math.inf)
    assert {node.level for node in found.nodes} == {0}


# ---- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "carry",
    [
        lambda skip: skip * 0,
        torch.zeros_like,
        lambda skip: torch.zeros(skip.shape),
        lambda skip: skip.new_zeros(skip.shape),
    ],
)
def test_a_skip_that_carries_zeros_is_said(carry):
    model = Small()
    model.carry = carry
    found = trace(model, IMAGE)
    assert [(e.name, e.source, e.target, e.zeros) for e in found.skips] == [
        ("skip 1", "encoder 1", "decoder 1", True),
        ("skip 0", "encoder 0", "decoder 0", True),
    ]
    assert found.notes == ["skip 1 and skip 0: the edge is there, but it carries nothing but zeros."]
    assert "skip connection" not in found.concepts
    assert found.node("encoder 0").maps.any()


def test_a_skip_is_no_edge_where_no_data_went_along_it():
    class Noisy(Small):
        def merge(self, skip, x):
            return torch.cat([x, torch.ones(1, skip.shape[1], *x.shape[2:])], dim=1)

    found = trace(Noisy(), IMAGE)
    assert not found.skips
    assert "skip connection" not in found.concepts


def test_weights_in_a_plain_list_are_said():
    class Listed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.rest = DoubleConv(1, 4), [Down(4, 8)]

        def forward(self, x):
            return self.rest[0](self.first(x))

    found = trace(Listed(), IMAGE)
    assert not found.node("encoder 0").problems
    assert found.node("bottleneck").parameters == 0
    assert found.node("bottleneck").problems[0].startswith("6 weights used here are not registered with the module")
    assert "nn.ModuleList" in found.notes[0]


def test_a_block_without_anything_to_learn_is_said():
    class Fixed(Small):
        def block(self, convs, x):
            return x.repeat(1, 4, 1, 1) if convs is self.mango and x.shape[1] == 4 else super().block(convs, x)

        def forward(self, x):
            a = self.block(self.zebra, x)
            x = self.grow(self.shrink(a))
            return self.river(self.block(self.cloud, torch.cat([a, x, x], 1)))

    found = trace(Fixed(), IMAGE)
    assert [node.name for node in found.nodes if node.problems] == []
    kernel = torch.ones(1, 1, 3, 3)

    class Constant(nn.Module):
        def forward(self, x):
            return F.conv2d(x, kernel, padding=1)

    assert trace(Constant(), IMAGE).nodes[1].problems == ["There is nothing to learn here: no parameter took part."]


def test_what_is_never_called_is_said():
    class Forgetful(Small):
        def __init__(self) -> None:
            super().__init__()
            self.spare = DoubleConv(1, 4)

    found = trace(Forgetful(), IMAGE)
    assert found.unreached == [("spare", sum(p.numel() for p in DoubleConv(1, 4).parameters()))]
    assert found.notes == ["Not reached: `spare` (196 parameters)."]


def test_what_runs_for_nothing_is_said():
    class Wasteful(Small):
        def forward(self, x):
            a = self.block(self.zebra, x)
            self.block(self.apple, self.shrink(a))
            return self.river(a)

    found = trace(Wasteful(), IMAGE)
    assert "It ran, but nothing of what it made reaches the result." in found.node("bottleneck").problems
    assert not found.node("encoder 0").problems


def test_values_that_are_zero_or_no_numbers_are_said():
    model = Reference(1, 1, 4, 2)
    with torch.no_grad():
        for p in model.encoder.downs[1].parameters():
            p.zero_()
    assert trace(model, IMAGE).node("bottleneck").problems == ["It gives nothing but zeros."]
    with torch.no_grad():
        model.encoder.first.layers[0].weight.fill_(math.nan)
    assert "no finite numbers" in trace(model, IMAGE).node("encoder 0").problems[0]


def test_a_model_that_raises_shows_what_was_reached():
    class Reversed(Reference):
        def forward(self, x):
            x, skips = self.encoder(x)
            for up, skip in zip(self.decoder, skips, strict=True):
                x = torch.cat([up.up(x), skip], 1)
            return self.head(x)

    found = trace(Reversed(1, 1, 4, 2), IMAGE)
    assert names(found)[:6] == ["image", "encoder 0", "pooling 1", "encoder 1", "pooling 2", "bottleneck"]
    assert found.error.startswith(
        "`Reversed` stopped in or after up-convolution 1 (`cat` of 1×8×32×32 and 1×4×64×64): "
    )
    assert "RuntimeError: `Sizes of tensors must match" in found.error
    assert found.error.endswith("at `x = torch.cat([up.up(x), skip], 1)`.")
    assert "\n" not in found.error
    assert found.notes[-1].startswith("Not reached, since it stopped before: ")
    assert "encoder" in found.concepts


def test_a_model_that_does_nothing_is_said():
    class Stub(nn.Module):
        def forward(self, x):
            raise NotImplementedError

    found = trace(Stub(), IMAGE)
    assert found.error == "`Stub` stopped before anything ran: NotImplementedError, at `raise NotImplementedError`."
    assert not found.concepts
    assert trace(lambda x: None, IMAGE).notes == ["What it gives back does not depend on the image."]


def test_what_cannot_run_is_refused():
    with pytest.raises(TypeError, match="UNet is a class. Make one first"):
        trace(Reference, IMAGE)
    with pytest.raises(TypeError, match="Expected a module or a function"):
        trace(3, IMAGE)
    with pytest.raises(ValueError, match=r"got torch.uint8 \(1, 1, 8, 8\)"):
        trace(DoubleConv(1, 4), torch.zeros(1, 1, 8, 8, dtype=torch.uint8))


# ---- no harm ---------------------------------------------------------------------------------------------------------


def state_of(model):
    return {
        "modes": [module.training for module in model.modules()],
        "values": [t.clone() for t in [*model.parameters(), *model.buffers()]],
        "gradients": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "asks": [p.requires_grad for p in model.parameters()],
        "random": (torch.get_rng_state(), random.getstate()),
        "hooks": sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()),
    }


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


class Careless(Reference):
    """Draws random numbers, counts, changes its image and a weight, and may raise at the end."""

    def __init__(self, raises: bool) -> None:
        super().__init__(1, 1, 4, 2)
        self.raises = raises
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x):
        self.count += 1
        x.add_(1)
        random.random()
        self.head.weight.data.mul_(2)
        x = super().forward(x + 0 * torch.rand_like(x))
        if self.raises:
            raise ValueError("no")
        return F.dropout(x, 0.5, training=True)


@pytest.mark.parametrize("raises", [False, True])
def test_nothing_of_the_model_or_the_image_changes(raises):
    model = freeze_encoder(Careless(raises))
    model.train()
    model.decoder[0].eval()
    model.head.weight.grad = torch.ones_like(model.head.weight)
    image, before = IMAGE.clone().requires_grad_(), state_of(model)
    assert bool(trace(model, image).error) == raises
    after = state_of(model)
    assert {key: same(before[key], after[key]) for key in before} == dict.fromkeys(before, True)
    assert torch.equal(image, IMAGE)
    assert image.grad is None
    assert torch.is_grad_enabled()


def test_it_runs_once():
    calls = []

    class Loud(Small):
        def forward(self, x):
            calls.append(x.shape)
            return super().forward(x)

    trace(Loud(), IMAGE)
    assert len(calls) == 1


def test_ctrl_c_goes_through_and_the_model_is_whole():
    class Stopped(Small):
        def forward(self, x):
            raise KeyboardInterrupt

    model = Stopped().train()
    with pytest.raises(KeyboardInterrupt):
        trace(model, IMAGE)
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())


# ---- networks of others ----------------------------------------------------------------------------------------------


def test_the_unet_of_smp():
    import segmentation_models_pytorch as smp

    model = smp.Unet("resnet18", encoder_weights=None)
    found = trace(model, IMAGE.expand(1, 3, 64, 64))
    blocks = [node.name for node in found.nodes if node.kind == "block"]
    assert blocks == [
        *(f"encoder {k}" for k in (1, 2, 3, 4)),
        "bottleneck",
        *(f"decoder {k}" for k in (4, 3, 2, 1, 0)),
    ]
    assert [e.name for e in found.skips] == ["skip 4", "skip 3", "skip 2", "skip 1"]
    assert found.node("bottleneck").shape_out == (1, 512, 2, 2)
    assert found.node("head").what == "convolution 3×3"
    assert "head 1x1" not in found.concepts
    assert sum(node.parameters for node in found.nodes) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("architecture", "encoder"),
    [
        ("Unet", "tu-tf_efficientnet_lite0"),
        ("UnetPlusPlus", "resnet18"),
        ("Linknet", "mobilenet_v2"),
        ("FPN", "resnet18"),
        ("DeepLabV3Plus", "resnet18"),
        ("Unet", "mit_b0"),
    ],
)
def test_other_networks_are_drawn_too(architecture, encoder):
    import segmentation_models_pytorch as smp

    from helpers.graph.layout import draw

    model = getattr(smp, architecture)(encoder, encoder_weights=None)
    found = trace(model, torch.rand(1, 3, 64, 64))
    assert not found.error
    assert not found.unreached
    assert {"encoder", "decoder", "skip connection"} <= set(found.concepts)
    assert len(set(names(found))) == len(found.nodes)
    assert {e.source for e in found.edges} | {e.target for e in found.edges} <= set(names(found))
    assert draw(found, 4, (), "title", "about").startswith("<svg")


@pytest.mark.parametrize(
    ("architecture", "encoder"),
    [
        ("Unet", "tu-tf_efficientnet_lite0"),  # pads by the image's size, as TensorFlow does
        ("Unet", "mobilenet_v2"),  # each stage widens before it strides
        ("Unet", "resnet50"),
        ("MAnet", "resnet18"),
        ("Unet", "mit_b0"),  # tokens, with keys of another scale
    ],
)
def test_an_encoder_box_shows_what_the_encoder_gives_on_that_level(architecture, encoder):
    import segmentation_models_pytorch as smp

    model = getattr(smp, architecture)(encoder, encoder_weights=None).eval()
    given = []
    model.encoder.register_forward_hook(lambda _module, _args, features: given.extend(tuple(x.shape) for x in features))
    found = trace(model, torch.rand(1, 3, 128, 128))
    shapes = {128 // shape[2]: shape for shape in given if shape[1]}
    for node in found.nodes:
        if node.side == "down" and node.kind == "block" and node.name != "bottleneck":
            assert node.shape_out == shapes[2**node.level], node.name
    assert len(found.skips) >= 3
    for skip in found.skips:
        assert skip.shape == found.node(skip.source).shape_out


class Pyramid(Small):
    """The deepest block sees averages over a few large parts of the image, as PSPNet does."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(16 * 3, 16, 1)

    def block(self, convs, x):
        x = super().block(convs, x)
        if x.shape[1] != 16:
            return x
        parts = [F.interpolate(F.adaptive_avg_pool2d(x, side), x.shape[2:], mode="bilinear") for side in (1, 3)]
        return self.mix(torch.cat([x, *parts], dim=1))


class Attending(Small):
    """The deepest block lets each position take from all others, in tokens whose channels come last."""

    def __init__(self) -> None:
        super().__init__()
        self.fewer, self.norm = nn.Conv2d(16, 16, 2, stride=2), nn.LayerNorm(16)

    def block(self, convs, x):
        x = super().block(convs, x)
        if x.shape[1] != 16:
            return x
        keys = self.fewer(x).flatten(2)
        tokens = self.norm(x.permute(0, 2, 3, 1)).reshape(1, -1, 4, 4).transpose(1, 2)  # heads before positions
        weights = (tokens.transpose(1, 2).reshape(1, -1, 16) @ keys).softmax(-1)
        return x + (weights @ keys.transpose(1, 2)).transpose(1, 2).reshape(x.shape)


@pytest.mark.parametrize("network", [Pyramid, Attending])
def test_what_is_no_map_makes_no_levels(network):
    found = trace(network(), IMAGE)
    assert names(found) == names(trace(Small(), IMAGE))
    assert found.node("bottleneck").shape_out == (1, 16, 16, 16)
    assert math.inf in found.node("decoder 0").receptive_field
    assert found.output is not None


@pytest.mark.parametrize(
    ("padding", "dilation", "side"), [("valid", 1, 62), ("valid", 2, 60), ("same", 1, 64), ("same", 2, 64), (0, 1, 62)]
)
def test_padding_may_be_said_in_a_word(padding, dilation, side):
    found = trace(nn.Sequential(nn.Conv2d(1, 4, 3, padding=padding, dilation=dilation), nn.ReLU()), IMAGE)
    assert not found.error
    assert found.nodes[-1].shape_out == (1, 4, side, side)
    assert found.nodes[-1].receptive_field == (1 + 2 * dilation,) * 2


def test_a_padding_belongs_to_the_convolution_that_it_is_for():
    class Padded(Strided):
        def shrink(self, x):
            return self.steps[0 if x.shape[1] == 4 else 1](F.pad(x, (0, 1, 0, 1)))

    found = trace(Padded(), IMAGE)
    assert [found.node(f"encoder {k}").shape_out for k in (0, 1)] == [(1, 4, 64, 64), (1, 8, 32, 32)]
    assert found.node("encoder 1").shapes_in == [(1, 4, 64, 64)]
    assert [e.how for e in found.edges if e.target == "encoder 1"] == ["stride 2"]
    found = trace(nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(1, 4, 3, stride=2), nn.Conv2d(4, 4, 3)), IMAGE)
    assert found.nodes[-1].shapes_in == [(1, 1, 64, 64)]

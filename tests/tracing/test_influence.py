"""What an output pixel sees: the composed field against what really moves it, and where nothing can be said."""

import gc
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.graph import ArchitectureGraph
from helpers.reference.unet import UNet, Up
from helpers.tracing.influence import CannotSee

IMAGE = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(3))


def positive(*layers: nn.Module) -> nn.Sequential:
    """Layers in which nothing cancels out and no ReLU closes: every path from a pixel to the output counts."""
    model = nn.Sequential(*layers)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(0.1, 1.0)
    return model


def drawn(model, *images):
    graph = ArchitectureGraph().forward(model, *(images or (IMAGE,)))
    graph.model = model  # which the graph itself does not keep
    return graph


# ---- the composed field and the gradient say the same where both are exact ------------------------------------------

STACKS = {
    "3 convolutions": lambda: positive(
        nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 1, 3)
    ),
    "uneven": lambda: positive(nn.Conv2d(1, 3, (3, 5), padding=(0, 2)), nn.ReLU(), nn.Conv2d(3, 2, (1, 3))),
    "strided": lambda: positive(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.Conv2d(4, 1, 3, padding=1)),
    "averaged": lambda: positive(nn.Conv2d(1, 2, 3, padding=1), nn.AvgPool2d(2), nn.Conv2d(2, 1, 3, padding=1)),
    "down and up": lambda: positive(
        nn.Conv2d(1, 2, 3, padding=1), nn.AvgPool2d(2), nn.Conv2d(2, 2, 3, padding=1), nn.ConvTranspose2d(2, 1, 2, 2)
    ),
    "resized": lambda: positive(nn.AvgPool2d(2), nn.Conv2d(1, 1, 3, padding=1), nn.Upsample(scale_factor=2)),
}


@pytest.mark.parametrize("name", STACKS)
def test_the_gradient_fills_the_composed_field_in_the_middle_and_at_the_border(name):
    model = STACKS[name]()
    graph = drawn(model)
    _, rows, columns = graph.trace.output.values.shape
    for row, column in [(rows // 2, columns // 2), (0, 0), (1, columns - 1), (rows - 1, 2), (rows // 2 + 1, 5)]:
        [seen] = graph.sees(row, column).inputs
        assert seen.support == seen.composed
        assert (seen.moving, seen.outside) == (seen.composed.sides[0] * seen.composed.sides[1], 0)


def test_a_field_with_holes_lies_within_the_composed_one():
    graph = drawn(positive(nn.Conv2d(1, 1, 3, dilation=3, padding=3)))
    [seen] = graph.sees(16, 16).inputs
    assert (seen.composed.sides, seen.moving, seen.outside) == ((7, 7), 9, 0)
    assert "9 of them really move it" in repr(graph.sees(16, 16))


def test_a_border_cuts_the_field_and_that_is_said():
    graph = drawn(STACKS["3 convolutions"]())
    whole, corner = graph.sees(15, 15), graph.sees(0, 0)
    assert whole.inputs[0].composed.sides == graph.trace.nodes[-1].receptive_field == (7, 7)
    assert str(whole.inputs[0].composed) == "rows 13 to 19, columns 13 to 19"
    assert "7×7 pixels." in repr(whole)
    assert "border" not in repr(whole)
    assert corner.inputs[0].composed.sides == (5, 5)  # the last has no padding, so 1 of 3 is lost twice, not thrice
    assert "rows 0 to 4, columns 0 to 4 of the image, 5×5 pixels; the border cuts the rest off" in repr(corner)


def test_a_pooling_lets_one_pixel_of_each_window_through():
    [seen] = drawn(nn.MaxPool2d(4)).sees(2, 3).inputs
    assert str(seen.composed) == "rows 8 to 11, columns 12 to 15"
    assert seen.moving == 1
    brightest = IMAGE[0, 0, 8:12, 12:16].argmax().item()
    assert seen.support.rows[0] == 8 + brightest // 4
    assert seen.support.columns[0] == 12 + brightest % 4


def test_in_a_u_net_no_pixel_outside_of_the_field_counts():
    torch.manual_seed(0)
    graph = drawn(UNet(1, 1, 4, 2))
    for row, column in [(16, 16), (0, 31)]:
        [seen] = graph.sees(row, column).inputs
        assert seen.moving > 0
        assert seen.outside == 0
        assert 1 <= seen.half < seen.moving


def test_a_normalisation_over_the_map_looks_beyond_the_composed_field_and_that_is_said():
    influence = drawn(nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.GroupNorm(1, 2))).sees(16, 16)
    [seen] = influence.inputs
    assert seen.composed.sides == (3, 3)
    assert seen.outside > 900
    assert f"{seen.outside:,} of them lie outside of the composed field" in repr(influence)


def test_an_average_over_all_sees_all():
    class Gated(nn.Module):
        def forward(self, x):
            return x * x.mean((-2, -1), keepdim=True)

    influence = drawn(Gated()).sees(3, 3)
    assert influence.inputs[0].composed.sides == (32, 32)
    assert "the whole image" in repr(influence)


def test_both_inputs_of_a_piece_are_seen_each_in_its_own_pixels():
    up = Up(2, 1, 1).eval()
    graph = drawn(up, torch.rand(1, 2, 8, 8), torch.rand(1, 1, 16, 16))
    below, skip = graph.sees(8, 8).inputs
    assert (below.name, skip.name) == ("input 1", "input 2")
    assert below.influence.shape == (8, 8)
    assert skip.influence.shape == (16, 16)
    assert below.outside == skip.outside == 0


# ---- which pixel ----------------------------------------------------------------------------------------------------


def test_the_highest_channel_is_taken_unless_one_is_named():
    graph = drawn(STACKS["uneven"]())
    values = graph.trace.output.values[:, 4, 9]
    influence = graph.sees(4, 9)
    assert influence.channel == int(values.argmax())
    assert influence.value == pytest.approx(float(values.max()))
    other = graph.sees(4, 9, channel=int(values.argmin()))
    assert other.value == pytest.approx(float(values.min()))
    assert "channel" in other.title


def test_a_closed_relu_is_said():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU())
    nn.init.constant_(model[0].bias, -100.0)
    assert "no pixel of the image moves it: the gradient is 0 everywhere" in repr(drawn(model).sees(1, 1))


@pytest.mark.parametrize("place", [(-1, 0), (32, 0), (0, 32), (0.5, 0), (True, 0), ("3", 0), (None, 0)])
def test_a_pixel_that_is_none_is_refused(place):
    with pytest.raises(CannotSee, match=r"There is no (row|column) .*the output has 32, counted from 0 to 31\."):
        drawn(UNet(1, 1, 4, 1)).sees(*place)


# ---- where nothing can be said ---------------------------------------------------------------------------------------


class Broken(UNet):
    def forward(self, x):
        return self.encoder(x) @ x


@pytest.mark.parametrize(
    ("graph", "place", "said"),
    [
        (lambda: drawn(STACKS["uneven"]()), (0, 0, 2), "There is no channel 2: the output has 2"),
        (ArchitectureGraph, (0, 0), "Nothing has run yet. Call graph.forward"),
        (lambda: drawn(Broken(1, 1, 4, 1)), (0, 0), "The run stopped before it gave an output"),
        (lambda: drawn(nn.Sequential(nn.Flatten(), nn.Linear(1024, 2))), (0, 0), "has no rows and columns"),
    ],
)
def test_where_there_is_no_output_or_channel(graph, place, said):
    with pytest.raises(CannotSee, match=said):
        graph().sees(*place)


@pytest.mark.parametrize("cut", [lambda x: (x > 0.5).float(), lambda x: x.detach() * 2, torch.no_grad()(F.relu)])
def test_where_no_gradient_comes_back(cut):
    with pytest.raises(CannotSee, match="No gradient comes back from the output to the image"):
        drawn(cut).sees(3, 3)


def test_a_model_that_raises_meanwhile():
    class Moody(nn.Conv2d):
        mood = 0

        def forward(self, x):
            if self.mood:
                raise KeyError("no mood")
            return super().forward(x)

    model = Moody(1, 1, 3)
    graph = drawn(model)
    model.mood = 1
    said = r"The network stopped: KeyError: `'no mood'`, at `raise KeyError\(\"no mood\"\)`"
    with pytest.raises(CannotSee, match=said):
        graph.sees(0, 0)


def test_a_bound_method_of_a_model_without_a_name_can_be_asked():
    graph = ArchitectureGraph().forward(UNet(1, 1, 4, 1).encoder.forward, IMAGE)
    gc.collect()
    assert graph.sees(3, 3).inputs[0].moving


@pytest.mark.parametrize("function", [lambda x: F.avg_pool2d(x, 2), partial(F.avg_pool2d, kernel_size=2)])
def test_a_function_without_a_name_of_its_own_is_kept(function):
    graph = ArchitectureGraph().forward(lambda x: function(x), IMAGE)
    gc.collect()
    assert graph.sees(0, 0).inputs[0].composed.sides == (2, 2)


# ---- the network as it is now ---------------------------------------------------------------------------------------


def test_trained_since_is_said_and_the_present_network_is_looked_at():
    model = positive(nn.Conv2d(1, 1, 3, padding=1))
    graph = drawn(model)
    assert not graph.sees(4, 4).changed
    with torch.no_grad():
        model[0].weight.zero_()
        model[0].weight[0, 0, 1, 1] = 1.0
    influence = graph.sees(4, 4)
    assert influence.changed
    assert "its weights have changed since" in repr(influence)
    assert influence.inputs[0].moving == 1
    assert influence.value == pytest.approx(float(IMAGE[0, 0, 4, 4]) + model[0].bias.item())


def test_a_network_with_other_layers_since_gets_its_own_field():
    model = positive(nn.Conv2d(1, 1, 3, padding=1))
    graph = drawn(model)
    model.append(positive(nn.Conv2d(1, 1, 3, padding=1)))
    assert graph.sees(10, 10).inputs[0].composed.sides == (5, 5)


def test_the_image_is_the_one_that_was_drawn():
    image = IMAGE.clone()
    model = positive(nn.Conv2d(1, 1, 3, padding=1))
    graph = drawn(model, image)
    image.zero_()
    influence = graph.sees(4, 4)
    assert not influence.changed
    assert torch.equal(influence.inputs[0].image, IMAGE[0])


def test_nothing_of_the_model_changes():
    model = UNet(1, 1, 4, 2).train()
    graph = drawn(model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    chance = torch.get_rng_state()
    graph.sees(5, 5)
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), chance)


def test_it_works_where_gradients_are_off():
    graph = drawn(STACKS["strided"]())
    with torch.no_grad():
        assert graph.sees(1, 1).inputs[0].moving


# ---- what is shown ---------------------------------------------------------------------------------------------------


def test_text_and_page_say_the_same():
    model = UNet(1, 1, 4, 2)
    influence = drawn(model).sees(3, 30)
    page = influence._repr_html_()
    for fact in [influence.title, *influence.facts()]:
        assert fact in repr(influence)
        assert fact in page
    assert 'alt="Output pixel in row 3, column 30' in page


def test_only_what_moves_the_pixel_is_tinted():
    [seen] = drawn(positive(nn.Conv2d(1, 1, 3, padding=1))).sees(8, 8).inputs
    colours = seen.colours().astype(int)
    tinted = (colours[..., 0] != colours[..., 2]).nonzero()
    assert {(row, column) for row, column in zip(*tinted, strict=True)} == {
        (row, column) for row in (7, 8, 9) for column in (7, 8, 9)
    }

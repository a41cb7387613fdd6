"""Pictures and their alternative text."""

import base64
import io
import subprocess
import sys

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from PIL import Image

from helpers import show


def picture(page):
    return Image.open(io.BytesIO(base64.b64decode(page.split("base64,")[1].split('"')[0])))


IMAGES = {
    "grey": torch.rand(1, 20, 30),
    "plane": torch.rand(20, 30),
    "colour": torch.rand(3, 20, 30),
    "mask": torch.rand(20, 30) > 0.5,
    "labels": torch.randint(0, 9, (20, 30)),
    "signed": torch.randn(20, 30),
    "black": torch.zeros(20, 30),
    "one pixel": torch.ones(1, 1),
    "wants a gradient": torch.rand(4, 4, requires_grad=True),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_every_kind_of_image_is_shown_with_its_size_in_words(shown, kind):
    show.images([("first", IMAGES[kind]), ("second", IMAGES[kind])])
    text, page = shown[0]["text/plain"], shown[0]["text/html"]
    height, width = IMAGES[kind].shape[-2:]
    assert f"first ({height}×{width} pixels" in text
    assert f'alt="{text}"' in page
    assert picture(page).size[0] > 100


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_a_row_is_as_wide_as_the_page_and_long_titles_leave_the_images_whole(shown, count):
    show.images([("a title of more words than stand beside each other", torch.ones(8, 8) > 0)] * count)
    row = np.asarray(picture(shown[0]["text/html"]).convert("L"))
    assert 800 < row.shape[1] <= 830, "pixels of a page of JupyterLab"
    assert (row[:2] > 250).all(), "a title is cut off at the top"
    black = (row < 40).sum(axis=0).max()  # an image's frame, drawn from top to bottom
    assert black > 800 / count * 0.9


def test_an_image_with_a_colour_bar_is_as_large_as_its_neighbour(shown):
    show.images([("white", torch.ones(20, 20)), ("signed", torch.linspace(-1, 1, 400).view(20, 20) / 9)])
    dark = (np.asarray(picture(shown[0]["text/html"]).convert("L")) < 40).sum(axis=0)
    left, right, *other = np.flatnonzero(dark > 0.9 * dark.max())  # the sides of the frames
    assert abs((right - left) - (other[1] - other[0])) <= 2


def test_long_words_of_a_plot_are_not_cut_off(shown):
    show.curves([0, 1], [("line", torch.tensor([0.2, 6]))], "word " * 16, "x", "word " * 9, log=True, height=2.4)
    plot = np.asarray(picture(shown[0]["text/html"]).convert("L"))
    assert (plot[[0, -1]] > 250).all()
    assert (plot[:, [0, -1]] > 250).all()


def test_alternative_text_is_escaped(shown):
    show.images([("a", IMAGES["grey"])], alt='5 < 6 "quoted"')
    assert 'alt="5 &lt; 6 &quot;quoted&quot;"' in shown[0]["text/html"]
    assert shown[0]["text/plain"] == '5 < 6 "quoted"'


def test_overlap_counts_both_missed_and_false(shown):
    pred = torch.tensor([[1, 1, 0], [0, 0, 0]]).bool()
    target = torch.tensor([[1, 0, 0], [1, 1, 0]]).bool()
    show.overlap([("mine", pred, target)])
    assert "mine: 1 pixels both, 2 pixels missed, 1 pixels false" in shown[0]["text/plain"]


@pytest.mark.parametrize("mask", [torch.zeros(5, 5).bool(), torch.ones(5, 5).bool()])
def test_overlap_of_empty_and_full_masks(shown, mask):
    show.overlap([("mine", mask, mask), ("other", mask, ~mask)], image=torch.rand(1, 5, 5))
    assert shown


def test_curves_say_where_each_is_highest(shown):
    show.curves([0, 1, 2], [("up", torch.tensor([0.0, 1, 2])), ("down", torch.tensor([2.0, 1, 0]))], "T", "x", "y")
    text = shown[0]["text/plain"]
    assert "up from 0 to 2, highest 2 at 2" in text
    assert "down from 2 to 0, highest 2 at 0" in text


def test_a_script_prints_the_words_and_nothing_else():
    script = "import torch\nfrom helpers import show\nshow.images([('grey', torch.ones(1, 20, 30))])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "grey (20×30 pixels, values 1 to 1).\n"


def test_a_figure_is_not_kept_open(shown):
    import matplotlib.pyplot as plt

    show.images([("a", IMAGES["grey"])])
    assert plt.get_fignums() == []


def test_numbers_in_a_small_image_are_whole_where_they_can_be_and_stand_out_from_their_pixels(shown, monkeypatch):
    written = []
    monkeypatch.setattr(Axes, "text", lambda self, x, y, text, **style: written.append((text, style["color"])))
    show.images([("grey values", torch.tensor([[235.0, 7.0], [0.0, 100.0]])), ("dim", torch.tensor([[0.0, 0.123]]))])
    assert written == [
        ("235", "black"), ("7", "white"), ("0", "white"), ("100", "white"), ("0", "white"), ("0.12", "black"),
    ]  # fmt: skip


def test_an_axis_of_whole_numbers_has_no_halves(monkeypatch):
    figures = []
    monkeypatch.setattr(show, "figure", lambda fig, alt: figures.append(fig))
    show.curves([0, 1, 2], [("a", [1.0, 2.0, 3.0])], title="t", xlabel="level", ylabel="y")
    [ax] = figures[0].axes
    assert all(float(tick).is_integer() for tick in ax.get_xticks())


def test_neighbouring_labels_and_those_far_apart_have_unlike_colours(shown):
    show.images([("labels", torch.arange(1, 41).view(1, 40).repeat(8, 1))])
    row = picture(shown[0]["text/html"]).convert("RGB")
    middle = row.height // 2
    assert len({row.getpixel((x, middle)) for x in range(row.width)}) >= 40


def test_outlines_are_drawn_of_every_class_that_is_there_and_named_once(monkeypatch):
    figures = []
    monkeypatch.setattr(show, "figure", lambda fig, alt: figures.append(fig))
    mask = torch.zeros(20, 30, dtype=torch.int64)
    mask[2:9, 3:9], mask[12:18, 12:20], mask[:, 25:] = 1, 3, 255
    panels = [("one", IMAGES["grey"], mask), ("two", IMAGES["colour"], mask), ("none", IMAGES["grey"], mask * 0)]
    show.outlines(panels, ("ground", "cell", "edge", "dirt"), "words", columns=2)
    assert [ax.get_title() for ax in figures[0].axes] == ["one", "two", "none"]
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == ["cell", "dirt"]
    assert show.png(figures[0])


def test_outlines_of_a_large_picture_are_drawn_small(monkeypatch):
    figures = []
    monkeypatch.setattr(show, "figure", lambda fig, alt: figures.append(fig))
    show.outlines([("large", torch.rand(3, 1600, 1100), torch.ones(1600, 1100))], ("ground", "cell"), "words")
    assert figures[0].axes[0].images[0].get_array().shape == (534, 367, 3)
    assert not figures[0].legends


def test_a_reliability_diagram_says_what_was_promised_and_what_came(shown):
    probability = torch.tensor([[0.81, 0.85, 0.89, 0.81], [0.1, 0.16, 1.0, 1.0]])
    truth = torch.tensor([[True, True, True, False], [False, False, True, True]])
    show.reliability([("mine", probability, truth)])
    assert shown[0]["text/plain"] == (
        "Reliability diagram. mine: 0.13 came to 0.00, 0.84 came to 0.75, 1.00 came to 1.00."
    )

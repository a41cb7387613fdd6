"""The static fallbacks: picture and text say what the model computes, on every host, for every kind of input."""

import base64
import html
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from playgrounds import IMAGE, MASK, PLAYGROUNDS
from torchvision import tv_tensors

from helpers import data, play
from helpers.play.painting import paint


@pytest.fixture(scope="module")
def models():
    return {name: make() for name, make in PLAYGROUNDS.items()}


def alternative(page: str) -> str:
    return html.unescape(re.search(r'alt="([^"]*)"', page)[1])


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.parametrize("name", play.__all__)
def test_the_fallback_is_one_picture_with_alternative_text_and_the_same_words(models, name):
    bundle = models[name]._repr_mimebundle_()
    assert sorted(bundle) == ["text/html", "text/plain"]
    page, text = bundle["text/html"], bundle["text/plain"]
    assert page.count("<img") == 1
    assert len(alternative(page)) > 80
    png = re.search(r'base64,([^"]+)"', page)[1]
    assert Image.open(io.BytesIO(base64.b64decode(png))).size[0] > 400
    for fact in models[name].facts():
        plain = " ".join(fact.replace("*", "").split())
        assert plain in words(page).replace("*", "")
        assert plain in " ".join(text.split()).replace("*", "").replace(" - ", " ")


@pytest.mark.parametrize("name", play.__all__)
def test_showing_changes_nothing_and_sets_no_colours(models, name):
    state = torch.get_rng_state()
    first, second = models[name].as_html(), models[name].as_html()
    assert first == second
    assert repr(models[name]) == repr(models[name])
    assert torch.equal(torch.get_rng_state(), state)
    styles = re.findall(r'style="([^"]*)"', first)
    assert styles
    assert not re.search("color|background|#", " ".join(styles))


@pytest.mark.parametrize(("name", "columns"), [("kernel", 3), ("augmentation", 3), ("threshold", 4)])
def test_a_long_row_of_the_fallback_goes_into_two(models, name, columns):
    scene = models[name].scene()
    axes = paint(scene).axes
    assert len(axes) == sum(len(row) for row in scene.rows)
    assert {ax.get_gridspec().ncols for ax in axes} == {columns}


# ---- the same numbers -----------------------------------------------------------------------------------------------


def test_kernel_says_its_value_and_place(models):
    now, text = models["kernel"].compute(), repr(models["kernel"])
    assert f"= {now.value:.3g}." in text
    assert f"At row {now.at[0]}, column {now.at[1]}" in text
    assert f"where it is {now.value:.3g}." in alternative(models["kernel"].as_html())


def test_overlap_says_the_scores_of_its_place_and_follows_when_moved():
    model = play.overlap(IMAGE, MASK)
    for right in (model.right, model.right * 2):
        model.right = right
        now = model.compute()
        text = " ".join(repr(model).split())
        assert f"{now.both} pixels in both, {now.missed} missed, {now.false} false" in text
        assert f"IoU {now.scores['IoU']:.3f}, Dice {now.scores['Dice']:.3f}" in text


def test_upsampling_says_the_strength_of_each_mode(models):
    text, page = repr(models["upsampling"]), models["upsampling"].as_html()
    for mode, strength in models["upsampling"].compute().strengths.items():
        assert re.search(rf"{mode}.*checkerboard {strength:.2f}", text)
        assert re.search(rf"{mode}, \S+, checkerboard {strength:.2f}", alternative(page))


def test_loss_says_where_each_is_lowest_and_how_it_pulls(models):
    model = models["loss"]
    text = " ".join(repr(model).split())
    for name, pulled in model.compute()["everywhere"].items():
        assert f"{pulled.lowest:.2f} for {name}" in text
    for name, (up, down) in model.undecided().items():
        assert f"{up:.3g} against {down:.3g} for {name}" in text


def test_threshold_says_the_best_and_the_present(models):
    model = models["threshold"]
    text = " ".join(repr(model).split())
    assert f"Best threshold on this image: {model.best:.2f}, with Dice {max(model.curve()):.3f}" in text
    assert f"Threshold 0.50: Dice {model.compute().dice:.3f}" in text


def test_augmentation_says_the_brightness_of_each_draw(models):
    text = " ".join(repr(models["augmentation"]).split())
    for k, draw in enumerate(models["augmentation"].compute(), start=1):
        assert re.search(rf"Draw {k}: object \S+ %, mean brightness {draw.image.mean():.2f}", text)
    assert "New values in a mask: none" in text


def test_tiles_says_how_far_apart_the_two_are(models):
    text = " ".join(repr(models["tiles"]).split())
    assert f"up to {models['tiles'].compute().worst:.2g} apart" in text
    for overlap, other in models["tiles"].by_overlap().items():
        assert overlap == models["tiles"].overlap or f"Overlap {overlap}: {other.tiles} tiles" in text


def test_receptive_field_says_every_side(models):
    text = " ".join(repr(models["receptive_field"]).split())
    for seen in models["receptive_field"].compute():
        assert f"{seen.field} ({seen.kernel}×{seen.kernel}" in text


def test_compare_says_the_scores_and_errors_and_who_is_right(models):
    text = " ".join(repr(models["compare"]).split())
    for name, r in models["compare"].compute().items():
        errors = f"{r.missed.sum()} pixels missed, {r.false.sum()} false"
        assert f"{name}: Dice {r.dice:.3f}, IoU {r.iou:.3f}; {errors}" in text
    assert "They differ on" in text


# ---- what may come in -----------------------------------------------------------------------------------------------


def as_kinds(image: torch.Tensor) -> dict:
    return {
        "tensor": image,
        "plane": image[0],
        "array": image.numpy(),
        "tv_tensor": tv_tensors.Image(image),
        "colours": image.expand(3, -1, -1),
        "batch of one": image[None],
        "wants a gradient": image.clone().requires_grad_(),
        "bytes": (image * 255).to(torch.uint8),
    }


@pytest.mark.parametrize("kind", as_kinds(torch.rand(1, 2, 2)))
def test_every_kind_of_image_and_sides_that_differ(kind):
    image = as_kinds(torch.rand(1, 33, 40, generator=torch.Generator().manual_seed(0)))[kind]
    truth = np.zeros((33, 40), bool)
    truth[8:18, 9:20] = True
    for model in (
        play.kernel(image),
        play.overlap(image, truth),
        play.upsampling(image),
        play.augmentation(image, truth),
        play.compare(image, truth, {"a": truth}),
    ):
        assert "<img" in model.as_html()


@pytest.mark.parametrize("value", [False, True])
def test_masks_without_an_object_and_without_background(value):
    image, truth = torch.rand(1, 16, 16), torch.full((16, 16), value)
    for model in (
        play.threshold(image, truth),
        play.augmentation(image, truth),
        play.compare(image, truth, {"a": ~truth}),
    ):
        assert "<img" in model.as_html()
        assert "nan" not in repr(model)


@pytest.mark.parametrize("image", [torch.rand(4, 8, 8), torch.rand(2, 1, 8, 8), torch.rand(8), torch.rand(0, 5)])
def test_what_is_no_image_is_refused(image):
    with pytest.raises(ValueError, match=r"must be one image: \(H, W\)"):
        play.kernel(image)


def test_sizes_that_differ_are_named():
    with pytest.raises(ValueError, match="truth is 4×4 pixels and the image 5×6"):
        play.overlap(torch.rand(5, 6), torch.ones(4, 4).bool())


def test_brain_slices_with_four_classes():
    image, mask = data.load("brain", "test")[10]
    mine = mask.as_subclass(torch.Tensor).roll(3, 1)
    model = play.compare(image, mask, {"shifted": mine})
    assert "of the wrong class" in repr(model)
    assert "wrong class" in alternative(model.as_html())


def test_a_playground_is_called_by_its_name_whichever_module_was_imported(models):
    import helpers.play.kernel  # noqa: F401

    assert sorted(models) == sorted(play.__all__)
    for name, model in models.items():
        assert callable(getattr(play, name))
        assert type(model).__name__.lower() == name.replace("_", "")

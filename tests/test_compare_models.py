"""The fair table: scores against `metrics`, means and deviations by hand, and how it is shown."""

import json
import statistics
from html.parser import HTMLParser

import pytest
import torch
from torch import nn

from helpers import metrics
from helpers.baseline import compare
from helpers.data.gate import GateError
from helpers.data.pairs import IGNORE
from helpers.reference.baseline import freeze_encoder
from helpers.reference.unet import UNet

KEYS = ["seconds", "ms", "dice", "iou", "boundary", "missed"]


def pairs_of(*masks):
    """Images that show their masks: the class, divided by the number of classes."""
    return [((mask.where(mask != IGNORE, 0) / 2)[None].float(), mask) for mask in masks]


def square(top, left, side=8, size=24, label=1):
    mask = torch.zeros(size, size, dtype=torch.int64)
    mask[top : top + side, left : left + side] = label
    return mask


class Shifted(nn.Module):
    """Finds what the image shows, so many pixels to the right of where it is."""

    def __init__(self, shift=0):
        super().__init__()
        self.sharp = nn.Parameter(torch.tensor(10.0))
        self.shift = shift

    def forward(self, x):
        return self.sharp * (x.roll(self.shift, dims=3) - 0.25)


class Classes(nn.Module):
    """Finds one of three classes; of those in `blind`, nothing."""

    def __init__(self, *blind):
        super().__init__()
        self.sharp = nn.Parameter(torch.tensor(10.0))
        self.blind = blind

    def forward(self, x):
        logits = torch.cat([-self.sharp * (x - c / 2).abs() for c in range(3)], dim=1)
        logits[:, list(self.blind)] = -1e9
        return logits


PAIRS = pairs_of(square(4, 4), square(9, 3, side=5), square(2, 6, side=7))


def only(model, pairs=PAIRS, **given):
    return compare({"it": model}, pairs, **given).rows[0]


@pytest.mark.parametrize("shift", [0, 1, 3])
def test_the_scores_are_those_of_metrics(shift):
    model = Shifted(shift)
    row = only(model)
    assert {key: row[key] for key in ("iou", "dice")} == metrics.score(model, PAIRS)
    distances = [metrics.boundary_error(mask.roll(shift, dims=1) == 1, mask == 1) for _, mask in PAIRS]
    assert row["boundary"] == pytest.approx(statistics.fmean(distances))
    assert (row["missed"], row["ms"] > 0) == (0, True)


def test_a_perfect_model_and_what_it_costs():
    row = only(Shifted())
    assert (row["dice"], row["iou"], row["boundary"]) == (1.0, 1.0, 0.0)
    assert (row["name"], row["models"], row["parameters"], row["trainable"]) == ("it", 1, 1, 1)
    model = freeze_encoder(UNet(1, 1, base_channels=2, depth=1))
    row = only(model)
    parameters = {name: p.numel() for name, p in model.named_parameters()}
    assert row["parameters"] == sum(parameters.values())
    assert row["trainable"] == sum(n for name, n in parameters.items() if not name.startswith("encoder."))


def test_several_models_of_one_name_give_mean_and_deviation():
    models = [Shifted(0), Shifted(1), Shifted(2)]
    alone = [only(m) for m in models]
    row = only(models, seconds={"it": [1.0, 2.0, 6.0]})
    assert row["models"] == 3
    assert (row["seconds"], row["seconds_std"]) == (3.0, statistics.stdev([1, 2, 6]))
    for key in ("dice", "iou", "boundary"):
        values = [r[key] for r in alone]
        assert row[key] == pytest.approx(statistics.fmean(values))
        assert row[f"{key}_std"] == pytest.approx(statistics.stdev(values))
    assert row["ms_std"] is not None
    assert all(r[f"{key}_std"] is None for r in alone for key in KEYS)


def test_an_image_without_an_object_has_no_distance():
    """Neither where both agree that there is none, nor where one of them is wrong; the latter is counted."""
    empty = square(0, 0, side=0)
    assert only(Shifted(2), [*PAIRS[:1], *pairs_of(empty)])["boundary"] == only(Shifted(2), PAIRS[:1])["boundary"]
    found_where_nothing_is = [(PAIRS[0][0], empty)]
    row = only(Shifted(2), [*PAIRS[:1], *found_where_nothing_is])
    assert (row["boundary"], row["missed"]) == (only(Shifted(2), PAIRS[:1])["boundary"], 1)
    row = only(Shifted(), found_where_nothing_is)
    assert (row["boundary"], row["missed"]) == (None, 1)


def test_every_class_but_the_background_counts():
    pairs = pairs_of(square(4, 4) + square(14, 14, label=2))
    assert only(Classes(), pairs)["dice"] == 1.0
    row = only(Classes(2), pairs)
    assert (row["missed"], row["iou"]) == (1, metrics.score(Classes(2), pairs)["iou"])
    assert row["iou"] < 1


def test_pixels_without_a_label_do_not_count():
    image, mask = PAIRS[0]
    unknown = mask.clone()
    unknown[:, 12:15] = IGNORE  # where the shifted prediction is wrong, on the right
    unknown[:, 4:7] = IGNORE  # and on the left
    row = only(Shifted(3), [(image, unknown)])
    assert (row["dice"], row["boundary"]) == (1.0, 0.0)
    with pytest.raises(GateError, match="no pixel has a label"):
        compare({"it": Shifted()}, [(image, torch.full_like(mask, IGNORE))])


def test_models_come_back_as_they_were():
    models = {"a": UNet(1, 1, base_channels=2, depth=1).train(), "b": UNet(1, 1, base_channels=2, depth=1).eval()}
    before = {name: [x.clone() for x in m.state_dict().values()] for name, m in models.items()}
    compare(models, PAIRS)
    assert (models["a"].training, models["b"].training) == (True, False)
    for name, m in models.items():
        assert all(torch.equal(x, y) for x, y in zip(m.state_dict().values(), before[name], strict=True))


# ---- how it is shown ----

NAMES = ("mine <b> & [red]co[/red]", "pretrained")


@pytest.fixture(scope="module")
def table():
    return compare({NAMES[0]: [Shifted(1), Shifted(2)], NAMES[1]: Shifted()}, PAIRS, {NAMES[0]: [60, 62.5]})


def test_the_rows_are_plain_data(table):
    assert json.loads(json.dumps(table.rows)) == table.rows
    assert [row["name"] for row in table.rows] == list(NAMES)
    assert all(set(KEYS) | {f"{k}_std" for k in KEYS} < set(row) for row in table.rows)


def test_the_text_holds_every_number(table):
    assert repr(table) == str(table)
    head, first, second, *_ = str(table).splitlines()
    assert head.split()[:3] == ["model", "parameters", "trainable"]
    assert first.startswith(NAMES[0])
    assert "61.2 ± 1.8" in first
    row = table.rows[0]
    assert f"{row['dice']:.3f} ± {row['dice_std']:.3f}" in first
    assert f"{row['boundary']:.2f} ± {row['boundary_std']:.2f}" in first
    assert "–" in second  # no seconds were given
    assert "1.000" in second
    assert "All on the same 3 images. Mean ± standard deviation" in str(table)
    assert "Missed:" not in str(table)


def test_the_page_holds_the_same_as_the_text(table):
    cells, parser = [], HTMLParser()
    parser.handle_data = cells.append
    parser.feed(table._repr_html_())
    assert "<b>" not in table._repr_html_()
    assert NAMES[0] in "".join(cells)
    text = " ".join(str(table).split())
    assert all(" ".join(cell.split()) in text for cell in cells if cell not in NAMES[0])
    assert len([c for c in cells if "±" in c]) == 1 + len(KEYS)  # the caption, and each number of the first row


def test_what_was_missed_is_explained():
    shown = str(compare({"it": Shifted()}, [(PAIRS[0][0], square(0, 0, side=0))]))
    assert "Missed: how often only the prediction or only the truth" in shown


# ---- what does not go together ----


@pytest.mark.parametrize(
    ("names", "said"),
    [("ab", "'b' holds the same network as 'a'"), ("aa", "'a' holds the same network twice"), ("a", None)],
)
def test_a_network_that_is_compared_with_itself_is_warned_of(names, said, recwarn):
    model = Shifted()
    compare({name: [model] * names.count(name) for name in names} | {"other": Shifted()}, PAIRS)
    assert [said in str(w.message) for w in recwarn] == [True] * (said is not None)


@pytest.mark.parametrize(
    ("models", "pairs", "seconds", "said"),
    [
        ({}, PAIRS, None, "models are none"),
        ({"a": Shifted()}, [], None, "pairs have no pair"),
        ({"a": []}, PAIRS, None, "'a' has 0 models"),
        ({"first": Shifted()}, PAIRS, {"frist": 3.0}, "no model 'frist'. Did you mean 'first'"),
        ({"a": Shifted()}, PAIRS, 3.0, "seconds go by names"),
        ({"a": Shifted()}, PAIRS, {"a": "3"}, "seconds of 'a' are '3'. Give numbers"),
        ({"a": Shifted()}, PAIRS, {"a": -3}, "seconds of 'a' are -3"),
        ({"a": [Shifted(), Shifted()]}, PAIRS, {"a": 3.0}, "2 models and 1 numbers of seconds"),
        ({"a": [Shifted(), nn.Conv2d(1, 1, 1)]}, PAIRS, None, "'a' differ in their numbers of parameters"),
        ({"a": Shifted()}, pairs_of(square(0, 0, label=2)), None, "values 0 and 2 .* from 0 to 1"),
        (
            {"a": Shifted(), "b": nn.Conv2d(1, 3, 1)},
            pairs_of(square(0, 0, label=2)),
            None,
            r"'a' gives logits \(1, 24, 24\).*up to 2",
        ),
        ({"a": nn.Conv2d(1, 2, 3)}, PAIRS, None, r"'a': .*`Conv2d`.* 22 × 22 pixels of 24 × 24"),
    ],
)
def test_wrong_arguments_are_refused(models, pairs, seconds, said):
    with pytest.raises(ValueError, match=said):
        compare(models, pairs, seconds)

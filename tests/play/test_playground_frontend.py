"""The page's side of a playground: controls, scene and facts as traits, and what a request does."""

import json
from xml.etree import ElementTree

import pytest
import torch
from playgrounds import IMAGE, MASK, PLAYGROUNDS

from helpers import play
from helpers.play.playground import Control, PlaygroundFrontEnd
from helpers.play.scene import Frame, Layer, Picture, Plot, Scene, for_the_page


def ask(stage, number=1, **values):
    stage._handle_custom_msg(values | {"number": number}, [])


def pictures(stage):
    return [panel for row in stage.scene["rows"] for panel in row if panel["kind"] == "picture"]


@pytest.mark.parametrize("name", PLAYGROUNDS)
def test_what_the_page_gets_is_whole(name):
    stage = PlaygroundFrontEnd(PLAYGROUNDS[name]())
    assert stage.title
    assert stage.needs_kernel == bool(stage.controls) == (name != "compare")
    assert set(stage.values) == {control["name"] for control in stage.controls}
    assert len(stage.facts) >= 2
    for panel in pictures(stage):
        pixels = panel["height"] * panel["width"]
        assert len(panel["pixels"]) == panel["channels"] * pixels
        assert all(len(layer["mask"]) == pixels for layer in panel["layers"])
    json.dumps([stage.controls, stage.values, stage.facts])
    json.dumps(stage.scene, default=lambda value: "" if isinstance(value, bytes) else pytest.fail(repr(value)))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("kernel", {"kernel": [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]}),
        ("kernel", {"row": 3, "column": 5}),
        ("overlap", {"down": 4, "right": -9}),
        ("upsampling", {"kernel": 4}),
        ("loss", {"fraction": 0.25}),
        ("threshold", {"threshold": 0.2}),
        ("augmentation", {"seed": 7}),
        ("tiles", {"overlap": 16}),
        ("receptive_field", {"shown": 3}),
    ],
)
def test_a_request_changes_picture_and_words_together(name, values):
    model = PLAYGROUNDS[name]()
    stage = PlaygroundFrontEnd(model)
    before, facts = stage.scene, stage.facts
    ask(stage, 5, **values)
    assert (stage.problem, stage.answered) == ("", 5)
    assert {key: stage.values[key] for key in values} == values
    assert stage.scene != before
    assert stage.facts != facts
    assert stage.scene["alt"] == model.scene().alt


def test_what_may_be_chosen_follows_what_was_chosen():
    stage = PlaygroundFrontEnd(PLAYGROUNDS["kernel"]())
    assert {c["name"]: c["max"] for c in stage.controls}["row"] == 61
    ask(stage, padding=1)
    assert {c["name"]: c["max"] for c in stage.controls}["row"] == 63


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("threshold", {"threshold": 7}, "Threshold is 7; it goes from 0.01 to 0.99."),
        ("threshold", {"threshold": "high"}, "Threshold is 'high'"),
        ("tiles", {"tile": 16, "overlap": 28}, "tile=16 and overlap=28 do not fit"),
        ("kernel", {"kernel": [[1.0, 2.0]]}, "must be square"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(name, values, said):
    stage = PlaygroundFrontEnd(PLAYGROUNDS[name]())
    before, facts = stage.values, stage.facts
    ask(stage, 2, **values)
    assert said in stage.problem
    assert (stage.values, stage.facts, stage.answered) == (before, facts, 2)
    ask(stage, 3, **{name: before[name] for name in values})
    assert stage.problem == ""


def test_whole_numbers_stay_whole():
    assert Control("seed", "Seed", max=9, step=1).read(3.0) == 3
    assert isinstance(Control("seed", "Seed", max=9, step=1).read(3.0), int)
    assert isinstance(Control("strength", "Strength", max=9).read(3), float)


def test_a_scene_for_the_page_has_everything_that_is_drawn():
    mask = torch.tensor([[True, False], [False, False]])
    picture = Picture(
        "p",
        torch.tensor([[0.0, 0.5], [1.0, 0.25]]),
        layers=(Layer("missed", "#0072B2", "....", mask),),
        frames=(Frame(0, 1, 1, 1),),
        rings=((1, 0),),
        drags=("down", "right"),
    )
    plot = Plot("q", "x", "y", [0.0, 1.0], lines={"a": [1.0, 2.0]}, marks=((0.5, "now"),))
    page = for_the_page(Scene([[picture, plot]], "two panels"))
    drawn, lines = page["rows"][0]
    assert (drawn["channels"], list(drawn["pixels"])) == (1, [0, 128, 255, 64])
    assert drawn["numbers"] == [["0", "0.5"], ["1", "0.25"]]
    assert list(drawn["layers"][0]["mask"]) == [1, 0, 0, 0]
    assert (drawn["frames"][0]["left"], drawn["rings"], drawn["drags"]) == (1, [[1, 0]], ["down", "right"])
    assert lines["title"] == "q"
    words = {node.text for node in ElementTree.fromstring(lines["svg"]).iter() if node.tag == "text"}
    assert {"x", "y", "a", "now"} <= words
    assert page["legend"] == [{"name": "missed", "colour": "#0072B2", "hatch": "."}]
    assert page["alt"] == "two panels"


def test_pictures_that_wipe_are_those_that_are_shown():
    stage = PlaygroundFrontEnd(PLAYGROUNDS["compare"]())
    scene = stage.scene
    assert scene["zooms"]
    assert list(scene["wipes"]) == ["low", "high"]
    titles = [scene["rows"][row][column]["title"] for row, column in scene["wipes"].values()]
    assert all(title.startswith("error, Dice") for title in titles)
    assert len(set(titles)) == 2
    assert len({(p["height"], p["width"]) for p in pictures(stage)}) == 1  # one window for all


def test_one_prediction_has_nothing_to_wipe():
    assert PlaygroundFrontEnd(play.compare(IMAGE, MASK, {"low": IMAGE[0] > 0.1})).scene["wipes"] == {}


def test_the_page_hears_that_a_model_runs_before_it_runs():
    stage = PlaygroundFrontEnd(PLAYGROUNDS["tiles"]())
    said = []
    stage.observe(lambda change: said.append((change["new"], stage.answered)), "working")
    ask(stage, 1, tile=24)
    assert [what for what, _ in said] == ["the model runs on every tile, for 6 overlaps", ""]
    assert said[0][1] == 0  # before the answer
    said.clear()
    ask(stage, 2, tile=32)  # known from the beginning
    assert said == []


def test_colours_and_grey_pictures_reach_the_page():
    grey, colour = torch.rand(4, 5), torch.rand(3, 4, 5)
    page = for_the_page(Scene([[Picture("g", grey), Picture("c", colour)]], ""))
    assert [(p["channels"], len(p["pixels"])) for p in page["rows"][0]] == [(1, 20), (3, 60)]


def test_a_line_leaves_the_frame_of_its_plot_and_is_cut_off_there():
    for values, frames in ([0.0, 1.0], 1), ([0.0, 2.0], 2):
        page = for_the_page(Scene([[Plot("p", "x", "y", [0.0, 1.0], lines={"a": values}, ylim=(0.0, 1.5))]], ""))
        assert page["rows"][0][0]["svg"].count("<svg ") == frames

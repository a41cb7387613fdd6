"""The page's side of the graph, without a page: what it is asked, what it shows, what the next run does to it."""

import gc
import html
import re
import xml.etree.ElementTree as ET

import pytest
import torch
from ipywidgets import HBox, Widget
from test_graph import IMAGE, RUNS, Broken
from torch import nn

from helpers.graph import ArchitectureGraph
from helpers.graph.frontend import GraphFrontEnd
from helpers.reference.unet import Encoder, UNet

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """A graph with its front end, as after its first view, and its network."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    model = UNet(1, 1, 4, 2)
    graph = ArchitectureGraph().forward(model, IMAGE)
    graph._front_end = GraphFrontEnd(graph)
    return graph, graph._front_end, model


def ask(front: GraphFrontEnd, number: int = 1, **request) -> None:
    """What arrives when the student selects something."""
    front._handle_custom_msg({**request, "number": number}, [])
    assert front.answered == number
    assert not front.busy


def parts_of(front: GraphFrontEnd) -> list[ET.Element]:
    return [element for element in ET.fromstring(front.drawing["svg"]).iter(f"{SVG}g") if element.get("data-part")]


# ---- the picture -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
def test_every_part_is_one_button_with_its_name_and_facts(name):
    graph = RUNS[name]()
    front = GraphFrontEnd(graph)
    buttons = [part for part in parts_of(front) if part.get("role") == "button"]
    named = [button.get("data-part") for button in buttons]
    assert sorted(named) == sorted(set(named)) == sorted(graph.parts())
    for button in buttons:
        name = button.get("data-part")
        assert button.get("aria-label").startswith(f"{name}: ")
        assert button.get("aria-pressed") == "false"
        for fact in graph.select(name).facts():
            assert fact.replace("`", "") in button.get("aria-label")


@pytest.mark.parametrize("name", RUNS)
def test_the_arrow_keys_lead_to_every_part_from_every_part(name):
    ways = GraphFrontEnd(RUNS[name]()).drawing["neighbours"]
    for start in ways:
        found, ahead = set(), [start]
        while ahead:
            name = ahead.pop()
            if name not in found:
                found.add(name)
                ahead += ways[name].values()
        assert found == set(ways)


def test_the_arrow_keys_go_where_they_point(shown):
    ways = shown[1].drawing["neighbours"]
    assert ways["encoder 0"]["ArrowRight"] == "skip 0"
    assert ways["skip 0"]["ArrowRight"] == "decoder 0"
    assert ways["encoder 0"]["ArrowDown"] == "pooling 1"
    assert ways["decoder 0"]["ArrowUp"] == "head"


def test_a_picture_with_buttons_is_no_single_image(shown):
    assert ET.fromstring(shown[1].drawing["svg"]).get("role") == "group"
    assert "data-part" not in shown[0].as_html()


def test_words_and_table_are_those_of_the_static_fallback(shown):
    graph, front, model = shown
    fallback = graph.as_html()
    assert front.drawing["state"] in fallback
    assert front.drawing["network"] == f"UNet, {sum(p.numel() for p in model.parameters()):,} parameters"
    assert front.drawing["table"] in fallback
    assert front.drawing["legend"] in fallback
    zeroed = RUNS["zeroed"]()
    assert GraphFrontEnd(zeroed).drawing["said"][0] in zeroed.as_html()


# ---- selecting a part ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["encoder 1", "skip 0", "pooling 1", "bottleneck", "head", "image"])
def test_a_selected_part_shows_its_card_and_maps(shown, name):
    graph, front, _ = shown
    ask(front, select=name)
    card = graph.select(name)
    assert front.selected == name
    assert front.card["head"] == card.head()
    assert [html.unescape(re.sub("<.*?>", "", fact)) for fact in front.card["facts"]] == [
        fact.replace("`", "") for fact in card.facts()
    ]
    titles = [shown["title"].partition(":")[0] for shown in front.card["maps"]]
    assert titles == [f"channel {c}" for c in card.part.channels]
    for shown_map, values in zip(front.card["maps"], card.part.maps, strict=True):
        assert (shown_map["height"], shown_map["width"]) == values.shape
        assert len(shown_map["rgb"]) == 3 * values.numel()


def test_a_large_map_is_thinned_out_for_the_page():
    front = GraphFrontEnd(ArchitectureGraph().forward(nn.Conv2d(1, 2, 3, padding=1), torch.rand(1, 1, 400, 300)))
    ask(front, select="convolution")
    assert (front.card["maps"][0]["height"], front.card["maps"][0]["width"]) == (100, 75)


def test_of_a_locked_u_each_part_says_when_it_opens():
    graph = ArchitectureGraph()
    front = GraphFrontEnd(graph)
    for name in graph.parts():
        ask(front, select=name)
        assert "Locked. It opens when a network runs it; you meet it in lesson 0" in front.card["text"]
        assert front.card["maps"] == []
    assert front.output == {}
    assert front.drawing["no_output"] == ""


def test_a_place_at_which_nothing_ran_can_be_selected():
    graph = ArchitectureGraph().forward(Encoder(1, 4, 2), IMAGE)
    front = GraphFrontEnd(graph)
    ask(front, select="decoder 1")
    assert "in lesson 06" in front.card["text"]
    assert "Increases width" not in front.card["text"]
    graph.unlocked.add("decoder")
    ask(front, 2, select="decoder 1")
    assert "Increases width and height" in front.card["text"]


def test_a_part_that_is_not_there_is_said(shown):
    _, front, _ = shown
    ask(front, select="head")
    ask(front, 2, select="<encoder 9>")
    assert "There is no '<encoder 9>' in this graph." in front.problem
    assert front.card["head"] == "head · The 1×1 head"  # what was selected stays
    ask(front, 3, select="image")
    assert front.problem == ""


# ---- selecting a pixel -----------------------------------------------------------------------------------------------


def test_a_pixel_shows_what_it_sees(shown):
    graph, front, _ = shown
    ask(front, pixel=[9, 20], channel=None)
    influence = graph.sees(9, 20)
    assert (front.pixel["row"], front.pixel["column"], front.pixel["title"]) == (9, 20, influence.title)
    assert front.pixel["facts"] == influence.facts()
    [seen] = front.pixel["inputs"]
    (top, bottom), (left, right) = influence.inputs[0].composed.rows, influence.inputs[0].composed.columns
    assert seen["frame"] == {"top": top, "left": left, "height": bottom - top + 1, "width": right - left + 1}
    assert (seen["height"], seen["width"], len(seen["rgb"])) == (32, 32, 3 * 32 * 32)
    assert str(influence.inputs[0].composed) in seen["alt"]


def test_the_page_is_told_before_the_model_runs(shown):
    graph, front, _ = shown
    seen, sees = [], graph.sees
    front.observe(lambda change: seen.append(change["new"]), "busy")
    graph.sees = lambda *place: (seen.append("runs"), sees(*place))[1]
    ask(front, pixel=[1, 1])
    assert seen == [True, "runs", False]


def test_the_channel_of_the_output_can_be_chosen():
    model = nn.Conv2d(1, 3, 3, padding=1)
    front = GraphFrontEnd(ArchitectureGraph().forward(model, IMAGE))
    assert front.output["channels"] == 3
    assert front.output["title"].startswith("output, channel 0 of 3: ")
    ask(front, pixel=[1, 1], channel=2)
    assert front.output["title"].startswith("output, channel 2 of 3: ")
    assert "channel 2" in front.pixel["title"]


@pytest.mark.parametrize("pixel", [[32, 0], [0, -1], [0.5, 0], [None, None], ["a", 0]])
def test_a_pixel_that_is_none_is_said(shown, pixel):
    _, front, _ = shown
    ask(front, pixel=[1, 1])
    ask(front, 2, pixel=pixel)
    assert "counted from 0 to 31" in front.problem
    assert front.pixel == {}


def test_a_request_that_is_none_leaves_nobody_waiting(shown):
    with pytest.raises(TypeError):  # it goes to the kernel's log
        shown[1]._on_request(None, {"pixel": 3, "number": 7}, [])
    assert (shown[1].answered, shown[1].busy) == (7, False)


def test_a_network_without_a_name_can_be_asked_about_its_pixels(shown):
    graph, front, _ = shown
    graph.forward(UNet(1, 1, 4, 2), IMAGE)
    gc.collect()
    ask(front, pixel=[1, 1])
    assert (front.problem, front.pixel["row"]) == ("", 1)


def test_a_network_trained_since_shows_what_it_gives_now(shown):
    _, front, model = shown
    before = bytes(front.output["rgb"])
    with torch.no_grad():
        model.head.weight.mul_(-3)
    ask(front, pixel=[1, 1])
    assert "its weights have changed since" in front.pixel["facts"][0]
    assert bytes(front.output["rgb"]) != before


# ---- another run -----------------------------------------------------------------------------------------------------


def test_another_run_replaces_all_that_is_shown(shown):
    graph, front, _ = shown
    ask(front, select="encoder 1", pixel=[3, 3])
    torch.manual_seed(1)
    other = UNet(1, 2, 6, 2)
    graph.forward(other, IMAGE)
    assert front.selected == "encoder 1"
    assert "12, 16, 16) out." in front.card["facts"][0]
    assert front.pixel == {}
    assert front.output["channels"] == 2
    assert "6 × 32 × 32" in front.drawing["svg"]
    graph.forward(UNet(1, 1, 4, 1), IMAGE)  # has no encoder 1
    assert (front.selected, front.card) == ("", {})


def test_a_run_that_stops_is_drawn_as_far_as_it_came_and_has_no_output(shown):
    graph, front, _ = shown
    graph.forward(Broken(1, 1, 4, 2), IMAGE)
    assert "RuntimeError" in front.drawing["said"][0]
    assert front.output == {}
    assert "The run stopped before it gave an output" in front.drawing["no_output"]
    ask(front, select="bottleneck")
    assert front.card["maps"]
    ask(front, 2, pixel=[1, 1])
    assert "The run stopped" in front.problem


def test_a_refused_run_changes_nothing(shown):
    graph, front, _ = shown
    before = front.drawing
    with pytest.raises(TypeError):
        graph.forward(UNet, IMAGE)
    assert front.drawing == before


def test_two_graphs_are_one_view_with_the_widgets_of_colab_too(shown, monkeypatch):
    """ipywidgets 7 has a box that displays itself and gives nobody its view."""
    graph, _, _ = shown
    monkeypatch.setattr("helpers.frontend.is_interactive", lambda: True)
    monkeypatch.delattr(Widget, "_repr_mimebundle_")
    both = graph.beside(nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU()))
    view = both._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]
    (box,) = [w for w in gc.get_objects() if type(w) is HBox and w.model_id == view["model_id"]]
    assert [*box.children] == [one.front_end() for one in both.graphs]


def test_two_graphs_beside_each_other_are_each_their_own(shown, monkeypatch):
    graph, front, _ = shown
    rival = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU())
    both = graph.beside(rival)
    monkeypatch.setattr("helpers.frontend.is_interactive", lambda: True)
    for lab in (False, True):
        monkeypatch.setattr("helpers.frontend.is_lab", lambda lab=lab: lab)
        shown_as = both._repr_mimebundle_()
    assert set(shown_as) == {"text/plain", "text/html"}
    of_rival = both.graphs[1]._front_end
    assert both.graphs[0]._front_end is front  # what graph.forward draws is drawn here, too
    assert all(f"unet-fallback-{one.fallback_id} unet-part" in shown_as["text/html"] for one in (front, of_rival))
    ask(of_rival, pixel=[5, 5], channel=0)
    assert "3×3" in of_rival.pixel["facts"][0]
    assert front.pixel == {}

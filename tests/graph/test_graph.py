"""The graph without a page: what it unlocks, keeps, draws and says."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import torch
from torch import nn

from helpers.graph import ArchitectureGraph
from helpers.graph.concepts import concepts
from helpers.reference.decoder import Hourglass
from helpers.reference.unet import DoubleConv, Down, Encoder, UNet, Up

ROOT = Path(__file__).parents[2]
IMAGE = torch.linspace(0, 1, 32 * 32).reshape(1, 1, 32, 32)
SVG = "{http://www.w3.org/2000/svg}"


class Zeroed(UNet):
    def forward(self, x):
        x, skips = self.encoder(x)
        for up, skip in zip(self.decoder, reversed(skips), strict=True):
            x = up(x, skip * 0)
        return self.head(x)


class Broken(UNet):
    def forward(self, x):
        x, skips = self.encoder(x)
        return self.head(self.decoder[0](x, skips[0]).mT @ x)


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A lesson's folder in the course's notebooks; the next lesson stands beside it."""
    for name in ("05_encoder", "07_skips"):
        (tmp_path / "notebooks" / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "notebooks" / "05_encoder")
    return tmp_path / "notebooks"


def svg_of(shown):
    text = re.search(r"<svg.*?</svg>", shown.as_html(), re.S)[0]
    return ET.fromstring(text)


def texts(shown):
    return [element.text for element in svg_of(shown).iter(f"{SVG}text")]


# ---- locked and unlocked ---------------------------------------------------------------------------------------------


def test_at_first_everything_is_locked_and_that_is_said():
    graph = ArchitectureGraph()
    assert graph.unlocked == set()
    assert texts(graph).count("locked") == 4 + 1 + 4 + 1
    assert texts(ArchitectureGraph(depth=2)).count("locked") == 2 + 1 + 2 + 1
    for text in (repr(graph), graph.as_html()):
        assert "All 8 parts are locked: double convolution, pooling, encoder, bottleneck" in text
        assert "graph.forward(piece, image)" in text


def test_what_ran_is_unlocked_and_the_rest_stays_locked():
    graph = ArchitectureGraph()
    assert graph.forward(DoubleConv(1, 4), IMAGE) is graph
    assert graph.unlocked == {"double conv"}
    graph.forward(Encoder(1, 4, 2), IMAGE)
    assert graph.unlocked == {"double conv", "pooling", "encoder", "bottleneck"}
    assert "encoder 1" in texts(graph)
    assert texts(graph).count("locked") == 3  # two decoder levels and the head
    assert "Still locked: up-convolution, decoder, skip connection, 1×1 head." in repr(graph)
    graph.forward(UNet(1, 1, 4, 2), IMAGE)
    assert graph.unlocked == set(concepts())
    assert "Nothing is locked any more." in repr(graph)
    assert "locked" not in texts(graph)


# ---- kept from lesson to lesson --------------------------------------------------------------------------------------


def test_what_is_unlocked_is_kept_beside_the_lessons(lesson, monkeypatch):
    ArchitectureGraph().forward(Encoder(1, 4, 2), IMAGE)
    kept = json.loads((lesson / "unlocked.json").read_text())
    assert kept == {"unlocked": ["double conv", "pooling", "encoder", "bottleneck"]}
    monkeypatch.chdir(lesson / "07_skips")
    graph = ArchitectureGraph()
    assert graph.unlocked == set(kept["unlocked"])
    assert texts(graph).count("unlocked, not run here") == 5
    assert "Unlocked: double convolution, pooling, encoder, bottleneck." in repr(graph)


def test_two_notebooks_at_once_do_not_lock_each_others_parts(lesson):
    first, second = ArchitectureGraph(), ArchitectureGraph()
    first.forward(DoubleConv(1, 4), IMAGE)
    second.forward(nn.Conv2d(1, 1, 1), IMAGE)
    assert ArchitectureGraph().unlocked == {"double conv", "head 1x1"}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"unlocked": 3}', '{"other": []}', '{"unlocked": [["encoder"]]}'])
def test_a_broken_file_is_said_and_written_anew(lesson, content):
    (lesson / "unlocked.json").write_text(content)
    graph = ArchitectureGraph()
    assert graph.unlocked == set()
    assert "could not be read from unlocked.json" in repr(graph)
    graph.forward(DoubleConv(1, 4), IMAGE)
    assert "could not" not in repr(graph)
    assert ArchitectureGraph().unlocked == {"double conv"}


def test_unknown_names_in_the_file_are_passed_over(lesson):
    (lesson / "unlocked.json").write_text('{"unlocked": ["encoder", "warp drive"]}')
    assert ArchitectureGraph().unlocked == {"encoder"}


def test_where_nothing_can_be_kept_that_is_said(lesson):
    (lesson / "unlocked.json").mkdir()
    graph = ArchitectureGraph().forward(DoubleConv(1, 4), IMAGE)
    assert graph.unlocked == {"double conv"}
    assert "could not be kept in unlocked.json" in repr(graph)


def test_elsewhere_nothing_is_kept(tmp_path, monkeypatch):
    for name in ("source/05_encoder", "notebooks/mine"):
        (tmp_path / name).mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        ArchitectureGraph().forward(DoubleConv(1, 4), IMAGE)
    assert not list(tmp_path.rglob("*.json"))


# ---- the picture and its words ---------------------------------------------------------------------------------------

RUNS = {
    "nothing": lambda: ArchitectureGraph(),
    "unet": lambda: ArchitectureGraph().forward(UNet(1, 1, 4, 3), IMAGE),
    "flat": lambda: ArchitectureGraph().forward(DoubleConv(1, 4), IMAGE),
    "down": lambda: ArchitectureGraph().forward(Down(1, 4), IMAGE),
    "up": lambda: ArchitectureGraph().forward(Up(8, 4, 4), torch.rand(1, 8, 8, 8), torch.rand(1, 4, 16, 16)),
    "head": lambda: ArchitectureGraph().forward(nn.Conv2d(1, 2, 1), IMAGE),
    "hourglass": lambda: ArchitectureGraph().forward(Hourglass(1, 1, 4, 2), IMAGE),
    "zeroed": lambda: ArchitectureGraph().forward(Zeroed(1, 1, 4, 2), IMAGE),
    "broken": lambda: ArchitectureGraph().forward(Broken(1, 1, 4, 2), IMAGE),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_picture_is_whole_and_has_words(name):
    graph = RUNS[name]()
    svg = svg_of(graph)
    assert svg.get("role") == "img"
    ids = {element.get("id"): element for element in svg.iter() if element.get("id")}
    labels = svg.get("aria-labelledby").split()
    assert [ids[label].tag for label in labels] == [f"{SVG}title", f"{SVG}desc"]
    assert all(ids[label].text for label in labels)
    links = set(re.findall(r"url\(#([^)]+)\)", graph.as_html()))
    assert links <= set(ids)
    width, height = map(float, svg.get("viewBox").split()[2:])
    for box in svg.iter(f"{SVG}rect"):
        if "x" in box.attrib:
            assert 0 <= float(box.get("x")) <= width - float(box.get("width"))
            assert 0 <= float(box.get("y")) <= height - float(box.get("height"))


@pytest.mark.parametrize("name", RUNS)
def test_boxes_do_not_overlap(name):
    boxes = [
        tuple(float(rect.get(key)) for key in ("x", "y", "width", "height"))
        for rect in svg_of(RUNS[name]()).iter(f"{SVG}rect")
        if rect.get("rx") == "6"
    ]
    assert boxes
    for k, (x, y, w, h) in enumerate(boxes):
        for other_x, other_y, other_w, other_h in boxes[:k]:
            assert x >= other_x + other_w or other_x >= x + w or y >= other_y + other_h or other_y >= y + h


def test_text_and_lines_have_the_colour_of_the_page():
    for text in svg_of(RUNS["unet"]()).iter(f"{SVG}text"):
        assert text.get("fill") == "currentColor"
    assert not re.search(r"#000\b|#fff\b|black|white", RUNS["unet"]().as_html())


def test_picture_text_and_table_say_the_same():
    graph = RUNS["unet"]()
    node = graph.trace.node("encoder 1")
    table = graph.as_html().partition("<details>")[2]
    assert f"{node.parameters:,}" in table
    for text in (repr(graph), table, svg_of(graph).find(f"{SVG}desc").text):
        assert str(node.shape_out) in text
        assert "14×14" in text
    shown = texts(graph)
    assert "8 × 16 × 16" in shown
    assert "skip 1 · 8 × 16 × 16 · concatenated" in shown
    heads = re.findall(r'<th scope="row"[^>]*>([^<]+)', table)
    assert heads == [n.name for n in graph.trace.nodes if n.kind != "image"] + ["skip 2", "skip 1", "skip 0"]


def test_zeros_are_hatched_and_said():
    graph = RUNS["zeroed"]()
    assert 'fill="url(#hatch' in graph.as_html()
    assert 'fill="url(#hatch' not in RUNS["unet"]().as_html()
    assert "skip 0 · carries only zeros" in texts(graph)
    for text in (repr(graph), graph.as_html()):
        assert "skip 1 and skip 0: the edge is there, but it carries nothing but zeros." in text


def test_a_model_that_raises_is_drawn_as_far_as_it_came():
    graph = RUNS["broken"]()
    assert "it stopped here" in graph.as_html()
    assert repr(graph).count("! ") == 2
    assert "RuntimeError" in repr(graph)
    assert "not reached · 5 params" in texts(graph)


def test_markup_in_names_and_messages_is_text():
    class Nasty(nn.Module):
        def forward(self, x):
            raise ValueError("<script>alert(1)</script>")

    assert "<script>" not in ArchitectureGraph().forward(Nasty(), IMAGE).as_html()


def test_two_networks_beside_each_other():
    graph = RUNS["unet"]()
    both = graph.beside(Hourglass(1, 1, 4, 2))
    assert both.as_html().count("<svg") == 2
    assert "Architecture graph of UNet" in repr(both)
    assert "Architecture graph of Hourglass" in repr(both)
    assert "! No skip connection" in repr(both)
    with pytest.raises(ValueError, match="There is no image yet"):
        ArchitectureGraph().beside(UNet(1, 1, 4, 2))


def test_both_forms_go_to_the_notebook():
    graph = RUNS["unet"]()
    for shown in (graph, graph.beside(UNet(1, 1, 4, 2)), graph.select("encoder 1")):
        assert set(shown._repr_mimebundle_()) == {"text/plain", "text/html"}


# ---- selecting -------------------------------------------------------------------------------------------------------


def test_selecting_a_node_shows_its_card_and_its_maps():
    card = RUNS["unet"]().select("encoder 1")
    assert "Reduces width and height while increasing channels" in repr(card)
    assert "Shape (1, 4, 16, 16) in, (1, 8, 16, 16) out." in repr(card)
    assert "In your code: `encoder.downs.0.conv.layers`." in repr(card)
    html = card.as_html()
    assert html.count("<img alt=") == 2
    assert "Feature maps of encoder 1: channel 0 from" in html
    assert "<em>what</em>" in html


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("bottleneck", "bottleneck · The bottleneck"),
        ("skip 1", "skip 1 · Skip connection"),
        ("Decoder", "decoder 2 · The decoder"),
        ("pooling 1", "pooling 1 · Pooling"),
        ("head", "head · The 1×1 head"),
        ("up-convolution", "up-convolution 2 · Up-convolution"),
        ("double conv", "Double convolution"),
        ("image", "image"),
    ],
)
def test_nodes_skips_and_concepts_can_be_selected(name, title):
    assert repr(RUNS["unet"]().select(name)).splitlines()[0] == title


def test_maps_are_those_of_the_block_not_of_what_was_made_of_it_later():
    graph = RUNS["zeroed"]()
    assert graph.select("encoder 0").part.maps.any()
    assert not graph.select("skip 0").part.maps.any()


def test_a_wrong_name_says_which_there_are():
    with pytest.raises(ValueError, match='There is no \'encoder 9\' in this graph. Choose one of "image", "encoder 0"'):
        RUNS["unet"]().select("encoder 9")


# ---- what a front end needs ------------------------------------------------------------------------------------------


def test_the_cards():
    lessons = {path.stem for path in (ROOT / "autograde" / "lessons").glob("*.py")}
    encoder, decoder = ["double conv", "pooling", "encoder", "bottleneck"], ["up-convolution", "decoder"]
    assert list(concepts()) == [*encoder, *decoder, "skip connection", "head 1x1"]
    for card in concepts().values():
        assert 2 <= len(re.findall(r"[.;](?:\s|$)", card.text)) <= 5
        assert re.fullmatch(r"\d\d_[a-z]+", card.lesson)
        assert card.lesson in lessons or int(card.lesson[:2]) > 3

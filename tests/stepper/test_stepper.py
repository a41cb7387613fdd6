"""The five steps: the lines are the reference's, the shapes are what really runs there."""

import re
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from helpers.reference.unet import UNet
from helpers.stepper import CodeStepper, stepper

ROOT = Path(__file__).parents[2]
FIVE = range(1, 6)


@pytest.mark.parametrize("k", FIVE)
def test_the_lines_are_those_of_the_file(k):
    for file, lines in CodeStepper().shown(k).files:
        source = (ROOT / file).read_text(encoding="utf-8").splitlines()
        assert all(source[line.number - 1].rstrip() == line.text.rstrip() for line in lines)
        assert any(line.marked for line in lines)
        assert not any('"""' in line.text or "raise " in line.text for line in lines)


@pytest.mark.parametrize(
    ("k", "marked"),
    [
        (1, "levels.append(down(levels[-1]))"),
        (2, "x = self.up(x)"),
        (3, "torch.cat([skip, x], dim=1)"),
        (3, "reversed(skips)"),
        (4, "self.head = nn.Conv2d"),
        (5, "torch.sigmoid(logits)"),
    ],
)
def test_the_lines_in_question_are_marked(k, marked):
    lines = [line for _, lines in CodeStepper().shown(k).files for line in lines if marked in line.text]
    assert lines
    assert all(line.marked for line in lines)


def test_the_lines_around_them_are_not():
    lines = [line for _, lines in CodeStepper().shown(4).files for line in lines]
    assert [line.text.strip() for line in lines if line.marked] == [
        "self.head = nn.Conv2d(base_channels, num_classes, kernel_size=1)",
        "return self.head(x)",
    ]


def test_the_shapes_are_those_of_a_run():
    side, base, depth = stepper.SIDE, stepper.BASE, stepper.DEPTH
    with torch.random.fork_rng(), torch.no_grad():
        bottleneck, skips = UNet(1, 1, base, depth).eval().encoder(torch.zeros(1, 1, side, side))
    sizes = [str(tuple(skip.shape)) for skip in skips]
    shapes = [(text, shapes) for k in FIVE for _, _, text, shapes in CodeStepper().shown(k).shapes]

    def at(part):
        return next(shapes for text, shapes in shapes if part in text)

    assert at("x, skips = self.encoder(x)") == f"x {tuple(bottleneck.shape)}; skips [{', '.join(sizes)}]"
    assert at("for up, skip in") == f"skip {', then '.join(reversed(sizes))}"
    assert at("return self.head(x)") == f"returns (1, 1, {side}, {side})"
    assert at("torch.cat").startswith(f"torch.cat (1, {8 * base}, {side // 4}, {side // 4}), then")
    assert at("self.head =") == f"self.head with weights (1, {base}, 1, 1)"


def test_the_part_of_the_graph_is_named_and_drawn():
    strong = [CodeStepper().shown(k).strong for k in FIVE]
    assert strong[0] == ["encoder 0", "pooling 1", "encoder 1", "pooling 2", "encoder 2", "pooling 3", "bottleneck"]
    assert strong[2] == ["skip 2", "skip 1", "skip 0"]
    assert strong[3] == ["head"]
    assert strong[4] == []
    for k in FIVE:
        ET.fromstring(stepper._graph(k))


def test_a_line_that_is_gone_from_the_reference_is_an_error(monkeypatch):
    gone = replace(stepper.STEPS[0], marks={"Encoder.forward": ("self.third",)})
    monkeypatch.setattr(stepper, "STEPS", (gone, *stepper.STEPS[1:]))
    with pytest.raises(LookupError, match=r"No statement of Encoder.forward uses self.third"):
        stepper._shown.__wrapped__(1)


def test_next_back_and_jump():
    steps = CodeStepper()
    assert steps.current == 1
    assert steps.back().current == 1
    assert steps.next().next().current == 3
    assert steps.step(5).next().current == 5
    assert steps.back().current == 4
    for wrong in (0, 6):
        with pytest.raises(ValueError, match=r"There is no step .*1 \(Encoder\), 2 \(Decoder\)"):
            steps.step(wrong)
    for wrong in ("2", 1.0):
        with pytest.raises(TypeError, match="k has to be a whole number"):
            steps.step(wrong)
    assert steps.current == 4


def test_the_fallbacks_list_all_five_and_open_the_current():
    steps = CodeStepper().step(2)
    text, page = repr(steps), steps.as_html()
    for k, title in enumerate(("Encoder", "Decoder", "Skip connections", "1×1 head", "Dice"), start=1):
        assert f"unet.py {k}/5 · {title}" in text
        assert f"<b>unet.py {k}/5</b> · {title}" in page
    assert "unet.py 2/5 · Decoder  (shown)" in text
    assert text.count("(shown)") == 1
    opened = re.findall(r'<details[^>]*?( open="")?>\s*<summary><b>unet.py (\d)', page)
    assert opened == [("", "1"), (' open=""', "2"), ("", "3"), ("", "4"), ("", "5")]
    assert set(steps._repr_mimebundle_()) == {"text/plain", "text/html"}
    ET.fromstring(page)


def test_nothing_else_is_touched():
    stepper._ran.cache_clear()
    before, tracer = torch.get_rng_state(), sys.gettrace()
    stepper._ran()
    assert torch.equal(torch.get_rng_state(), before)
    assert sys.gettrace() is tracer
    assert torch.is_grad_enabled()

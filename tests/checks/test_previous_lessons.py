"""A piece of an earlier lesson: the student's own where it passes, else the course's, and which is said."""

import inspect

import nbformat
import pytest
import torch

from helpers import earlier, exercises
from helpers.reference.unet import DoubleConv, Down

DOUBLE_CONV = """
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        layers = []
        for ins in (in_channels, out_channels):
            layers.append(nn.Conv2d(ins, out_channels, 3, padding=padding, bias=not norm))
            layers += [nn.BatchNorm2d(out_channels), nn.ReLU()] if norm else [nn.ReLU()]
        self.mine = nn.Sequential(*layers)

    def forward(self, x):
        return self.mine(x)
"""
DOWN = """
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.pool, self.conv = nn.MaxPool2d(2), DoubleConv(in_channels, out_channels)

    def forward(self, x):
        return self.conv(self.pool(x))
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A student's notebooks; the kernel runs in the folder of the fifth lesson."""
    (tmp_path / "06_decoder").mkdir()
    monkeypatch.chdir(tmp_path / "06_decoder")
    for name in ("DoubleConv", "Down"):
        monkeypatch.setattr(exercises.load(name), "attempt", exercises.Attempt())
    return tmp_path


def write(course, lesson, *cells):
    (course / lesson).mkdir()
    cells = [("", "%matplotlib inline\nimport nothing_at_all"), ("", "import torch\nfrom torch import nn"), *cells]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code, metadata={"nbgrader": {"grade_id": name}}) for name, code in cells]
    )
    nbformat.write(notebook, course / lesson / f"{lesson}.ipynb")


def test_ones_own_piece_is_taken_with_its_imports(course, capsys):
    write(course, "04_convolution", ("DoubleConv", DOUBLE_CONV))
    found = earlier("DoubleConv")
    assert hasattr(found(1, 2), "mine")
    assert found(1, 2)(torch.zeros(1, 1, 8, 8)).shape == (1, 2, 8, 8)
    assert capsys.readouterr().out == "DoubleConv: your own, from 04_convolution.\n"


def test_a_helper_in_a_cell_of_its_own_comes_with_the_piece_and_what_is_not_needed_does_not_run(course):
    helper = "def relu():\n    return nn.ReLU()\nraise RuntimeError"
    write(course, "04_convolution", ("", helper), ("DoubleConv", DOUBLE_CONV.replace("nn.ReLU()", "relu()")))
    found = earlier("DoubleConv")
    assert hasattr(found(1, 2), "mine")
    assert inspect.getsource(found.forward).strip().endswith("return self.mine(x)")


def test_a_piece_is_built_from_ones_own_of_the_lesson_before(course):
    write(course, "04_convolution", ("DoubleConv", DOUBLE_CONV))
    write(course, "05_encoder", ("Down", DOWN))
    double_conv, down = earlier("DoubleConv", "Down")
    assert type(down(1, 2).conv) is double_conv


def test_without_the_lesson_before_the_courses_own_is_taken(course, capsys):
    write(course, "05_encoder", ("Down", DOWN))
    double_conv, down = earlier("DoubleConv", "Down")
    assert double_conv is DoubleConv
    assert type(down(1, 2).conv) is DoubleConv
    assert "DoubleConv: the course's own; there is no notebook of 04_convolution" in capsys.readouterr().out


@pytest.mark.parametrize("new", [None, "raise NotImplementedError()"])
def test_what_was_written_before_the_lessons_were_renumbered_is_found(course, capsys, new):
    write(course, "03_convolution", ("DoubleConv", DOUBLE_CONV))
    if new:
        write(course, "04_convolution", ("DoubleConv", new))
    assert hasattr(earlier("DoubleConv")(1, 2), "mine")
    assert capsys.readouterr().out == "DoubleConv: your own, from 03_convolution.\n"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("class DoubleConv(nn.Module):\n    def __init__(self, *a):\n        raise NotImplementedError()", "written"),
        (DOUBLE_CONV.replace("nn.ReLU()", "nn.Tanh()"), "does not pass its check yet"),
        ("class DoubleConv(nn.Module):\n    raise SystemExit(3)", "raises SystemExit"),
        ("def half(:", "raises SyntaxError"),
        ("DoubleConv = 3", "does not pass"),
        ("nothing = 3", "does not pass"),
    ],
)
def test_what_does_not_pass_is_replaced_by_the_courses_own(course, capsys, source, said):
    write(course, "04_convolution", ("DoubleConv", source))
    assert earlier("DoubleConv") is DoubleConv
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"cells": [{"cell_type": "code"}]}'])
def test_a_file_that_is_no_notebook_counts_as_none(course, capsys, text):
    (course / "05_encoder").mkdir()
    (course / "05_encoder" / "05_encoder.ipynb").write_text(text)
    assert earlier("Down") is Down
    assert "no notebook of 05_encoder" in capsys.readouterr().out


def test_a_name_that_is_no_exercise_is_refused(course):
    with pytest.raises(ValueError, match="no exercise called 'Douple'"):
        earlier("Douple")
    with pytest.raises(ValueError, match="needs the name"):
        earlier()

"""Answers as cells: each makes the same answer by itself."""

import ast
import builtins

import pytest

from helpers import answer_cells, exercises
from helpers.checks import examine


def made(source, name):
    namespace = {"__name__": "__main__"}
    exec(compile(source, "<cell>", "exec"), namespace)
    return namespace[name]


@pytest.mark.parametrize("name", exercises.names())
def test_every_answer_is_a_cell_that_needs_no_other_and_the_first_and_last_wrong_ones_keep_their_names(name):
    exercise = exercises.load(name)
    for answer in (*exercise.right_answers, *exercise.misconceptions):
        assert made(answer.source, name).__name__ == name
    for answer in (exercise.misconceptions[0], exercise.misconceptions[-1]):
        assert examine(name, made(answer.source, name), seed=0).diagnosis == answer.name
    assert examine(name, made(exercise.variants[0].source, name), seed=0).status == "passed"


def test_a_cell_declares_nothing_and_calls_the_courses_own_by_another_name():
    exercise = exercises.load("compare")
    for answer in exercise.misconceptions:
        tree = ast.parse(answer.source)
        defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        assert defined[-1] == "compare"
        assert "misconception" not in answer.source
        assert not set(defined) & set(vars(builtins))


@pytest.mark.parametrize("name", exercises.names())
def test_a_solution_runs_in_a_notebook_and_shows_no_types(name):
    exercise = exercises.load(name)
    earlier = exercises.names()[: exercises.names().index(name)]
    text = answer_cells.readable(exercise.reference, given=exercises.names())
    namespace = {"__name__": "__main__"} | {other: exercises.load(other).reference for other in earlier}
    exec(compile(text, "<cell>", "exec"), namespace)
    assert examine(name, namespace[name], seed=0).status == "passed"
    arguments = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.arg)]
    assert arguments
    assert not any(argument.annotation for argument in arguments)


def test_what_a_solution_needs_stands_above_it_as_it_was_written():
    text = answer_cells.readable(exercises.load("iou_loss").reference, given=())
    assert text.startswith("import torch\n\n\ndef _overlap_and_total(logits, target):\n")
    assert "def iou_loss(logits, target, smooth=1.0):" in text
    assert "x = self.up(x)  # (N," in answer_cells.readable(exercises.load("Up").reference, given=exercises.names())

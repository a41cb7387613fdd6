"""Answers as cells: each makes the same answer by itself."""

import ast
import builtins

import pytest

from helpers import exercises
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

"""Mechanical wrong answers: what is changed, what is left alone, and that those called equivalent are."""

import ast
import re
import textwrap

import pytest

from autograde import mutants
from helpers import exercises
from helpers.checks import engine
from helpers.checks.subject import LocalSubject
from helpers.exercises import Answer, Exercise
from helpers.mutations import mutations


def changes(source):
    """Every mutant of `source`, by what changed."""
    return {name.partition("  |  ")[2]: made for name, made in mutations(textwrap.dedent(source))}


def body(*lines):
    return "def f(a, b, n=1):\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("lines", "changed"),
    [
        (["return g(a, b)"], {"g: a and b swapped": "return g(b, a)"}),
        (["return a.sum(dim=-1)"], {"-1 -> -2": "return a.sum(dim=-2)", "-1 -> 0": "return a.sum(dim=0)"}),
        (["return a.sum(dim=-1)"], {"sum: no dim=-1": "return a.sum()", "-1 -> 1": "return a.sum(dim=1)"}),
        (["return a.rot90(1, (2, 3))"], {"(2, 3) -> (3, 2)": "return a.rot90(1, (3, 2))"}),
        (["return a[0, 1:n]"], {"1:n -> 1:n + 1": "return a[0, 1:n + 1]", "1 -> 2": "return a[0, 2:n]"}),
        (["return a[n:]"], {"n: -> n:-1": "return a[n:-1]", "n: -> n - 1:": "return a[n - 1:]"}),
        (["return a < b"], {"a < b -> a <= b": "return a <= b"}),
        (["return a == b"], {"a == b -> a != b": "return a != b"}),
        (["return a * b"], {"a * b -> a / b": "return a / b", "-> return a": "return a"}),
        (["return a & ~b"], {"a & ~b -> a | ~b": "return a | ~b", "~b -> b": "return a & b"}),
        (["return a, b"], {"-> return b": "return b", "(a, b) -> (b, a)": "return (b, a)"}),
        (["return -a"], {"-a -> a": "return a"}),
        (["return a and not b"], {"a and (not b) -> a or not b": "return a or not b", "not b -> b": "return a and b"}),
        (["return a if b else n"], {"b -> not b": "return a if not b else n"}),
        (["return [x for x in a if x]"], {"x -> not x": "return [x for x in a if not x]"}),
        (["return g(a, keep=True)"], {"True -> False": "return g(a, keep=False)"}),
        (["return range(n)"], {"range(n) -> range(n - 1)": "return range(n - 1)"}),
        (["return range(n)"], {"range(n) -> range(1, n)": "return range(1, n)"}),
        (["a += b", "return a"], {"-> a -= b": "a -= b\n    return a", "dropped": "pass\n    return a"}),
        (["h, w = a.shape", "return h"], {"(h, w) -> (w, h)": "(w, h) = a.shape\n    return h"}),
        (["with g():", "    return a"], {"dropped": "return a"}),
    ],
)
def test_each_place_is_changed(lines, changed):
    made = changes(body(*lines))
    for name, expected in changed.items():
        assert ast.dump(ast.parse(made[name])) == ast.dump(ast.parse(body(*expected.split("\n    "))))


def test_a_default_is_changed_too():
    assert "def f(a, b, n=2):" in changes(body("return a"))["1 -> 2"]


@pytest.mark.parametrize(
    "lines",
    [
        ['"""A docstring with 1 and True."""', "return a"],
        ["if a < 1:", "    raise ValueError('at least 1')", "return a"],
        ["wrong = a[a > 1]", "if wrong.any():", "    raise ValueError(f'{wrong[0] + 1}')", "return a"],
        ["return g(a, device=b, inplace=True)"],
        ["return max(a, b)"],
        ["return a.sum((n, a))"],
        ["return f'{a + 1}'"],
        ["x: int", "return a"],
    ],
)
def test_what_no_valid_probe_can_tell_is_left_alone(lines):
    assert [name for name in changes(body(*lines)) if not name.startswith("1 -> ")] == []


def test_the_first_values_of_a_parameter_are_left_alone():
    made = changes(body("w = nn.Parameter(torch.randn(a, b) * 0.1)", "return w"))
    assert "randn: a and b swapped" in made
    assert not [name for name in made if "0.1" in name]


def test_a_tiny_constant_is_made_large_and_not_twice_as_tiny():
    assert [n for n in changes(body("return a / (b + 1e-7)")) if n.startswith("1e-07 -> ")] == ["1e-07 -> 1.0000001"]


# ---- the mutants of an exercise ----


def test_no_two_are_the_same_and_each_has_a_name_of_its_own():
    for name in ("dice", "DoubleConv"):
        exercise = exercises.load(name)
        made = mutants.mutants(exercise)
        assert len({(m.answer, m.name) for m in made}) == len({(m.answer, m.source) for m in made}) == len(made)
        assert {m.answer for m in made} == {a.name for a in exercise.right_answers}
        sources = {a.name: mutants.source_of(a) for a in exercise.right_answers}
        assert all(m.source != sources[m.answer] for m in made)


def test_they_are_the_same_every_time():
    exercise = exercises.load("dice")
    assert mutants.mutants(exercise) == mutants.mutants(exercise)


def _helper(x):
    return x + 1


def public_helper(x):
    return x + 1


def answer(x):
    return _helper(x) * public_helper(x)


class _Base:
    def value(self):
        return 1


class Derived(_Base):
    pass


def test_private_helpers_belong_to_an_answer_and_are_changed_with_it():
    exercise = Exercise("answer", answer, None, "02", "c", 1, 1, 1, [], "task")
    results = {mutants.solution(exercise, m)(3) for m in mutants.mutants(exercise)}
    assert 3 * 4 in results  # _helper without its + 1
    assert 4 * 4 not in results  # the original
    assert answer(3) == 16  # which is as it was
    assert "public_helper(x):" not in mutants.source_of(Answer("reference", answer))
    assert mutants.source_of(Answer("reference", Derived)).startswith("class _Base:")


def test_a_mutant_that_never_ends_is_caught():
    def endless(pred, target):
        while True:
            pass

    assert not engine.is_right("dice", LocalSubject(endless), 0, seconds=0.2)


# ---- equivalents.yaml ----

LISTED = [
    pytest.param(exercise, *who, id=f"{exercise}, {who[0]}: {who[1]}")
    for exercise, entries in mutants.equivalents().items()
    for who in entries
]


@pytest.mark.parametrize(("name", "of", "mutant"), LISTED)
def test_what_is_listed_as_equivalent_exists_and_no_check_catches_it(name, of, mutant):
    exercise = exercises.load(name)
    found = [m for m in _all(name) if (m.answer, m.name) == (of, mutant)]
    assert found, "no such mutant any more: remove it from equivalents.yaml"
    solution = mutants.solution(exercise, found[0])
    assert engine.is_right(name, LocalSubject(solution), 0), "a check catches it: remove it from equivalents.yaml"


def test_no_exercise_is_listed_twice():
    """The second list would take the place of the first."""
    found = re.findall(r"^(\w+):", mutants.EQUIVALENTS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(found) == sorted(set(found))


def test_every_reason_is_given():
    reasons = [reason for entries in mutants.equivalents().values() for reason in entries.values()]
    assert reasons
    assert all(len(reason) > 8 and "WHY" not in reason for reason in reasons)


_made = {}


def _all(name):
    if name not in _made:
        _made[name] = mutants.mutants(exercises.load(name))
    return _made[name]

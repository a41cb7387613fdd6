"""Recorded wrong answers as others would write them: with another of the choices that are open, and two at once.

A student's answer is wrong in one or two places and free in many. So each misconception that is a change of the
reference is made again with the choices that the task leaves open and with other right earlier pieces, and together
with a second one.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from helpers import exercises
from helpers.exercises import Change, Code, Exercise, changed

PAIRS_TRIED = 200  # few exercises have so many
BIASED_PIECES = "earlier pieces with a bias"
BIASED = ("bias=not norm", "bias=True")  # of `DoubleConv`: the commonest way to write it

Pieces = dict[str, Code]


@dataclass(frozen=True)
class Combined:
    """A wrong answer: of which misconceptions, how it is written in words, and the answer."""

    names: tuple[str, ...]
    style: str
    solution: Code

    def __str__(self) -> str:
        return " + ".join(self.names) + (f" ({self.style})" if self.style else "")


def in_other_styles(exercise: Exercise, seed: int) -> Iterator[Combined]:
    """Each misconception that is a change of the reference, in one other style; from seed to seed in all of them."""
    styles = _styles(exercise.name)
    for k, answer in enumerate(exercise.misconceptions if styles else []):
        name, choices, pieces = styles[(k + seed) % len(styles)]
        fits = answer.changes and (BIASED_PIECES in name or not _reaches_into(exercise, answer.changes, pieces))
        solution = _made(exercise, (*answer.changes, *choices), pieces) if fits else None
        if solution:
            yield Combined((answer.name,), name, solution)


def pair(exercise: Exercise, seed: int) -> Combined | None:
    """Two misconceptions that go together, drawn from `seed`; `None` where no two do."""
    made_by_changes = [answer for answer in exercise.misconceptions if answer.changes]
    if len(made_by_changes) < 2:
        return None
    draw = random.Random(f"{exercise.name} {seed}")
    for _ in range(PAIRS_TRIED):
        one, other = draw.sample(made_by_changes, 2)
        solution = _made(exercise, (*one.changes, *other.changes), {})
        if solution:
            return Combined((one.name, other.name), "", solution)
    return None


@functools.cache
def _styles(name: str) -> list[tuple[str, tuple[Change, ...], Pieces]]:
    """Ways to write an exercise's answer: each choice, taken or not, with each set of right earlier pieces."""
    exercise = exercises.load(name)
    taken = [chosen for n in range(len(exercise.choices) + 1) for chosen in itertools.combinations(exercise.choices, n)]
    pieces = _earlier(exercise) or {"": {}}
    styles = itertools.product(taken, pieces.items())
    named = [
        ("; ".join([*(new for _, new in chosen), *filter(None, [what])]), chosen, p) for chosen, (what, p) in styles
    ]
    return [style for style in named if style[0]]


def _earlier(exercise: Exercise) -> dict[str, Pieces]:
    """The earlier pieces that are modules and that the reference is made of, as the course has them and otherwise."""
    before = exercises.names()[: exercises.names().index(exercise.name)]
    words = set(re.findall(r"\w+", inspect.getsource(exercise.reference)))
    used = [exercises.load(name) for name in before if name in words]
    used = [piece for piece in used if inspect.isclass(piece.reference)]
    if not used:
        return {}
    sets: dict[str, Pieces] = {"": {}, BIASED_PIECES: {piece.name: _biased(piece) for piece in used}}
    for k in range(1, max(len(piece.right_answers) for piece in used)):
        chosen = {piece.name: piece.right_answers[k % len(piece.right_answers)] for piece in used}
        sets[", ".join(f"{name} {answer.name!r}" for name, answer in chosen.items())] = {
            name: answer.solution for name, answer in chosen.items()
        }
    return sets


def _reaches_into(exercise: Exercise, changes: tuple[Change, ...], pieces: Pieces) -> bool:
    """Whether the changes name an attribute of the course's own piece, which another right one need not have."""
    used = set(re.findall(r"\.(\w+)", " ".join(new for _, new in changes)))
    of_pieces = set().union(*(_attributes(exercises.load(name).reference) for name in pieces))
    return bool(used & of_pieces - _attributes(exercise.reference))


def _attributes(piece: Code) -> set[str]:
    return set(re.findall(r"self\.(\w+) = ", inspect.getsource(piece)))


def _biased(piece: Exercise) -> Code:
    """The reference of a piece, with a bias in every block."""
    block = exercises.load("DoubleConv")
    biased = changed(block.reference, (BIASED,))
    return biased if piece is block else changed(piece.reference, (), {block.name: biased})


def _made(exercise: Exercise, changes: tuple[Change, ...], pieces: Pieces) -> Code | None:
    try:
        return changed(exercise.reference, changes, pieces)
    except (ValueError, SyntaxError):  # they get into each other's way
        return None

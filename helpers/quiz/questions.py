"""The questions of the quizzes: read from YAML, checked for the build, and judged. No widget in here.

Each file in `helpers/quiz/bank/` holds the questions of one lesson, as a list:

    - id: dice-or-iou                # lower case, words joined by hyphens, once in all files
      kind: single                   # exactly one right option; `multiple`: at least one right and one wrong
      question: Which is larger?     # `code` and *stress* are marked like this, here and in every text below
      options:
        - key: a                     # a, b, c … in order
          text: IoU.
          right: false
          why: What a tutor says to a student who chose this one.

    - id: iou-by-hand
      kind: numeric
      question: What is the IoU?
      answer: 0.25
      tolerance: 0.005               # right when no further than this from the answer
      why: What a tutor says when it is right.
      near:                          # wrong numbers that students arrive at, each with its own reason
        - number: 0.4
          why: That is Dice.
      otherwise: A hint for every other number, without the answer in it.

    - id: what-the-skip-carries
      kind: single                   # or multiple, or numeric: then without options
      graded: true                   # what is right, and why, is not here: it stays with the lessons' source
      question: What does the skip carry?
      options:
        - key: a
          text: Where things are, to the pixel.
"""

from __future__ import annotations

import difflib
import math
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from helpers.errors import InputError

BANK = Path(__file__).with_name("bank")
KINDS = ("single", "multiple", "numeric")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it is there, ten times as fast

# What a value of a question has to be, in words and as a test.
TEXT, WORDS = "text; put it in quotes", "lower-case words joined by hyphens"
NUMBER, TRUTH, GRADED = "a number", "true or false", "true, or nothing in a practice question"
MAPPINGS = "a list of mappings"
_FITS: dict[str, Callable[[Any], bool]] = {
    TEXT: lambda x: isinstance(x, str) and bool(x.strip()),
    WORDS: lambda x: isinstance(x, str) and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", x) is not None,
    NUMBER: lambda x: isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x),
    TRUTH: lambda x: isinstance(x, bool),
    GRADED: lambda x: x is True,
    MAPPINGS: lambda x: isinstance(x, list) and all(isinstance(one, dict) for one in x),
}


@dataclass(frozen=True)
class Option:
    """One option of a choice."""

    key: str
    text: str
    right: bool | None = None  # of a graded question nobody knows here
    why: str = ""


@dataclass(frozen=True)
class Near:
    """A wrong number that students arrive at."""

    number: float
    why: str


@dataclass(frozen=True)
class Reason:
    """Why one option, or one number, is right or wrong."""

    given: str
    right: bool
    why: str


@dataclass(frozen=True)
class Judgement:
    """What is said to one answer.

    Attributes:
        given: the answer in its plain form: the keys in order ("ac"), or the number as the student wrote it.
        right: whether it is right; `None` where that is not known, of a graded question.
        reasons: one for a single choice or a number; for a multiple choice one for each option that was ticked,
            and once all is right one for each option.
        note: what remains to be said about the answer as a whole, or "".
    """

    given: str
    right: bool | None
    reasons: tuple[Reason, ...]
    note: str = ""


@dataclass(frozen=True)
class Question:
    """One question. `options` belong to the kinds single and multiple, the fields below them to numeric."""

    id: str
    lesson: str
    kind: str
    text: str
    options: tuple[Option, ...] = ()
    answer: float = math.nan
    tolerance: float = 0.0
    why: str = ""
    near: tuple[Near, ...] = ()
    otherwise: str = ""
    graded: bool = False

    def read(self, given: Any) -> str:
        """The answer in its plain form, whatever form it was given in.

        Args:
            given: for a choice a key or several, as "b", "ac", "a, c" or ["a", "c"]; for numeric a number,
                or text such as "0.25" or "1/4".

        Raises:
            ValueError: it cannot be an answer to this question; the message says what can.
        """
        if self.kind == "numeric":
            _to_number(given)
            return str(given).strip()
        return self._read_keys(given)

    def judge(self, given: str) -> Judgement:
        """Right or wrong, and why; for practice questions. `given` is what `read` returned."""
        if self.kind == "numeric":
            return self._judge_number(given)
        return self._judge_keys(given)

    def _read_keys(self, given: Any) -> str:
        keys = [option.key for option in self.options]
        known = f"The options of {self.id!r} are {', '.join(keys)}."
        parts = given if isinstance(given, (list, tuple, set, frozenset)) else [given]
        if not all(isinstance(part, str) for part in parts):
            raise InputError(f"{given!r} is not a key of an option. {known}")
        chosen = set(re.sub(r"[\s,]", "", "".join(parts)).lower())
        if not chosen:
            raise InputError(f"No option chosen. {known}")
        unknown = sorted(chosen - set(keys))
        if unknown:
            raise InputError(f"There is no option {', '.join(unknown)}. {known}")
        if self.kind == "single" and len(chosen) > 1:
            raise InputError(f"{given!r} names {len(chosen)} options, and this question takes one. {known}")
        return "".join(sorted(chosen))

    def _judge_keys(self, given: str) -> Judgement:
        wanted = {option.key for option in self.options if option.right}
        right, multiple = wanted == set(given), self.kind == "multiple"
        reasons = [Reason(o.key, bool(o.right), o.why) for o in self.options if o.key in given or (right and multiple)]
        note = "A right option is not ticked yet." if multiple and wanted - set(given) else ""
        return Judgement(given, right, tuple(reasons), note)

    def _judge_number(self, given: str) -> Judgement:
        if within(given, self.answer, self.tolerance):
            return Judgement(given, True, (Reason(given, True, self.why),))
        whys = [near.why for near in self.near if within(given, near.number, self.tolerance)]
        return Judgement(given, False, (Reason(given, False, whys[0] if whys else self.otherwise),))


def find(id: str) -> Question:
    """The shipped question of that id.

    Raises:
        ValueError: there is no such question (the message names those that come near), or a file has problems.
    """
    questions = _shipped()
    if id not in questions:
        near = " or ".join(map(repr, difflib.get_close_matches(id, questions, n=3)))
        meant = f"Do you mean {near}?" if near else "The name of each stands in its cell, as the lesson came."
        raise InputError(f"There is no quiz {id!r}. {meant}")
    return questions[id]


@cache
def _shipped() -> dict[str, Question]:
    return {question.id: question for path in files() for question in load(path)}


def files() -> list[Path]:
    """The YAML files of all lessons, in the order of the course."""
    return sorted(BANK.glob("*.yaml"))


def load(path: Path) -> list[Question]:
    """The questions of one file.

    Raises:
        ValueError: the file has problems; the message lists them.
    """
    if found := problems([path]):
        raise ValueError("\n".join(found))
    return [_question(raw, lesson=path.stem) for raw in yaml.load(path.read_text(encoding="utf-8"), LOADER)]


def _question(raw: dict[str, Any], lesson: str) -> Question:
    fields = {**raw, "text": raw["question"], "lesson": lesson}
    del fields["question"]
    if raw["kind"] == "numeric" and not raw.get("graded"):
        fields["near"] = tuple(Near(**near) for near in raw["near"])
    elif raw["kind"] != "numeric":
        fields["options"] = tuple(Option(**option) for option in raw["options"])
    return Question(**fields)


def _to_number(given: Any) -> float:
    """A finite number from a number or from text, which may be a fraction. ValueError when it is none."""
    try:
        if isinstance(given, str):
            over, *under = (float(part) for part in given.split("/"))
            number = over / under[0] if len(under) == 1 else over if not under else math.nan
        else:
            number = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        written = given.strip() if isinstance(given, str) else repr(given)
        point = " (with a point, not a comma)" if re.fullmatch(r"[+-]?\d*,\d+", written) else ""
        raise InputError(f"{written or 'Nothing'} is not a number. Write one such as 12.5{point} or 3/8.")
    return number


def within(given: str, answer: float, tolerance: float) -> bool:
    """Whether a number, written as `Question.read` leaves it, is no further than `tolerance` from `answer`."""
    return _close(_to_number(given), answer, tolerance)


def _close(a: float, b: float, tolerance: float) -> bool:
    # the tiny extra: 0.255 is within 0.005 of 0.25, whatever binary fractions make of it
    return abs(a - b) <= tolerance + 1e-9


# ---- problems: what an author is told at build --------------------------------------------------------------------


def problems(paths: Iterable[Path] | None = None) -> list[str]:
    """What is wrong with the question files, one line each; an empty list when nothing is.

    Args:
        paths: the files to look at together; by default all files that ship.
    """
    found: list[str] = []
    first_seen: dict[str, str] = {}
    for path in files() if paths is None else paths:
        try:
            raw = yaml.load(path.read_text(encoding="utf-8"), LOADER)
        except yaml.YAMLError as error:
            found.append(f"{path.name}: not YAML: {' '.join(str(error).split())}")
            continue
        if not isinstance(raw, list) or not raw:
            found.append(f"{path.name}: expected a list of questions")
            continue
        for number, question in enumerate(raw, start=1):
            where = f"{path.name}, question {number}"
            if not isinstance(question, dict):
                found.append(f"{where}: expected a mapping with id, kind and question")
                continue
            id = question.get("id")
            if isinstance(id, str):
                where = f"{path.name}, {id}"
                if id in first_seen:
                    found.append(f"{where}: the id is already taken in {first_seen[id]}")
                first_seen.setdefault(id, path.name)
            found += [f"{where}: {problem}" for problem in _question_problems(question)]
    return found


def _question_problems(raw: dict[str, Any]) -> list[str]:
    kind, graded = raw.get("kind"), "graded" in raw
    if kind not in KINDS:
        return [f"kind is {kind!r}, expected one of {', '.join(KINDS)}"]
    rules = {"id": WORDS, "kind": TEXT, "question": TEXT} | ({"graded": GRADED} if graded else {})
    if kind != "numeric":
        rules["options"] = MAPPINGS
    elif not graded:
        rules |= {"answer": NUMBER, "tolerance": NUMBER, "why": TEXT, "near": MAPPINGS, "otherwise": TEXT}
    if found := _misfits(raw, rules):
        return found
    if kind != "numeric":
        return _option_problems(raw["options"], kind, graded)
    return [] if graded else _number_problems(raw)


def _option_problems(options: list[dict[str, Any]], kind: str, graded: bool) -> list[str]:
    found: list[str] = []
    rules = {"key": TEXT, "text": TEXT} | ({} if graded else {"right": TRUTH, "why": TEXT})
    for letter, option in zip(string.ascii_lowercase, options, strict=False):
        here = _misfits(option, rules)
        if option.get("key") != letter:
            here.append(f"key is {option.get('key')!r}, expected {letter!r}")
        found += [f"option {letter}: {problem}" for problem in here]
    said = Counter(_plain(option.get("text")) for option in options)
    found += [f"two options say {text!r}" for text, count in said.items() if count > 1]
    if len(options) < 2:
        found.append("there have to be at least two options")
    right = sum(option.get("right") is True for option in options)
    if kind == "single" and right != 1 and not graded:
        found.append(f"{right} options are right, a single choice has exactly one")
    if kind == "multiple" and not 0 < right < len(options) and not graded:
        found.append(f"{right} of {len(options)} options are right, expected at least one right and one wrong")
    return found


def _number_problems(raw: dict[str, Any]) -> list[str]:
    nears = enumerate(raw["near"], start=1)
    found = [f"near {k}: {x}" for k, near in nears for x in _misfits(near, {"number": NUMBER, "why": TEXT})]
    if found or raw["tolerance"] < 0:
        return found or ["tolerance is negative"]
    # two numbers closer than this would both fit one answer
    taken = [("the answer", raw["answer"])]
    for near in raw["near"]:
        for name, number in taken:
            if _close(near["number"], number, 2 * raw["tolerance"]):
                found.append(f"near {near['number']} cannot be told from {name} with tolerance {raw['tolerance']}")
        taken.append((f"near {near['number']}", near["number"]))
    return found


def _misfits(raw: dict[str, Any], rules: dict[str, str]) -> list[str]:
    """Which of the keys are missing, unknown, or have a value that its rule does not allow."""
    missing = [f"{name} is missing" for name in rules if name not in raw]
    unknown = [f"unknown key {name!r}, expected {', '.join(rules)}" for name in raw if name not in rules]
    wrong = [name for name, rule in rules.items() if name in raw and not _FITS[rule](raw[name])]
    return missing + unknown + [f"{name} is {raw[name]!r}, expected {rules[name]}" for name in wrong]


def _plain(text: Any) -> str:
    """Text for comparing: `8` and 8 are the same option."""
    return re.sub(r"[\s`*]+", " ", str(text)).strip().lower()

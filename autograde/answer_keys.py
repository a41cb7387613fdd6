"""The keys of the graded questions: one YAML file a lesson in `autograde/lessons/keys/`, never in what a student gets.

`build` and `grade` take another folder of such files, outside the repository, with `--keys`.

- id: what-the-skip-carries
  points: 2
  answer: b               # single: a key; multiple: keys such as ac; numeric: a number, with `tolerance:`
  why:                    # shown with the grade: one for each option, or a single text for a number
    a: …
    b: …
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml

from autograde.build_cache import LESSONS
from helpers.quiz import questions

KEYS = LESSONS / "keys"


def load(lesson: str, folder: Path = KEYS) -> dict[str, dict[str, Any]]:
    """The keys of a lesson's graded questions, by question; none for a lesson without."""
    path = folder / f"{lesson}.yaml"
    if not path.exists():
        return {}
    return {key["id"]: key for key in yaml.safe_load(path.read_text(encoding="utf-8"))}


def problems(folder: Path = KEYS, asked: list[questions.Question] | None = None) -> list[str]:
    """What is wrong with the keys in `folder` to the questions `asked` (by default all that ship), one line each."""
    if not folder.is_dir():
        return [f"{folder}: there is no such folder. --keys names one with a file a lesson, such as 02_overlap.yaml"]
    if asked is None:
        asked = [question for path in questions.files() for question in questions.load(path)]
    graded = {question.id: question for question in asked if question.graded}
    found, keyed = [], set()
    for path in sorted(folder.glob("*.yaml")):
        file = f"{folder.name}/{path.name}"
        try:
            keys = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            found.append(f"{file}: not YAML: {' '.join(str(error).split())}")
            continue
        if not isinstance(keys, list) or not all(isinstance(key, dict) and "id" in key for key in keys):
            found.append(f"{file}: expected a list of mappings with an id")
            continue
        for key in keys:
            where, question = f"{file}, {key['id']}", graded.get(key["id"])
            if question is None:
                found.append(f"{where}: there is no graded question of that id")
            elif question.lesson != path.stem:
                found.append(f"{where}: that question is in {question.lesson}.yaml")
            elif key["id"] in keyed:
                found.append(f"{where}: it has a key already")
            else:
                found += [f"{where}: {problem}" for problem in _problems(key, question)]
            keyed.add(key["id"])
    missing = [question for id, question in graded.items() if id not in keyed]
    return found + [f"{folder.name}/{q.lesson}.yaml, {q.id}: the graded question has no key" for q in missing]


def _problems(key: dict[str, Any], question: questions.Question) -> list[str]:
    numeric = question.kind == "numeric"
    expected = {"id", "points", "answer", "why"} | ({"tolerance"} if numeric else set())
    if key.keys() != expected:
        return [f"it has {', '.join(sorted(key))}; expected {', '.join(sorted(expected))}"]
    found = [] if isinstance(key["points"], int) and key["points"] > 0 else [f"points is {key['points']!r}"]
    try:
        question.read(key["answer"])
    except ValueError as error:
        found.append(f"the answer cannot be one: {error}")
    if numeric and (not isinstance(key["tolerance"], int | float) or key["tolerance"] < 0):
        found.append(f"tolerance is {key['tolerance']!r}")
    letters = [option.key for option in question.options]
    if not numeric and (not isinstance(key["why"], dict) or list(key["why"]) != letters):
        return [*found, f"why must have a text for each of {', '.join(letters)}"]
    whys = [key["why"]] if numeric else key["why"].values()
    if not all(isinstance(why, str) and why.strip() for why in whys):
        found.append("why must be text, and not empty")
    return found


@functools.cache
def answers_of(lesson: str) -> dict[str, str]:
    """The right answers of a lesson, as a student's `answers.json` would have them."""
    return {id: questions.find(id).read(key["answer"]) for id, key in load(lesson).items()}

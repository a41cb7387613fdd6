"""`python course.py check`: format, lint, types, and the tests of what has changed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from autograde.build import NOTEBOOKS
from autograde.build_cache import ROOT, up_to_date
from autograde.nbgrader_course import COURSE

ACCURACY = "tests/autograde/test_accuracy.py::test_what_is_published_of_an_exercise_is_not_stale"
ALL = "tests/autograde/test_accuracy.py::test_no_exercise_has_changed_since_it_was_measured"
# What is asked of an exercise: its answers, a probe in each region, a word in the glossary, a cell to hand in.
EXERCISE = (
    "tests/checks/test_exercises.py tests/checks/test_regions.py tests/test_answer_cells.py "
    "tests/checks/test_card.py::test_every_exercise_has_its_word_in_the_glossary"
)
EQUIVALENTS = (
    "tests/autograde/test_mutants.py::test_no_exercise_is_listed_twice "
    "tests/autograde/test_mutants.py::test_every_reason_is_given"
)
KEYS = "tests/autograde/test_answer_keys.py::test_the_shipped_keys_have_no_problems"
TABLE = "tests/autograde/test_lesson_table.py"
# The tests of a changed file: what pytest runs, and a word that must be in a test's name, if any. Every pattern that
# fits counts; `\\1` is its group. Some seconds each.
TESTS = [
    (r"tests/(?!autograde/test_notebooks|browser|launch).*test_\w+\.py", r"\g<0>", ""),
    (r"helpers/exercises/([a-z]\w*)\.py", f"{ACCURACY} {EXERCISE}", r"\1"),
    (r"helpers/reference/\w+\.py", ALL, ""),
    (r"helpers/reference/(\w+)\.py", r"tests/reference/test_reference_\1.py", ""),
    (
        r"(autograde/lessons|helpers/exercises)/.*",
        f"{TABLE}::test_the_published_table_is_that_of_the_lessons "
        f"{TABLE}::test_the_stated_time_is_that_of_reading_quizzes_and_cards",
        "",
    ),
    (r"(autograde/lessons/keys|helpers/quiz/bank)/.*", f"{KEYS} tests/quiz/test_quiz.py", ""),
    (r"helpers/\w+\.(js|css)", "tests/test_frontend.py", ""),
    (r"helpers/(?!exercises|reference|quiz/bank)(\w+)/.*", r"tests/\1", ""),
    (r"helpers/plan\.json", "tests/test_progress.py", ""),
    (r"helpers/(\w+)\.\w+", r"tests/test_\1.py", ""),
    (r"autograde/(?!lessons)(\w+)(\.py|/.*)", r"tests/autograde/test_\1.py tests/autograde/\1", ""),
    (r"autograde/equivalents\.yaml", EQUIVALENTS, ""),
    (r"datasets/.*", "tests/data", ""),
    (r"(course)\.py", "tests/test_course.py", ""),
    (r"(pyproject\.toml|constraints\.txt|environment\.yml)", "tests/test_environment.py", ""),
    (r".*\.(md|yaml)|autograde/(lessons|site_source)/.*", "tests/autograde/test_prose.py", ""),
    (r".*", "tests/test_layers.py", ""),
]


def run(tell: Callable[[str], None]) -> bool:
    """Run every step, also where one before it failed; whether all is well.

    Raises:
        ValueError: this is no git checkout, so what has changed is unknown.
    """
    steps = {
        "format": ["ruff", "format", "--check", "."],
        "lint": ["ruff", "check", "."],
        "types": ["mypy"],
        "tests": ["pytest", "-q", "-n", "auto", *selection(changed())],
    }
    failed = [] if up_to_date(NOTEBOOKS, COURSE) else ["build"]
    if failed:
        tell("build: something that goes into the notebooks was changed since they were built. Run `course.py build`.")
    with ThreadPoolExecutor() as pool:  # one waits for the others, so what each says is kept until its turn
        commands = [[sys.executable, "-m", *command] for command in steps.values()]
        done = pool.map(lambda command: subprocess.run(command, cwd=ROOT, capture_output=True, text=True), commands)
        for (name, command), step in zip(steps.items(), done, strict=True):
            tell(f"{name}: {' '.join(command)}")
            print(step.stdout + step.stderr, end="")
            failed += [name] if step.returncode else []
    tell(f"Failed: {', '.join(failed)}." if failed else "All is well with what has changed.")
    return not failed


def changed() -> list[str]:
    """Paths of the files that differ from the last commit or are new to git; deleted ones are left out.

    Raises:
        ValueError: this is no git checkout.
    """
    command = ["git", "status", "--porcelain", "--untracked-files=all", "--no-renames", "-z"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        needed = "What has changed is known only in a git checkout, and where git is installed."
        raise ValueError(f"{needed} Run `python course.py test` instead.") from None
    return [entry[3:] for entry in done.stdout.split("\0") if entry and "D" not in entry[:2]]


def selection(files: list[str]) -> list[str]:
    """Arguments of pytest for the tests of these files; a `-k` narrows a module to the words asked for alone."""
    words: dict[str, set[str]] = {}
    for file in files or ["."]:
        for pattern, tests, word in TESTS:
            if found := re.fullmatch(pattern, file):
                for test in found.expand(tests).split():
                    words.setdefault(test, set()).add(found.expand(word))
    chosen = {test: asked for test, asked in words.items() if (ROOT / test.partition("::")[0]).exists()}
    narrowed = {test: sorted(asked) for test, asked in chosen.items() if "" not in asked}
    # `DoubleConv` is in double_conv.py, and pytest takes no notice of capital letters.
    said = {test: [w for word in asked for w in (word, word.replace("_", ""))] for test, asked in narrowed.items()}
    only = [f"(not {re.split('/|::', test)[-1]} or {' or '.join(dict.fromkeys(w))})" for test, w in said.items()]
    return [*chosen, *(["-k", " and ".join(only)] if only else [])]

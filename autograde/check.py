"""`python course.py check`: format, lint, types, and the tests of what has changed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

from autograde.build_cache import ROOT

# The tests to run for a changed file, as arguments of pytest. The first pattern that fits counts; `\\1` is its group.
TESTS = [
    (r"tests/(?!autograde/test_notebooks|browser).*test_\w+\.py", r"\g<0>"),
    (r"helpers/exercises/(\w+)\.py", r"tests/checks/test_exercises.py -k \1"),
    (r"autograde/lessons/(keys/)?\w+\.\w+|notebooks/.*|helpers/plan\.json", r"tests/autograde/test_build.py"),
    (r"helpers/quiz/bank/.*", r"tests/quiz tests/autograde/test_answer_keys.py"),
    (r"helpers/\w+\.(js|css)", r"tests/test_frontend.py"),
    (r"helpers/(\w+)/.*", r"tests/\1"),
    (r"helpers/(\w+)\.\w+", r"tests/test_\1.py"),
    (r"autograde/(\w+)(\.py|/.*)", r"tests/autograde/test_\1.py tests/autograde/\1"),
    (r"datasets/.*", r"tests/data"),
    (r"(course)\.py", r"tests/test_course.py"),
    (r"(pyproject\.toml|constraints\.txt|environment\.yml)", r"tests/test_environment.py"),
]
# What is tested besides: spelling and links, and whether what is published is stale. Every pattern that fits counts.
BESIDES = [
    (r".*\.(md|yaml)|autograde/lessons/.*", "tests/autograde/test_prose.py"),
    (r"helpers/(exercises|reference)/.*", "tests/autograde/test_accuracy.py::test_the_published_result_is_not_stale"),
    (r"helpers/(exercises|reference)/.*|autograde/lessons/.*", "tests/autograde/test_lesson_table.py"),
    (r"helpers/exercises/.*", "tests/autograde/test_build.py"),
]
ALWAYS = ["tests/test_layers.py"]


def run(tell: Callable[[str], None]) -> bool:
    """Run every step, also where one before it failed; whether all is well.

    Raises:
        ValueError: this is no git checkout, so what has changed is unknown.
    """
    steps = {
        "format": [["ruff", "format", "--check", "."]],
        "lint": [["ruff", "check", "."]],
        "types": [["mypy"]],
        "tests": [["pytest", "-q", "-n", "auto", *arguments] for arguments in selections(changed())],
    }
    failed = []
    for name, commands in steps.items():
        for command in commands:
            tell(f"{name}: {' '.join(command)}")
            if subprocess.run([sys.executable, "-m", *command], cwd=ROOT).returncode and name not in failed:
                failed.append(name)
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


def selections(files: list[str]) -> list[list[str]]:
    """Arguments of pytest for the tests of these files: one list of whole files, and one for each `-k`."""
    whole, single = list(ALWAYS), []
    for file in files:
        pattern, tests = next(((p, t) for p, t in TESTS if re.fullmatch(p, file)), (None, ""))
        arguments = re.sub(pattern, tests, file).split() if pattern else []
        if "-k" in arguments:  # `DoubleConv` is in double_conv.py, and pytest takes no notice of capital letters
            *command, name = arguments
            single.append([*command, f"{name} or {name.replace('_', '')}"])
        else:
            whole += [path for path in arguments if (ROOT / path).exists()]
        whole += [tests for pattern, tests in BESIDES if re.fullmatch(pattern, file)]
    return [list(dict.fromkeys(whole)), *single]

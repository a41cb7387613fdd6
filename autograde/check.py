"""`python course.py check`: format, lint, types, and the tests of what has changed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

from autograde.build_cache import ROOT

# Of a changed file the tests to run, as arguments of pytest. The first pattern that fits counts; `\\1` is its group.
TESTS = [
    (r"tests/(?!autograde/test_notebooks|browser).*test_\w+\.py", r"\g<0>"),
    (r"helpers/exercises/(\w+)\.py", r"tests/checks/test_exercises.py -k \1"),
    (r"autograde/lessons/(keys/)?\w+\.\w+|notebooks/.*|helpers/plan\.json", r"tests/autograde/test_build.py"),
    (r"helpers/quiz/bank/.*", r"tests/quiz tests/autograde/test_answer_keys.py"),
    (r"helpers/\w+\.(js|css)", r"tests/test_frontend.py"),
    (r"helpers/(\w+)/.*", r"tests/\1"),
    (r"helpers/(\w+)\.\w+", r"tests/test_\1.py"),
    (r"autograde/(\w+)\.py", r"tests/autograde/test_\1.py"),
    (r"datasets/.*", r"tests/data"),
    (r"(course)\.py", r"tests/test_course.py"),
    (r"(pyproject\.toml|constraints\.txt|environment\.yml)", r"tests/test_environment.py"),
]
PROSE = r".*\.(md|yaml)|autograde/lessons/.*"  # these are read for spelling and links, too
ALWAYS = ["tests/test_layers.py"]


def run(tell: Callable[[str], None]) -> bool:
    """Run everything, each step also where one before it failed; whether all is well.

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
        tell(f"{name}: {' '.join(commands[0])}")
        if any(subprocess.run([sys.executable, "-m", *command], cwd=ROOT).returncode for command in commands):
            failed.append(name)
    tell(f"Failed: {', '.join(failed)}." if failed else "All is well with what has changed.")
    return not failed


def changed() -> list[str]:
    """Files that differ from the last commit, or that git does not know yet; as paths in the repository.

    Raises:
        ValueError: this is no git checkout.
    """
    command = ["git", "status", "--porcelain", "--untracked-files=all", "--no-renames", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise ValueError("What has changed is known in a git checkout only. Run `python course.py test` instead.")
    return [entry[3:] for entry in done.stdout.split("\0") if entry and "D" not in entry[:2]]


def selections(files: list[str]) -> list[list[str]]:
    """Arguments of pytest for the tests of these files: one list of whole files, and one for each `-k`."""
    whole, single = list(ALWAYS), []
    for file in files:
        pattern, tests = next(((p, t) for p, t in TESTS if re.fullmatch(p, file)), (None, ""))
        arguments = re.sub(pattern, tests, file).split() if pattern else []
        if "-k" in arguments:
            single.append(arguments)
        else:
            whole += [path for path in arguments if (ROOT / path).exists()]
        if re.fullmatch(PROSE, file):
            whole.append("tests/autograde/test_prose.py")
    return [list(dict.fromkeys(whole)), *single]

"""`python -m tests.hostile`: grade the hostile class, and say of each submission what it tries and what it got.

Exits with 1 where one did not get what it should.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.hostile.case import Case
from tests.hostile.folder import CASES
from tests.hostile.graded import Outcome, course_in, grade_all, read_outcome
from tests.hostile.ways import WAYS, NotHere, grade_as


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade, print the table, and return the exit code."""
    parser = argparse.ArgumentParser("python -m tests.hostile", description=__doc__)
    parser.add_argument("names", nargs="*", help="cases; all where none is named")
    parser.add_argument("--quick", action="store_true", help="leave out what uses up all of its time")
    for way, (about, *_) in WAYS.items():
        parser.add_argument(f"--as-{way}", dest="way", action="store_const", const=way, help=about)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)  # the folder, when it is run for another process
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - {case.name for case in CASES}:
        parser.error(f"there is no case called {', '.join(sorted(unknown))}")
    cases = [c for c in CASES if (not asked.names or c.name in asked.names) and not (asked.quick and c.slow)]
    if asked.into:
        grade_all(cases, asked.into, asked.into / "course")
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hostile-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        course_in(place, cases)
        try:
            done = grade_as(asked.way or "", place, [case.name for case in cases])
        except NotHere as why:
            print(why)
            return 0
        if done.returncode:
            print(done.stdout + done.stderr)
            return 1
        outcome = read_outcome(place)
    show(cases, outcome)
    wrong = outcome.differing(cases)
    times = ", ".join(f"{lesson} {seconds:.0f} s" for lesson, seconds in outcome.seconds.items())
    print(f"{len(cases)} submissions, {len(wrong)} not as they should be; {time.monotonic() - began:.0f} s, {times}")
    return 1 if wrong else 0


def show(cases: Sequence[Case], outcome: Outcome) -> None:
    """Print the table."""
    table = Table("submission", "tries", "expected", "got", "", expand=True)
    for case in cases:
        rows = [
            (
                f"{exercise}: {case.points(exercise):g}, {' or '.join(states)}",
                "{}: {:g}, {}".format(exercise, *outcome.of(case, exercise)),
                "ok" if outcome.as_expected(case, exercise) else "NOT",
            )
            for exercise, states in case.expected.items()
        ]
        expected, got, said = ("\n".join(column) for column in zip(*rows, strict=True))
        if case.name in outcome.stopped:
            got, said = f"{got}\nstopped the class: {outcome.stopped[case.name]}", "NOT"
        table.add_row(*map(Text, (case.name, case.tries, expected, got, said)))
    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", 200))
    Console(width=width).print(table)


if __name__ == "__main__":
    sys.exit(main())

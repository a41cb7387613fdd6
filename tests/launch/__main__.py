"""`python course.py test --launch`: every lesson in Colab's environment and in Binder's, before a release. An hour.

Writes docs/launch.md after each lesson; stopped, the same command goes on where it was. Exits with 1 where something
was not as it should be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.launch import hosts, image


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them, write the page, and return the exit code."""
    parser = argparse.ArgumentParser("python course.py test --launch", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="ENVIRONMENT", help=f"{' or '.join(hosts.ENVIRONMENTS)}; else both")
    names = parser.parse_args(arguments).names or list(hosts.ENVIRONMENTS)
    if unknown := set(names) - {*hosts.ENVIRONMENTS}:
        parser.error(f"there is no environment called {', '.join(sorted(unknown))}")
    for name in names:
        with tempfile.TemporaryDirectory(prefix=f"launch-{name}-") as folder:
            try:
                for seen in hosts.run(name, hosts.left(name), Path(folder), lambda line: print(line, flush=True)):
                    hosts.publish(name, seen)
            except RuntimeError as error:
                print(error, file=sys.stderr)
                return 1
            if name == "binder":
                version, lines = image.recipe(Path(folder) / "image")
                seen = hosts.read()[name]
                hosts.publish(name, {**seen, "repo2docker": version, "amiss": [*seen["amiss"], *image.amiss(lines)]})
    done = [hosts.read()[name] for name in names]
    wrong = [what for seen in done for what in seen["amiss"]]
    wrong += [
        what for seen in done for kinds in seen["lessons"].values() for ran in kinds.values() for what in ran["trouble"]
    ]
    print(f"{hosts.PAGE.relative_to(hosts.ROOT)} is written; {len(wrong)} not as it should be.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.foreign`: all 36 networks through the four calls, and the table in docs/library.md. Ten minutes.

With names, such as "DynUNet, deep supervision", only those.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.foreign.networks import NETWORKS
from tests.foreign.tried import TABLE, row


def main(names: Sequence[str]) -> None:
    """Try them, and publish each row as it is found."""
    for foreign in NETWORKS:
        if names and foreign.name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)  # where the graph keeps what it has unlocked
            found = row(foreign, Path(folder))
            os.chdir(TABLE.readme.parent)
        TABLE.publish(found)
        print(" | ".join(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

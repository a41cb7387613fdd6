"""A bar for work that takes more than a moment, where somebody watches: tqdm's, on one line that is replaced.

    for model in with_progress(models, "Measuring models"):
        ...

Nothing is written where nobody does (a notebook run without a front end, output into a file): graded cells must leave
standard error empty. tqdm's own widget for notebooks is not used, since a saved notebook cannot show it again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, TypeVar

from tqdm import tqdm

from helpers import frontend

T = TypeVar("T")

DELAY_S = 1.0  # work shorter than this has no bar


def is_terminal() -> bool:
    """Whether somebody reads standard error as it is written."""
    return sys.stderr is not None and sys.stderr.isatty()


def bar(**options: Any) -> tqdm:
    """A `tqdm` that is silent where nobody watches, and for quick work."""
    in_notebook = frontend.is_interactive()
    return tqdm(
        **options,
        delay=DELAY_S,
        dynamic_ncols=True,
        file=sys.stdout if in_notebook else sys.stderr,  # in a notebook standard error looks like a failure
        disable=not (in_notebook or is_terminal()),
    )


def with_progress(items: Sequence[T], what: str) -> tqdm[T]:
    """The items one by one, and a bar named `what`, such as "Measuring models"."""
    return bar(iterable=items, desc=what)

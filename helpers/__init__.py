"""The first cell of every notebook imports all of this: `__all__` is what a lesson may call without an import.

The import is light: torch and matplotlib load when they are used. It sets torch's number of threads, before torch is
imported. `play` loads torch, so it is imported where it is named.
"""

import logging

from helpers.threads import limit_threads

limit_threads()
# It warns on stderr that triton is missing, as in every CPU build; only Triton's kernels would need it.
logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)

from helpers import data, show  # noqa: E402  (threads come first)
from helpers.checks import check, earlier, hint, solution, use, where  # noqa: E402
from helpers.glossary import glossary  # noqa: E402
from helpers.graph import ArchitectureGraph  # noqa: E402
from helpers.keep import load, save  # noqa: E402
from helpers.progress import progress  # noqa: E402
from helpers.quiz import quiz  # noqa: E402
from helpers.stepper import CodeStepper  # noqa: E402
from helpers.submit import submit  # noqa: E402

__all__ = [
    "ArchitectureGraph",
    "CodeStepper",
    "check",
    "data",
    "earlier",
    "glossary",
    "hint",
    "load",
    "play",
    "progress",
    "quiz",
    "save",
    "show",
    "solution",
    "submit",
    "use",
    "where",
]

"""What a course notebook imports: checks, data, pictures, quizzes, the glossary, your progress.

Importing this package is light: torch and matplotlib load when they are used. It sets the number of threads that torch
will use, once, before torch is imported.
"""

import logging

from helpers.threads import limit_threads

limit_threads()
# It warns, on stderr, where torch comes without triton, as every CPU build does; only Triton's kernels would need it.
logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)

from helpers.checks import check, earlier, hint, solution, use  # noqa: E402  (threads come first)
from helpers.glossary import glossary  # noqa: E402
from helpers.widgets.progress import progress  # noqa: E402
from helpers.widgets.quiz import quiz  # noqa: E402

__all__ = ["check", "earlier", "glossary", "hint", "progress", "quiz", "solution", "use"]

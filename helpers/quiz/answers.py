"""The answers to graded questions: kept in `answers.json` beside the notebook, and handed in with it."""

from __future__ import annotations

import json
from pathlib import Path

from helpers.atomic_write import atomic_write

FILE = "answers.json"
LONGEST = 100  # characters of an answer: keys, or a number


class AnswersError(ValueError):
    """The file of answers cannot be read. The message says why, and what to do."""


def read(folder: Path | None = None) -> dict[str, str]:
    """The answers so far, by question; none where there is no file.

    Args:
        folder: where the notebook is; the kernel's working directory if `None`.

    Raises:
        AnswersError: there is a file, and it holds something else.
    """
    path = (folder or Path.cwd()) / FILE
    try:
        answers = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise AnswersError(_said(f"cannot be read ({error})")) from None
    if not isinstance(answers, dict) or not all(isinstance(x, str) and len(x) <= LONGEST for x in answers.values()):
        raise AnswersError(_said("holds something else than one short answer for each question"))
    return answers


def keep(question: str, given: str, folder: Path | None = None) -> None:
    """Put an answer in place of the one that was there.

    Raises:
        AnswersError: the file that is there cannot be read, so it is left as it is; or it cannot be written.
    """
    answers = {**read(folder), question: given}
    path = (folder or Path.cwd()) / FILE
    try:
        atomic_write(path, (json.dumps(answers, indent=1, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise AnswersError(f"{FILE} cannot be written beside this notebook: {error.strerror or error}.") from None


def _said(what: str) -> str:
    return f"{FILE} beside this notebook {what}. Rename it, then answer the graded questions of this lesson again."

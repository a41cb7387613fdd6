"""The answers to graded questions: kept in `answers.json` beside the notebook, and handed in with it."""

from __future__ import annotations

import json
from pathlib import Path

from helpers import host, plan, progress_store
from helpers.atomic_write import atomic_write
from helpers.errors import InputError, what_to_do

FILE = "answers.json"
LONGEST = 100  # characters of an answer: keys, or a number
ANEW = "Rename it, then answer the graded questions of this lesson again."


class AnswersError(InputError):
    """The file of answers cannot be read. The message says why, and what to do."""


def read(folder: Path | None = None) -> dict[str, str]:
    """The answers in a folder, by question; none where there is no file.

    Args:
        folder: where the notebook is; that of the lesson that runs here if `None`.

    Raises:
        AnswersError: there is a file, and it holds something else.
    """
    path = (folder or host.folder()) / FILE
    name = f"{path.parent.name}/{FILE}"
    try:
        answers = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise AnswersError(f"{name} cannot be read ({error}). {ANEW}") from None
    if not isinstance(answers, dict) or not all(isinstance(x, str) and len(x) <= LONGEST for x in answers.values()):
        raise AnswersError(f"{name} holds something else than one short answer for each question. {ANEW}")
    return answers


def read_on(folder: Path | None = None) -> dict[str, str]:
    """`read`, and what was answered before the lesson was renamed. For a student: what is graded is what `read` gives.

    Raises:
        AnswersError: see `read`.
    """
    folder = folder or host.folder()
    names = plan.names(folder.name) if progress_store.place() else [folder.name]
    return {id: given for name in reversed(names) for id, given in read(folder.parent / name).items()}


def keep(question: str, given: str, folder: Path | None = None) -> None:
    """Put an answer in place of the one that was there, and beside it what was answered under the lesson's old name.

    Raises:
        AnswersError: the file that is there cannot be read, so it is left as it is; or it cannot be written.
    """
    answers = {**read_on(folder), question: given}
    path = (folder or host.folder()) / FILE
    try:
        atomic_write(path, (json.dumps(answers, indent=1, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise AnswersError(
            f"{FILE} cannot be written beside this notebook: {error.strerror or error}. {what_to_do(error)}"
        ) from None

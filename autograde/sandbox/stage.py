"""What a student's code finds around it while it is graded: the course without its answers, and no notebook.

Runs in the locked process, before the student's code.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

HELPERS = Path(__file__).parents[2] / "helpers"
HIDDEN = ("exercises", "reference")  # of `helpers`: what holds answers
UNREAD = (*HIDDEN, "quiz")  # `quiz` holds questions, and is imported already
NAMES = tuple(f"helpers.{name}" for name in HIDDEN)
CALLS = ("check", "hint", "where", "solution", "use", "quiz", "earlier", "progress", "glossary")


def hidden() -> list[Path]:
    """What of the course, which the student's code may read, it may not."""
    return [HELPERS / name for name in UNREAD]


def set_up(modules: Mapping[str, str]) -> None:
    """Put what belongs around the code into this process.

    Args:
        modules: names and sources of the modules that stand in for those in `helpers.reference`.
    """
    sys.meta_path.insert(0, _Sources(modules))
    for name in [n for n in sys.modules if n.startswith(NAMES)]:
        del sys.modules[name]
    course = importlib.import_module("helpers")
    for name in HIDDEN:
        vars(course).pop(name, None)
    for name in CALLS:
        setattr(course, name, _nothing)
    notebook = _NoNotebook()
    vars(builtins).update(display=_nothing, get_ipython=lambda: notebook)
    _as_one_process()


def _as_one_process() -> None:
    """Let what would start processes, or compile with a compiler, work without."""
    import torch
    from torch.utils.data import DataLoader

    made = DataLoader.__init__

    def make(self: Any, *args: Any, num_workers: int = 0, **settings: Any) -> None:
        alone = {k: v for k, v in settings.items() if k not in ("prefetch_factor", "persistent_workers", "timeout")}
        made(self, *args, **(settings if num_workers == 0 else alone))

    DataLoader.__init__ = make  # type: ignore[method-assign]
    torch.compile = lambda model=None, **settings: model if model is not None else lambda m: m  # type: ignore[assignment]


def _nothing(*args: Any, **kwargs: Any) -> None:
    """What a check, a hint or a display does while grading."""


class _NoNotebook:
    """Stands for IPython's shell: magics and shell lines are not run."""

    def __getattr__(self, name: str) -> Any:
        return _nothing


class _Sources(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules in sources that were handed over, and nothing else of what is hidden."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = dict(modules)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(NAMES):
            return None
        if fullname not in (*self._modules, "helpers.reference"):
            raise ModuleNotFoundError(f"{fullname} is not there while grading: it holds answers.", name=fullname)
        return importlib.util.spec_from_loader(fullname, self, is_package=fullname == "helpers.reference")

    def exec_module(self, module: ModuleType) -> None:
        source = self._modules.get(module.__name__, "")
        exec(compile(source, f"<{module.__name__}>", "exec"), vars(module))

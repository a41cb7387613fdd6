"""What a student's code finds around it while it is graded: the course without its answers, and no notebook.

Runs in the locked process, before the student's code. That the grader itself is out of its reach by ordinary routes,
and that Python refuses the others (`guard`), are hurdles and no wall: `autograde.reading` looks for who takes them.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from helpers.checks.subject import is_library

HELPERS = Path(__file__).parents[2] / "helpers"
COURSE = (HELPERS, HELPERS.parent / "datasets")  # what students' code may read of it, but for what is hidden
HIDDEN = ("exercises", "reference")  # of `helpers`: what holds answers
UNREAD = (*HIDDEN, "quiz")  # `quiz` holds questions, and is imported already
GRADER = ("helpers.checks", "autograde")  # that serves the answer, in this process, too
NAMES = (*(f"helpers.{name}" for name in HIDDEN), *GRADER)
# What lets code see or change other code: events that Python tells its audit hooks, by how their names begin.
INNER = (
    *(
        "gc.get_",
        "sys._",
        "sys.settrace",
        "sys.setprofile",
        "sys.addaudithook",
        "sys.monitoring",
        "ctypes.",
        "object.__",
    ),
    *("code.__", "compile", "exec", "function.__", "marshal."),
)
INNER_ATTRIBUTES = (
    *("__code__", "tb_frame", "f_code", "gi_code", "cr_code", "ag_code", "gi_frame", "cr_frame", "ag_frame"),
)
WALKS = "gc.get_"  # through all there is: refused whoever calls it for the student's code
BETWEEN = ("ctypes", "inspect", "gc", "threading", "timeit")  # modules that do such a thing for whoever calls them
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
    for name in (*HIDDEN, "checks"):
        vars(course).pop(name, None)
    for name in CALLS:
        setattr(course, name, _nothing)
    notebook = _NoNotebook()
    around = {"display": _nothing, "get_ipython": lambda: notebook}
    for module in (builtins, sys.modules.get("IPython"), sys.modules.get("IPython.display")):
        for call, stands_in in around.items():
            if module is builtins or hasattr(module, call):
                setattr(module, call, stands_in)
    _as_one_process()


def of_student() -> dict[str, Any]:
    """The namespace in which the student's code is to run: its own `__main__`, with builtins of its own."""
    for name in ("builtins", "__main__"):
        sys.modules[name] = ModuleType(name)
    own, main = vars(sys.modules["builtins"]), vars(sys.modules["__main__"])
    own.update(vars(builtins))
    main["__builtins__"] = own
    return main


def guard() -> None:
    """Let Python refuse code that is not a library's what lets it see or change other code, for good."""
    looking = threading.local()
    between = {getattr(sys.modules.get(name), "__file__", None) for name in BETWEEN}
    frame_of = sys._getframe

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if not event.startswith(INNER) or getattr(looking, "now", False):
            return
        of_an_attribute = event.startswith("object.__")
        if of_an_attribute and arguments[1] not in INNER_ATTRIBUTES:
            return
        looking.now = True
        try:
            frame = frame_of(1)
            anywhere = event.startswith(WALKS)
            while not of_an_attribute and frame.f_back and (anywhere or frame.f_code.co_filename in between):
                if anywhere and not is_library(frame.f_code.co_filename):
                    break
                frame = frame.f_back
            file = frame.f_code.co_filename
        finally:
            looking.now = False
        if not is_library(file):
            raise PermissionError(f"{event} is refused while grading: no task needs it.")

    sys.addaudithook(refuse)


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
    """Stands for IPython's shell: magics and shell lines are not run. Libraries see that there is none: it is false."""

    def __bool__(self) -> bool:
        return False

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
            raise ModuleNotFoundError(f"{fullname} is not there while grading.", name=fullname)
        return importlib.util.spec_from_loader(fullname, self, is_package=fullname == "helpers.reference")

    def exec_module(self, module: ModuleType) -> None:
        source = self._modules.get(module.__name__, "")
        exec(compile(source, f"<{module.__name__}>", "exec"), vars(module))

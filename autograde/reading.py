"""Reads the source of an answer: whether it reaches past its task, and whether it is somebody else's.

What is observed where an answer runs can be lied about by the answer itself, so what it would have to write for that is
looked for here. Nothing of the student's is run. Only names that are written down can be seen, so those that are put
together, and modules that are handed on like any value, are findings, too. It is one of several hurdles, no wall.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy  # noqa: F401  (what is not imported here is read with less care)
import torch  # noqa: F401

import helpers
from helpers import exercises
from helpers.checks.program import Part
from helpers.markup import code


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What an answer may import. Others may be harmless, too: then somebody who has read the answer gives the points.
MODULES = _words(
    "__future__ abc array bisect cmath collections concurrent contextlib copy csv dataclasses datetime decimal enum "
    "fractions functools gc glob hashlib heapq inspect io itertools json logging math numbers operator os pathlib "
    "pprint queue random re shutil statistics string struct sys tempfile textwrap threading time traceback types "
    "typing typing_extensions warnings IPython PIL cv2 einops helpers matplotlib numpy scipy skimage sklearn torch "
    "torchvision tqdm"
)
GRADER = ("helpers.checks", "helpers.exercises", "autograde")
# Parts of those modules that run text, other programs or C, or that switch off how calls are seen.
NOT_THESE = (
    *(
        "torch.ops",
        "torch.nn.grad",
        "torch.overrides",
        "torch.fx",
        "torch.hub",
        "torch.package",
        "torch.library",
        "torch.classes",
    ),
    *("torch.multiprocessing", "torch.distributed", "torch.utils.cpp_extension", "torch.testing", "numpy.ctypeslib"),
    *("numpy.f2py", "numpy.lib.stride_tricks.as_strided", "logging.config", "logging.handlers", "inspect.stack"),
    *("inspect.trace", "inspect.getmembers", "inspect.getclosurevars", "inspect.getmodule", "types.FunctionType"),
    *("types.CodeType", "types.CellType", "scipy.LowLevelCallable", "typing.get_type_hints", "typing.ForwardRef"),
    *("warnings.showwarning", "numpy.testing", "torch.utils.benchmark", "torch.serialization", "PIL.ImageMath"),
    *("IPython.core", "IPython.utils", "IPython.lib", "IPython.extensions", "IPython.terminal", "IPython.embed"),
    *("helpers.stepper", "helpers.mutations"),
)
# Of these modules, what is in common use; everything else in them steers Python itself.
ONLY_THESE = {
    "sys": {
        *("version", "version_info", "maxsize", "float_info", "stdout", "stderr", "platform", "argv", "getsizeof"),
        *("exit", "byteorder", "executable", "getrecursionlimit", "setrecursionlimit"),
    },
    "gc": {"collect", "enable", "disable", "isenabled"},
}
# Ways around the watch on library functions, where some of those are forbidden.
AROUND = ("threading", "concurrent", "queue", "torch.jit", "torch.futures", "torch.export", "torch.onnx")
NAMES = _words(
    "f_back f_globals f_locals f_builtins f_code f_trace tb_frame tb_next gi_frame gi_code cr_frame cr_code ag_frame "
    "ag_code _getframe _getframemodulename _current_frames _current_exceptions currentframe getinnerframes "
    "getouterframes walk_stack walk_tb cell_contents meta_path path_hooks settrace setprofile addaudithook excepthook "
    "unraisablehook breakpointhook get_objects get_referrers get_referents import_module _get_operation_overload "
    "get_field dictConfig fileConfig runstring CDLL pythonapi aten read_array read_pickle add_safe_globals "
    "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
)
NAME_FORMS = re.compile(r"DisableTorch\w*|Torch\w+Mode|\w+(Function|Dispatch)Mode")
BARE = {"exec", "eval", "compile", "__import__", "globals", "breakpoint"}
BY_TEXT = {"getattr", "setattr", "delattr", "hasattr", "attrgetter", "methodcaller"}
PARTS = {"sys", "builtins", "importlib", "ctypes", "gc", "inspect", "_C", "ctypeslib"}  # that no object of theirs has
PRIVATE = {
    "_BatchNorm",
    "_NormBase",
    "_ConvNd",
    "_Loss",
    "_WeightedLoss",
    "_LRScheduler",
    "_exit",
    "__version__",
    "__name__",
}
SPECIAL = {
    f"__{name}__"
    for name in _words(
        "init call len getitem setitem delitem iter next contains enter exit repr str eq ne lt le gt ge hash bool name "
        "qualname class version file all slots post_init new future main copy deepcopy getattr setattr init_subclass "
        "array float int index round abs neg pos invert add sub mul matmul truediv floordiv mod divmod pow and or xor "
        "lshift rshift radd rsub rmul rmatmul rtruediv rfloordiv rpow rand ror iadd isub imul iand ior itruediv "
        "reversed getstate setstate missing doc"
    )
}
UNKNOWN = object()  # a value that reading does not tell
TEXT = object()  # one of several texts that are written down
SEPARATE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def reaches(parts: Sequence[Part], forbidden: Sequence[str] = ()) -> list[str]:
    """What in a program reaches into the grader or past the rules: a sentence each, marked up, with the line.

    Args:
        parts: the statements of the program, in order.
        forbidden: library functions that it must not call.
    """
    trees = [(part, ast.parse(part.source)) for part in parts]
    reader = _Reader(frozenset(forbidden))
    reader.scopes.append(reader.bound([statement for _, tree in trees for statement in tree.body]))
    found: dict[str, str] = {}  # the first of each line, which often has several
    for part, tree in trees:
        reader.found.clear()
        reader.visit(tree)
        of = f" of the cell {code(part.cell)}" if part.cell else ""
        for line, what in reader.found:
            found.setdefault(where := f"Line {part.line + line - 1}{of}", f"{where} {what}.")
    return list(found.values())


def shape(source: str) -> str:
    """What stays of a source without comments, docstrings, types, imports and the names its author has chosen.

    Two sources with one shape are copies of each other, or as short as copies. Source that is no Python has none.
    """
    try:
        return _shape(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def _shape(source: str) -> str:
    tree = ast.parse(source)
    _Bare().visit(tree)
    tree = ast.parse(ast.unparse(tree))
    chosen = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    chosen |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    chosen |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name[:2] != "__"}
    chosen |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and not isinstance(n.ctx, ast.Load)}
    numbers: dict[str, str] = {}
    for node in ast.walk(tree):
        for field in ("id", "arg", "attr", "name"):
            if getattr(node, field, None) in chosen:
                setattr(node, field, numbers.setdefault(getattr(node, field), f"v{len(numbers)}"))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def is_the_courses(name: str, parts: Sequence[Part]) -> bool:
    """Whether what a student wrote for the exercise `name` has the shape of the course's own solution."""
    return shape("\n".join(part.source for part in parts if part.own)) in _shapes(name)


@functools.cache
def _shapes(name: str) -> frozenset[str]:
    reference, *_ = exercises.load(name).right_answers
    return frozenset({shape(reference.source), shape(exercises.source_of(reference.solution))})


class _Bare(ast.NodeTransformer):
    """Takes away what says nothing about how a source works."""

    def visit(self, node: ast.AST) -> ast.AST | None:
        """A node without that; nothing where it is only that."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            return None
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            node = ast.copy_location(ast.Assign([node.target], node.value), node)
        for field in ("returns", "annotation"):
            if hasattr(node, field):
                setattr(node, field, None)
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        visited: ast.AST = self.generic_visit(node)
        return visited


class _Reader(ast.NodeVisitor):
    """Goes through a program and notes what it finds.

    Attributes:
        found: line and what is there, as the end of a sentence.
        scopes: for each scope around the place that is read, what the names in it are.
    """

    def __init__(self, forbidden: frozenset[str]) -> None:
        self._forbidden = forbidden
        self.found: list[tuple[int, str]] = []
        self.scopes: list[dict[str, Any]] = []
        self._in_class = False  # not in a function of it

    # ---- what names stand for

    def bound(self, nodes: Iterable[ast.AST]) -> dict[str, Any]:
        """The names that these statements bind in their own scope; to what, where that is a part of a library."""
        inside = list(_in_scope(nodes))
        stored = [n.id for n in inside if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)]
        names = dict.fromkeys(stored, UNKNOWN)
        for node in inside:
            if isinstance(node, ast.For) and isinstance(node.target, ast.Name) and stored.count(node.target.id) == 1:
                names[node.target.id] = TEXT if _are_texts(node.iter) else UNKNOWN
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names[node.name] = UNKNOWN
        for node in inside:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    names[alias.asname or alias.name.split(".")[0]] = _module(
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                names |= {a.asname or a.name: _member(_module(node.module or ""), a.name) for a in node.names}
        self.scopes.append(names)
        for node in inside:
            if isinstance(node, ast.Assign) and (value := self._value(node.value)) is not UNKNOWN:
                names |= {target.id: value for target in node.targets if isinstance(target, ast.Name)}
        return self.scopes.pop()

    def _value(self, node: ast.AST) -> Any:
        """What of a library an expression stands for."""
        if isinstance(node, ast.Name):
            return next((scope[node.id] for scope in reversed(self.scopes) if node.id in scope), UNKNOWN)
        return _member(self._value(node.value), node.attr) if isinstance(node, ast.Attribute) else UNKNOWN

    def _within(self, names: Mapping[str, Any], nodes: Iterable[ast.AST]) -> None:
        self.scopes.append(dict(names))
        for node in nodes:
            self.visit(node)
        self.scopes.pop()

    # ---- scopes

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A function: what is outside of it is read before its body."""
        self._name(node, node.name)
        self._function(node, [*node.decorator_list, *([node.returns] if node.returns else [])])

    visit_AsyncFunctionDef: Any = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A function without a name."""
        self._function(node, [])

    def _function(self, node: Any, outside: list[ast.expr]) -> None:
        a, body = node.args, node.body if isinstance(node.body, list) else [node.body]
        given = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
        for part in (*outside, *a.defaults, *filter(None, a.kw_defaults), *(g.annotation for g in given)):
            if part is not None:
                self._type(part)
        names = dict.fromkeys((g.arg for g in given), UNKNOWN)
        self.scopes.append(names)
        names |= self.bound(body)
        self.scopes.pop()
        outside_of, self._in_class = self._in_class, False
        self._within(names, _without_docstring(node, body))
        self._in_class = outside_of

    def _type(self, node: ast.expr) -> None:
        """A type of an argument, which may be a text, or anything else that is read like that."""
        self.visit(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            with contextlib.suppress(SyntaxError, ValueError):
                self.visit(ast.parse(node.value, mode="eval"))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """`a: type = b`"""
        self._type(node.annotation)
        for part in filter(None, (node.target, node.value)):
            self.visit(part)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A class: what its body binds is no name in its methods."""
        for part in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
            self.visit(part)
        outside_of, self._in_class = self._in_class, True
        for statement in _without_docstring(node, node.body):
            self.visit(statement)
        self._in_class = outside_of

    def visit_Module(self, node: ast.Module) -> None:
        """The statements of a part."""
        for statement in _without_docstring(node, node.body):
            self.visit(statement)

    def _comprehension(self, node: Any) -> None:
        names = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        self.visit(node.generators[0].iter)
        rest = [g.iter for g in node.generators[1:]] + [test for g in node.generators for test in g.ifs]
        made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._within(dict.fromkeys(names, UNKNOWN), [*rest, *made, *(g.target for g in node.generators)])

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    # ---- findings

    def _note(self, node: Any, what: str) -> None:
        self.found.append((node.lineno, what))

    def _name(self, node: Any, name: str) -> None:
        """A name, wherever it is written."""
        special = name.startswith("__") and name.endswith("__") and name not in SPECIAL
        if special or name in NAMES or NAME_FORMS.fullmatch(name):
            self._note(node, f"reaches into Python or torch itself, with {code(name)}")

    def _imported(self, node: Any, module: str, also: str = "") -> None:
        """A module, or `also` a part of one, however it is named."""
        full = f"{module}.{also}".rstrip(".")
        first, *others = full.split(".")
        if _is_in(full, GRADER) and not (module == "helpers" and also in helpers.__all__):
            self._note(node, f"reaches into the grader, with {code(full)}")
        elif first not in MODULES:
            self._note(node, f"uses {code(first)}, which no task needs")
        elif _is_in(full, NOT_THESE) or any(part[:1] == "_" and part not in PRIVATE for part in others):
            self._note(node, f"uses the inner part {code(full)} of a library")
        elif self._forbidden and _is_in(full, AROUND):
            self._note(node, f"uses {code(full)}, which hides what is called, in a task to be done by hand")
        elif self._is_forbidden(also) and first != "helpers":
            self._note(node, f"uses {code(also)} of a library, and the task is to write it by hand")
        elif module in ONLY_THESE and also and also not in ONLY_THESE[module]:
            self._note(node, f"reaches into Python or torch itself, with {code(full)}")

    def visit_Import(self, node: ast.Import) -> None:
        """`import a.b`"""
        for alias in node.names:
            self._imported(node, alias.name)
            if self._in_class:
                self._handed_on(node, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """`from a import b`"""
        for alias in node.names:
            self._name(node, alias.name)
            self._imported(node, node.module or "", "" if alias.name == "*" else alias.name)
            self._member(node, _module(node.module or ""), alias.name)
            if self._in_class or (alias.name in BY_TEXT and alias.asname):
                self._handed_on(node, alias.name)
            if alias.name == "*" and node.module in ("sys", "gc", "inspect", "operator", "types", "typing"):
                self._note(node, f"uses all of {code(node.module)}")

    def _member(self, node: Any, whole: Any, name: str) -> None:
        """A part of something in a library, as `whole.name` or by its name as a text."""
        value = _member(whole, name)
        if isinstance(value, ModuleType) and not value.__name__.startswith(f"{_called(whole)}."):
            self._imported(node, value.__name__)
        elif _is_in(str(getattr(value, "__module__", "")), GRADER) and name not in helpers.__all__:
            self._note(node, f"reaches into the grader, with {code(name)}")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """`a.b`, not as the beginning of something longer."""
        self._path(node)
        if isinstance(self._value(node), ModuleType | _Module) or node.attr in BY_TEXT:
            self._handed_on(node, ast.unparse(node))

    def _path(self, node: ast.expr) -> None:
        """A path `a.b.c`, whatever becomes of it."""
        if isinstance(node, ast.Name) and isinstance(self._value(node), ModuleType | _Module):
            return
        if not isinstance(node, ast.Attribute):
            self.visit(node)
            return
        self._path(node.value)
        self._attribute(node, node.value, node.attr)
        whole = self._value(node.value)
        if not isinstance(node.ctx, ast.Load) and whole is not UNKNOWN:
            is_setting = node.attr.isupper() or _is_in(_called(whole), ("torch.backends",))
            if not is_setting:
                self._note(node, f"changes {code(ast.unparse(node))}, which belongs to a library")

    def _attribute(self, node: Any, of: ast.expr, name: str) -> None:
        whole = self._value(of)
        if name == "__dict__" and isinstance(of, ast.Name) and of.id == "self" and whole is UNKNOWN:
            return
        self._name(node, name)
        if name in PARTS and not isinstance(_member(whole, name), ModuleType):
            self._note(node, f"reaches into Python or torch itself, with {code(name)}")
        if name in ("__setattr__", "__getattr__") and ast.unparse(of) not in ("super()", "object"):
            self._note(node, f"reaches into Python or torch itself, with {code(name)}")
        if isinstance(whole, ModuleType | _Module):
            self._imported(node, _called(whole), name)
            self._member(node, whole, name)
        elif self._is_forbidden(name) and not (isinstance(of, ast.Name) and of.id in ("self", "cls")):
            self._note(node, f"uses {code(name)} of a library, and the task is to write it by hand")

    def _is_forbidden(self, name: str) -> bool:
        """Whether this is a forbidden function, or the layer or loss of its name."""
        if "convolution" in self._forbidden and "conv" in name.lower():  # which has many names
            return True
        return bool(name) and any(_plain(name) in (_plain(n), f"{_plain(n)}loss") for n in self._forbidden)

    def _handed_on(self, node: Any, name: str) -> None:
        self._note(node, f"hands {code(name)} on, so that what is done with it cannot be read")

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        """A name of another scope."""
        for name in node.names:
            if isinstance(self._value(ast.Name(name)), ModuleType | _Module):
                self._handed_on(node, name)

    visit_Nonlocal: Any = visit_Global

    def visit_Name(self, node: ast.Name) -> None:
        """A name, not as the beginning of something longer."""
        self._name(node, node.id)
        if node.id in BARE and isinstance(node.ctx, ast.Load):
            self._note(node, f"runs what is not written down, with {code(node.id)}")
        is_more = node.id in BY_TEXT | {"vars", "locals"} or isinstance(self._value(node), ModuleType | _Module)
        if is_more and isinstance(node.ctx, ast.Load):
            self._handed_on(node, node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        """A module may get another name."""
        is_alias = isinstance(self._value(node.value), ModuleType | _Module) and not self._in_class
        if is_alias and all(isinstance(target, ast.Name) for target in node.targets):
            self._path(node.value)
        else:
            self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_Call(self, node: ast.Call) -> None:
        """`getattr` and its like do with a text what `a.b` does."""
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        rest = list(node.args)
        if called in BY_TEXT:
            self._by_text(node, called)
            if called in ("getattr", "hasattr") and rest:
                self._path(rest.pop(0))
        elif called in ("vars", "locals") and isinstance(node.func, ast.Name):
            if not rest and len(self.scopes) == 1:
                self._note(node, f"runs what is not written down, with {code(called)}")
        else:
            self.visit(node.func)
        for argument in (*rest, *(keyword.value for keyword in node.keywords)):
            self.visit(argument)
        more = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        safe = more.pop("weights_only", "True") == "True" and more.pop("allow_pickle", "False") == "False"
        more.pop("map_location", None)
        is_plain = len(node.args) <= 1 and not more and not any(isinstance(a, ast.Starred) for a in node.args)
        if not safe or (called == "load" and not is_plain):
            self._note(node, f"may run what is not written down, with {code(called)}")

    def _by_text(self, node: ast.Call, called: str) -> None:
        is_of_one = called not in ("attrgetter", "methodcaller")
        names = node.args[1:2] if is_of_one else node.args
        whole = self._value(node.args[0]) if is_of_one and node.args else UNKNOWN
        if isinstance(node.func, ast.Attribute):
            self._path(node.func.value)
        for name in names:
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                for part in name.value.split("."):
                    self._attribute(node, node.args[0] if is_of_one else name, part)
            elif whole is not UNKNOWN or called in ("getattr", "attrgetter", "methodcaller"):
                is_plain = _names_nothing_inner(name) or self._value(name) is TEXT
                if whole is not UNKNOWN or not is_plain or not is_of_one:
                    self._note(node, f"takes a part by a name that is put together, with {code(called)}")
        if not names or any(isinstance(argument, ast.Starred) for argument in node.args):
            self._handed_on(node, called)
        if called in ("setattr", "delattr") and whole is not UNKNOWN:
            self._note(node, f"changes {code(ast.unparse(node.args[0]))}, which belongs to a library")

    def visit_MatchClass(self, node: ast.MatchClass) -> None:
        """`case A(b=c)` reads `b`."""
        for name in node.kwd_attrs:
            self._name(node, name)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """A text may name what is to be reached."""
        if isinstance(node.value, str):
            for name in set(re.findall(r"\w+", node.value)):
                self._name(node, name)
            for name in re.findall(r"\b(?:helpers|autograde|torch)(?:\.\w+)+", node.value):
                self._imported(node, name)


class _Module:
    """A module that is not imported here."""

    def __init__(self, name: str) -> None:
        self.name = name


def _module(name: str) -> ModuleType | _Module:
    return sys.modules.get(name) or _Module(name)


def _called(whole: Any) -> str:
    """The name of a module."""
    return whole.name if isinstance(whole, _Module) else str(getattr(whole, "__name__", ""))


def _member(whole: Any, name: str) -> Any:
    """What `whole.name` is, as far as it is there already: nothing is imported or computed for it."""
    if isinstance(whole, ModuleType):
        return vars(whole).get(name, sys.modules.get(f"{whole.__name__}.{name}", UNKNOWN))
    if isinstance(whole, type):
        return next((vars(base)[name] for base in whole.__mro__ if name in vars(base)), UNKNOWN)
    return UNKNOWN


def _are_texts(node: ast.expr) -> bool:
    """Whether this is a list of texts that are written down."""
    texts = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
    return all(isinstance(text, ast.Constant) and isinstance(text.value, str) for text in texts) and texts != [node]


def _plain(name: str) -> str:
    """A name as its function, layer and loss have it alike."""
    return name.replace("_", "").lower().removeprefix("lazy").replace("bce", "binarycrossentropy")


def _is_in(name: str, packages: Iterable[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _in_scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """These nodes and what is in them, without what is in a scope of its own."""
    for node in nodes:
        yield node
        if not isinstance(node, (*SEPARATE, *COMPREHENSIONS)):
            yield from _in_scope(ast.iter_child_nodes(node))


def _without_docstring(node: Any, body: list[Any]) -> list[Any]:
    with contextlib.suppress(TypeError):
        return body[1:] if ast.get_docstring(node, clean=False) is not None else body
    return body


def _names_nothing_inner(node: ast.expr) -> bool:
    """Whether a text that is put together begins, as it is written down, like no name that is looked for."""
    if isinstance(node, ast.JoinedStr) and node.values:
        return _names_nothing_inner(node.values[0])
    if isinstance(node, ast.BinOp):
        return _names_nothing_inner(node.left)
    begins = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return begins[:1].isalpha() and not any(name.startswith(begins) for name in NAMES)

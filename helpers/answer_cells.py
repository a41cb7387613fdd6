"""An answer as the cell that a student would have written: it runs after the lesson's set-up cell, with no other."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import itertools
import sys
from collections.abc import Callable, Collection
from typing import Any

DECLARATIONS = ("variant", "misconception", "exercise")


def cell(solution: Callable[..., Any], text: str, name: str) -> str:
    """An answer to the exercise `name` from its own source `text`, with everything of its module that it needs.

    The course's own answer, where it is part of this one, is called `NAME_of_the_course`.
    """
    module = solution.__module__
    *before, own = ast.parse(text).body
    assert isinstance(own, ast.FunctionDef | ast.ClassDef)
    own.decorator_list = [d for d in own.decorator_list if _called(d) not in DECLARATIONS]
    parts = [*_needed(module, [*before, own], {own.name}).values(), *before]
    others = _Renamed(name, f"{name}_of_the_course")
    if own.name != name:
        parts = [others.visit(_copy(part)) for part in parts]
        own = _Renamed(own.name, name).visit(others.visit(own))
    return "\n".join(dict.fromkeys(ast.unparse(part) for part in (*parts, own))) + "\n"


def readable(solution: Callable[..., Any], given: Collection[str]) -> str:
    """An answer to be read, and to be run in a notebook: its own source, and what of its module that needs.

    Types are left out, as in the notebook's cells, and `given` names what the notebook has already.
    """
    module, own = sys.modules[solution.__module__], inspect.getsource(solution)
    needed = _needed(solution.__module__, ast.parse(own).body, {solution.__name__, *given})
    imports = {name: node for name, node in needed.items() if isinstance(node, ast.Import | ast.ImportFrom)}
    defined = [
        inspect.getsource(getattr(module, name))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        else ast.get_source_segment(inspect.getsource(module), node) or ""
        for name, node in needed.items()
        if name not in imports
    ]
    parts = [_without_types(text).strip() for text in dict.fromkeys((*defined, own))]
    read = {node.id for part in parts for node in ast.walk(ast.parse(part)) if isinstance(node, ast.Name)}
    lines = dict.fromkeys(ast.unparse(node) for name, node in imports.items() if name in read)
    return "\n\n\n".join(filter(None, ["\n".join(lines), *parts]))


def _needed(module: str, nodes: list[ast.stmt], known: set[str]) -> dict[str, ast.stmt]:
    """What of a module these statements need, by name, in the order of the module."""
    wanted: dict[str, ast.stmt] = {}
    waiting = [*nodes]
    while waiting:
        node = waiting.pop()
        for used in sorted({n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - wanted.keys() - known):
            if used in _definitions(module):
                wanted[used] = _definitions(module)[used]
                waiting.append(wanted[used])
    order = list(_definitions(module))
    return {name: wanted[name] for name in sorted(wanted, key=order.index)}


def _without_types(source: str) -> str:
    """A source without the types of arguments and results, and all else as it was written."""
    lines = source.splitlines(keepends=True)
    starts = [0, *itertools.accumulate(len(line.encode()) for line in lines)]
    text = source.encode()

    def at(line: int, column: int) -> int:
        return starts[line - 1] + column

    cuts: list[tuple[int, int, bytes]] = []
    for function in [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]:
        arguments = function.args
        for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if arg.annotation is not None:
                start = at(arg.lineno, arg.col_offset) + len(arg.arg.encode())
                end = at(arg.annotation.end_lineno or 0, arg.annotation.end_col_offset or 0)
                spaced = text[end : end + 3] == b" = "  # which is written without blanks where there is no type
                cuts.append((start, end + 3 * spaced, b"=" * spaced))
        if function.returns is not None:
            end = at(function.returns.end_lineno or 0, function.returns.end_col_offset or 0)
            cuts.append((text.rindex(b" ->", 0, at(function.returns.lineno, function.returns.col_offset)), end, b""))
    for start, end, instead in sorted(cuts, reverse=True):
        text = text[:start] + instead + text[end:]
    return text.decode()


class _Renamed(ast.NodeTransformer):
    """Gives one name another, wherever it is defined, imported or used."""

    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Where it is used."""
        node.id = self._new if node.id == self._old else node.id
        return node

    def visit_alias(self, node: ast.alias) -> ast.alias:
        """Where it is imported."""
        if (node.asname or node.name) == self._old:
            node.asname = self._new
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.ClassDef) -> ast.AST:
        """Where it is defined."""
        node.name = self._new if node.name == self._old else node.name
        return self.generic_visit(node)

    visit_ClassDef = visit_FunctionDef


def _copy(node: ast.stmt) -> ast.stmt:
    return ast.parse(ast.unparse(node)).body[0]


def _called(node: ast.expr) -> str:
    function = node.func if isinstance(node, ast.Call) else node
    return function.id if isinstance(function, ast.Name) else ""


@functools.lru_cache(maxsize=64)
def _definitions(module: str) -> dict[str, ast.stmt]:
    """What a module imports and defines, by name, in order; each import alone."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list = [d for d in node.decorator_list if _called(d) not in DECLARATIONS]
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {n.id: node for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.Import):
            found |= {(a.asname or a.name).split(".")[0]: ast.Import([a]) for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            found |= {a.asname or a.name: ast.ImportFrom(node.module, [a], node.level) for a in node.names}
    return {name: node for name, node in found.items() if not hasattr(builtins, name)}

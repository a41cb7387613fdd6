"""An answer as the cell that a student would have written: it runs after the lesson's set-up cell, with no other."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import sys
from collections.abc import Callable
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
    wanted: dict[str, ast.stmt] = {}
    waiting: list[ast.stmt] = [*before, own]
    while waiting:
        node = waiting.pop()
        for used in sorted({n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - wanted.keys() - {own.name}):
            if used in _definitions(module):
                wanted[used] = _definitions(module)[used]
                waiting.append(wanted[used])
    order = list(_definitions(module))
    parts = [*(wanted[used] for used in sorted(wanted, key=order.index)), *before]
    others = _Renamed(name, f"{name}_of_the_course")
    if own.name != name:
        parts = [others.visit(_copy(part)) for part in parts]
        own = _Renamed(own.name, name).visit(others.visit(own))
    return "\n".join(dict.fromkeys(ast.unparse(part) for part in (*parts, own))) + "\n"


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

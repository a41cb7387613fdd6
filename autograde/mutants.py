"""Wrong answers made mechanically: one small change to a right answer, which a check must notice.

The hand-written misconceptions are mistakes that somebody thought of. These are not: every place in the source of a
reference or a variant is changed in every way below, one at a time, and each result is a *mutant*. A mutant that
behaves like a right answer all the same is *equivalent*; `equivalents.yaml` lists those, with the reason.

Probes are valid, so what validates input is left alone: `raise`, an `if` with nothing else inside, and what is computed
for such an `if` only. So are docstrings, annotations and formatted text.

Why not a library: mutmut works on files and a test command, and has no generator. cosmic-ray has one, but lacks the
operators that matter most in tensor code: swapped arguments and axes, dropped statements and keyword arguments, slice
bounds, one part of what is returned. With those written, there is little left to take from it.
"""

from __future__ import annotations
import __future__

import ast
import copy
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from helpers.exercises import Answer, Exercise

EQUIVALENTS = Path(__file__).with_name("equivalents.yaml")

TINY = 1e-3  # a constant below it guards a division or a logarithm, and twice as tiny guards as well

# Functions for which the order of two arguments, or of two axes, means nothing.
ORDERLESS = {
    *("max", "min", "maximum", "minimum", "logical_and", "logical_or", "logical_xor", "isclose", "gcd", "isinstance"),
    *("sum", "mean", "amax", "amin", "any", "all", "prod", "std", "var", "flip", "squeeze", "count_nonzero"),
}

# Arguments that no check can see: checks run on the CPU, saved memory is no result, and valid input keeps `zip` quiet.
NO_MATTER = {"device", "inplace", "strict"}

NEGATED = {ast.Eq: ast.NotEq, ast.Is: ast.IsNot, ast.In: ast.NotIn}
NEGATED |= {after: before for before, after in NEGATED.items()}
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    **NEGATED,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
LOGIC = {ast.And: ast.Or, ast.Or: ast.And}


@dataclass(frozen=True)
class Mutant:
    """One changed answer.

    Its name is the line as it was and what changed in it, so it stays as long as the line does. Where one answer has
    several of the same name, they are numbered.
    """

    answer: str  # the one it was made from: "reference" or a variant's name
    name: str
    source: str  # all of it


def mutants(exercise: Exercise) -> list[Mutant]:
    """All mutants of an exercise's right answers, in order; no two of an answer have the same source."""
    made = []
    for answer in exercise.right_answers:
        seen, names = {source_of(answer)}, []
        for name, source in mutations(source_of(answer)):
            if source in seen:
                continue
            seen.add(source)
            names.append(name)
            count = names.count(name)
            mutant = Mutant(answer.name, name if count == 1 else f"{name}  ({count})", source)
            try:
                solution(exercise, mutant)
            except Exception:
                continue
            made.append(mutant)
    return made


def solution(exercise: Exercise, mutant: Mutant) -> Any:
    """The mutant as an object to check, made in a copy of the namespace that its original lives in.

    Raises:
        Exception: whatever its definition raises.
    """
    original = next(a.solution for a in exercise.right_answers if a.name == mutant.answer)
    namespace = dict(vars(sys.modules[original.__module__]))
    flags = __future__.annotations.compiler_flag  # the modules have it, so annotations may name anything
    exec(compile(mutant.source, "<mutant>", "exec", flags=flags, dont_inherit=True), namespace)
    return namespace[original.__name__]


@functools.cache
def equivalents(path: Path = EQUIVALENTS) -> dict[str, dict[tuple[str, str], str]]:
    """Why which mutants are right answers: exercise, then answer and mutant by name, to the reason."""
    listed = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {name: {(e["answer"], e["mutant"]): e["reason"] for e in entries} for name, entries in listed.items()}


def not_equivalent(exercise: Exercise) -> list[Mutant]:
    """The mutants that the check has to catch."""
    listed = equivalents().get(exercise.name, {})
    return [m for m in mutants(exercise) if (m.answer, m.name) not in listed]


# ---- the source of an answer ----


def source_of(answer: Answer) -> str:
    """The source of an answer, and of the private functions and classes of its module that it needs.

    Without comments, and without the decorator that declares a variant.
    """
    return "\n\n".join(ast.unparse(node) for node in _parts(answer))


def text_of(answer: Answer) -> str:
    """The same as it is written, comments and all."""
    text = inspect.getsource(sys.modules[answer.solution.__module__])
    return "\n\n".join(ast.get_source_segment(text, node) or "" for node in _parts(answer))


def _parts(answer: Answer) -> list[ast.stmt]:
    definitions = _definitions(answer.solution.__module__)
    wanted, waiting = set(), [answer.solution.__name__]
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        used = {node.id for node in ast.walk(definitions[name]) if isinstance(node, ast.Name)}
        waiting += [n for n in used - wanted if n.startswith("_") and n in definitions]
    return [node for name, node in definitions.items() if name in wanted]


@lru_cache(maxsize=128)
def _definitions(module: str) -> dict[str, ast.stmt]:
    """The functions and classes of a module, in order."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list = [d for d in node.decorator_list if _called(d) not in ("variant", "misconception")]
            found[node.name] = node
    return found


# ---- one change at a time ----


def mutations(source: str) -> Iterator[tuple[str, str]]:
    """Name and source of everything that one change makes of `source`."""
    tree = ast.parse(source)
    orderless = _orderless(tree)

    def mutation(change: str) -> tuple[str, str]:
        return f"{line}  |  {change}", ast.unparse(ast.fix_missing_locations(tree))

    spared = _for_guards_only(tree)
    for block, statement in list(_statements(tree.body)):
        if statement in spared:
            continue
        line = _line(statement)
        if _may_go(block, statement):
            kept = statement.body if isinstance(statement, ast.With) else [ast.Pass()]
            whole = block[:]
            block[:] = [s for old in whole for s in (kept if old is statement else [old])]
            yield mutation("dropped")
            block[:] = whole
        for node, put, is_condition in _expressions(statement):
            was = ast.unparse(node)
            negated = [ast.UnaryOp(ast.Not(), node)] if is_condition and not _reversed_elsewhere(node) else []
            for changed in [*_changed(node, orderless), *negated]:
                put(changed)
                yield mutation(f"{was} -> {ast.unparse(changed)}")
            if isinstance(node, ast.Call):
                for changed, how in _changed_calls(node):
                    put(changed)
                    yield mutation(how)
            put(node)
        for field, changed in _changed_statement(statement):
            original = getattr(statement, field)
            setattr(statement, field, changed)
            yield mutation(f"-> {_line(statement)}")
            setattr(statement, field, original)


def _statements(block: list[ast.stmt]) -> Iterator[tuple[list[ast.stmt], ast.stmt]]:
    """Every statement that may be changed, with the block it stands in."""
    for statement in block:
        guard = _is_guard(statement)
        left_alone = ast.Raise | ast.Assert | ast.Import | ast.ImportFrom | ast.Pass | ast.ClassDef
        if not guard and not isinstance(statement, left_alone) and not _is_text(statement):
            yield block, statement
        for field in ("body", "orelse", "finalbody"):
            if not (guard and field == "body"):
                yield from _statements(getattr(statement, field, []))
        for handler in getattr(statement, "handlers", []):
            yield from _statements(handler.body)


def _is_guard(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and all(isinstance(s, ast.Raise) for s in node.body)


def _for_guards_only(tree: ast.AST) -> list[ast.stmt]:
    """Assignments of a name that nothing but guards reads."""
    guards = [node for node in ast.walk(tree) if _is_guard(node)]
    in_guards = {id(node) for guard in guards for part in (guard.test, *guard.body) for node in ast.walk(part)}
    loads = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    elsewhere = {n.id for n in loads if id(n) not in in_guards}
    guarded = {n.id for n in loads} - elsewhere
    assignments = [n for n in ast.walk(tree) if isinstance(n, ast.Assign)]
    return [a for a in assignments if isinstance(target := a.targets[0], ast.Name) and target.id in guarded]


def _may_go(block: list[ast.stmt], statement: ast.stmt) -> bool:
    """Whether the statement can be dropped; without its last `return` an answer is no answer."""
    last = isinstance(statement, ast.Return) and statement is block[-1]
    bare = isinstance(statement, ast.AnnAssign) and statement.value is None
    return not (last or bare or isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef))


def _expressions(parent: ast.AST, only: str = "") -> Iterator[tuple[ast.expr, Callable[[ast.expr], None], bool]]:
    """Every expression of a statement but not of those in it, a function that puts another there, is it a condition.

    `only` is the one field to go into.
    """
    for field, value in ast.iter_fields(parent):
        if field in ("annotation", "returns", "decorator_list") or only not in ("", field):
            continue
        for k, node in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(node, ast.AST) or isinstance(node, ast.stmt | ast.excepthandler | ast.JoinedStr):
                continue
            if isinstance(node, ast.keyword) and node.arg in NO_MATTER:
                continue

            def put(other: ast.AST, field: str = field, value: Any = value, k: int = k) -> None:
                if isinstance(value, list):
                    value[k] = other
                else:
                    setattr(parent, field, other)

            if isinstance(node, ast.expr | ast.Slice):
                yield node, put, field in ("test", "ifs")
            scaled = _first_values(node)
            if scaled is not None:
                yield from _expressions(scaled, only="left")
            elif _number(node) is None:
                yield from _expressions(node)


def _changed(node: ast.AST, orderless: set[int]) -> Iterator[ast.expr]:
    """What one change makes of an expression."""
    number = _number(node)
    if number is not None:
        changed = [number + 1] if 0 < abs(number) < TINY else [number + 1, number - 1, 2 * number, int(number == 0)]
        yield from (_literal(type(number)(c)) for c in dict.fromkeys(changed) if c != number)
        if number < 0:
            yield _literal(-number)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Compare):
        for k, operator in enumerate(node.ops):
            operators = [*node.ops[:k], COMPARISONS[type(operator)](), *node.ops[k + 1 :]]
            yield ast.Compare(node.left, operators, node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(LOGIC[type(node.op)](), node.values)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.UAdd):
        yield node.operand
    elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and id(node) not in orderless:
        yield ast.Tuple(node.elts[::-1], node.ctx)
    elif isinstance(node, ast.Slice):
        yield from _shifted_slices(node)


def _first_values(node: ast.AST) -> ast.expr | None:
    """What scales the first values of a parameter, as in `nn.Parameter(torch.randn(k) * 0.1)`: checks set their own."""
    inner = node.args[0] if isinstance(node, ast.Call) and _called(node) == "Parameter" and node.args else None
    return inner if isinstance(inner, ast.BinOp) and _number(inner.right) is not None else None


def _changed_calls(call: ast.Call) -> Iterator[tuple[ast.Call, str]]:
    """What one change makes of the arguments of a call, and that change in words."""
    args, keywords, name = call.args, call.keywords, _called(call)
    if name not in ORDERLESS and not any(isinstance(a, ast.Starred) for a in args):
        for k in range(len(args) - 1):
            swapped = [*args[:k], args[k + 1], args[k], *args[k + 2 :]]
            yield ast.Call(call.func, swapped, keywords), f"{name}: {_both(args[k : k + 2])} swapped"
    for k, keyword in enumerate(keywords):
        if keyword.arg is not None and keyword.arg not in NO_MATTER:
            yield ast.Call(call.func, args, keywords[:k] + keywords[k + 1 :]), f"{name}: no {ast.unparse(keyword)}"
    if name == "range":
        changed = [[*args[:k], other, *args[k + 1 :]] for k, arg in enumerate(args) for other in _shifted(arg)]
        changed += [[_literal(1), *args]] if len(args) == 1 else []
        for others in changed:
            made = ast.Call(call.func, others, keywords)
            yield made, f"{ast.unparse(call)} -> {ast.unparse(made)}"


def _both(args: list[ast.expr]) -> str:
    return " and ".join(map(ast.unparse, args))


def _shifted_slices(node: ast.Slice) -> Iterator[ast.Slice]:
    """One element more or less at either end; `:` alone means the whole axis, and stays."""
    for other in _shifted(node.lower):
        yield ast.Slice(other, node.upper, node.step)
    for other in _shifted(node.upper):
        yield ast.Slice(node.lower, other, node.step)
    if node.lower is None and node.upper is not None:
        yield ast.Slice(_literal(1), node.upper, node.step)
    if node.lower is not None and node.upper is None:
        yield ast.Slice(node.lower, _literal(-1), node.step)


def _shifted(node: ast.expr | None) -> list[ast.expr]:
    """One more and one less; a number is changed as every number is."""
    if node is None or _number(node) is not None or isinstance(node, ast.Starred):
        return []
    return [ast.BinOp(node, operator, ast.Constant(1)) for operator in (ast.Add(), ast.Sub())]


def _changed_statement(statement: ast.stmt) -> Iterator[tuple[str, Any]]:
    """Field of a statement, and what else it might hold."""
    if isinstance(statement, ast.AugAssign) and type(statement.op) in ARITHMETIC:
        yield "op", ARITHMETIC[type(statement.op)]()
    if isinstance(statement, ast.Return) and isinstance(statement.value, ast.Tuple):
        yield from (("value", part) for part in statement.value.elts)
    if isinstance(statement, ast.Return) and isinstance(statement.value, ast.BinOp):
        yield from (("value", part) for part in (statement.value.left, statement.value.right))


def _reversed_elsewhere(test: ast.expr) -> bool:
    """Whether another change negates this condition already."""
    compares = isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in NEGATED
    return compares or (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not))


def _orderless(tree: ast.AST) -> set[int]:
    """Ids of the tuples that need not be reversed: axes in any order, and targets whose values are reversed instead."""
    calls = [c for c in ast.walk(tree) if isinstance(c, ast.Call) and _called(c) in ORDERLESS]
    axes = {id(a) for call in calls for a in [*call.args, *(keyword.value for keyword in call.keywords)]}
    pairs = [n for n in ast.walk(tree) if isinstance(n, ast.Assign) and isinstance(n.value, ast.Tuple)]
    return axes | {id(target) for pair in pairs for target in pair.targets}


def _called(node: ast.AST) -> str:
    """Name of the function or method that a call calls; empty for any other expression."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", ""))


def _number(node: ast.AST) -> int | float | None:
    """The value of a number as it is written, its sign included."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    value = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _literal(value: int | float) -> ast.expr:
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _line(statement: ast.stmt) -> str:
    """The statement on one line; of a block, its head."""
    head = copy.copy(statement)
    for field in ("body", "orelse", "finalbody", "handlers", "decorator_list"):
        if isinstance(getattr(head, field, None), list):
            setattr(head, field, [ast.Pass()] if field == "body" else [])
    if isinstance(head, ast.Try):
        return "try:"
    return ast.unparse(ast.fix_missing_locations(head)).splitlines()[0]

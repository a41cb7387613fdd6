"""One small change to a source, everywhere it can be made: an operator, a number, an argument, a statement less.

Made to a right answer, each is a wrong one that a check must notice (`autograde.mutants`); made to a wrong answer, one
may be what mends it (`helpers.checks.changes`).

Probes are valid, so what validates input is left alone: `raise`, an `if` with nothing else inside, and what is computed
for such an `if` only. So are docstrings, annotations and formatted text.

Why not a library: mutmut works on files and a test command, and has no generator. cosmic-ray has one, but lacks the
operators that matter most in tensor code: swapped arguments and axes, dropped statements and keyword arguments, slice
bounds, one part of what is returned. With those written, there is little left to take from it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

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


def mutations(source: str) -> Iterator[tuple[str, str]]:
    """Name and source of everything that one change makes of `source`."""
    tree = ast.parse(source)
    orderless = orderless_tuples(tree)

    def mutation(change: str) -> tuple[str, str]:
        return f"{line}  |  {change}", ast.unparse(ast.fix_missing_locations(tree))

    spared = _for_guards_only(tree)
    for block, statement in list(statements(tree.body)):
        if statement in spared:
            continue
        line = head_of(statement)
        if may_go(block, statement):
            kept = statement.body if isinstance(statement, ast.With) else [ast.Pass()]
            whole = block[:]
            block[:] = [s for old in whole for s in (kept if old is statement else [old])]
            yield mutation("dropped")
            block[:] = whole
        for node, put, is_condition in expressions(statement):
            was = ast.unparse(node)
            negated = [ast.UnaryOp(ast.Not(), node)] if is_condition and not _reversed_elsewhere(node) else []
            for changed in [*replacements(node, orderless), *negated]:
                put(changed)
                yield mutation(f"{was} -> {ast.unparse(changed)}")
            if isinstance(node, ast.Call):
                for changed, how in changed_calls(node):
                    put(changed)
                    yield mutation(how)
            put(node)
        for field, changed in changed_fields(statement):
            original = getattr(statement, field)
            setattr(statement, field, changed)
            yield mutation(f"-> {head_of(statement)}")
            setattr(statement, field, original)


def statements(block: list[ast.stmt], guards: bool = False) -> Iterator[tuple[list[ast.stmt], ast.stmt]]:
    """Every statement that may be changed, maybe guards too, with the block it stands in."""
    for statement in block:
        guard = is_guard(statement)
        left_alone = ast.Raise | ast.Assert | ast.Import | ast.ImportFrom | ast.Pass | ast.ClassDef
        if (guards or not guard) and not isinstance(statement, left_alone) and not is_text(statement):
            yield block, statement
        for field in ("body", "orelse", "finalbody"):
            if not (guard and field == "body"):
                yield from statements(getattr(statement, field, []), guards)
        for handler in getattr(statement, "handlers", []):
            yield from statements(handler.body, guards)


def is_guard(node: ast.AST) -> TypeGuard[ast.If]:
    """Whether it is an `if` that only raises."""
    return isinstance(node, ast.If) and all(isinstance(s, ast.Raise) for s in node.body)


def _for_guards_only(tree: ast.AST) -> list[ast.stmt]:
    """Assignments of a name that nothing but guards reads."""
    guards = [node for node in ast.walk(tree) if is_guard(node)]
    in_guards = {id(node) for guard in guards for part in (guard.test, *guard.body) for node in ast.walk(part)}
    loads = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    elsewhere = {n.id for n in loads if id(n) not in in_guards}
    guarded = {n.id for n in loads} - elsewhere
    assignments = [n for n in ast.walk(tree) if isinstance(n, ast.Assign)]
    return [a for a in assignments if isinstance(target := a.targets[0], ast.Name) and target.id in guarded]


def may_go(block: list[ast.stmt], statement: ast.stmt) -> bool:
    """Whether the statement can be dropped; without its last `return` an answer is no answer."""
    last = isinstance(statement, ast.Return) and statement is block[-1]
    bare = isinstance(statement, ast.AnnAssign) and statement.value is None
    return not (last or bare or isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef))


def expressions(parent: ast.AST, only: str = "") -> Iterator[tuple[ast.expr, Callable[[ast.expr], None], bool]]:
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
                yield from expressions(scaled, only="left")
            elif number_in(node) is None:
                yield from expressions(node)


def replacements(node: ast.AST, orderless: set[int]) -> Iterator[ast.expr]:
    """What one change makes of an expression."""
    number = number_in(node)
    if number is not None:
        changed = [number + 1] if 0 < abs(number) < TINY else [number + 1, number - 1, 2 * number, int(number == 0)]
        yield from (literal(type(number)(c)) for c in dict.fromkeys(changed) if c != number)
        if number < 0:
            yield literal(-number)
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
    inner = node.args[0] if isinstance(node, ast.Call) and called(node) == "Parameter" and node.args else None
    return inner if isinstance(inner, ast.BinOp) and number_in(inner.right) is not None else None


def changed_calls(call: ast.Call) -> Iterator[tuple[ast.Call, str]]:
    """What one change makes of the arguments of a call, and that change in words."""
    args, keywords, name = call.args, call.keywords, called(call)
    if name not in ORDERLESS and not any(isinstance(a, ast.Starred) for a in args):
        for k in range(len(args) - 1):
            swapped = [*args[:k], args[k + 1], args[k], *args[k + 2 :]]
            yield ast.Call(call.func, swapped, keywords), f"{name}: {_both(args[k : k + 2])} swapped"
    for k, keyword in enumerate(keywords):
        if keyword.arg is not None and keyword.arg not in NO_MATTER:
            yield ast.Call(call.func, args, keywords[:k] + keywords[k + 1 :]), f"{name}: no {ast.unparse(keyword)}"
    if name == "range":
        changed = [[*args[:k], other, *args[k + 1 :]] for k, arg in enumerate(args) for other in _shifted(arg)]
        changed += [[literal(1), *args]] if len(args) == 1 else []
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
        yield ast.Slice(literal(1), node.upper, node.step)
    if node.lower is not None and node.upper is None:
        yield ast.Slice(node.lower, literal(-1), node.step)


def _shifted(node: ast.expr | None) -> list[ast.expr]:
    """One more and one less; a number is changed as every number is."""
    if node is None or number_in(node) is not None or isinstance(node, ast.Starred):
        return []
    return [ast.BinOp(node, operator, ast.Constant(1)) for operator in (ast.Add(), ast.Sub())]


def changed_fields(statement: ast.stmt) -> Iterator[tuple[str, Any]]:
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


def orderless_tuples(tree: ast.AST) -> set[int]:
    """Ids of the tuples that need not be reversed: axes in any order, and targets whose values are reversed instead."""
    calls = [c for c in ast.walk(tree) if isinstance(c, ast.Call) and called(c) in ORDERLESS]
    axes = {id(a) for call in calls for a in [*call.args, *(keyword.value for keyword in call.keywords)]}
    pairs = [n for n in ast.walk(tree) if isinstance(n, ast.Assign) and isinstance(n.value, ast.Tuple)]
    return axes | {id(target) for pair in pairs for target in pair.targets}


def called(node: ast.AST) -> str:
    """Name of the function or method that a call calls; empty for any other expression."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", ""))


def number_in(node: ast.AST) -> int | float | None:
    """The value of a number as it is written, its sign included."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number_in(node.operand)
        return None if inner is None else -inner
    value = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def literal(value: int | float) -> ast.expr:
    """A number as it is written."""
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def is_text(statement: ast.stmt) -> bool:
    """Whether it is a docstring, or another bare constant."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def head_of(statement: ast.stmt) -> str:
    """The statement on one line; of a block, its head."""
    head = copy.copy(statement)
    for field in ("body", "orelse", "finalbody", "handlers", "decorator_list"):
        if isinstance(getattr(head, field, None), list):
            setattr(head, field, [ast.Pass()] if field == "body" else [])
    if isinstance(head, ast.Try):
        return "try:"
    return ast.unparse(ast.fix_missing_locations(head)).splitlines()[0]

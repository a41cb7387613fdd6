"""Small changes of a student's code that may mend it: what made a wrong answer of a right one, and its inverse.

`helpers.mutations` changes right answers into wrong ones: an operator, a number, an argument, a statement less. Here
the same is done to a wrong answer, and the other way round: a call, an argument, a condition or a statement more,
another number or name. What there is to add is taken from the right answers of the exercise, in the student's names.
"""

from __future__ import annotations

import ast
import builtins
import copy
import difflib
import functools
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.mutations import (
    ARITHMETIC,
    called,
    changed_calls,
    changed_fields,
    expressions,
    head_of,
    is_guard,
    is_text,
    literal,
    may_go,
    number_in,
    orderless_tuples,
    replacements,
    statements,
)

# What kind of change it is, as a student reads it.
NUMBER = "Another number belongs there."
OPERATOR = "Another operator belongs there."
COMPARISON = "Another comparison belongs there."
OPPOSITE = "The opposite of what stands there is needed."
ORDER = "The same things belong there in another order."
BRACKETS = "The brackets belong elsewhere."
NAME = "Another name belongs there."
TEXT = "Another text belongs there."
CALL_LESS = "There is a call too many."
CALL_MORE = "A call is missing there."
ARGUMENT_LESS = "There is an argument too many."
ARGUMENT_MORE = "An argument is missing there."
PART_LESS = "A part of it is too many."
PART_MORE = "A part of it is missing."
LINE_LESS = "This line is too many."
LINE_MORE = "A line is missing, just before or after it."
PLACE = "The line stands in the wrong place, or in the wrong block."
OTHER = "Something else belongs there."

# Names that are taken for each other.
TWINS = (
    *(("max", "min"), ("amax", "amin"), ("argmax", "argmin"), ("maximum", "minimum"), ("sum", "mean", "prod")),
    *(("any", "all"), ("floor", "ceil", "round", "int"), ("zeros", "ones"), ("zeros_like", "ones_like")),
    *(("cat", "stack"), ("sigmoid", "softmax", "log_softmax", "logsigmoid", "relu"), ("train", "eval")),
    *(("exp", "log", "sqrt", "log2"), ("MaxPool2d", "AvgPool2d"), ("max_pool2d", "avg_pool2d"), ("std", "var")),
    *(("squeeze", "unsqueeze"), ("fliplr", "flipud"), ("height", "width"), ("h", "w"), ("rows", "columns")),
    *(("logical_and", "logical_or", "logical_xor"), ("int64", "float32", "bool", "uint8", "float64", "int32")),
    *(("long", "float", "bool", "int", "double"), ("append", "extend"), ("numel", "sum", "size"), ("abs", "relu")),
    *(("mean", "median"), ("BatchNorm2d", "Identity"), ("ReLU", "Identity"), ("Sigmoid", "Identity")),
    *(("mT", "T"), ("view", "reshape"), ("erode", "dilate"), ("divide", "floor_divide"), ("min", "minimum")),
)
# What may be missing around an expression, which stands in the hole `_`.
METHODS = (
    *("_.detach()", "_.item()", "_.clone()", "_.squeeze()", "_.sigmoid()", "_.float()", "_.long()", "_.bool()"),
    *("_.sum()", "_.mean()", "_.abs()", "_.unsqueeze(0)", "_.unsqueeze(1)", "_.squeeze(0)", "_.squeeze(1)"),
    *("_.int()", "_.double()", "_.T", "_.tolist()"),
)
FUNCTIONS = ("float(_)", "int(_)", "bool(_)", "round(_)", "len(_)", "list(_)", "reversed(_)", "abs(_)", "sum(_)")
INDICES = ("_[0]", "_[-1]", "_[1:]", "_[:-1]", "_[::-1]", "_[1]", "_[None]")
OPERATORS: tuple[tuple[type[ast.operator], ...], ...] = (
    (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow),
    (ast.BitAnd, ast.BitOr, ast.BitXor),
)
COMPARISONS: tuple[tuple[type[ast.cmpop], ...], ...] = (
    (ast.Lt, ast.LtE, ast.Gt, ast.GtE),
    (ast.Eq, ast.NotEq),
    (ast.Is, ast.IsNot),
    (ast.In, ast.NotIn),
)
MOST_LIKE = 8  # expressions of right answers that are tried in the place of one
LEAST_LIKE = 0.4
MOST_LINES = 4  # of a statement that may be missing
MOST_OTHER = 2  # statements in the place of one

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class Change:
    """One change of a source.

    Attributes:
        make: gives the whole source with it.
        kind: what kind of change, as a sentence.
        rank: how large it is: 0 for what is smallest.
        line: where, counted from 1; `start` and `end` are columns in that line.
    """

    make: Callable[[], str]
    kind: str
    rank: int
    line: int
    start: int
    end: int


def changes(source: str, right: Sequence[str] = (), near: Collection[int] = ()) -> Iterator[Change]:
    """Every change of `source`, the smallest first.

    Args:
        source: of one statement at top level, such as a function or a class.
        right: sources of right answers, from which it takes what may be missing.
        near: lines where something went wrong; of two changes as small as each other, one there comes first.
    """
    tree = ast.parse(source)
    maker = _Maker(tree, source.splitlines())
    donors = _Donors(tree, right)
    raising = [node for node in ast.walk(tree) if is_guard(node) and any(s.lineno in near for s in node.body)]
    near = {*near, *(guard.lineno for guard in raising)}
    for pass_ in (_small, _like, _larger):
        pass_(tree, maker, donors)
        yield from sorted(maker.made, key=lambda change: (change.rank, change.line not in near))
        maker.made.clear()


def _small(tree: ast.Module, maker: _Maker, donors: _Donors) -> None:
    """What is there in another form, or less of it."""
    orderless = orderless_tuples(tree)
    owners = {id(node): f for f in ast.walk(tree) if isinstance(f, Function) for node in ast.walk(f)}
    for block, statement in list(statements(tree.body, guards=True)):
        maker.statement(block, statement)
        maker.missing(block, statement, donors)
        for name, value in changed_fields(statement):
            maker.field(statement, name, value, OPERATOR if name == "op" else PART_LESS, 0)
        for node, put, is_condition in expressions(statement):
            maker.at(node, statement)
            rank = (
                2 if isinstance(getattr(node, "ctx", None), ast.Store) else 0
            )  # what it is called is rarely the mistake
            for other in replacements(node, orderless):
                maker.expression(other, put, node, _kind(node), rank)
            if is_condition or isinstance(node, ast.Compare | ast.BoolOp):
                maker.expression(ast.UnaryOp(ast.Not(), node), put, node, OPPOSITE, 0)
            if isinstance(node, ast.Call):
                for k, arg in donors.arguments.get(called(node), ()):
                    if k < len(node.args):
                        args = [*node.args[:k], arg, *node.args[k + 1 :]]
                        part, kind = _difference(node.args[k], arg)
                        maker.at(part, statement)
                        maker.expression(ast.Call(node.func, args, node.keywords), put, node, kind, 1)
            maker.at(node, statement)
            for new, kind, rank in _others(node, donors.scope(owners.get(id(node))), donors):
                maker.expression(new, put, node, kind, rank)


def _like(tree: ast.Module, maker: _Maker, donors: _Donors) -> None:
    """What a right answer has in a place that resembles this one."""
    for ours, theirs in donors.pairs:
        maker.hunks(ours.body, theirs.body, donors)
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        maker.first(function, donors)
    for block, statement in list(statements(tree.body, guards=True)):
        maker.added(block, statement, donors)
        for node, put, _ in expressions(statement):
            maker.at(node, statement)
            for new in donors.like(node):
                part, kind = _difference(node, new)
                maker.at(part, statement)
                maker.expression(new, put, node, kind, 2)


def _larger(tree: ast.Module, maker: _Maker, donors: _Donors) -> None:
    """Something more around what is there."""
    for _, statement in list(statements(tree.body, guards=True)):
        for node, put, _ in expressions(statement):
            maker.at(node, statement)
            for new, kind, rank in _around(node, donors):
                maker.expression(new, put, node, kind, rank)


def _kind(node: ast.AST) -> str:
    """What kind of change `helpers.mutations.replacements` makes of an expression."""
    if number_in(node) is not None:
        return NUMBER
    if isinstance(node, ast.Slice):
        return NUMBER
    if isinstance(node, ast.Compare):
        return COMPARISON
    if isinstance(node, ast.BinOp | ast.BoolOp):
        return OPERATOR
    return ORDER if isinstance(node, ast.Tuple) else OPPOSITE


class _Maker:
    """Collects changes of a tree. Each is made when it is asked for, and undone at once."""

    def __init__(self, tree: ast.Module, lines: list[str]) -> None:
        self.made: list[Change] = []
        self._tree, self._lines = tree, lines
        self._seen: set[tuple[object, ...]] = set()
        self._at: tuple[int, int, int] = (1, 0, 0)

    def at(self, node: ast.AST, statement: ast.stmt) -> None:
        """From now on changes are made here."""
        place: Any = node if hasattr(node, "lineno") else statement
        line = self._lines[place.lineno - 1]
        start, end = (len(line.encode()[:k].decode(errors="ignore")) for k in (place.col_offset, place.end_col_offset))
        self._at = place.lineno, start, end if place.end_lineno == place.lineno else len(line)

    def expression(self, new: ast.AST, put: Callable[[Any], None], old: ast.AST, kind: str, rank: int) -> None:
        """Another expression in place of one."""
        if ast.dump(new) != ast.dump(old):
            self._add(lambda: put(new), lambda: put(old), (id(old), ast.dump(new)), kind, rank)

    def field(self, statement: ast.stmt, name: str, value: object, kind: str, rank: int) -> None:
        """Another field of a statement."""
        was = getattr(statement, name)
        self.at(statement, statement)
        key = (id(statement), name, ast.dump(value) if isinstance(value, ast.AST) else id(value))
        set_to = functools.partial(setattr, statement, name)
        self._add(lambda: set_to(value), lambda: set_to(was), key, kind, rank)

    def block(self, block: list[ast.stmt], new: list[ast.stmt], kind: str, rank: int) -> None:
        """Other statements in a block."""
        was = block[:]
        key = (id(block), *map(ast.dump, new))
        if key[1:] == (*map(ast.dump, was),):
            return

        def put(what: list[ast.stmt]) -> None:
            block[:] = what or [ast.Pass()]

        self._add(lambda: put(new), lambda: put(was), key, kind, rank)

    def _add(
        self, do: Callable[[], None], undo: Callable[[], None], key: tuple[object, ...], kind: str, rank: int
    ) -> None:
        if key in self._seen:
            return
        self._seen.add(key)

        def make() -> str:
            do()
            try:
                return ast.unparse(ast.fix_missing_locations(self._tree))
            finally:
                undo()

        self.made.append(Change(make, kind, rank, *self._at))

    def statement(self, block: list[ast.stmt], statement: ast.stmt) -> None:
        """All changes of a statement as a whole, and of its place."""
        self.at(statement, statement)
        before, after = _around_in(block, statement)
        inner = getattr(statement, "body", None)
        is_block = isinstance(inner, list)
        if may_go(block, statement):
            self.block(block, [*before, *after], LINE_LESS, 0)
        if isinstance(statement, ast.If):
            self.block(block, [*before, *statement.body, *after], PART_LESS, 0)
            if statement.orelse:
                self.block(block, [*before, *statement.orelse, *after], PART_LESS, 1)
        elif isinstance(statement, ast.With | ast.For | ast.While):
            self.block(block, [*before, *statement.body, *after], PART_LESS, 0)
        if isinstance(statement, ast.AugAssign):
            self.block(block, [*before, ast.Assign([statement.target], statement.value), *after], OPERATOR, 0)
            whole = ast.BinOp(_loaded(statement.target), statement.op, statement.value)
            self.block(block, [*before, ast.Assign([statement.target], whole), *after], OPERATOR, 0)
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            for operator in (ast.Add(), ast.Mult(), ast.BitOr()):
                target: Any = statement.targets[0]
                new = ast.AugAssign(target, operator, statement.value)
                self.block(block, [*before, new, *after], OPERATOR, 1)
        if not after and isinstance(statement, ast.Expr):
            self.block(block, [*before, ast.Return(statement.value)], LINE_MORE, 0)
        if not after and isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            self.block(block, [*block, ast.Return(_loaded(statement.targets[0]))], LINE_MORE, 0)
        if after and not isinstance(statement, ast.FunctionDef):
            self.block(block, [*before, after[0], statement, *after[1:]], PLACE, 1)
        if is_block and not isinstance(statement, ast.FunctionDef | ast.ClassDef):
            assert isinstance(inner, list)
            if len(inner) > 1:  # its last statement belongs behind it
                shorter = _with_body(statement, inner[:-1])
                self.block(block, [*before, shorter, inner[-1], *after], PLACE, 1)
            if after:  # what follows belongs into it
                longer = _with_body(statement, [*inner, after[0]])
                self.block(block, [*before, longer, *after[1:]], PLACE, 1)

    def missing(self, block: list[ast.stmt], statement: ast.stmt, donors: _Donors) -> None:
        """What right answers have between the statements that stand here too."""
        self.at(statement, statement)
        before, after = _around_in(block, statement)
        previous = _text(before[-1]) if before else donors.head(block)
        following, own = _text(after[0]) if after else "", _text(statement)
        for donor in donors.statements:
            if donor.before == previous and donors.alike(statement, donor.node):
                part, kind = _difference(statement, donor.node)
                self.at(part, statement)
                self.block(block, [*before, donor.node, *after], kind, 1 if donor.after == following else 2)
                self.at(statement, statement)
            if not donors.may_miss(donor.node):
                continue
            if donor.before == previous or donor.after == own:
                rank = 0 if (donor.before, donor.after) == (previous, own) else 1
                self.block(block, [*before, donor.node, statement, *after], LINE_MORE, rank)
            if donor.before == own:
                self.block(block, [*before, statement, donor.node, *after], LINE_MORE, 1)

    def hunks(self, block: list[ast.stmt], theirs: list[ast.stmt], donors: _Donors) -> None:
        """What stands in a right answer between the statements that both have."""
        ours = [one for one in block if not isinstance(one, ast.Pass) and not is_text(one)]
        heads, their_heads = ([head_of(one) for one in side] for side in (ours, theirs))
        for tag, a, b, c, d in difflib.SequenceMatcher(None, heads, their_heads, autojunk=False).get_opcodes():
            if tag == "equal":
                for one, other in zip(ours[a:b], theirs[c:d], strict=True):
                    if _has_block(one):
                        self.hunks(one.body, other.body, donors)  # type: ignore[attr-defined]
            elif b - a <= 1 and d - c <= MOST_OTHER and donors.fit(ours[a:b], theirs[c:d]):
                at: ast.AST = ours[min(a, len(ours) - 1)]
                kind = LINE_MORE if tag == "insert" else LINE_LESS if tag == "delete" else OTHER
                if b - a == d - c:
                    at, kind = _difference(ours[a], theirs[c])
                self.at(at, ours[min(a, len(ours) - 1)])
                self.block(block, [*ours[:a], *theirs[c:d], *ours[b:]], kind, 2)

    def first(self, function: ast.FunctionDef, donors: _Donors) -> None:
        """Something done to an argument before anything else, wherever it is used."""
        whole = function.body[:]
        k = 1 if is_text(whole[0]) and len(whole) > 1 else 0
        self.at(whole[k], whole[k])
        for argument in function.args.args:
            if argument.arg != "self":
                for template in dict.fromkeys([*donors.methods, *METHODS]):
                    value = _filled(template, ast.Name(argument.arg, ast.Load()))
                    line = ast.Assign([ast.Name(argument.arg, ast.Store())], value)
                    rank = 3 if template in donors.methods else 4
                    self.block(function.body, [*whole[:k], line, *whole[k:]], LINE_MORE, rank)

    def added(self, block: list[ast.stmt], statement: ast.stmt, donors: _Donors) -> None:
        """What right answers have anywhere, before a statement and at the end of its block."""
        self.at(statement, statement)
        before, after = _around_in(block, statement)
        for donor in [one for one in donors.statements if donors.may_miss(one.node)]:
            self.block(block, [*before, donor.node, statement, *after], LINE_MORE, 3)
            if not after and not isinstance(statement, ast.Return):
                self.block(block, [*block, donor.node], LINE_MORE, 3)
        for manager in donors.managers:
            if not isinstance(statement, ast.With):
                tail = [statement, *after]
                self.block(block, [*before, ast.With(manager, [statement]), *after], LINE_MORE, 2)
                self.block(block, [*before, ast.With(manager, tail)], LINE_MORE, 2)


def _around_in(block: list[ast.stmt], statement: ast.stmt) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The statements of a block before and after one."""
    k = next(k for k, one in enumerate(block) if one is statement)
    return [one for one in block[:k] if not isinstance(one, ast.Pass) and not is_text(one)], block[k + 1 :]


@dataclass(frozen=True)
class _Donor:
    """A statement of a right answer, and the texts of those before and after it."""

    node: ast.stmt
    before: str
    after: str


def _with_body(statement: ast.stmt, body: list[ast.stmt]) -> ast.stmt:
    other = copy.copy(statement)
    other.body = body  # type: ignore[attr-defined]
    return other


def _loaded(target: ast.expr) -> ast.expr:
    """The target of an assignment as an expression that reads it."""
    return ast.parse(ast.unparse(target), mode="eval").body


def _others(node: ast.AST, scope: Sequence[str], donors: _Donors) -> Iterator[tuple[ast.AST, str, int]]:
    """Expressions in place of one, beside those of `helpers.mutations`: what, what kind of change, how large."""
    number = number_in(node)
    if number is not None:
        if number and number % 2 == 0 and isinstance(number, int):
            yield literal(number // 2), NUMBER, 0
        for other in {-number, number / 2, *donors.numbers} - {number}:
            kept = int(other) if float(other).is_integer() and isinstance(number, int) else other
            yield literal(kept), NUMBER, 2
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from ((ast.Constant(text), TEXT, 1) for text in donors.texts if text != node.value)
    elif isinstance(node, ast.Constant) and node.value is None:
        yield from ((literal(other), NUMBER, 2) for other in donors.numbers)
    elif isinstance(node, ast.Compare):
        for k, operator in enumerate(node.ops):
            for comparison in next(group for group in COMPARISONS if type(operator) in group):
                operators = [*node.ops[:k], comparison(), *node.ops[k + 1 :]]
                yield ast.Compare(node.left, operators, node.comparators), COMPARISON, 0
    elif isinstance(node, ast.BinOp):
        yield from _other_arithmetic(node)
    elif isinstance(node, ast.BoolOp):
        for k in range(len(node.values)):
            left = [*node.values[:k], *node.values[k + 1 :]]
            yield (left[0] if len(left) == 1 else ast.BoolOp(node.op, left)), PART_LESS, 1
    elif isinstance(node, ast.IfExp):
        yield from ((part, PART_LESS, 1) for part in (node.body, node.orelse))
        yield ast.IfExp(node.test, node.orelse, node.body), ORDER, 1
    elif isinstance(node, ast.Call):
        yield from _other_calls(node, donors)
    elif isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load):
        for k in range(len(node.elts)):
            fewer = [*node.elts[:k], *node.elts[k + 1 :]]
            if fewer:
                yield type(node)(fewer, node.ctx), PART_LESS, 1
            if k:
                swapped = [*node.elts[: k - 1], node.elts[k], node.elts[k - 1], *node.elts[k + 1 :]]
                yield type(node)(swapped, node.ctx), ORDER, 1
        if len(node.elts) == 4:  # x, y, x, y and y, x, y, x
            a, b, c, d = node.elts
            yield from ((type(node)(order, node.ctx), ORDER, 1) for order in ([b, a, d, c], [c, d, a, b]))
    elif isinstance(node, ast.Slice):
        yield ast.Slice(None, node.upper, node.step), NUMBER, 0
        yield ast.Slice(node.lower, None, node.step), NUMBER, 0
        yield ast.Slice(node.lower, node.upper, None if node.step else literal(-1)), ORDER, 1
        for bound in (literal(1), literal(-1), literal(2)):
            yield ast.Slice(bound, node.upper, node.step), NUMBER, 2
            yield ast.Slice(node.lower, bound, node.step), NUMBER, 2
    elif isinstance(node, ast.Subscript):
        yield node.value, PART_LESS, 1
    elif isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp):
        for generator in node.generators:
            if generator.ifs:
                without = copy.copy(node)
                without.generators = [
                    ast.comprehension(g.target, g.iter, [] if g is generator else g.ifs, g.is_async)
                    for g in node.generators
                ]
                yield without, PART_LESS, 1
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        for names, rank in ((_twins(node.attr), 1), (donors.own_attributes(node) - {node.attr}, 2)):
            yield from ((ast.Attribute(node.value, name, node.ctx), NAME, rank) for name in sorted(names))
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for names, rank in ((_twins(node.id), 1), (set(scope) - {node.id}, 2)):
            yield from ((ast.Name(name, node.ctx), NAME, rank) for name in sorted(names))
    if isinstance(node, ast.expr) and not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
        yield from ((ast.UnaryOp(operator(), node), OPPOSITE, 2) for operator in (ast.Invert, ast.USub))
        if number is None and not isinstance(node, ast.Tuple | ast.List | ast.Constant | ast.Starred):
            yield from ((_filled(template, node), PART_MORE, 2) for template in donors.sums)


def _other_arithmetic(node: ast.BinOp) -> Iterator[tuple[ast.AST, str, int]]:
    for group in OPERATORS:
        if type(node.op) in group:
            yield from ((ast.BinOp(node.left, other(), node.right), OPERATOR, 1) for other in group)
    if type(node.op) in ARITHMETIC and not isinstance(node.op, ast.Add | ast.Mult | ast.BitAnd | ast.BitOr):
        yield ast.BinOp(node.right, node.op, node.left), ORDER, 0
    yield from ((part, PART_LESS, 1) for part in (node.left, node.right))
    left, right = node.left, node.right
    if isinstance(left, ast.BinOp):
        yield ast.BinOp(left.left, left.op, ast.BinOp(left.right, node.op, right)), BRACKETS, 0
    if isinstance(right, ast.BinOp):
        yield ast.BinOp(ast.BinOp(left, node.op, right.left), right.op, right.right), BRACKETS, 0


def _other_calls(call: ast.Call, donors: _Donors) -> Iterator[tuple[ast.AST, str, int]]:
    for new, how in changed_calls(call):
        yield new, ORDER if how.endswith("swapped") else ARGUMENT_LESS if ": no " in how else NUMBER, 0
    function, args, keywords = call.func, call.args, call.keywords
    if isinstance(function, ast.Attribute):
        yield function.value, CALL_LESS, 1
    if args and not isinstance(args[0], ast.Starred):
        yield args[0], CALL_LESS, 1
    for k in range(len(args)):
        yield ast.Call(function, [*args[:k], *args[k + 1 :]], keywords), ARGUMENT_LESS, 1
    there = {keyword.arg for keyword in keywords}
    for keyword in donors.keywords.get(called(call), ()):
        others = [old for old in keywords if old.arg != keyword.arg]
        kind = OTHER if keyword.arg in there else ARGUMENT_MORE
        yield ast.Call(function, args, [*others, keyword]), kind, 1
    for _, arg in donors.arguments.get(called(call), ()):
        yield ast.Call(function, [*args, arg], keywords), ARGUMENT_MORE, 1
    if called(call) == "range" and len(args) == 2:
        yield ast.Call(function, args[1:], keywords), ARGUMENT_LESS, 0


def _around(node: ast.AST, donors: _Donors) -> Iterator[tuple[ast.AST, str, int]]:
    """The expression with something around it."""
    if not isinstance(node, ast.expr) or isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
        return
    if isinstance(node, ast.Constant | ast.Starred | ast.Lambda | ast.JoinedStr | ast.Tuple | ast.List | ast.UnaryOp):
        return
    bare = isinstance(node, ast.Compare | ast.BinOp)
    for rank, methods, functions, indices in (
        (3, donors.methods, donors.functions, donors.indices),
        (4, METHODS, FUNCTIONS, INDICES),
    ):
        yield from ((_filled(template, node), CALL_MORE, rank) for template in (*methods, *functions))
        yield from ((_filled(template, node), PART_MORE, rank) for template in (() if bare else indices))
    for number in donors.numbers:
        for operator in (ast.Mult, ast.Add, ast.Sub, ast.Div):
            if number not in (0, 1) or (operator in (ast.Add, ast.Sub) and number):
                yield ast.BinOp(node, operator(), literal(number)), PART_MORE, 3


def _difference(old: ast.AST, new: ast.AST) -> tuple[ast.AST, str]:
    """The smallest part of `old` with which it becomes `new` where that part changes, and what kind of change it is."""
    while type(old) is type(new):
        parts = list(zip(ast.iter_child_nodes(old), ast.iter_child_nodes(new), strict=False))
        others = [(one, other) for one, other in parts if ast.dump(one) != ast.dump(other)]
        if len(others) != 1 or _without_parts(old) != _without_parts(new):
            break
        [(one, other)] = others
        if isinstance(one, ast.cmpop):
            return old, COMPARISON
        if isinstance(one, ast.operator | ast.boolop):
            return old, OPERATOR
        old, new = one, other
    return old, _kind_of(old, new)


def _without_parts(node: ast.AST) -> list[object]:
    """What a node is, except for the nodes in it: how many these are, names, numbers, texts."""
    fields = [value for _, value in ast.iter_fields(node)]
    return [len(list(ast.iter_child_nodes(node))), *(v for v in fields if not isinstance(v, ast.AST | list))]


def _kind_of(old: ast.AST, new: ast.AST) -> str:
    """What kind of change puts one node in place of another."""
    if number_in(old) is not None and number_in(new) is not None:
        return NUMBER
    if is_text(ast.Expr(old)) and is_text(ast.Expr(new)):  # type: ignore[arg-type]
        return TEXT
    if isinstance(old, ast.Name | ast.Attribute) and type(old) is type(new):
        return NAME
    if isinstance(old, ast.Call) and isinstance(new, ast.Call) and ast.dump(old.func) == ast.dump(new.func):
        much = len(new.args) + len(new.keywords) - len(old.args) - len(old.keywords)
        return ARGUMENT_MORE if much > 0 else ARGUMENT_LESS if much < 0 else OTHER
    if ast.dump(old) in map(ast.dump, ast.walk(new)):
        return CALL_MORE if isinstance(new, ast.Call) else PART_MORE
    if ast.dump(new) in map(ast.dump, ast.walk(old)):
        return CALL_LESS if isinstance(old, ast.Call) else PART_LESS
    return OTHER


HOLE = "_"


def _filled(template: str, node: ast.expr) -> ast.expr:
    """A template, such as `_.float()`, with an expression in its hole."""
    filled: ast.expr = _Filled(node).visit(ast.parse(template, mode="eval").body)
    return filled


class _Filled(ast.NodeTransformer):
    def __init__(self, node: ast.expr) -> None:
        self._node = node

    def visit_Name(self, name: ast.Name) -> ast.expr:
        return self._node if name.id == HOLE else name


def _twins(name: str) -> set[str]:
    return {other for group in TWINS if name in group for other in group} - {name}


class _Donors:
    """What right answers have that a wrong one may lack, in the names that the wrong one uses."""

    def __init__(self, tree: ast.Module, right: Sequence[str]) -> None:
        self.numbers: list[int | float] = [0, 1, 2, -1]
        self.texts: list[str] = []
        self.methods: list[str] = []
        self.functions: list[str] = []
        self.indices: list[str] = []
        self.sums: list[str] = []  # with a number, such as `2 * _`
        self.keywords: dict[str, list[ast.keyword]] = {}
        self.arguments: dict[str, list[tuple[int, ast.expr]]] = {}  # with their places
        self.statements: list[_Donor] = []
        parents: list[Any] = [node for node in ast.walk(tree) if _has_block(node)]
        self._heads = {id(node.body): _begins(node) for node in parents}
        self.managers: list[list[ast.withitem]] = []
        self._expressions: dict[str, ast.expr] = {}
        self.pairs: list[tuple[ast.FunctionDef, ast.FunctionDef]] = []  # functions of both
        self._tree = tree
        self._own = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and _is_self(n.value)}
        self._set = {_sets(node) for node in ast.walk(tree) if isinstance(node, ast.Assign)} - {
            ""
        }  # whatever they were
        self._known = _bound(tree) | {"torch", "F", "nn", "math", "self", "np", "True", "False"} | set(dir(builtins))
        arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        self._reads = Counter({name: much for name, much in _reads(tree).items() if name in _bound(tree) - arguments})
        for text in right:
            self._take(ast.parse(text))
        self.numbers = [*dict.fromkeys(self.numbers)]

    def scope(self, function: ast.AST | None) -> list[str]:
        """The names that a function binds, its arguments among them."""
        return sorted(_bound(function)) if function is not None else []

    def own_attributes(self, node: ast.Attribute) -> set[str]:
        """What `self.` may be followed by."""
        return self._own if _is_self(node.value) else set()

    def like(self, node: ast.expr) -> list[ast.expr]:
        """Expressions of right answers that resemble one, the most alike first."""
        if isinstance(node, ast.Constant | ast.Name):
            return []
        words, own = _words(node), ast.unparse(node)
        others = [(text, other) for text, other in self._expressions.items() if text != own]
        alike = [(_likeness(words, _words(other)), text) for text, other in others]
        best = sorted((pair for pair in alike if pair[0] >= LEAST_LIKE), reverse=True)[:MOST_LIKE]
        return [new for _, text in best if self._all_is_read(node, new := self._expressions[text])]

    def _all_is_read(self, old: ast.AST, new: ast.AST) -> bool:
        """Whether what the code sets is still read with `new` for `old`; else the mistake is where that is set."""
        return not any(self._reads[name] == much for name, much in (_reads(old) - _reads(new)).items())

    def _take(self, right: ast.Module) -> None:
        """Add all that a right answer has."""
        renamed, pairs = _in_names_of(self._tree, right)
        self.pairs += pairs
        for node in ast.walk(renamed):
            number = number_in(node)
            if number is not None:
                self.numbers.append(number)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self._once(self.texts, node.value)
            elif isinstance(node, ast.BinOp) and _with_hole(node):
                self._once(self.sums, _with_hole(node))
            elif isinstance(node, ast.Call):
                self._take_call(node)
            elif isinstance(node, ast.Subscript) and self._fits(node.slice):
                self._once(self.indices, ast.unparse(ast.Subscript(ast.Name(HOLE), node.slice)))
            elif isinstance(node, ast.With):
                self.managers += [node.items] if all(self._fits(item) for item in node.items) else []
            if _has_block(node):
                self._take_block(node)
            if isinstance(node, ast.expr) and not isinstance(node, ast.Constant | ast.Name) and self._fits(node):
                self._expressions.setdefault(ast.unparse(node), node)

    def _take_block(self, parent: Any) -> None:
        texts = [_begins(parent), *map(_text, parent.body), ""]
        for k, statement in enumerate(parent.body):
            if self._fits(statement) and len(texts[k + 1].splitlines()) <= MOST_LINES and not is_text(statement):
                self.statements.append(_Donor(statement, texts[k], texts[k + 2]))

    def fit(self, ours: list[ast.stmt], theirs: list[ast.stmt]) -> bool:
        """Whether statements of a right answer may stand in the place of others."""
        return self._fits(ast.Module(theirs, [])) and (
            all(map(self.may_miss, theirs))
            if not ours
            else all(any(self.alike(one, other) for other in theirs) for one in ours)
        )

    def alike(self, one: ast.stmt, other: ast.stmt) -> bool:
        """Whether one statement may be meant as the other: neither holds others, and they have much in common."""
        whole = not _has_block(one) and not _has_block(other) and type(one) is type(other)
        return whole and self._all_is_read(one, other) and _likeness(_words(one), _words(other)) >= LEAST_LIKE

    def may_miss(self, statement: ast.stmt) -> bool:
        """Whether this may be all that is missing: it hides nothing that is there, as another `return` would."""
        inside = list(ast.walk(statement))
        if isinstance(statement, ast.Return) or any(isinstance(node, ast.FunctionDef) for node in inside):
            return False
        return not any(isinstance(node, ast.Assign) and _sets(node) in self._set for node in inside)

    def head(self, block: list[ast.stmt]) -> str:
        """The line that begins a block."""
        return self._heads.get(id(block), "")

    def _take_call(self, call: ast.Call) -> None:
        name = called(call)
        for keyword in call.keywords:
            if keyword.arg and self._fits(keyword.value):
                self.keywords.setdefault(name, []).append(keyword)
        self.arguments.setdefault(name, []).extend((k, arg) for k, arg in enumerate(call.args) if self._fits(arg))
        if isinstance(call.func, ast.Attribute) and all(self._fits(a) for a in [*call.args, *call.keywords]):
            given = ", ".join(map(ast.unparse, [*call.args, *call.keywords]))
            if not _is_self(call.func.value):
                self._once(self.methods, f"{HOLE}.{call.func.attr}({given})")
        if len(call.args) == 1 and not call.keywords and self._fits(call.func):
            self._once(self.functions, f"{ast.unparse(call.func)}({HOLE})")

    def _fits(self, node: ast.AST) -> bool:
        """Whether the student's code knows all names in it."""
        inside = _bound(node)
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        own = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and _is_self(n.value)}
        return names - inside <= self._known and own <= self._own

    @staticmethod
    def _once(to: list[str], text: str) -> None:
        if text not in to:
            to.append(text)


def _with_hole(sum_: ast.BinOp) -> str:
    """What is done with a number, such as `2 * _`; empty where there is none."""
    left, right, hole = number_in(sum_.left), number_in(sum_.right), ast.Name(HOLE)
    if (left is None) == (right is None):
        return ""
    return ast.unparse(ast.BinOp(hole if left is None else sum_.left, sum_.op, hole if right is None else sum_.right))


def _has_block(node: ast.AST) -> bool:
    return isinstance(node, ast.stmt) and isinstance(getattr(node, "body", None), list)


def _begins(parent: Any) -> str:
    """The line that begins a block; of a function its name, whatever its arguments are called."""
    return f"def {parent.name}" if isinstance(parent, ast.FunctionDef) else head_of(parent)


def _sets(assignment: ast.Assign) -> str:
    """What is set whatever it was before; empty where it goes on from what it was."""
    targets = {ast.unparse(target) for target in assignment.targets}
    reads = {ast.unparse(node) for node in ast.walk(assignment.value) if isinstance(node, ast.Name | ast.Attribute)}
    return "" if targets & reads else " = ".join(sorted(targets))


def _text(statement: ast.stmt) -> str:
    return ast.unparse(statement)


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _bound(tree: ast.AST) -> set[str]:
    """The names that are bound somewhere in a tree: arguments, targets, definitions, imports."""
    nodes = list(ast.walk(tree))
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    names |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef) and node is not tree}
    return names - {"self"}


def _reads(node: ast.AST) -> Counter[str]:
    """How often each name is read."""
    return Counter(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


def _words(node: ast.AST) -> Counter[str]:
    return Counter(re.findall(r"\w+|[^\w\s]", ast.unparse(node)))


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    """How much two expressions share, from 0 to 1."""
    return 2 * (one & other).total() / (one.total() + other.total())


def _in_names_of(
    mine: ast.Module, right: ast.Module
) -> tuple[ast.Module, list[tuple[ast.FunctionDef, ast.FunctionDef]]]:
    """A right answer in the names of another, and the functions of both.

    Arguments are told by their place, other names by what they are assigned.
    """
    own = {f.name: f for f in ast.walk(mine) if isinstance(f, ast.FunctionDef)}
    if isinstance(mine.body[0], ast.FunctionDef) and isinstance(right.body[-1], ast.FunctionDef):
        own.setdefault(right.body[-1].name, mine.body[0])
    pairs = [(f, own[f.name]) for f in ast.walk(right) if isinstance(f, ast.FunctionDef) and f.name in own]
    for theirs, ours in pairs:
        theirs.name = ours.name
        _Renamed(dict(zip(_arguments(theirs), _arguments(ours), strict=False))).visit(theirs)
    for least in (1.0, 1.0, LEAST_LIKE):  # what is named may make the next the same
        for theirs, ours in pairs:
            _Renamed(_same_values(theirs, ours, least)).visit(right if ours.name == "__init__" else theirs)
    return right, [(ours, theirs) for theirs, ours in pairs]


def _same_values(theirs: ast.FunctionDef, ours: ast.FunctionDef, least: float) -> dict[str, str]:
    """Names that only one of the two has, theirs to ours, where what is assigned to them is the same or much alike."""
    their_names, our_names = ({name for name, _ in _assigned(function)} for function in (theirs, ours))
    free = [(name, _words(value)) for name, value in _assigned(ours) if name not in their_names]
    found: dict[str, str] = {}
    for name, value in _assigned(theirs):
        if name not in our_names and name not in found and free:
            alike, other = max((_likeness(_words(value), words), other) for other, words in free)
            if alike >= least:
                found[name] = other
                free = [one for one in free if one[0] != other]
    return found


def _assigned(function: ast.FunctionDef) -> list[tuple[str, ast.expr]]:
    """What is assigned to single names and attributes of `self`."""
    assignments = [a for a in ast.walk(function) if isinstance(a, ast.Assign) and len(a.targets) == 1]
    targets = [(a.targets[0], a.value) for a in assignments]
    return [
        (ast.unparse(target), value)
        for target, value in targets
        if isinstance(target, ast.Name) or (isinstance(target, ast.Attribute) and _is_self(target.value))
    ]


def _arguments(function: ast.FunctionDef) -> list[str]:
    return [arg.arg for arg in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]]


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        new = self._names.get(node.id, node.id)
        node.id = node.id if "." in new else new
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        new = self._names.get(f"self.{node.attr}") if _is_self(node.value) else None
        if new and new.startswith("self."):
            node.attr = new.removeprefix("self.")
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self._names.get(node.arg, node.arg)
        return node

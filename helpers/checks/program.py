"""Which code of a notebook an answer is, and what it needs: nothing else of the notebook has to run.

A backward slice over top-level statements, found by reading alone: nothing of a student's code is run here. What a
statement reads while it runs, it finds as it was then; what a function reads, it finds as it is when it is called. So
the first needs the last binding above the statement, the second the last one of all.

`X = earlier("X")` and `X = use(X)` are never run: what they stand for is put in their place.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import linecache
import symtable
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import CodeType, FrameType
from typing import Any

from helpers import exercises, plan

END = sys.maxsize  # a place behind every statement
# Methods that change what they are called on: a statement that only calls one is a part of what is changed.
CHANGING = {"add", "append", "clear", "extend", "insert", "pop", "remove", "reverse", "setdefault", "sort", "update"}
# Cell magics that run the cell as it is, in the notebook's own names.
TRANSPARENT = {"capture", "prun", "time"}
COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp", "genexpr"}  # as `symtable` calls their scopes
# What a program has without a cell's doing: what IPython puts beside the builtins, and a `use` that checks nothing.
PROVIDED = {
    "display": "from IPython.display import display",
    "get_ipython": "from IPython import get_ipython",
    "use": "use = lambda piece: piece",
}


class NoProgram(Exception):
    """The code of an answer cannot be put together; the message says in one sentence or two why, and what to do."""


@dataclass(frozen=True)
class Cell:
    """A code cell: what tells it from others, such as its nbgrader name or its number, and its text."""

    name: str
    source: str


@dataclass(frozen=True)
class Part:
    """A top-level statement of a program, as it was written.

    Attributes:
        own: the student wrote it for this answer, so a change of it may mend the answer. Imports, pieces of other
            exercises and what they need are not.
        cell: the `Cell.name` of its cell; in a kernel, the number in its prompt.
        line: its first line in that cell, counted from 1 as Python does, without empty lines at the top.
    """

    source: str
    own: bool = False
    cell: str = ""
    line: int = 1


@dataclass(frozen=True)
class Program:
    """An answer with all that it needs.

    Attributes:
        name: what the answer is bound to when all parts have run.
        parts: in the order in which they run.
        pieces: the other exercises whose programs stand in this one's, since the notebook took them from elsewhere.
    """

    name: str
    parts: tuple[Part, ...] = ()
    pieces: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """All of it: it runs alone, in an empty namespace, where `helpers` can be imported."""
        return "".join(f"{part.source}\n" for part in self.parts)


def of_cells(name: str, cells: Sequence[Cell], pieces: Mapping[str, Program] | None = None) -> Program:
    """The program of the exercise `name` from a notebook on disk, its code cells in order.

    The definition that counts is that in the cell of this name, unless it is not written yet and another one is; else
    the last. What it reads is bound by the last cell above, else below.

    Args:
        name: the exercise.
        cells: all code cells; magics and shell lines may be in them.
        pieces: programs of other exercises, which stand in place of what other cells than the answer's bind to their
            names. A piece that the notebook takes by `earlier`, or never binds, and that is not among them is the
            course's own.

    Raises:
        NoProgram: nothing binds the name, or its cell is not Python.
    """
    statements, broken = _of_texts((cell.name, _as_python(cell.source), cell.source) for cell in cells)
    chosen = _counting(name, statements)
    if chosen is None:
        if name in broken:
            error = broken[name]
            raise NoProgram(f"The cell of `{name}` is not Python yet: line {error.lineno}, {error.msg}.") from error
        raise NoProgram(f"No cell defines `{name}`: write it in its cell, below the task.")
    horizon = 1 + max(s.place for s in statements if s.cell == chosen.cell)
    names = exercises.names()
    before = names[: names.index(name)]
    at_hand = {n for s in statements if s.cell == chosen.cell and not s.taken for n in s.binds}
    given = {other: program for other, program in (pieces or {}).items() if other not in at_hand}

    def piece(other: str, statement: _Statement | None) -> Program | None:
        if other in given:
            return given[other]
        if other in before and (statement is None or statement.taken == "earlier"):
            return course(other)
        return None

    # Below it, what patches it counts, and no other definition: a lesson may use the name for something else there.
    kept = [s for s in statements if s.place <= chosen.place or name not in s.binds | s.maybe or name in s.patches]
    return _Slice({name}, kept, horizon, piece, frozenset(given)).program(name)


def of_kernel(name: str, answer: object) -> Program:
    """The program of an object that the running notebook has made, from the cells in the order in which they ran.

    Args:
        name: the exercise that it answers; it may be bound to another name.
        answer: the function or class.

    Raises:
        NoProgram: its code is in no cell of this notebook, or has been run anew since.
    """
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    if shell is None:
        raise NoProgram(f"The code of `{name}` is read from the cells of a notebook, and this is none.")
    there: dict[str, Any] = shell.user_ns
    bound = _name_of(answer, name, there)
    if bound is None:
        raise NoProgram(
            f"What was checked as `{name}` is nowhere in this notebook. If you have changed it since, check it again; "
            "else define it in a cell, run that, and check it."
        )
    history = shell.history_manager
    texts = list(zip(history.input_hist_parsed, history.input_hist_raw, strict=False))[1:]
    statements, _ = _of_texts((str(k), text, raw) for k, (text, raw) in enumerate(texts, 1))
    reached = _line_reached(texts[-1][0], there)
    statements = [s for s in statements if s.cell != str(len(texts)) or s.line <= reached]

    def piece(other: str, statement: _Statement | None) -> Program | None:
        return None if statement is None else of_piece(other, there.get(statement.target))

    made = _Slice({name, bound}, statements, END, piece)
    program = made.program(bound)
    from_anywhere = any(statement.is_star for statement in made.chosen)
    if (missing := sorted((made.unbound - PROVIDED.keys()) & there.keys())) and not from_anywhere:
        raise NoProgram(
            f"No cell of this notebook makes `{missing[0]}`, so the code of `{name}` is not known: write it into a "
            "cell, run that, and check it again."
        )
    code = _code_of(answer)
    numbers = {str(k) for k, (text, _) in enumerate(texts, 1) if code and text.strip() == _text_of(code)}
    if code and numbers and not any(s.cell in numbers and s.holds(code.co_firstlineno) for s in made.chosen):
        raise NoProgram(f"The cells that made your `{name}` have changed since: run them again, then check it again.")
    return program


def course(name: str) -> Program:
    """The program of the course's own answer to an exercise: its import."""
    reference = exercises.load(name).reference
    return Program(name, (Part(f"from {reference.__module__} import {reference.__name__}"),))


_remembered: list[tuple[object, Program]] = []


def remember(piece: object, program: Program) -> None:
    """Keep the program of a piece that was made from another notebook, for those that are built from it."""
    _remembered.append((piece, program))


def of_piece(name: str, piece: object) -> Program | None:
    """The program of a piece that `earlier` or `use` gave; `None` where this notebook's own cells made it."""
    if piece is exercises.load(name).reference:
        return course(name)
    return next((program for known, program in _remembered if known is piece), None)


# ---- Statements: what each binds and reads


@dataclass(eq=False)
class _Statement:
    """A top-level statement.

    Attributes:
        last: its last line, as `line`.
        is_lesson: it is in a cell that the lesson came with.
        binds: names that stand for something new behind it, or for nothing, after `del`.
        maybe: names that it may bind, as in an `if`.
        patches: names whose objects it changes, or binds anew from what they were: `Up.forward = f`, `class Up(Up)`.
        reads: names that it reads while it runs.
        later: names that are read when the functions in it are called.
        taken: `"earlier"` or `"use"`, where it gives the name `target` to the piece of the exercise `piece`.
        place: its number among all statements, in the order in which they run.
    """

    node: ast.stmt
    source: str
    line: int
    last: int
    is_lesson: bool
    binds: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    patches: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    taken: str = ""
    piece: str = ""
    target: str = ""
    cell: str = ""
    place: int = 0

    @property
    def is_import(self) -> bool:
        """Whether it is an import."""
        return isinstance(self.node, ast.Import | ast.ImportFrom)

    @property
    def is_future(self) -> bool:
        """Whether it changes how all that follows is compiled."""
        return isinstance(self.node, ast.ImportFrom) and self.node.module == "__future__"

    @property
    def is_star(self) -> bool:
        """Whether any name below may come from it."""
        return isinstance(self.node, ast.ImportFrom) and self.node.names[0].name == "*"

    @property
    def is_stub(self) -> bool:
        """Whether something in it is not written yet."""
        return any(isinstance(n, ast.Raise) and "NotImplementedError" in ast.dump(n) for n in ast.walk(self.node))

    def holds(self, line: int) -> bool:
        """Whether a line, as Python counts the cell's lines, is in it."""
        return self.line <= line <= self.last


def _of_texts(cells: Iterable[tuple[str, str, str]]) -> tuple[list[_Statement], dict[str, SyntaxError]]:
    """The statements of cells (name, Python, as it was written), and which cells are no Python."""
    found: list[_Statement] = []
    broken: dict[str, SyntaxError] = {}
    setters: dict[str, set[str]] = {}  # a function to the global names that it binds
    for cell, text, written in cells:
        statements, error = _of_cell(text, written)
        if error:
            broken[cell] = error
        for statement in statements:
            found.append(replace(statement, cell=cell, place=len(found)))
            match statement.node:
                case ast.FunctionDef(name=name) as node:
                    setters[name] = {n for d in ast.walk(node) if isinstance(d, ast.Global) for n in d.names}
                case ast.Expr(ast.Call(ast.Name(name), [], [])):  # `set_up()`
                    found[-1].maybe = statement.maybe | setters.get(name, set())
    return found, broken


@functools.lru_cache(maxsize=1024)  # a class's notebooks have most of their cells in common
def _of_cell(text: str, written: str) -> tuple[list[_Statement], SyntaxError | None]:
    """The statements of a cell, which are not to be changed, up to one that is no Python."""
    found: list[_Statement] = []
    try:
        tree = ast.parse(text)
        if inner := _inside_magic(tree):
            text, tree = inner, ast.parse(inner)
        lines, is_lesson = text.split("\n"), plan.cell_id(written) in plan.cells()
        for node in tree.body:
            found += _statements(node, lines, is_lesson)
    except SyntaxError as error:
        return found, error
    except (ValueError, RecursionError, MemoryError) as error:  # a null byte; nested without end
        return found, SyntaxError(str(error))
    return found, None


def _as_python(source: str) -> str:
    """A cell's text as IPython makes it Python, which takes a while; most cells are Python."""
    from IPython.core.inputtransformer2 import TransformerManager

    manager: Callable[[], Any] = TransformerManager
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    try:
        ast.parse(source)
    except (RecursionError, MemoryError):  # parsing it again says that it is nested too deeply
        return source
    except (SyntaxError, ValueError):
        with contextlib.suppress(SyntaxError, RuntimeError):  # too many magics; parsing it again says what is wrong
            return str(manager().transform_cell(source))
    return source


def _inside_magic(tree: ast.Module) -> str:
    """What is in a cell that begins with `%%time` or the like."""
    match tree.body:
        case [
            ast.Expr(ast.Call(ast.Attribute(attr="run_cell_magic"), [ast.Constant(name), _, ast.Constant(str(text))]))
        ]:
            return text if name in TRANSPARENT else ""
    return ""


def _statements(node: ast.stmt, lines: list[str], is_lesson: bool) -> Iterator[_Statement]:
    """The statement of a node; one for each piece where it is `A, B = earlier("A", "B")` or the like."""
    first = min(n.lineno for n in (node, *getattr(node, "decorator_list", [])))
    last = node.end_lineno or first
    source = _cut(lines[first - 1 : last], node.col_offset, node.end_col_offset)
    where = (first, last, is_lesson)
    taken = _taken(node)
    for target, how, piece in taken:
        alias = f"{target} = {piece}" if target != piece else ""
        yield _Statement(node, alias, *where, {target}, taken=how, piece=piece, target=target)
    if not taken:
        statement = _Statement(node, source, *where, binds=_surely([node]), patches=_patched(node))
        _note_uses(symtable.symtable(source, "<cell>", "exec"), False, statement)
        statement.maybe -= statement.binds
        if isinstance(node, ast.AugAssign):
            statement.reads |= statement.patches
        elif isinstance(node, ast.Assign | ast.ClassDef | ast.FunctionDef):
            statement.patches |= statement.binds & statement.reads
        yield statement


def _cut(lines: list[str], start: int, end: int | None) -> str:
    """Lines without what stands before the first byte and behind the last: other statements, after a semicolon."""
    lines[-1] = lines[-1].encode()[:end].decode()
    lines[0] = lines[0].encode()[start:].decode()
    return "\n".join(lines)


def _note_uses(table: symtable.SymbolTable, is_later: bool, statement: _Statement) -> None:
    """Add the global names that a scope binds and reads, and those in it."""
    is_later |= table.get_type() == "function" and table.get_name() not in COMPREHENSIONS
    for symbol in table.get_symbols():
        if table.get_type() == "module" or symbol.is_global():
            if symbol.is_referenced():
                (statement.later if is_later else statement.reads).add(symbol.get_name())
            if not is_later and (symbol.is_assigned() or symbol.is_imported()) and symbol.get_name() != "*":
                statement.maybe.add(symbol.get_name())
    for child in table.get_children():
        _note_uses(child, is_later, statement)


def _surely(nodes: Iterable[ast.stmt]) -> set[str]:
    """Names that statements bind, or delete, whatever happens."""
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Import() | ast.ImportFrom():
                # `import a.b` leaves in `a` what `import a.c` put there
                found |= {a.asname or a.name for a in node.names if a.asname or "." not in a.name} - {"*"}
            case ast.Assign(targets=targets) | ast.Delete(targets=targets):
                found |= _named(*targets)
            case ast.AnnAssign(target=target, value=ast.expr()):
                found |= _named(target)
            case ast.With() | ast.AsyncWith():
                found |= _surely(node.body) | _named(*(i.optional_vars for i in node.items if i.optional_vars))
            case ast.If():
                found |= _surely(node.body) & _surely(node.orelse)
            case ast.Try():
                ways = [_surely([*node.body, *node.orelse]), *(_surely(h.body) for h in node.handlers)]
                found |= set.intersection(*ways) | _surely(node.finalbody)
    return found


def _named(*targets: ast.expr) -> set[str]:
    """Names that are targets."""
    return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}


def _patched(node: ast.AST) -> set[str]:
    """Names whose objects a statement changes when it runs."""
    found: list[ast.expr] = []
    waiting: list[ast.AST] = [node]
    while waiting:
        match inner := waiting.pop():
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                continue  # they change it when they are called, which is in the program if it matters
            case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                found.append(inner)
            case ast.AugAssign(target=target):
                found.append(target)
            case ast.Call(ast.Name("setattr" | "delattr"), [target, *_]):
                found.append(target)
            case ast.Call(ast.Attribute(value=target, attr=method)) if method in CHANGING:
                found.append(target)
        waiting += ast.iter_child_nodes(inner)
    roots = set()
    for target in found:
        while isinstance(target, ast.Attribute | ast.Subscript):
            target = target.value
        if isinstance(target, ast.Name):
            roots.add(target.id)
    return roots


def _taken(node: ast.stmt) -> list[tuple[str, str, str]]:
    """The pieces that an assignment takes, each with its target and by which call."""
    if not isinstance(node, ast.Assign):
        return []
    pieces = [p for v in _elements(node.value) for p in _asked(v)]
    pairs = [list(zip(_elements(target), pieces, strict=False)) for target in node.targets]
    whole = all(len(_elements(target)) == len(pieces) for target in node.targets)
    if not pieces or not whole or len(pieces) < len(_elements(node.value)):
        return []
    return [(target.id, how, piece) for pair in pairs for target, (how, piece) in pair if isinstance(target, ast.Name)]


def _elements(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple | ast.List) else [node]


def _asked(value: ast.expr) -> list[tuple[str, str]]:
    """What `earlier("A", "B")` or `use(A)` gives: by which call, and of which exercise."""
    match value:
        case ast.Call(ast.Name("earlier"), names, []):
            asked = [("earlier", n.value) for n in names if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        case ast.Call(ast.Name("use"), [ast.Name(name)], []):
            asked = [("use", name)]
        case _:
            return []
    return asked if all(name in exercises.names() for _, name in asked) else []


# ---- The slice


class _Slice:
    """The statements that names need.

    Args:
        own: names of the answer.
        horizon: the place behind the last statement that has run when the answer is checked.
        piece: the program of another exercise, for a statement that takes it or a name that nothing binds; `None`
            where it is made by the statements themselves.
        given: exercises whose names stand for such programs, whatever binds them.
    """

    def __init__(
        self,
        own: set[str],
        statements: Sequence[_Statement],
        horizon: int,
        piece: Callable[[str, _Statement | None], Program | None],
        given: frozenset[str] = frozenset(),
    ) -> None:
        self.chosen: dict[_Statement, bool] = {}  # and whether a change of it may mend the answer
        self.unbound: set[str] = set()
        self._pieces: dict[str, Program] = {}
        self._own, self._horizon, self._piece, self._given = own, horizon, piece, given
        self._others = set(exercises.names()) - own
        self._seen: set[tuple[str, int, bool]] = set()
        self._touching: dict[str, list[_Statement]] = {}
        self._cells: set[str] = set()  # those of the answer
        for statement in statements:
            for name in statement.binds | statement.maybe | statement.patches:
                self._touching.setdefault(name, []).append(statement)
            if (statement.binds | statement.maybe | statement.patches) & own:
                self._cells.add(statement.cell)
            if (statement.is_star or statement.is_future) and statement.place < horizon:
                self.chosen[statement] = False

    def program(self, name: str) -> Program:
        """The program that binds `name`."""
        self._need(name, END, True)
        parts: list[Part] = [Part(PROVIDED[n]) for n in sorted(self.unbound & PROVIDED.keys())]
        for statement in self._in_order():
            if statement.source:
                parts.append(Part(statement.source, self.chosen[statement], statement.cell, statement.line))
            if statement.is_import and "use" in statement.binds:
                parts.append(Part(PROVIDED["use"]))
        order = exercises.names()
        pieces = tuple(sorted(self._pieces, key=order.index))
        program = Program(name, _together([self._pieces[p] for p in pieces], parts), pieces)
        try:
            compile(program.source, "<program>", "exec", dont_inherit=True)
        except SyntaxError as error:  # such as an `await` in no function, which a notebook allows
            raise NoProgram(f"What `{name}` needs is no program that Python can run: {error}.") from error
        return program

    def _need(self, name: str, before: int, is_own: bool) -> None:
        """Choose what `name` stands for at a place."""
        if (name, before, is_own) in self._seen:
            return
        self._seen.add((name, before, is_own))
        if name in self._given - self._own:
            self._take(name, None)
            return
        found = self._bindings(name, before)
        if not found and not self._take(name, None) and (name in PROVIDED or not hasattr(builtins, name)):
            self.unbound.add(name)
        for statement in found:
            self._choose(statement, is_own)
            for inner in statement.later if before < self._horizon else ():  # it may be called there, too
                self._need(inner, before, self.chosen[statement])

    def _choose(self, statement: _Statement, is_own: bool) -> None:
        made = statement.binds | statement.maybe
        of_others = bool(statement.taken or (made & self._others and statement.cell not in self._cells))
        is_own = is_own and not (statement.is_import or statement.is_lesson or of_others)
        if self.chosen.get(statement, False) or (statement in self.chosen and not is_own):
            return
        self.chosen[statement] = is_own
        if statement.taken and not self._take(statement.piece, statement):
            self._need(statement.piece, statement.place, is_own)
        for name in sorted(statement.reads):
            self._need(name, statement.place, is_own)
        for name in sorted(statement.later):
            self._need(name, self._horizon, is_own)

    def _take(self, name: str, statement: _Statement | None) -> bool:
        """Put another exercise's program in, where there is one."""
        program = self._piece(name, statement) if name in self._others else None
        if program is not None:
            self._pieces[name] = program
        return program is not None

    def _bindings(self, name: str, before: int) -> list[_Statement]:
        """The last statement before a place that binds a name, and those behind that may change it; else any below."""
        touching = self._touching.get(name, [])
        found: list[_Statement] = []
        for statement in reversed([s for s in touching if s.place < before] or touching):
            if isinstance(statement.node, ast.Delete) and name in statement.binds:
                break
            found.append(statement)
            if name in statement.binds:
                break
        return found

    def _in_order(self) -> list[_Statement]:
        """The chosen ones as they ran; but one that is read by another above it comes before that."""
        order: dict[_Statement, None] = {}

        def visit(statement: _Statement, waiting: frozenset[_Statement]) -> None:
            if statement in order or statement in waiting:
                return
            needed = {s for name in statement.reads for s in self._bindings(name, statement.place)}
            for other in sorted(needed & self.chosen.keys(), key=lambda s: s.place):
                visit(other, waiting | {statement})
            order[statement] = None

        for statement in sorted(self.chosen, key=lambda s: s.place):
            visit(statement, frozenset())
        return list(order)


def _together(pieces: Iterable[Program], parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts of pieces, each once, and then the others.

    A piece from another notebook that binds a name otherwise runs in names of its own.
    """
    parts = tuple(parts)
    bound = _bound(parts)
    front: dict[str, Part] = {}
    for piece in pieces:
        own = _bound(piece.parts)
        if any(bound.get(name, sources) != sources for name, sources in own.items()):
            name, space = piece.name, "{'__name__': '__main__'}"
            text = f"{name} = {space}\nexec({piece.source!r}, {name})\n{name} = {name}[{name!r}]"
            front[text] = Part(text)
        else:
            bound |= own
            front |= {p.source: Part(p.source, False, p.cell, p.line) for p in piece.parts if p.source not in front}
    together = [*front.values(), *parts]
    return tuple(sorted(together, key=lambda part: not part.source.startswith("from __future__")))  # must come first


def _bound(parts: Iterable[Part]) -> dict[str, list[str]]:
    """Names to the statements that bind them."""
    found: dict[str, list[str]] = {}
    for statement in _of_texts(("", part.source, part.source) for part in parts)[0]:
        for name in statement.binds | statement.maybe:
            found.setdefault(name, []).append(statement.source)
    return found


def _counting(name: str, statements: Sequence[_Statement]) -> _Statement | None:
    """The definition that counts."""
    defined = [
        s
        for s in statements
        if name in (s.binds | s.maybe) - s.reads and not s.taken and not isinstance(s.node, ast.Delete)
    ]
    graded = [s for s in defined if s.cell == name]
    written = [s for s in defined if not s.is_stub]
    for some in ([s for s in graded if s in written], written, graded, defined):
        if some:
            return some[-1]
    return None


# ---- The running kernel


def _name_of(answer: object, name: str, there: dict[str, Any]) -> str | None:
    """A name that stands for the answer; the exercise's if that does."""
    names = (name, *(other for other in there if not other.startswith("_")))
    return next((other for other in names if there.get(other) is answer), None)


def _line_reached(text: str, there: dict[str, Any]) -> int:
    """The line at which the last cell stands, where it is still running: what is below has not run yet."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and not (frame.f_globals is there and frame.f_code.co_name == "<module>"):
        frame = frame.f_back
    return frame.f_lineno if frame is not None and _text_of(frame.f_code) == text.strip() else END


def _code_of(answer: object) -> CodeType | None:
    """The code of a function, or of a class's first method, from which IPython knows the cell."""
    members = vars(answer).values() if isinstance(answer, type) else [answer]
    return next((code for m in members if isinstance(code := getattr(m, "__code__", None), CodeType)), None)


def _text_of(code: CodeType) -> str:
    return "".join(linecache.getlines(code.co_filename)).strip()

"""`CodeStepper`: the U-Net in five steps, from the reference's own source.

    CodeStepper()            unet.py 1/5: a sentence, the lines in question, the shapes there, the part of the graph
    steps = CodeStepper()
    steps.next()             the next step; steps.back(), steps.step(4)

Code, line numbers and shapes are taken from `helpers.reference` as it stands: the lines are found in the syntax tree by
what they use, and the shapes by running them on a small image. A line that is gone from the reference is an error here,
not a wrong highlight.
"""

from __future__ import annotations

import ast
import html
import importlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

import traitlets

from helpers import frontend, markup
from helpers.graph import layout

if TYPE_CHECKING:
    from helpers.tracing.trace import Trace

OPEN = ' open=""'
SIDE, BASE, DEPTH = 64, 8, 3  # of the small image and the network that give the shapes
SMALL = f"Run on a {SIDE}×{SIDE} image with {BASE} base channels and depth {DEPTH}:"


@dataclass(frozen=True)
class Step:
    """One step as it is declared.

    Attributes:
        title: what the step is about.
        sentence: what a tutor says, marked up as in `markup`.
        shows: the classes and functions whose source is shown, as "module:name" in `helpers.reference`.
        marks: function (or "Class.method") to the names that the lines in question use, such as "torch.cat".
        parts: kinds of nodes of the graph that the step is about.
    """

    title: str
    sentence: str
    shows: tuple[str, ...]
    marks: dict[str, tuple[str, ...]]
    parts: tuple[str, ...]


STEPS = (
    Step(
        "Encoder",
        "On the way down each level halves the sides and doubles the channels: less *where*, more *what*. Every level "
        "is kept, because the way up will want to look at it again.",
        ("unet:Down", "unet:Encoder"),
        {"Down.forward": ("self.pool",), "Encoder.forward": ("self.first", "self.downs", "levels.append")},
        ("encoder", "pooling", "bottleneck"),
    ),
    Step(
        "Decoder",
        "On the way up each level doubles the sides again. The up-convolution places what the level below knows on a "
        "finer grid, and a `DoubleConv` works it out.",
        ("unet:Up", "unet:UNet"),
        {"Up.forward": ("self.up", "self.conv"), "UNet.forward": ("up",)},
        ("decoder", "up-convolution"),
    ),
    Step(
        "Skip connections",
        "The map of the same size comes across from the way down and is put beside what came up. The deepest skip is "
        "used first, hence `reversed`; from here on the block has both the *where* and the *what*.",
        ("unet:Up", "unet:UNet"),
        {"Up.forward": ("torch.cat",), "UNet.forward": ("self.encoder", "reversed")},
        ("skip",),
    ),
    Step(
        "1×1 head",
        "At each pixel the head weighs the channels of that one pixel against each other and gives a score for each "
        "class, a logit. There is no activation behind it: the loss wants logits.",
        ("unet:UNet",),
        {"UNet.__init__": ("self.head",), "UNet.forward": ("self.head",)},
        ("head",),
    ),
    Step(
        "Dice",
        "The loss asks how much predicted and true area have in common, so it does not matter that most pixels are "
        "background. With probabilities in place of a mask it has a gradient; `smooth` keeps an empty image from "
        "dividing by zero.",
        ("losses:soft_dice_loss", "losses:_overlap_and_total"),
        {"soft_dice_loss": ("_overlap_and_total", "smooth"), "_overlap_and_total": ("torch.sigmoid", "probability")},
        (),
    ),
)


class Line(NamedTuple):
    """A line of the reference: number in its file, text, whether it is in question."""

    number: int
    text: str
    marked: bool


@dataclass(frozen=True)
class Shown:
    """A step as it is shown.

    Attributes:
        files: for each piece of code its file, such as "helpers/reference/unet.py", and its lines.
        shapes: for each marked statement: file, number of its first line, its text, and the shapes there.
        strong: names of the nodes and skips of the graph that the step is about.
    """

    step: Step
    files: list[tuple[str, list[Line]]]
    shapes: list[tuple[str, int, str, str]]
    strong: list[str]


class CodeStepper:
    """The U-Net in five steps; `CodeStepper()` as the last line of a cell shows the first."""

    def __init__(self) -> None:
        self._current = 1
        self._front_end: StepperFrontEnd | None = None

    @property
    def current(self) -> int:
        """The step that is shown, from 1."""
        return self._current

    def step(self, k: int) -> CodeStepper:
        """Go to step `k`, from 1.

        Raises:
            ValueError: there is no such step.
        """
        if not isinstance(k, int) or not 1 <= k <= len(STEPS):
            names = ", ".join(f"{n} ({step.title})" for n, step in enumerate(STEPS, start=1))
            raise ValueError(f"There is no step {k!r}. Choose one of {names}.")
        self._current = k
        if self._front_end:
            self._front_end.current = k
        return self

    def next(self) -> CodeStepper:
        """Go to the next step; the last stays."""
        return self.step(min(self.current + 1, len(STEPS)))

    def back(self) -> CodeStepper:
        """Go to the step before; the first stays."""
        return self.step(max(self.current - 1, 1))

    def shown(self, k: int) -> Shown:
        """What step `k` shows."""
        return _shown(k)

    def as_data(self) -> dict[str, Any]:
        """All that is shown, as plain data: what a front end draws."""
        steps = [
            {
                "title": step.title,
                "sentence": markup.as_html(step.sentence),
                "files": [{"file": file, "lines": lines} for file, lines in _shown(k).files],
                "shapes": _shown(k).shapes,
                "strong": _shown(k).strong,
                "graph": _graph(k),
            }
            for k, step in enumerate(STEPS, start=1)
        ]
        return {"current": self.current, "steps": steps}

    # the static fallback: all five steps, the current one first to be seen

    def __repr__(self) -> str:
        return "\n\n".join(_as_text(k, k == self.current) for k in range(1, len(STEPS) + 1))

    def as_html(self) -> str:
        """The steps as HTML, the current one open."""
        parts = [
            f'<details style="margin:.4em 0"{OPEN if k == self.current else ""}>'
            f"<summary><b>unet.py {k}/{len(STEPS)}</b> · {html.escape(step.title)}</summary>{_as_html(k)}</details>"
            for k, step in enumerate(STEPS, start=1)
        ]
        return f'<div style="max-width:75em">{"".join(parts)}</div>'

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        fallback = {"text/plain": repr(self), "text/html": self.as_html()}
        return frontend.shown(self, fallback, lambda: StepperFrontEnd(self), **kwargs)


class StepperFrontEnd(frontend.FrontEnd):
    """The state of a `CodeStepper` as traits, which all its views share.

    Traits:
        steps: all five, as `CodeStepper.as_data` gives them, so that stepping needs no kernel.
        small: what the shapes are those of.
        current: the step that is shown, from 1; written by the page and by Python.
    """

    _esm = frontend.module(Path(__file__).with_name("stepper.js"))
    _css = frontend.style(Path(__file__).with_name("stepper.css"))
    steps: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    small = traitlets.Unicode().tag(sync=True)
    current = traitlets.Int(1, min=1, max=len(STEPS)).tag(sync=True)

    def __init__(self, stepper: CodeStepper) -> None:
        super().__init__(needs_kernel=False, small=SMALL, **stepper.as_data())
        self.observe(lambda change: stepper.step(change["new"]), "current")


# ---- text ------------------------------------------------------------------------------------------------------------


def _as_text(k: int, current: bool) -> str:
    shown = _shown(k)
    sign = "  (shown)" if current else ""
    lines = [f"unet.py {k}/{len(STEPS)} · {shown.step.title}{sign}"]
    lines.append(markup.wrapped(shown.step.sentence))
    for file, code in shown.files:
        lines.append(f"-- {file}")
        lines += [f"{'>' if line.marked else ' '} {line.number:4d}  {line.text}".rstrip() for line in code]
    lines += [f"   line {number}: {text}  →  {shapes}" for _, number, text, shapes in shown.shapes]
    lines.append(f"   in the graph: {', '.join(shown.strong) or 'nothing; this comes after the output'}")
    return "\n".join(lines)


def _as_html(k: int) -> str:
    shown = _shown(k)
    code = []
    for file, lines in shown.files:
        code.append(f'<p style="margin:.3em 0;opacity:.75">{html.escape(file)}</p>')
        rows = "".join(_code_row(line) for line in lines)
        code.append(
            '<pre style="margin:0;padding:.3em 0;overflow-x:auto;line-height:1.4;font-size:85%;'
            'background:transparent;color:inherit" '
            f'tabindex="0" aria-label="Code of {html.escape(file)}">{rows}</pre>'
        )
    rows = "".join(
        f'<tr><td style="text-align:right">{number}</td>'
        f'<td style="text-align:left"><code>{html.escape(text)}</code></td>'
        f'<td style="text-align:left">{html.escape(shapes)}</td></tr>'
        for _, number, text, shapes in shown.shapes
    )
    heads = "".join(f'<th scope="col" style="text-align:left">{h}</th>' for h in ("line", "code", "shapes there"))
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    picture = f'<div style="flex:1 1 22em;min-width:0;max-width:34em">{_graph(k)}</div>'
    return (
        f'<p style="margin:.4em 0">{markup.as_html(shown.step.sentence)}</p>'
        '<div style="display:flex;flex-wrap:wrap;gap:1.2em;align-items:flex-start">'
        f'<div style="flex:2 1 34em;min-width:0">{"".join(code)}</div>{picture}</div>'
        f'<p style="margin:.5em 0 .2em">{SMALL}</p><div style="overflow-x:auto">{table}</div>'
    )


def _code_row(line: Line) -> str:
    text = html.escape(line.text)
    number = f'<span style="opacity:.6">{line.number:4d}</span>'
    look = "background:#E69F0040;border-left:4px solid #E69F00;font-weight:600"
    style, sign = (look, "▸") if line.marked else ("border-left:4px solid transparent", " ")
    return f'<span style="display:block;{style}">{sign}{number}  {text}</span>'


# ---- source ----------------------------------------------------------------------------------------------------------


@cache
def _shown(k: int) -> Shown:
    step = STEPS[k - 1]
    shapes_at, network = _ran()
    files, shapes = [], []
    for name in step.shows:
        file = f"helpers/reference/{name.partition(':')[0]}.py"
        _, source, first, tree = _piece(name)
        marked: set[int] = set()
        for function, statement in _marked(tree, step):
            marked |= set(_lines(statement))
            number = first + statement.lineno - 1
            if (function, number) in shapes_at:
                text = " ".join(source[n - 1].strip() for n in _lines(statement))
                shapes.append((file, number, text, "; ".join(shapes_at[function, number])))
        hidden = _hidden(tree)
        numbered = [(n, text.rstrip("\n")) for n, text in enumerate(source, start=1) if n not in hidden]
        lines = [Line(first + n - 1, text, n in marked) for n, text in numbered]
        files.append((file, _without_double_blanks(lines)))
    strong = [node.name for node in network.nodes if node.name.split(" ")[0] in step.parts]
    strong += [edge.name for edge in network.skips if edge.name.split(" ")[0] in step.parts]
    return Shown(step, files, shapes, strong)


def _piece(name: str) -> tuple[Any, list[str], int, ast.stmt]:
    """A class or function called "module:name", its lines, the number of the first, and their syntax tree."""
    module, _, qualified = name.partition(":")
    piece = getattr(importlib.import_module(f"helpers.reference.{module}"), qualified)
    source, first = inspect.getsourcelines(piece)
    return piece, source, first, ast.parse("".join(source)).body[0]


def _marked(tree: ast.AST, step: Step) -> Iterator[tuple[str, ast.stmt]]:
    """The statements in question: those that use one of the step's names."""
    for function, node in _functions(tree):
        statements, used = _statements(node), step.marks.get(function, ())
        for wanted in used:
            if not any(wanted in _names(statement) for statement in statements):
                raise LookupError(f"No statement of {function} uses {wanted}: the reference has changed; mend STEPS.")
        yield from ((function, statement) for statement in statements if _names(statement) & set(used))


def _functions(tree: ast.AST) -> Iterator[tuple[str, ast.FunctionDef]]:
    if isinstance(tree, ast.FunctionDef):
        yield tree.name, tree
    elif isinstance(tree, ast.ClassDef):
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                yield f"{tree.name}.{node.name}", node


def _statements(function: ast.FunctionDef) -> list[ast.stmt]:
    found = [node for node in ast.walk(function) if isinstance(node, ast.stmt) and node is not function]
    hidden = _hidden(function)
    return sorted((node for node in found if node.lineno not in hidden), key=lambda node: node.lineno)


def _names(statement: ast.stmt) -> set[str]:
    """What a statement uses; a loop, what it goes over."""
    nodes = ast.walk(statement.iter if isinstance(statement, ast.For) else statement)
    return {ast.unparse(node) for node in nodes if isinstance(node, (ast.Name, ast.Attribute))}


def _lines(statement: ast.stmt) -> range:
    """The lines of a statement, of a loop those of its head, counted as the tree does."""
    last = statement.body[0].lineno - 1 if isinstance(statement, ast.For) else statement.end_lineno
    assert last is not None  # the tree was parsed from source
    return range(statement.lineno, last + 1)


def _hidden(tree: ast.AST) -> set[int]:
    """Lines that are no step of the network: docstrings, and `if ...: raise ...`, which guards the arguments."""
    found: list[ast.stmt] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            found.append(node.body[0])
        elif isinstance(node, ast.If) and all(isinstance(child, ast.Raise) for child in node.body) and not node.orelse:
            found.append(node)
    return {line for statement in found for line in _lines(statement)}


def _without_double_blanks(lines: list[Line]) -> list[Line]:
    kept: list[Line] = []
    for line in lines:
        opens = kept and kept[-1].text.rstrip().endswith(":")
        if line.text.strip() or (kept and kept[-1].text.strip() and not opens):
            kept.append(line)
    return kept


# ---- shapes ----------------------------------------------------------------------------------------------------------


@cache
def _graph(k: int) -> str:
    title = f"The part of the U-Net that step {k} is about"
    strong = _shown(k).strong
    about = f"Stressed: {', '.join(strong)}." if strong else "Nothing is stressed: the loss comes after the output."
    return layout.draw(_ran()[1], DEPTH, (), title, about, strong)


@cache
def _ran() -> tuple[dict[tuple[str, int], list[str]], Trace]:
    """The shapes at each line of the functions in question, and the graph, from one small run of the reference."""
    import torch
    from torch.overrides import TorchFunctionMode

    from helpers.reference.losses import soft_dice_loss
    from helpers.reference.unet import UNet
    from helpers.tracing.trace import trace

    image = torch.linspace(0, 1, SIDE * SIDE).reshape(1, 1, SIDE, SIDE)
    watcher = _Watcher()

    class Concatenations(TorchFunctionMode):
        """What is put together inside a statement has no name of its own."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            if func is torch.cat:
                watcher.note_call(sys._getframe(1), "torch.cat", result)
            return result

    with torch.random.fork_rng(), torch.no_grad():
        with watcher, Concatenations():
            model = UNet(1, 1, BASE, DEPTH).eval()
            soft_dice_loss(model(image), (image > 0.5).float())
        return watcher.shapes, trace(model, image)


class _Watcher:
    """While inside, notes the shapes of what each statement of the functions in question binds or returns."""

    def __init__(self) -> None:
        self.shapes: dict[tuple[str, int], list[str]] = {}
        self._seen: dict[tuple[str, int], dict[str, list[str]]] = {}
        self._functions = dict(self._wanted())

    def _wanted(self) -> Iterator[tuple[CodeType, tuple[str, dict[int, tuple[ast.stmt, int]]]]]:
        """Code objects to their names, and by number of line their statements and where each begins."""
        for name in {name for step in STEPS for name in step.shows}:
            piece, _, first, tree = _piece(name)
            for function, node in _functions(tree):
                code = inspect.unwrap(getattr(piece, function.partition(".")[2], piece)).__code__
                statements = {
                    first + line - 1: (statement, first + statement.lineno - 1)
                    for statement in _statements(node)
                    for line in _lines(statement)
                }
                yield code, (function, statements)

    def __enter__(self) -> None:
        self._before = sys.gettrace()
        sys.settrace(self._on_call)

    def __exit__(self, *_: Any) -> None:
        sys.settrace(self._before)
        for place, names in self._seen.items():
            self.shapes[place] = [f"{name} {', then '.join(dict.fromkeys(shapes))}" for name, shapes in names.items()]

    def note_call(self, frame: Any, name: str, value: Any) -> None:
        """Note the result of a call made from this frame."""
        function, statements = self._functions.get(frame.f_code, ("", {}))
        if frame.f_lineno in statements:
            self._note(function, statements[frame.f_lineno][1], name, value)

    def _on_call(self, frame: Any, _event: str, _arg: Any) -> Any:
        found = self._functions.get(frame.f_code)
        if found is None:
            return None
        function, statements = found
        last: list[int] = []

        def on_line(frame: Any, event: str, arg: Any) -> Any:
            if event in ("line", "return") and last:
                statement, first = statements.get(last[-1], (None, 0))
                if event == "return" and isinstance(statement, ast.Return):
                    self._note(function, first, "returns", arg)
                elif statement and (event == "return" or statements.get(frame.f_lineno, (None, 0))[1] != first):
                    for name, value in _bound(statement, frame.f_locals):
                        self._note(function, first, name, value)
            last[:] = [frame.f_lineno]
            return on_line

        return on_line

    def _note(self, function: str, line: int, name: str, value: Any) -> None:
        shape = _shape(value)
        if shape:
            self._seen.setdefault((function, line), {}).setdefault(name, []).append(shape)


def _bound(statement: ast.stmt, variables: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The variables that a statement has just bound, and a list to which it has appended."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.For):
        targets = [statement.target]
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value.func
        if isinstance(call, ast.Attribute) and call.attr == "append" and isinstance(call.value, ast.Name):
            yield f"{call.value.id}[-1]", variables[call.value.id][-1]
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name) and node.id in variables:
                yield node.id, variables[node.id]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
                yield f"self.{node.attr}", getattr(variables["self"], node.attr)


def _shape(value: Any) -> str:
    """`(1, 8, 64, 64)`; of a list or tuple those of its tensors; of a layer that of its weight."""
    from torch import Tensor, nn

    if isinstance(value, Tensor):
        return str(tuple(value.shape)) if value.ndim else "a single number"
    if isinstance(value, (list, tuple)):
        shapes = [_shape(v) for v in value]
        return f"[{', '.join(shapes)}]" if shapes and all(shapes) else ""
    weight = getattr(value, "weight", None)
    return f"with weights {tuple(weight.shape)}" if isinstance(value, nn.Module) and isinstance(weight, Tensor) else ""

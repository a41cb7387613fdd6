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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import traitlets

from helpers import frontend, markup
from helpers.errors import InputError, called_as
from helpers.graph import layout

if TYPE_CHECKING:
    from helpers.tracing.trace import Trace

REFERENCE = Path(__file__).parents[1] / "reference"
OPEN = ' open=""'
MARK = "#E69F00"  # of the Okabe-Ito palette; never alone, a bar and a sign stand beside
SIDE, BASE, DEPTH = 64, 8, 3  # of the small image and the network that give the shapes
SMALL = f"Run on a {SIDE}×{SIDE} image with {BASE} base channels and depth {DEPTH}."


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


class CodeStepper(frontend.Piece):
    """The U-Net in five steps; `CodeStepper()` as the last line of a cell shows the first."""

    _front_end: StepperFrontEnd | None = None

    @called_as("CodeStepper()")
    def __init__(self) -> None:
        self._current = 1

    @property
    def current(self) -> int:
        """The step that is shown, from 1."""
        return self._current

    @called_as("CodeStepper().step(2)")
    def step(self, k: int) -> CodeStepper:
        """Go to step `k`, from 1.

        Raises:
            ValueError: there is no such step.
        """
        if not 1 <= k <= len(STEPS):
            names = ", ".join(f"{n} ({step.title})" for n, step in enumerate(STEPS, start=1))
            raise InputError(f"There is no step {k!r}. Choose one of {names}.")
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
        """All that is shown, as plain data: what a front end shows."""
        steps = []
        for k, step in enumerate(STEPS, start=1):
            marked = ", ".join(str(line.number) for _, lines in _shown(k).files for line in lines if line.marked)
            said = f"{_title(k)}. {markup.as_text(step.sentence)} Lines in question: {marked}."
            steps.append({"title": step.title, "html": _as_html(k), "said": said})
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

    def _make_front_end(self) -> StepperFrontEnd:
        return StepperFrontEnd(self)


class StepperFrontEnd(frontend.FrontEnd):
    """The state of a `CodeStepper` as traits, which all its views share.

    Traits:
        steps: all five, as `CodeStepper.as_data` gives them, so that stepping needs no kernel.
        current: the step that is shown, from 1; written by the page and by Python.
    """

    _esm = frontend.module(Path(__file__).with_name("stepper.js"))
    _css = frontend.style(Path(__file__).with_name("stepper.css"))
    steps: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    current = traitlets.Int(1, min=1, max=len(STEPS)).tag(sync=True)

    def __init__(self, stepper: CodeStepper) -> None:
        super().__init__(needs_kernel=False, **stepper.as_data())
        self.observe(lambda change: stepper.step(change["new"]), "current")


# ---- text ------------------------------------------------------------------------------------------------------------


def _title(k: int) -> str:
    return f"unet.py {k}/{len(STEPS)} · {STEPS[k - 1].title}"


def _as_text(k: int, current: bool) -> str:
    shown = _shown(k)
    lines = [_title(k) + ("  (shown)" if current else "")]
    lines.append(markup.wrapped(shown.step.sentence))
    for file, code in shown.files:
        lines.append(f"-- {file}")
        lines += [f"{'>' if line.marked else ' '} {line.number:4d}  {line.text}".rstrip() for line in code]
    lines += [f"   line {number}: {text}  →  {shapes}" for _, number, text, shapes in shown.shapes]
    lines.append(f"   in the graph: {', '.join(shown.strong) or 'nothing; this comes after the output'}")
    return "\n".join(lines)


@cache
def _as_html(k: int) -> str:
    """A step without its title: on a page with the front end's style sheet and without."""
    shown = _shown(k)
    notes = {(file, number): shapes.split("; ") for file, number, _, shapes in shown.shapes}
    code = []
    for n, (file, lines) in enumerate(shown.files):
        again = n > 0 and file == shown.files[n - 1][0]
        rows = "".join(_code_row(line, notes.get((file, line.number), [])) for line in lines)
        code.append(
            f'<p style="margin:0;padding:.3em .7em 0;font-size:92%">{"⋯" if again else file}</p><pre style="margin:0;'
            f'padding:.2em 0;line-height:1.45;white-space:pre-wrap;background:transparent;color:inherit">{rows}</pre>'
        )
    cells = [(str(line), f"<code>{html.escape(text)}</code>", html.escape(x)) for _, line, text, x in shown.shapes]
    table = markup.table(("line", "code", "shapes there"), cells, SMALL)
    stressed = f"In the graph, with thick lines: {', '.join(shown.strong)}."
    caption = stressed if shown.strong else "Nothing in the graph is stressed: the loss comes after the output."
    files = ", ".join(dict.fromkeys(file for file, _ in shown.files))
    return (
        f'<p style="margin:.4em 0;max-width:62em">{markup.as_html(shown.step.sentence)}</p>'
        '<div style="display:flex;flex-wrap:wrap;gap:.8em 1.4em;align-items:flex-start;margin:.5em 0">'
        f'<div class="unet-steps-code" style="flex:3 1 32em;min-width:0" tabindex="0" role="region" '
        f'aria-label="Code of {files}">{"".join(code)}</div><figure style="flex:2 1 22em;min-width:0;max-width:34em;'
        f'margin:0">{_graph(k)}<figcaption>{caption}</figcaption></figure></div>'
        "<details><summary style='width:max-content'>The shapes as a table</summary>"
        f"<div style='overflow-x:auto'>{table}</div></details>"
    )


def _code_row(line: Line, shapes: list[str]) -> str:
    """A line of code with the shapes there below it; what is too long goes on further to the right."""
    indent = len(line.text) - len(line.text.lstrip())
    sign = "<span role='img' aria-label='in question:'>▸</span>" if line.marked else " "
    tag, colour, look = "span", "transparent", ""
    if line.marked:
        tag, colour, look = "mark", MARK, f"background:{MARK}38;color:inherit;font-weight:600;"
    row = (
        f"<{tag} style='display:block;border-left:4px solid {colour};{look}padding-left:{indent + 11}ch;"
        f"text-indent:-{indent + 11}ch'><span style='user-select:none'>{sign}{line.number:4d}  </span>"
        f"{html.escape(line.text)}</{tag}>"
    )
    note = (
        f"<i class='unet-steps-shapes' style='display:block;margin-left:7ch;border-left:4px double {MARK};"
        f"padding-left:{indent + 4}ch;text-indent:-4ch'>→ "
    )
    return row + "".join(f"{note}{html.escape(one)}</i>" for one in shapes)


# ---- source ----------------------------------------------------------------------------------------------------------


@cache
def _shown(k: int) -> Shown:
    step = STEPS[k - 1]
    shapes_at, network = _ran()
    files, shapes = [], []
    for name in step.shows:
        module, _, piece = name.partition(":")
        file, source = f"helpers/reference/{module}.py", _source(module).splitlines()
        defined = [
            node for node in ast.parse(_source(module)).body if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        ]
        tree = next(node for node in defined if node.name == piece)
        marked: set[int] = set()
        for statement in _marked(tree, step):
            marked |= set(_lines(statement))
            if (module, statement.lineno) in shapes_at:
                text = " ".join(source[n - 1].strip() for n in _lines(statement))
                shapes.append((file, statement.lineno, text, shapes_at[module, statement.lineno]))
        lines = [Line(n, source[n - 1], n in marked) for n in _lines(tree) if n not in _hidden(tree)]
        files.append((file, _without_double_blanks(lines)))
    strong = [node.name for node in network.nodes if node.name.split(" ")[0] in step.parts]
    strong += [edge.name for edge in network.skips if edge.name.split(" ")[0] in step.parts]
    return Shown(step, files, shapes, strong)


@cache
def _source(module: str) -> str:
    return (REFERENCE / f"{module}.py").read_text(encoding="utf-8")


def _marked(tree: ast.ClassDef | ast.FunctionDef, step: Step) -> Iterator[ast.stmt]:
    """The statements in question: those that use one of the step's names."""
    for node in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        function = node.name if node is tree else f"{tree.name}.{node.name}"
        used, hidden = step.marks.get(function, ()), _hidden(node)
        inside = [one for one in ast.walk(node) if isinstance(one, ast.stmt) and one is not node]
        statements = sorted((one for one in inside if one.lineno not in hidden), key=lambda one: one.lineno)
        for wanted in used:
            if not any(wanted in _names(statement) for statement in statements):
                raise LookupError(f"No statement of {function} uses {wanted}: the reference has changed; mend STEPS.")
        yield from (statement for statement in statements if _names(statement) & set(used))


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
def _ran() -> tuple[dict[tuple[str, int], str], Trace]:
    """The shapes at each line of the reference's modules, and the graph, from one small run."""
    import torch

    from helpers.reference.unet import UNet
    from helpers.tracing.trace import trace

    seen: dict[tuple[str, int], dict[str, list[str]]] = {}

    def note(module: str, line: int, name: str, value: Any) -> Any:
        if shape := _shape(value):
            seen.setdefault((module, line), {}).setdefault(name, []).append(shape)
        return value

    image = torch.linspace(0, 1, SIDE * SIDE).reshape(1, 1, SIDE, SIDE)
    with torch.random.fork_rng(), torch.no_grad():
        model = _noting("unet", note)["UNet"](1, 1, BASE, DEPTH).eval()
        _noting("losses", note)["soft_dice_loss"](model(image), (image > 0.5).float())
        network = trace(UNet(1, 1, BASE, DEPTH).eval(), image)
    shapes = {
        place: "; ".join(f"{name} {', then '.join(dict.fromkeys(found))}" for name, found in names.items())
        for place, names in seen.items()
    }
    return shapes, network


def _noting(module: str, note: Callable[[str, int, str, Any], Any]) -> dict[str, Any]:
    """What a module of the reference defines, with a call of `note` wherever a statement binds or returns something."""
    tree = ast.fix_missing_locations(_Notes(module).visit(ast.parse(_source(module))))
    defined = {"__name__": f"helpers.reference.{module}", "note": note}
    exec(compile(tree, module, "exec", dont_inherit=True), defined)
    return defined


class _Notes(ast.NodeTransformer):
    """Puts `note(module, line of the statement, name, value)`, which gives the value, into a module."""

    def __init__(self, module: str) -> None:
        self.module, self.line = module, 0

    def visit(self, node: ast.AST) -> Any:
        """Keep the line of the statement that an expression belongs to."""
        if isinstance(node, ast.stmt):
            self.line = node.lineno
        return super().visit(node)

    def visit_Assign(self, node: ast.Assign) -> Any:
        """The variables that it binds."""
        self.generic_visit(node)
        return [node, *self._bound(node.targets[0])]

    def visit_For(self, node: ast.For) -> Any:
        """The variables of the loop."""
        bound = self._bound(node.target)
        self.generic_visit(node)
        node.body[:0] = bound
        return node

    def visit_Expr(self, node: ast.Expr) -> Any:
        """What is appended to a list."""
        self.generic_visit(node)
        call = ast.unparse(node).partition(".append(")
        return [node, *self._bound(ast.parse(f"{call[0]}[-1]", mode="eval").body)] if call[1] else node

    def visit_Return(self, node: ast.Return) -> Any:
        """What is returned."""
        self.generic_visit(node)
        node.value = node.value and self._note("returns", node.value)
        return node

    def visit_Call(self, node: ast.Call) -> Any:
        """What is put together inside a statement has no name of its own."""
        self.generic_visit(node)
        return self._note("torch.cat", node) if ast.unparse(node.func) == "torch.cat" else node

    def _bound(self, target: ast.expr) -> list[ast.stmt]:
        names = [ast.unparse(one) for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
        return [ast.Expr(self._note(name, ast.parse(name, mode="eval").body)) for name in names]

    def _note(self, name: str, value: ast.expr) -> ast.Call:
        place = [ast.Constant(self.module), ast.Constant(self.line), ast.Constant(name)]
        return ast.Call(ast.Name("note", ast.Load()), [*place, value], [])


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

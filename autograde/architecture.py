"""`docs/architecture.md`: the parts of the course and what each imports, read from the source.

A part is a package or a module of `helpers`, the exercises' files together, or all of `autograde`. It stands on the
floor above the highest one that it imports from, so an arrow never leads up.
"""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

from autograde import markdown
from autograde.build_cache import ROOT

PAGE, PICTURE = (ROOT / "docs" / name for name in ("architecture.md", "architecture.svg"))
EXERCISES = "exercise files"
TEXT = """\
# How the course is built

![Floors of boxes, one a part, with arrows down to what each imports; the table below says the same](architecture.svg)

Drawn from the imports by `python course.py architecture`; `tests/test_layers.py` holds it to them. A part imports
from the floors below its own, never from one above. An arrow is left out where others lead there, too.
`notebooks/` are made from `autograde/lessons/` by `autograde.build`, and import `helpers` alone.

{table}
"""
FLOOR, BOX, LETTER, GAP, WIDTH = 110, 34, 8.2, 14, 1180  # pixels of the picture


def modules() -> dict[str, Path]:
    """Every module of `helpers` and `autograde` by its dotted name; lessons are none."""
    files = [path for top in ("helpers", "autograde") for path in sorted((ROOT / top).rglob("*.py"))]
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files}
    return {name: path for path, name in names.items() if not name.startswith("autograde.lessons")}


def imports() -> dict[str, set[str]]:
    """Module to the modules of the course that it imports, at its top, in a function or for types only."""
    known, found = modules(), {}
    for name, path in known.items():
        named: list[str] = []
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                named += [f"{node.module}.{alias.name}" for alias in node.names]
        found[name] = {n if n in known else n.rpartition(".")[0] for n in named} & set(known) - {name}
    return found


def parts(found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Part to the parts it imports, from `imports`."""
    graph: dict[str, set[str]] = {_part(name): set() for name in found}
    for name, others in found.items():
        graph[_part(name)] |= {_part(other) for other in others} - {_part(name)}
    return graph


def floors(graph: dict[str, set[str]]) -> list[list[str]]:
    """The names by floor, from the lowest, which imports nothing.

    Raises:
        ValueError: some import each other in a circle; the message names them.
    """
    sorter, found = graphlib.TopologicalSorter(graph), []
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        raise ValueError(f"These import each other in a circle: {', '.join(sorted(set(error.args[1])))}.") from None
    while sorter.is_active():
        found.append(sorted(sorter.get_ready()))
        sorter.done(*found[-1])
    return found


def arrows(graph: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Who imports whom, without what a way over other arrows says already."""
    through = {name: set().union(*(_reached(graph, other) for other in others)) for name, others in graph.items()}
    return {(name, other) for name, others in graph.items() for other in others - through[name]}


def picture() -> str:
    """The text of `docs/architecture.svg`: a row of boxes for each floor, and arrows down."""
    graph, by_floor = _drawn()
    centres: dict[str, tuple[float, float]] = {}
    for number, floor in enumerate(by_floor):
        # Above the middle of what it imports, so that fewer arrows cross.
        order = sorted(floor, key=lambda name: sum(centres[o][0] for o in graph[name]) / max(1, len(graph[name])))
        space = (WIDTH - sum(map(_width, order))) / (len(order) + 1)
        x = 0.0
        for name in order:
            x += space + _width(name)
            centres[name] = x - _width(name) / 2, FLOOR * (len(by_floor) - number) - BOX
    shapes = []
    for (x, y), (ox, oy) in ((centres[name], centres[other]) for name, other in sorted(arrows(graph))):
        start, end, middle = y + BOX / 2, oy - BOX / 2 - 4, (y + oy) / 2
        curve = f"M{x:.0f} {start:.0f}C{x:.0f} {middle:.0f} {ox:.0f} {middle:.0f} {ox:.0f} {end:.0f}"
        shapes.append(f'<path d="{curve}" fill="none" stroke="#0072b2" opacity=".55" marker-end="url(#tip)"/>')
    for name, (x, y) in centres.items():
        box = f'x="{x - _width(name) / 2:.0f}" y="{y - BOX / 2:.0f}" width="{_width(name):.0f}" height="{BOX}" rx="5"'
        shapes.append(f'<rect {box} fill="#fff" stroke="#444"/>')
        shapes.append(f'<text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle">{_short(name)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {FLOOR * len(by_floor)}" '
        'font-family="monospace" font-size="13.5"><rect width="100%" height="100%" fill="#fff"/>'
        '<marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#0072b2"/></marker>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def page() -> str:
    """The text of `docs/architecture.md`."""
    graph, by_floor = _drawn()
    rows = (
        (number, f"`{name}`", _purpose(name), ", ".join(f"`{_short(other)}`" for other in sorted(graph[name])))
        for number, floor in reversed(list(enumerate(by_floor)))
        for name in floor
    )
    return TEXT.format(table=markdown.table(("floor", "part", "what it is for", "imports"), rows))


def _drawn() -> tuple[dict[str, set[str]], list[list[str]]]:
    """Parts and floors without `helpers` itself, which is a list of names that a notebook imports."""
    graph = {name: others - {"helpers"} for name, others in parts(imports()).items() if name != "helpers"}
    return graph, floors(graph)


def _part(module: str) -> str:
    first, *rest = module.split(".")
    if first == "autograde" or not rest:
        return first
    return EXERCISES if rest[0] == "exercises" and len(rest) > 1 else f"{first}.{rest[0]}"


def _reached(graph: dict[str, set[str]], name: str) -> set[str]:
    return graph[name].union(*(_reached(graph, other) for other in graph[name]))


def _short(name: str) -> str:
    return name.removeprefix("helpers.")


def _width(name: str) -> float:
    return LETTER * len(_short(name)) + GAP


def _purpose(part: str) -> str:
    """The first line of its docstring."""
    if part == EXERCISES:
        return "Everything about one exercise each."
    said = ast.get_docstring(ast.parse(modules()[part].read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0].replace("|", "\\|")

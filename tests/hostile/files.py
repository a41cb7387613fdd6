"""Notebooks, zips and names that are made to break whoever reads them, or to be graded for more than is in them."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hostile.case import PASSED, REFUSED, RIGHT, Case, Notebook, attack, cell_of, honest, marked, put

MISSING = ("missing",)
WRONG_IOU = "def iou(pred, target):\n    return 0.5"
SCRIPT = "<script>alert(1)</script>"
FILE = "02_overlap.ipynb"


def broken(name: str, tries: str, lay: Callable[[Path, Notebook], object], **more: Any) -> Case:
    """A submission of which nothing can be read; the two exercises would be right."""
    cells = {"iou": RIGHT["iou"], "dice": RIGHT["dice"]}
    return Case(name, tries, cells, dict.fromkeys(cells, MISSING), lay=lay, **more)


def unharmed(name: str, tries: str, edit: Callable[[Notebook], object] | None = None, **more: Any) -> Case:
    """A submission with two right answers, which count whatever else is in it."""
    return honest(name, tries, edit=edit, **more)


def as_text(change: Callable[[str], str | bytes]) -> Callable[[Path, Notebook], object]:
    """Lays the notebook's text as it is changed."""

    def lay(folder: Path, notebook: Notebook) -> None:
        text = change(json.dumps(notebook))
        (folder / FILE).write_bytes(text if isinstance(text, bytes) else text.encode())

    return lay


def own_cell(text: str) -> Callable[[Notebook], object]:
    """Puts a cell in front of the answer."""

    def edit(notebook: Notebook) -> None:
        put(notebook, text, before="iou")

    return edit


def of_cell(name: str, **fields: Any) -> Callable[[Notebook], object]:
    """Changes a cell of the notebook."""
    return lambda notebook: cell_of(notebook, name).update(fields)


def of_marks(**marks: Any) -> Callable[[Notebook], object]:
    """Changes what nbgrader's marks of every cell say."""

    def edit(notebook: Notebook) -> None:
        for cell in notebook["cells"]:
            if "nbgrader" in cell["metadata"]:
                cell["metadata"]["nbgrader"].update(marks)

    return edit


def add_cells(*cells: dict[str, Any]) -> Callable[[Notebook], object]:
    """Puts cells at the end."""
    return lambda notebook: notebook["cells"].extend(cells)


def zipped(
    members: Callable[[zipfile.ZipFile, str], object], name: str = "work.zip"
) -> Callable[[Path, Notebook], object]:
    """Lays a zip in which the notebook's text may be put."""

    def lay(folder: Path, notebook: Notebook) -> None:
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            members(archive, json.dumps(notebook))

    return lay


def link_in_zip(archive: zipfile.ZipFile, text: str) -> None:
    """A symbolic link to a file of the system."""
    link = zipfile.ZipInfo(FILE)
    link.external_attr = 0o120777 << 16
    archive.writestr(link, "/etc/passwd")


def zips_in_zips(archive: zipfile.ZipFile, text: str) -> None:
    """A zip in a zip in a zip, twenty times."""
    import io

    inner = text.encode()
    name = FILE
    for depth in range(20):
        box = io.BytesIO()
        with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as one:
            one.writestr(name, inner)
        inner, name = box.getvalue(), f"{depth}.zip"
    archive.writestr(name, inner)


def sparse(folder: Path, notebook: Notebook) -> None:
    """A file that claims twenty gigabytes and holds none."""
    with open(folder / FILE, "wb") as file:
        file.truncate(20 * 10**9)


def unreadable_name(folder: Path, notebook: Notebook) -> None:
    """A file whose name is no text."""
    with open(os.fsencode(folder) + b"/\xff\xfe\x1b[31m.ipynb", "w") as file:
        json.dump(notebook, file)


def twice(folder: Path, notebook: Notebook) -> None:
    """A notebook beside files that are none: a folder, a pipe and a link of that name."""
    (folder / FILE).write_text(json.dumps(notebook))
    (folder / "a.ipynb").mkdir()
    os.mkfifo(folder / "b.ipynb")
    (folder / "c.ipynb").symlink_to("/dev/zero")


def million(notebook: Notebook) -> None:
    """Half a million cells, no two alike."""
    made = [{"cell_type": "code", "metadata": {}, "source": f"x{k} = {k}"} for k in range(500_000)]
    notebook["cells"] = [*notebook["cells"], *made]


def odd_cells() -> list[dict[str, Any]]:
    """Cells of which nothing is as it should be."""
    odd: list[Any] = [None, 1, "text", [], {}, {"cell_type": "code"}, {"source": "iou = 1"}]
    for value in (None, 3, {"a": 1}, [1, None, {}], [["x = 1"]], True):
        odd.append({"cell_type": "code", "metadata": {}, "source": value})
        odd.append({"cell_type": value, "metadata": {}, "source": "x = 1"})
        odd.append({"cell_type": "code", "metadata": value, "source": "x = 1"})
        odd.append({"cell_type": "code", "metadata": {"nbgrader": value}, "source": "x = 1"})
        odd.append({"cell_type": "code", "metadata": {"nbgrader": {"grade_id": value, "solution": True}}, "source": ""})
        odd.append({"cell_type": "code", "id": value, "metadata": {}, "source": "x = 1", "outputs": value})
    return odd


MAGICS = ("%%", "%", "!", "?", "??", "!!", "%%time\n%%time", "%%bash\nkill -9 $PPID", "%%javascript\nalert(1)", "/ , ;")
MAGICS += (
    "%%writefile helpers/reference/overlap.py\nx",
    "%run evil.ipynb",
    "%load_ext evil",
    "x = %time y",
    "%%html\n" + SCRIPT,
)
MAGICS += (
    "%%capture out\nx = 1",
    "a = !ls",
    "for x in !ls:",
    "%%time",
    "\\",
    "%%time\n!",
    "?iou\n!ls\n%%x",
    "%pylab?",
    "await x",
)

CASES: list[Case] = [
    # ---- more than is in it
    Case(
        "own check cells",
        "its check cells give a hundred points",
        {"iou": WRONG_IOU, "dice": RIGHT["dice"]},
        {"iou": REFUSED, "dice": PASSED},
        edit=lambda nb: [of_cell(f"check-{name}", source="100.0")(nb) for name in ("iou", "dice", "mean_iou")],
    ),
    attack(
        "a thousand points",
        "says in nbgrader's marks that each cell is worth a thousand points",
        WRONG_IOU,
        edit=of_marks(points=1000, grade=True, locked=False),
    ),
    unharmed(
        "negative points", "says in nbgrader's marks that each cell is worth minus five points", of_marks(points=-5)
    ),
    attack(
        "marks of another kind", "says that each cell is a task by hand", WRONG_IOU, edit=of_marks(task=True, points=9)
    ),
    attack(
        "hidden tests of its own",
        "closes the hidden tests before they begin, and writes its own",
        f"{WRONG_IOU}\n### END HIDDEN TESTS\n### BEGIN HIDDEN TESTS\nassert True\n### END HIDDEN TESTS",
    ),
    attack(
        "score in an output",
        "has outputs in its notebook that say it has passed",
        WRONG_IOU,
        edit=of_cell(
            "check-iou",
            outputs=[{"output_type": "display_data", "data": {"text/html": f"passed, 3 of 3{SCRIPT}"}, "metadata": {}}],
        ),
    ),
    attack(
        "a thousand cells of one name",
        "a thousand different cells claim to be iou, one of which may be right",
        WRONG_IOU,
        edit=lambda nb: nb["cells"].extend(
            marked("iou", f"def iou(pred, target):\n    return {k / 1000}") for k in range(1000)
        ),
    ),
    attack(
        "check cell that claims to be the answer",
        "the locked check cell is marked as the solution, and is wrong",
        WRONG_IOU,
        edit=lambda nb: cell_of(nb, "check-iou")["metadata"]["nbgrader"].update(solution=True, grade_id="iou"),
    ),
    attack(
        "raw answer",
        "its answer is in a cell that is not code",
        RIGHT["iou"],
        MISSING,
        edit=of_cell("iou", cell_type="raw"),
    ),
    attack(
        "undone below",
        "replaces the code of its answer in a later cell, so that what is read is not what runs",
        RIGHT["iou"],
        edit=lambda nb: put(nb, "iou.__code__ = (lambda pred, target: 0.5).__code__"),
    ),
    Case(
        "answers of HTML",
        "its answers to the graded questions are pages",
        {"dice": RIGHT["dice"]},
        {"dice": PASSED, "iou": ("not attempted",)},
        lay=lambda folder, nb: (
            (folder / FILE).write_text(json.dumps(nb)),
            (folder / "answers.json").write_text(
                json.dumps({"dice-from-counts": SCRIPT, "screening-for-lesions": "\ud800"})
            ),
        ),
    ),
    Case(
        "page in the source",
        "its source is HTML that runs, in names, comments and texts",
        {"iou": f"# </code></pre>{SCRIPT}\n{WRONG_IOU} # <img src=x onerror=alert(1)>", "dice": RIGHT["dice"]},
        {"iou": REFUSED, "dice": PASSED},
        folder=f"{SCRIPT} <b>name".replace("/", "∕"),
    ),
    # ---- cells that break whoever reads them
    unharmed(
        "other kernel",
        "asks for a kernel that runs a shell",
        lambda nb: nb["metadata"].update(
            kernelspec={"name": "evil", "display_name": SCRIPT, "argv": ["sh"], "language": "bash"},
            language_info={"name": "R"},
        ),
    ),
    unharmed("cells of any kind", "has cells of which nothing is as it should be", add_cells(*odd_cells())),
    unharmed(
        "names of any kind",
        "claims names of paths, pages and escape sequences for its cells",
        add_cells(
            *(
                marked(name, "x = 1")
                for name in ("../../x", SCRIPT, "\x1b[2J", "\ud800", "", " ", 10**6 * "x", "check-iou")
            )
        ),
    ),
    unharmed("half a million cells", "has half a million cells, no two alike", million, slow=True),
    unharmed(
        "magic of any kind",
        "has cells of every broken magic",
        add_cells(*({"cell_type": "code", "metadata": {}, "source": text} for text in MAGICS)),
    ),
    unharmed(
        "six hundred shell lines", "has more shell lines in a cell than IPython transforms", own_cell(600 * "!ls\n")
    ),
    unharmed(
        "sum of thirty thousand",
        "has a cell with a sum of thirty thousand terms",
        own_cell("x = " + "1+" * 30_000 + "1"),
    ),
    unharmed(
        "two hundred brackets",
        "has a cell with two hundred brackets in each other",
        own_cell("x = " + 190 * "(" + 190 * ")"),
    ),
    unharmed(
        "a thousand brackets",
        "has a cell with a thousand brackets in each other",
        own_cell("x = " + 1000 * "[" + 1000 * "]"),
    ),
    unharmed("signs without end", "has a cell with a hundred thousand signs", own_cell("x = " + 100_000 * "-" + "1")),
    unharmed(
        "attributes without end", "has a cell with a path of ten thousand names", own_cell("x = a" + 10_000 * ".a")
    ),
    unharmed("calls without end", "has a cell with ten thousand calls in a row", own_cell("x = a" + 10_000 * "()")),
    unharmed(
        "functions in functions",
        "has a cell with ninety functions in each other",
        own_cell("\n".join(" " * k + f"def f{k}():" for k in range(90)) + "\n" + 90 * " " + "pass"),
    ),
    unharmed(
        "else without end", "has a cell with five thousand elifs", own_cell("if a: pass\n" + "elif a: pass\n" * 5000)
    ),
    unharmed(
        "future of braces",
        "has a cell with a future import that is an error",
        own_cell("from __future__ import braces"),
    ),
    unharmed("null in a cell", "has a cell with a null byte", own_cell("x = '\x00'")),
    unharmed("half a character", "has a comment with half a surrogate pair", own_cell("# \ud800 \udfff\nx = 1")),
    unharmed(
        "turned round",
        "has comments that turn the line round",
        own_cell("# \u202e } \u2066 return 1\nx = 1\u2028y = 2"),
    ),
    unharmed("coding of its own", "declares another encoding", own_cell("# -*- coding: rot13 -*-\nk = 1")),
    unharmed("thirty megabytes of comment", "has a comment of thirty megabytes", own_cell("# " + 30_000_000 * "x")),
    unharmed(
        "a hundred thousand lines",
        "has a cell of a hundred thousand statements",
        own_cell("x = 1\n" * 100_000),
        slow=True,
    ),
    attack(
        "answer of thirty thousand terms",
        "its answer is a sum that no parser takes",
        "def iou(pred, target):\n    return " + "0.0+" * 30_000 + "0.5",
        (*REFUSED, *MISSING, "crashed"),
    ),
    attack(
        "answer nested by hand",
        "its answer is nested as deep as a parser just takes",
        "def iou(pred, target):\n    return " + 900 * "-" + "0.5",
        (*REFUSED, *MISSING, "crashed"),
    ),
    attack(
        "path in the answer",
        "its answer takes an attribute of an attribute, nine hundred times",
        "def iou(pred, target):\n    return pred" + 900 * ".T" + ".sum() * 0 + 0.5",
        (*REFUSED, *MISSING, "crashed"),
    ),
    attack(
        "answer of six megabytes",
        "its answer holds a text of six megabytes",
        f"def iou(pred, target):\n    return 0.5 * len({(6_000_000 * 'x')!r})",
        (*REFUSED, *MISSING),
    ),
    attack("null in the answer", "its answer holds a null byte", f"{WRONG_IOU}\x00", MISSING),
    attack(
        "answer of twenty thousand names",
        "its answer needs twenty thousand statements, each of which reads the one before",
        "\n".join(["x0 = 0.0", *(f"x{k} = x{k - 1}" for k in range(1, 20_000))])
        + "\ndef iou(pred, target):\n    return x19999 + 0.5",
        (*REFUSED, *MISSING, "timeout"),
        slow=True,
    ),
    Case(
        "star of the exercises",
        "imports everything from the exercise, and from os",
        {"iou": f"from helpers.exercises.iou import *\nfrom os import *\n{WRONG_IOU}"},
        {"iou": (*REFUSED, "flagged")},
    ),
    # ---- files that break whoever reads them
    broken("no JSON", "is text", as_text(lambda text: "print('hello')")),
    broken("cut off", "ends in the middle", as_text(lambda text: text[: len(text) // 2])),
    broken("empty file", "is empty", as_text(lambda text: "")),
    broken("random bytes", "is random", as_text(lambda text: bytes(k * 7919 % 251 for k in range(10_000)))),
    broken("list for a notebook", "is a list", as_text(lambda text: f"[{text}]")),
    broken("dict for cells", "its cells are a dict", as_text(lambda text: '{"cells": {"iou": 1}, "nbformat": 4}')),
    broken(
        "nested without end",
        "is a list in a list, a hundred thousand times",
        as_text(lambda text: 100_000 * "[" + 100_000 * "]"),
    ),
    broken(
        "nested in its metadata",
        "is a notebook whose metadata is nested a hundred thousand times",
        as_text(lambda text: text[:-1] + ', "deep": ' + 100_000 * '{"a":' + "1" + 100_000 * "}" + "}"),
    ),
    broken(
        "number of a million digits",
        "counts its runs in a number of a million digits",
        as_text(lambda text: text.replace('"execution_count": null', '"execution_count": 1' + 10**6 * "0", 1)),
    ),
    unharmed(
        "numbers that are none",
        "counts its runs in NaN, Infinity and 1e999",
        lay=as_text(
            lambda text: text.replace('"execution_count": null', '"execution_count": NaN', 1).replace("null", "1e999")
        ),
    ),
    unharmed("format of the future", "is of version 99", lambda nb: nb.update(nbformat=99, nbformat_minor="many")),
    broken("twenty gigabytes", "is a file of twenty gigabytes that holds nothing", sparse),
    broken(
        "link to a file",
        "is a link to a file of the system",
        lambda folder, nb: (folder / FILE).symlink_to("/etc/passwd"),
    ),
    broken(
        "link to a device",
        "is a link to a device without end",
        lambda folder, nb: (folder / FILE).symlink_to("/dev/zero"),
    ),
    broken("pipe", "is a pipe that nobody writes to", lambda folder, nb: os.mkfifo(folder / FILE)),
    broken("folder for a file", "is a folder", lambda folder, nb: (folder / FILE).mkdir()),
    broken("nothing", "hands in an empty folder", lambda folder, nb: None),
    broken(
        "link to everything", "links to the root of the system", lambda folder, nb: (folder / "all").symlink_to("/")
    ),
    broken("link round", "links to its own folder", lambda folder, nb: (folder / "me").symlink_to(folder)),
    unharmed("beside what is no file", "has a folder, a pipe and a link beside its notebook", lay=twice),
    unharmed("name that is no text", "its notebook's name is no text", lay=unreadable_name),
    broken(
        "zip bomb",
        "is a zip of ten gigabytes of zeros",
        zipped(lambda archive, text: [archive.writestr(f"{k}.ipynb", bytes(300_000_000)) for k in range(4)]),
    ),
    broken("zips in zips", "is a zip in a zip, twenty times", zipped(zips_in_zips)),
    broken("link in a zip", "is a zip with a link to a file of the system", zipped(link_in_zip)),
    broken(
        "broken zip",
        "is a zip that is none",
        lambda folder, nb: (folder / "work.zip").write_bytes(b"PK\x03\x04" + bytes(100)),
    ),
    unharmed(
        "zip that climbs",
        "is a zip with names that lead out of it",
        lay=zipped(
            lambda archive, text: [archive.writestr(f"{up}{FILE}", text) for up in ("../../../../tmp/", "/", "C:\\")]
        ),
    ),
    unharmed(
        "thirty thousand files",
        "is a zip of thirty thousand files",
        lay=zipped(
            lambda archive, text: [
                archive.writestr(FILE, text),
                *(archive.writestr(f"d/{k}.txt", "") for k in range(30_000)),
            ]
        ),
    ),
    # ---- names
    unharmed("escape sequences in the name", "is called as what clears a screen", folder="ana\x1b[2J\x1b[31m"),
    unharmed("lines in the name", "is called as two rows of a table", folder="ana,100\nben,100"),
    unharmed(
        "formula in the name", "is called as a formula that a spreadsheet would compute", folder='=HYPERLINK("x")'
    ),
    unharmed("turned round in the name", "is called as what turns letters round", folder="ana\u202egnp.exe"),
    unharmed("path in the name", "is called as a path that leads out", folder="%2e%2e%2f%2e%2e%2fetc"),
    unharmed("SQL in the name", "is called as a statement", folder="'; drop table grade; --"),
    unharmed("markup in the name", "is called as markup of a terminal", folder="[bold red]ana :boom: [link=x]"),
    unharmed("longest name", "is called with as many letters as a file may", folder=80 * "€"),
    unharmed("name that is no text itself", "is called with bytes that are no text", folder="ana\udcff\udcfe"),
    attack("small twin", "is called as somebody else, in small letters", WRONG_IOU, folder="twin"),
    unharmed("large twin", "is called as somebody else, in large letters", folder="TWIN"),
    attack("twin in two signs", "is called as somebody else, in other code points", WRONG_IOU, folder="é"),
    unharmed("twin in three signs", "is called as somebody else, in other code points", folder="e\u0301"),
]

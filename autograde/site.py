"""`python course.py site`: lessons, an article, glossary, questions and guides as a website, in `dist/site`.

The lessons run here as students get them, solutions absent, in a folder of their own; what has run is kept in
`dist/executed` for as long as neither the lesson nor `helpers` changes. Sphinx makes pages of it and runs nothing. It
has an environment of its own, `.venv-site`, so that no student and no grader installs it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from autograde import lesson_table, markdown, plan, released
from autograde.build import student_versions
from autograde.build_cache import ROOT, lesson_names
from autograde.files import dumped, parse_notebook, read_notebook, write
from helpers.glossary import THEMES, answers, entries
from helpers.plan import lessons as lesson_plans

OUT, EXECUTED, ENVIRONMENT = ROOT / "dist" / "site", ROOT / "dist" / "executed", ROOT / ".venv-site"
SOURCE = Path(__file__).with_name("site_source")
ARTICLE = "mastering_unet"
LESSONS = [name for name in lesson_names() if name != "glossary"]  # which has a page of its own
GUIDES = ("students", "instructors")
PICTURES = [ROOT / "docs" / "student.png"]
LONGEST = 1200  # seconds for a cell
WIDE = 3.5  # times as wide as high
PNG = r'<img\b(?=[^>]*\bsrc="data:image/png;base64,([^"]{32}))'  # which hold its width and height

# What the rule for links leaves as it is: code, maths, links, HTML, headings, lists of sources, a menu of Jupyter.
LEFT_ALONE = (
    r"```.*?^```|(?P<fence>`+)(?!`).*?(?<!`)(?P=fence)(?!`)|\$\$.*?\$\$|\$[^$\n]+\$|!?\[[^\]]*\]\([^)]*\)|https?://\S+"
    r"|^<(?:.+\n?)+|<[^>]+>|^#.*?$|^\*\*Sources\*\*.*\Z|Restart Kernel"
)
BEFORE = r"(?<![\w-])(?<!\bto )(?<!\bwill )"  # a term: not the end of another word, and not a verb, as in "to split"


class SiteError(Exception):
    """The site cannot be made; the message says why, and what to do."""


def build(lessons: list[str], out: Path = OUT, tell: Callable[[str], None] = print) -> None:
    """Make the site with these lessons and all its other pages.

    Raises:
        SiteError: `out` holds something else, Sphinx cannot be installed, a lesson does not run to its end, or Sphinx
            warns of something.
    """
    if out.exists() and any(out.iterdir()) and not (out / ".buildinfo").exists():
        raise SiteError(f"{out} holds something that is no site, so it is left as it is. Name another folder.")
    python, release = environment(tell), released.read()
    with tempfile.TemporaryDirectory() as folder:
        pages = Path(folder) / "pages"
        shutil.copytree(SOURCE, pages, ignore=shutil.ignore_patterns(f"{ARTICLE}.py", "__pycache__"))
        (pages / "_static").mkdir()
        for file in (pages / "site.css", pages / "icon.svg", *PICTURES):
            shutil.copy(file, pages / "_static")
        for name, notebook in student_versions(lessons, Path(folder) / "course", release=release).items():
            write(pages / "lessons" / f"{name}.ipynb", _text(page_of(executed(name, notebook, tell), lessons, release)))
        write(pages / f"{ARTICLE}.ipynb", _text(page_of(executed(ARTICLE, _article(), tell), lessons)))
        for name in GUIDES:
            text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
            write(pages / "guides" / f"{name}.md", _guide(text, release))
        write(pages / "glossary.md", glossary_page(lessons))
        write(pages / "faq.md", faq_page(lessons))
        write(pages / "index.md", _home((pages / "index.md").read_text(encoding="utf-8"), lessons))
        tell("Sphinx makes the pages …")
        _sphinx(python, pages, out)


def environment(tell: Callable[[str], None] = print) -> Path:
    """The Python of `.venv-site`, which is made first where it is not there, or is another than the pins say.

    Raises:
        SiteError: it cannot be made.
    """
    python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pins = [SOURCE / "requirements.txt", ROOT / "constraints.txt"]
    wanted = hashlib.sha256(sys.version.encode() + b"".join(path.read_bytes() for path in pins)).hexdigest()
    stamp = ENVIRONMENT / "made.txt"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    if sys.version_info < (3, 11):
        raise SiteError("Sphinx, as the site needs it, runs on Python 3.11 or later. Call course.py with one, by name.")
    tell("Installing Sphinx into .venv-site …")
    pip: list[str | Path] = [
        python,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--no-input",
        "--only-binary",
        ":all:",
    ]
    commands: list[list[str | Path]] = [
        [sys.executable, "-m", "venv", "--clear", ENVIRONMENT],
        [*pip, "-r", pins[0], "-c", pins[1]],
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PIP_USER": "0"})
        if done.returncode:
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise SiteError(
                f"Sphinx could not be installed into .venv-site: {said[-1] if said else done.returncode}\n"
                "It comes from the package index, the first time only. See that you are online, and run this again."
            )
    write(stamp, wanted)
    return python


def executed(name: str, notebook: str, tell: Callable[[str], None] = print, kept: Path = EXECUTED) -> NotebookNode:
    """A notebook after it ran headless, from `kept` where the same one has run with the same `helpers`.

    Raises:
        SiteError: a cell raises.
    """
    digest = hashlib.sha256(notebook.encode() + (ROOT / "constraints.txt").read_bytes())
    for path in sorted((ROOT / "helpers").rglob("*")):
        if path.suffix in (".py", ".yaml", ".json", ".css", ".js"):
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    file = kept / f"{name}-{digest.hexdigest()[:16]}.ipynb"
    if file.exists():
        return read_notebook(file)
    tell(f"Running {name} …")
    page = parse_notebook(notebook)
    python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "notebooks" / name
        place.mkdir(parents=True)
        client = NotebookClient(
            page,
            timeout=LONGEST,
            kernel_name="python3",
            store_widget_state=False,
            resources={"metadata": {"path": place}},
        )
        try:
            # what the kernel itself has to say, such as on its port, is not for this terminal
            client.execute(env={**os.environ, "PYTHONPATH": python_path}, stderr=subprocess.DEVNULL)
        except (CellExecutionError, DeadKernelError) as error:
            raise SiteError(f"{name} does not run to its end:\n{error}") from None
    for old in kept.glob(f"{name}-*.ipynb"):
        old.unlink()
    write(file, dumped(page))
    return page


def linked(text: str, lessons: list[str], seen: set[str]) -> str:
    """Markdown in which `lesson 05` leads to its page, and a term that is not in `seen` yet to the glossary.

    A term is found in singular and plural. Code, maths, links, HTML and headings stay as they are.

    Args:
        text: of a page, or of one cell of it.
        lessons: that have a page.
        seen: terms that the page has used before; those of this text are added.
    """
    numbers = {name[:2]: name for name in lessons}
    terms = {entry.term.lower(): entry.term for entry in entries()}
    names = "|".join(map(re.escape, sorted(terms, key=len, reverse=True)))
    rule = rf"(?P<alone>{LEFT_ALONE})|\blesson (?P<lesson>\d\d)\b|{BEFORE}(?P<term>{names})(?:e?s)?(?![\w-]| norm)"

    def replaced(found: re.Match[str]) -> str:
        whole = found[0]
        if found["lesson"]:
            name = numbers.get(found["lesson"])
            return f"[{whole}](/lessons/{name}.ipynb)" if name else whole
        term = terms.get((found["term"] or "").lower())
        if term is None or term in seen:
            return whole
        seen.add(term)
        return f"{{term}}`{whole} <{term}>`"

    return re.sub(rule, replaced, text, flags=re.MULTILINE | re.DOTALL | re.IGNORECASE)


def glossary_page(lessons: list[str]) -> str:
    """All terms by theme, each picture once, as Markdown."""
    page = ["# Glossary", "Every term of the course in a sentence or two, and the lesson that introduces it."]
    drawn = {""}
    for theme, heading in THEMES.items():
        page += [f"## {heading}", "```{glossary}"]
        for entry in entries():
            if entry.theme == theme:
                also = f" Also: *{', '.join(entry.also)}*." if entry.also else ""
                page += [entry.term, f"  {entry.says}{also} {_met(entry.lesson, lessons)}", ""]
                if entry.picture not in drawn:
                    drawn.add(entry.picture)
                    page += [f"  {entry.drawn()}", ""]
        page += ["```"]
    return "\n".join(page) + "\n"


def faq_page(lessons: list[str]) -> str:
    """All questions that students ask, with their answers, as Markdown."""
    page, seen = ["# Questions that students ask"], set[str]()
    for one in answers():
        page += [f"## {one.question}", f"{linked(one.answer, lessons, seen)} {_met(one.lesson, lessons)}"]
    return "\n\n".join(page) + "\n"


def _met(number: str, lessons: list[str]) -> str:
    known = next(one for one in lesson_plans() if one["lesson"].startswith(number))
    return f"[Lesson {known['title']}](/lessons/{known['lesson']}.ipynb)." if known["lesson"] in lessons else ""


def _article() -> str:
    script = jupytext.read(SOURCE / f"{ARTICLE}.py", fmt="py:percent")
    for number, cell in enumerate(script.cells):
        cell.id = f"{number}"  # else another one each time
    script.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return dumped(script)


def page_of(notebook: NotebookNode, lessons: list[str], release: released.Release | None = None) -> NotebookNode:
    """An executed notebook as Sphinx reads it, changed in place.

    It gets its links. Of a lesson what is folded in JupyterLab is folded, and a release has it opened elsewhere; of
    the article no code is left.
    """
    seen: set[str] = set()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = linked(cell.source, lessons, seen)
        elif "course" not in notebook.metadata:
            cell.metadata["tags"] = ["remove-input"]
        elif cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = ["hide-input"]
        for output in cell.get("outputs", []):
            if page := output.get("data", {}).get("text/html"):
                output.data["text/html"] = re.sub(PNG, _marked, _to_pages(page, lessons))
    if release and "course" in notebook.metadata:
        name = notebook.metadata.course.lesson
        hosts = release.hosts(f"notebooks/{name}/{name}.ipynb").items()
        opened = " or ".join(f"[{host}]({address})" for host, address in hosts)
        notebook.cells[0].source += f"\n\nOpen this lesson in {opened}, or [on your laptop](/guides/students.md)."
    return notebook


def _text(page: NotebookNode) -> str:
    """A page as it is written: `doctor()` says where the course lies, which is nobody's business here."""
    return dumped(page).replace(json.dumps(str(ROOT))[1:-1], "build-unet")


def _to_pages(page: str, lessons: list[str]) -> str:
    """An output whose links lead from a notebook to another: to that one's page, or nowhere."""

    def replaced(link: re.Match[str]) -> str:
        return f'<a href="{link[1]}.html">{link[2]}</a>' if link[1] in lessons else link[2]

    return re.sub(r'<a href="\.\./(\w+)/\w+\.ipynb">(.*?)</a>', replaced, page)


def _marked(tag: re.Match[str]) -> str:
    """The beginning of an `<img>`, marked for the style sheet where the picture is very wide."""
    width, height = struct.unpack(">II", base64.b64decode(tag[1])[16:24])
    return f'<img class="wide"{tag[0][4:]}' if width > WIDE * height else tag[0]


def _guide(text: str, release: released.Release | None) -> str:
    """A guide of the repository; what it links to there and is no page here is a link to the release, or plain text."""

    def replaced(found: re.Match[str]) -> str:
        words, target = found[1], found[2]
        if target.startswith(("https:", "#")) or target.removesuffix(".md") in GUIDES:
            return found[0]
        path = (ROOT / "docs" / target).resolve().relative_to(ROOT).as_posix()
        return f"[{words}]({release.repository}/blob/{release.tag}/{path})" if release else words

    return re.sub(r"\[([^\]]+)\]\(([^)]+)\)", replaced, text)


def _home(text: str, lessons: list[str]) -> str:
    rows = []
    for name in lessons:
        about = lesson_table.facts(name)
        pieces = ", ".join(f"`{piece}`" for piece in about["pieces"]) or "–"
        rows.append((f"[{about['title']}](lessons/{name}.ipynb)", pieces, about["time"]))
    groups = {
        "Read": [ARTICLE, "glossary", "faq"],
        "Lessons": [f"lessons/{name}" for name in lessons],
        "Guides": [f"guides/{name}" for name in GUIDES],
    }
    trees = [
        "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```"])
        for caption, pages in groups.items()
    ]
    table = markdown.table(("lesson", "you write", "your time"), rows)
    return "\n\n".join([text, "## The lessons", table, *trees]) + "\n"


def _sphinx(python: Path, pages: Path, out: Path) -> None:
    """Make the site beside the pages, and put it in place of the one before."""
    made = pages.with_name("site")
    command: list[str | Path] = [python, "-I", "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    command += ["-d", pages.with_name("doctrees"), "-D", f"release={plan.version()}", pages, made]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SiteError(f"Sphinx warns:\n{done.stdout}{done.stderr}")
    shutil.rmtree(out, ignore_errors=True)
    shutil.move(made, out)

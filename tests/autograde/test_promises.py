"""What prose promises works: each call of ours in a text runs where the text stands, with nothing but the imports.

The README's part for students, their guide and lesson 00 speak of every lesson, and so do the glossary, the questions
that students ask and the cards of concepts; a lesson's own prose, cards, hints and quizzes speak of that lesson.
"""

import ast
import functools
import re

import pytest

import helpers
from autograde import build, build_cache
from autograde.nbgrader_course import ROOT
from helpers import exercises

LESSONS = build_cache.lesson_names()
# What a student gets by the name of an exercise, or through another call.
NOT_IMPORTED = ("reference", "exercises", "checks")
NEED_THE_NETWORK = {"build_baseline"}


@functools.cache
def ours():
    """Names of the functions and classes that the course has for students."""
    root = ROOT / "helpers"
    paths = [path for path in root.rglob("*.py") if path.relative_to(root).parts[0] not in NOT_IMPORTED]
    defined = [node for path in paths for node in ast.parse(path.read_text(encoding="utf-8")).body]
    names = {node.name for node in defined if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return {*helpers.__all__, *(name for name in names if not name.startswith("_"))}


def promised(text):
    """The expressions in the inline code of a text that call something of ours, each with the names it calls."""
    found = {}
    for code in re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        try:
            tree = ast.parse(" ".join(code.split()), mode="eval")
        except SyntaxError:
            continue
        called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        names = {f.id for f in called if isinstance(f, ast.Name)} & ours()
        parts = [f for f in called if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name)]
        names |= {ast.unparse(f) for f in parts if f.value.id in helpers.__all__}
        if names:
            found[ast.unparse(tree)] = names
    return found


def everywhere():
    readme, guide = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/students.md"))
    files = [path for name in ("glossary", "faq", "concepts") for path in (ROOT / "helpers").rglob(f"{name}.yaml")]
    parts = [readme.split("## For students")[1].split("\n## ")[0], guide, prose(LESSONS[0])]
    return promised("\n\n".join([*parts, *(path.read_text(encoding="utf-8") for path in files)]))


def prose(lesson):
    return "\n\n".join(cell.source for cell in build.master(lesson).cells if cell.cell_type == "markdown")


def texts_of(lesson):
    quizzes = (ROOT / "helpers" / "quiz" / "bank").glob(f"{lesson}.yaml")
    hints = [hint for e in map(exercises.load, exercises.names()) if e.lesson == lesson for hint in e.hints]
    return "\n\n".join([prose(lesson), *hints, *(path.read_text(encoding="utf-8") for path in quizzes)])


def code_of(lesson):
    return ast.parse("\n".join(cell.source for cell in build.master(lesson).cells if cell.cell_type == "code"))


def imported(lesson):
    """What a lesson's import statements leave behind, with the course's own answers for what a student writes."""
    namespace = {name: exercises.load(name).reference for name in exercises.names()}
    statements = [s for s in code_of(lesson).body if isinstance(s, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(statements, []), lesson, "exec"), namespace)
    return namespace


def variables(lesson):
    """Names that a lesson gives to something of its own, and may speak of."""
    return {n.id for n in ast.walk(code_of(lesson)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def test_the_promises_are_found():
    """Those that were broken once; `loss.item()` promises nothing, though `loss` is a name of ours too."""
    assert {"solution('pixel_accuracy')", "glossary('skip connection')", "play.overlap(...)"} <= {*everywhere()}
    found = promised("`comment(folder, 'ana')`, `loss.item()`, `x.copy()`, `glossary`")
    assert found == {"comment(folder, 'ana')": {"comment"}}


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_prose_promises_runs_in_the_lesson(lesson, tmp_path, monkeypatch):
    folder = tmp_path / "notebooks" / lesson
    for name in (LESSONS[0], lesson):
        (folder.parent / name).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(folder)
    for name in ("dice", "pixel_accuracy"):
        monkeypatch.setattr(exercises.load(name), "attempt", exercises.Attempt())
    namespace = imported(lesson)
    for call, names in {**everywhere(), **promised(texts_of(lesson))}.items():
        for name in names - variables(lesson):
            assert callable(eval(name, dict(namespace))), f"{name} in {call}"
        used = {node.id for node in ast.walk(ast.parse(call)) if isinstance(node, ast.Name)}
        if "..." not in call and "/content/" not in call and used <= namespace.keys() - NEED_THE_NETWORK:
            eval(call, dict(namespace))


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_lesson_hides_a_name_of_the_course(lesson):
    """Below such a cell the course's own call of that name is gone."""
    defined = {node.name for node in code_of(lesson).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert (defined | variables(lesson)) & {*helpers.__all__} == set()


def test_every_lesson_begins_with_the_same_names():
    first = [next(c.source for c in build.master(lesson).cells if c.cell_type == "code") for lesson in LESSONS]
    (imports,) = {text.splitlines()[-1] for text in first}
    (names,) = ast.parse(imports).body
    assert [alias.name for alias in names.names] == helpers.__all__
    linted = re.search(r"builtins = (\[[^]]*\])", (build_cache.LESSONS / "ruff.toml").read_text(encoding="utf-8"))
    assert {*ast.literal_eval(linted[1])} == {*helpers.__all__, "claim"}  # of the cells that no notebook has

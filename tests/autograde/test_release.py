"""`python course.py release`: what it writes, and what a build makes of it. All in a stand-in for a checkout."""

import hashlib
import json
import re
import shutil
import subprocess
import zipfile

import nbformat
import pytest
from typer.testing import CliRunner

from autograde import build, plan, release, released
from autograde.cli import app

ROOT = build.ROOT
TAG, ADDRESS = f"v{plan.version()}", "https://github.com/ana/build-unet"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """What the archive is made from, and the README."""
    root = tmp_path_factory.mktemp("checkout")
    for part in ("helpers", "datasets"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__", "cache"))
    for part in ("LICENSE", "README.md", "pyproject.toml", ".gitignore"):
        shutil.copy(ROOT / part, root)
    return root


@pytest.fixture(scope="module")
def made(checkout):
    made = release.release(ADDRESS, TAG, checkout)
    released.keep(made, checkout / "release.json")
    return made


@pytest.fixture(scope="module")
def stamped(checkout, made):
    """The notebooks of a build after the release, by lesson."""
    places = {"notebooks": checkout / "notebooks", "course": checkout / "course", "plan_file": checkout / "plan.json"}
    build.build(**places, release_file=checkout / "release.json")
    return {name: (checkout / "notebooks" / name / f"{name}.ipynb") for name in build.lesson_names()}


def test_the_archive_holds_helpers_data_sets_and_plan_and_its_hash_is_kept(checkout, made):
    path = checkout / "dist" / f"course-{TAG}.zip"
    assert made == released.read(checkout / "release.json")
    assert made.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert made.archive == f"{ADDRESS}/releases/download/{TAG}/course-{TAG}.zip"
    with zipfile.ZipFile(path) as packed:
        names = packed.namelist()
        assert json.loads(packed.read("helpers/plan.json"))["version"] == plan.version()
    assert {name.partition("/")[0] for name in names} == {"helpers", "datasets"}


def test_a_second_release_is_the_same_to_the_byte(checkout, made):
    assert release.release(f"{ADDRESS}.git/", TAG, checkout) == made


def test_every_notebook_fetches_that_archive_and_differs_in_nothing_else(stamped, made):
    for lesson, path in stamped.items():
        fetching = nbformat.read(path, as_version=4)
        plain = nbformat.read(build.NOTEBOOKS / lesson / path.name, as_version=4)
        differing = [a for a, b in zip(fetching.cells, plain.cells, strict=True) if a != b]
        assert [cell.id for cell in differing] == [plan.FIRST_ID]
        assert differing[0].source == build.first_cell(lesson, made)
        assert made.archive in differing[0].source
        assert made.sha256 in differing[0].source


def test_a_release_does_not_change_the_plan_that_its_archive_holds(checkout, stamped):
    assert (checkout / "plan.json").read_bytes() == build.PLAN.read_bytes()


def test_the_badges_name_the_tag_and_go_with_the_release(made):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    with_badges = released.with_badges(readme, made)
    links = re.findall(r"\]\((https://(?:mybinder|colab)\S+)\)", with_badges)
    assert [TAG in link and "00_start_here.ipynb" in link for link in links[:2]] == [True, True]
    assert "HEAD" not in "".join(links)
    assert released.with_badges(with_badges, None) == released.with_badges(readme, None)


def test_the_readme_has_the_badges_of_the_release_that_is_here():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert released.with_badges(readme, released.read()) == readme, "run `python course.py build`"


def test_no_address_is_left_to_be_filled_in():
    found = subprocess.run(["git", "grep", "-nw", "owner".upper()], cwd=ROOT, capture_output=True, text=True).stdout
    assert found == ""


@pytest.mark.parametrize(
    "address", ["build-unet", "http://github.com/ana/x", "https://github.com/ana", "https://x.org/a/b"]
)
def test_what_binder_and_colab_cannot_open_is_refused(tmp_path, address):
    with pytest.raises(release.ReleaseError, match="no address of a repository on GitHub.*Give one such as"):
        release.release(address, TAG, tmp_path)


def test_a_tag_that_is_not_the_version_is_refused_before_anything_is_built():
    done = CliRunner().invoke(app, ["release", "--repository", ADDRESS, "--tag", "v9"])
    assert done.exit_code == 1
    assert re.fullmatch(r"The tag v9 is not that of the version.*Change one of them\.\n", done.output)

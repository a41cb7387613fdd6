"""A lesson starts from the archive alone, for a client that shows widgets; what is published is not stale."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from test_environment import CONDA, constraints, declared

from autograde import plan
from tests.launch import environments, hosts, image, notebooks

LESSON = "02_overlap"


def test_the_published_table_is_not_stale():
    """Where this fails, it says what to run."""
    assert hosts.stale() == []


def test_in_what_is_published_nothing_was_amiss():
    for seen in hosts.read().values():
        assert all(ran["trouble"] == [] for kinds in seen["lessons"].values() for ran in kinds.values())
        assert seen["amiss"] == []
    installed = {canonicalize_name(one) for one in hosts.read()["colab"]["installed"]}
    assert installed <= {canonicalize_name(one) for one in (*hosts.start.TRAINING, *hosts.start.PRETRAINED)}


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    with notebooks.released_notebooks(tmp_path_factory.mktemp("released")) as pages:
        yield pages


@pytest.fixture(scope="module")
def without_the_course(tmp_path_factory):
    """A Python with all that is installed here but the course."""
    folder = tmp_path_factory.mktemp("python") / "venv"
    venv.create(folder)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    theirs, ours = (
        subprocess.run([p, "-c", where], capture_output=True, text=True, check=True).stdout.strip()
        for p in (python, sys.executable)
    )
    Path(theirs, "here.pth").write_text(f"{ours}\n")  # a .pth in there, such as the course's, is not read
    return python


@pytest.mark.parametrize("kind", hosts.KINDS)
def test_a_lesson_runs_from_an_empty_folder(released, without_the_course, tmp_path, kind):
    content = tmp_path / "content"
    content.mkdir()
    ran = notebooks.run(without_the_course, released[kind][LESSON], content)
    assert ran.trouble == []
    assert {path.name for path in content.iterdir()} == {"build-unet"}
    assert {path.name for path in (content / "build-unet").iterdir()} >= {LESSON, f"v{plan.version()}"}


@pytest.mark.parametrize("name", hosts.ENVIRONMENTS)
def test_a_lesson_runs_in_the_environment_of_each_host(name, tmp_path):
    if not hosts.ENVIRONMENTS[name]().is_made and "CI" not in os.environ:  # where a run makes it
        pytest.skip("`python course.py test --launch` makes it, which takes minutes and 4 GB")
    try:
        (seen,) = hosts.run(name, [LESSON], tmp_path, print)
    except RuntimeError as error:
        pytest.skip(str(error))
    assert [ran["trouble"] for ran in seen["lessons"][LESSON].values()] == [[], []]
    assert (seen["installed"], seen["amiss"]) == ([], [])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["COPY a src/binder/environment.yml b", "COPY a src/ b"], []),
        (["COPY a src/ b", "COPY a src/binder/environment.yml b"], ["copies the sources before the environment"]),
        (["COPY a src/environment.yml b", "COPY a src/ b"], ["takes another environment"]),
        (["FROM x"], ["copies no environment"]),
    ],
)
def test_a_recipe_of_repo2docker_is_read(lines, said):
    found = image.amiss(lines)
    assert len(found) == len(said)
    assert all(part in whole for part, whole in zip(said, found, strict=True))


# ---- the lists


def test_colabs_list_is_dated_and_admitted_by_our_lower_bounds():
    assert re.fullmatch(r"colab-\d{4}-\d{2}\.txt", environments.COLAB.name)
    assert len([*environments.COLAB.parent.glob("colab-*.txt")]) == 1
    there = {r.name: r.specifier for r in map(Requirement, environments.colab().wanted)}
    bounds = {r.name: r.specifier for r in declared()[""]}
    exact = {name: str(s)[2:] for name, s in there.items() if s}
    assert [name for name, version in exact.items() if not bounds.get(name, SpecifierSet()).contains(version)] == []
    # What the course needs and Colab lacks is what the first cell installs.
    brought = {r.partition("==")[0] for r in hosts.start.TRAINING + hosts.start.PRETRAINED}
    assert bounds.keys() - there.keys() - {"packaging"} <= brought


def test_binders_environment_is_what_the_notebooks_need_and_no_more():
    text = environments.BINDER.read_text(encoding="utf-8")
    whole = yaml.safe_load(text)
    assert whole["channels"] == ["conda-forge"]
    assert "-e ." not in whole["dependencies"][-1]["pip"]
    wanted = {canonicalize_name(Requirement(r).name) for r in environments.binder().wanted}
    needed = {canonicalize_name(r.name) for r in (*declared()[""], *declared()["lab"])}
    assert wanted - {"lightning-utilities"} == needed
    bounds = {r.name: r.specifier for r in (*declared()[""], *declared()["lab"])}
    pinned = {r.name: str(r.specifier) for r in constraints()}
    for one in map(Requirement, environments.binder().wanted):
        if str(one.specifier).startswith("=="):
            assert bounds.get(one.name, SpecifierSet()).contains(str(one.specifier)[2:])
        else:
            assert one.specifier == bounds[one.name]
    for one in map(Requirement, whole["dependencies"][-1]["pip"]):
        assert str(one.specifier) == pinned[one.name]
    assert CONDA["torch"] in text

"""pyproject.toml, constraints.txt and environment.yml name the same packages."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it to 3.10

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]

# The packages that conda-forge has under another name.
CONDA = {"huggingface-hub": "huggingface_hub", "torch": "pytorch-cpu", "playwright": "playwright-python"}

# torch to the torchvision of the same release day and the same CUDA (see constraints.txt).
PAIRS = {"2.14.1": "0.29.1", "2.15.0": "0.29.2"}

# What a host has already, and our lower bounds must admit: Colab as published in August 2026, conda-forge in November.
COLAB = {
    "anywidget": "0.9.21",
    "ipykernel": "6.17.1",
    "ipython": "7.34.0",
    "ipywidgets": "7.7.1",
    "matplotlib": "3.10.0",
    "numpy": "2.1.3",
    "scikit-image": "0.25.2",
    "scipy": "1.16.3",
    "timm": "1.0.28",
    "torch": "2.11.0",
    "torchvision": "0.26.0",
    "traitlets": "5.7.1",
}
CONDA_FORGE = {"nbgrader": "0.9.5", "segmentation-models-pytorch": "0.5.0", "torch": "2.13.0", "torchvision": "0.28.0"}

# Comes with torch on some platforms only; torch names the versions itself.
PLATFORM = re.compile(r"(nvidia|cuda)-|triton$|intel-|tbb$|mkl$")


def declared() -> dict[str, list[Requirement]]:
    """The direct dependencies: under "" those of the core, then those of each extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    return {extra: [Requirement(r) for r in wanted] for extra, wanted in lists.items()}


def requirements() -> list[Requirement]:
    """The direct dependencies, with those of all extras."""
    return [r for wanted in declared().values() for r in wanted]


def constraints() -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


def pins(python: str) -> dict[str, str]:
    """Name to version for one Python."""
    at = {"python_version": python, "python_full_version": f"{python}.0"}
    chosen = [r for r in constraints() if r.marker is None or r.marker.evaluate(at)]
    names = [canonicalize_name(r.name) for r in chosen]
    assert len(names) == len(set(names)), "a package is pinned twice"
    return {name: next(iter(r.specifier)).version for name, r in zip(names, chosen, strict=True)}


def test_a_constraint_is_one_exact_version():
    for r in constraints():
        assert re.fullmatch(r"==[^*,]+", str(r.specifier)), f"{r} is not one exact version"


@pytest.mark.parametrize("python", PYTHONS)
def test_every_direct_dependency_is_pinned_within_its_range(python):
    pinned = pins(python)
    for r in requirements():
        version = pinned.get(canonicalize_name(r.name))
        assert version, f"constraints.txt does not pin {r.name}"
        assert r.specifier.contains(version), f"constraints.txt pins {r.name} {version}; pyproject.toml wants {r}"


@pytest.mark.parametrize("host", [COLAB, CONDA_FORGE], ids=["Colab", "conda-forge"])
def test_what_a_host_has_already_is_admitted(host):
    refused = [str(r) for r in requirements() if r.name in host and not r.specifier.contains(host[r.name])]
    assert not refused


@pytest.mark.parametrize("python", PYTHONS)
def test_torch_and_torchvision_are_a_pair(python):
    pinned = pins(python)
    assert PAIRS.get(pinned["torch"]) == pinned["torchvision"]


def test_the_pair_installed_here_works_together():
    torchvision = pytest.importorskip("torchvision")
    torch = pytest.importorskip("torch")
    builds = {torch.__version__.partition("+")[2], torchvision.__version__.partition("+")[2]} - {""}
    assert len(builds) <= 1, f"torch {torch.__version__} and torchvision {torchvision.__version__}"
    needs = [Requirement(r) for r in importlib.metadata.requires("torchvision")]
    (needed,) = [r for r in needs if r.name == "torch"]
    assert needed.specifier.contains(importlib.metadata.version("torch"), prereleases=True)
    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 2.0]])
    assert torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8]), 0.5).tolist() == [0]


def test_everything_the_dependencies_bring_here_is_pinned():
    """A package that is not pinned would come in another version every week."""
    pinned = pins("{}.{}".format(*sys.version_info))
    seen, missing = set(), set()
    waiting = [(r.name, extra) for r in requirements() for extra in ("", *r.extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen or PLATFORM.match(canonicalize_name(name)):
            continue
        seen.add((name, extra))
        if canonicalize_name(name) not in pinned:
            missing.add(canonicalize_name(name))
        for line in importlib.metadata.requires(name) or []:
            r = Requirement(line)
            if r.marker is None or r.marker.evaluate({"extra": extra}):
                waiting += [(r.name, e) for e in ("", *r.extras)]
    assert not missing, f"constraints.txt does not pin {sorted(missing)}"


def test_constraints_hold_nothing_of_one_platform():
    assert not [r.name for r in constraints() if PLATFORM.match(canonicalize_name(r.name))]


def test_environment_yml_names_the_same_packages():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    (from_pip,) = [entry["pip"] for entry in listed if isinstance(entry, dict)]
    conda = [entry for entry in listed if isinstance(entry, str)]
    assert [entry for entry in conda if re.match(r"python=|pip$", entry)] == ["python=3.12", "pip"]
    assert from_pip[-1] == "-e ."  # so that `import helpers` works
    named = {Requirement(entry) for entry in [*conda[2:], *from_pip[:-1]]}
    wanted = {Requirement(str(r).replace(r.name, CONDA.get(r.name, r.name))) for r in requirements()}
    assert {str(r) for r in named} == {str(r) for r in wanted}

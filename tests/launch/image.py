"""What Binder would build of this repository, as repo2docker says without building it."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

from tests.launch.environments import ROOT


def recipe(folder: Path) -> tuple[str, list[str]]:
    """The version of repo2docker, in an environment of its own, and the lines of its recipe for the last commit."""
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([programs / "python", "-m", "pip", "install", *quiet, "jupyter-repo2docker"], check=True)
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", folder / "clone"], check=True)
    program = programs / "jupyter-repo2docker"
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    debug = [program, "--no-build", "--debug", "."]
    done = subprocess.run(debug, cwd=folder / "clone", capture_output=True, text=True, check=True)
    return version, (done.stdout + done.stderr).splitlines()


def amiss(lines: list[str]) -> list[str]:
    """What is wrong with a recipe: the environment has to come from binder/, and before the sources."""
    environments = [k for k, line in enumerate(lines) if line.startswith("COPY") and "environment.yml" in line]
    sources = [k for k, line in enumerate(lines) if line.startswith("COPY") and " src/ " in line]
    if not environments or not sources:
        return ["repo2docker copies no environment, or no sources"]
    if not all("src/binder/environment.yml" in lines[k] for k in environments):
        return ["repo2docker takes another environment than that in binder/"]
    if environments[0] > sources[0]:
        return ["repo2docker copies the sources before the environment, so every commit would solve it anew"]
    return []

"""Virtual environments with what a host has, each made once and kept: `.venv-colab-…` and `.venv-binder-…`."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
COLAB = Path(__file__).with_name("colab-2026-08.txt")
BINDER = ROOT / "binder" / "environment.yml"
PYPI = {"pytorch-cpu": "torch"}  # what conda-forge calls otherwise
PINNED = ("ipykernel", "ipython", "notebook", "tornado")  # by the distribution google-colab
# What needs torch, whose own requirements are 6 GB of CUDA: installed without them.
ON_TORCH = {"torch", "torchvision", "timm", "segmentation-models-pytorch", "lightning-fabric"}
UNOPENED = {"cupti", "cusolver", "nvrtc", "nvtx"}  # the parts of CUDA that `import torch` does not open


@dataclass(frozen=True)
class Environment:
    """A host's packages.

    Attributes:
        name: such as "colab".
        python: its version there, such as "3.13".
        wanted: what pip is asked for.
        pins: what a stand-in for the distribution google-colab holds on to.
    """

    name: str
    python: str
    wanted: tuple[str, ...]
    pins: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where it is made: another folder for other versions."""
        return ROOT / f".venv-{self.name}-{hashlib.sha256(repr(self).encode()).hexdigest()[:10]}"

    @property
    def interpreter(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    @property
    def is_made(self) -> bool:
        """Whether it is here, whole."""
        return (self.folder / "made").exists()

    def made(self) -> Path:
        """Its Python, made first where it is not here: some minutes, and 4 GB."""
        if not self.is_made:
            shutil.rmtree(self.folder, ignore_errors=True)
            for other in ROOT.glob(f".venv-{self.name}-*"):  # of other versions
                shutil.rmtree(other)
            subprocess.run([nearest_python(self.python), "-m", "venv", self.folder], check=True)
            self._install()
            (self.folder / "made").touch()
        return self.interpreter

    def freeze(self) -> set[str]:
        """What `pip freeze` says."""
        return {*self._pip("freeze").split("\n")} - {""}

    def uninstall(self, names: Iterable[str]) -> None:
        """Take packages away, if they are here."""
        self._pip("uninstall", "--yes", "--quiet", *names)

    def _install(self) -> None:
        on_torch = [w for w in self.wanted if Requirement(w).name in ON_TORCH]
        self._pip("install", "--no-deps", *on_torch)
        brought = [r for w in on_torch for r in self._requires(Requirement(w).name)]
        wanted = {Requirement(w).name: w for w in self.wanted if w not in on_torch}
        others = [str(r) for r in brought if r.name not in {*ON_TORCH, *wanted}]
        self._pip("install", *wanted.values(), *others)
        if self.pins:
            with tempfile.TemporaryDirectory() as folder:
                self._pip("install", "--no-deps", str(_stand_in(Path(folder), self.pins)))

    def _requires(self, name: str) -> Iterable[Requirement]:
        code = f"import importlib.metadata as m, json; print(json.dumps(m.requires({name!r}) or []))"
        done = subprocess.run([self.interpreter, "-c", code], capture_output=True, text=True, check=True)
        for line in json.loads(done.stdout):
            required = Requirement(line)
            if required.marker is not None and not required.marker.evaluate({"extra": ""}):
                continue
            required.marker = None
            required.extras -= UNOPENED if required.name == "cuda-toolkit" else set()
            if required.name not in ("triton", "cuda-bindings"):
                yield required

    def _pip(self, *arguments: str) -> str:
        command = [self.interpreter, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def colab() -> Environment:
    """Colab's, of the dated list."""
    lines = [line.strip() for line in COLAB.read_text(encoding="utf-8").splitlines()]
    (python, *wanted) = [line for line in lines if line and not line.startswith("#")]
    pins = tuple(w for w in wanted if Requirement(w).name in PINNED)
    return Environment("colab", python.removeprefix("python=="), tuple(wanted), pins)


def binder() -> Environment:
    """Binder's: the versions of binder/environment.yml, from PyPI."""
    listed = yaml.safe_load(BINDER.read_text(encoding="utf-8"))["dependencies"]
    (from_pip,) = [entry["pip"] for entry in listed if isinstance(entry, dict)]
    (python, _, *conda) = [entry for entry in listed if isinstance(entry, str)]
    wanted = []
    for entry in conda:
        name, exact, version = entry.partition("=") if ">" not in entry else (entry, "", "")
        wanted.append(f"{PYPI.get(name, name)}=={version}" if exact else name)
    return Environment("binder", python.removeprefix("python="), (*wanted, *from_pip))


def nearest_python(version: str) -> str:
    """The Python of this machine that is nearest to a version."""
    found = {"{}.{}".format(*sys.version_info): sys.executable}
    for path in (*Path.home().glob(".pyenv/versions/3.*/bin/python"), *Path("/usr/bin").glob("python3.[0-9]*")):
        name = path.parts[-3] if "versions" in path.parts else path.name.removeprefix("python")
        if name.count(".") and name.replace(".", "").isdigit() and Version(name) >= Version("3.10"):
            found[".".join(name.split(".")[:2])] = str(path)
    wanted = Version(version)
    return found[min(found, key=lambda name: abs(Version(name).minor - wanted.minor))]


def _stand_in(folder: Path, pins: Iterable[str]) -> Path:
    """A distribution called google-colab that holds its pins, and nothing else."""
    path, about = folder / "google_colab-1.0.0-py3-none-any.whl", "google_colab-1.0.0.dist-info"
    with zipfile.ZipFile(path, "w") as packed:
        held = "".join(f"Requires-Dist: {pin}\n" for pin in pins)
        packed.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: google-colab\nVersion: 1.0.0\n{held}")
        packed.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{about}/RECORD", "")
    return path

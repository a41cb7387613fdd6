"""What is here and what is missing: versions, device, threads, data sets.

    python course.py doctor                                 on the command line
    from helpers.doctor import report, text; print(text(report()))      in a notebook

course.py runs it as a file, so that it can still speak where `import helpers` fails because a package is missing.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

if not __package__:  # run as a file: find the course, not the files beside this one
    sys.path[0] = str(Path(__file__).resolve().parents[1])

DISTRIBUTION = "build-unet"
# What is told of where the first cell of a notebook fetched the course, which then is no installed package.
FETCHED = ("anywidget", "ipykernel", "ipython", "ipywidgets", "matplotlib", "numpy", "timm", "torch", "torchvision")


@dataclass
class Report:
    """Plain data, ready for JSON. `missing` holds one sentence for each thing, with what to do."""

    system: str = ""
    versions: dict[str, str] = field(default_factory=dict)  # the course's direct dependencies; "" where absent
    untested: dict[str, str] = field(default_factory=dict)  # those that differ from constraints.txt: its version
    device: str = ""
    threads: str = ""
    datasets: dict[str, str] = field(default_factory=dict)
    browser: str = ""
    missing: list[str] = field(default_factory=list)


def report() -> Report:
    """Look at everything; installs, downloads and changes nothing."""
    found = Report(system=f"Python {platform.python_version()}, {platform.platform()}, {sys.prefix}")
    _look_at_packages(found)
    _look_at_torch(found)
    _look_at_datasets(found)
    nowhere = "no chromium (only tests/browser needs one: python course.py test skips those tests)"
    found.browser = shutil.which("chromium") or nowhere
    return found


def text(found: Report) -> str:
    """The report as lines to print."""
    present = [f"{name} {version}" for name, version in found.versions.items() if version]
    lines = [f"system      {found.system}"]
    differ = [f"{name} {found.versions[name]} (tested: {pin})" for name, pin in found.untested.items()]
    for label, items in (("packages    ", present), ("untested    ", differ)):
        joined = ", ".join(item.replace(" ", "\xa0") for item in items)  # a line ends only between items
        wrapped = textwrap.wrap(joined, 88, break_on_hyphens=False)
        lines += _labelled(label, [line.replace("\xa0", " ") for line in wrapped])
    lines += [f"device      {found.device}", f"threads     {found.threads}"]
    lines += _labelled("data sets   ", [f"{name:<8}{state}" for name, state in found.datasets.items()])
    lines.append(f"browser     {found.browser}")
    return "\n".join(lines + _labelled("missing     ", found.missing or ["nothing"]))


def _look_at_packages(found: Report) -> None:
    root = Path(__file__).resolve().parents[1]
    try:
        requirements = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        if (root / "course.py").is_file():
            found.missing.append("the course itself is not installed: python course.py lab")
            return
        requirements = list(FETCHED)
    constraints = root / "constraints.txt"
    pins = _pins(constraints)
    for requirement in requirements:
        if "extra ==" in requirement and not constraints.is_file():  # outside of a checkout nobody needs all extras
            continue
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()
        try:
            found.versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found.versions[name] = ""
            found.missing.append(f"the package {name}: python course.py lab, or pip install -c constraints.txt {name}")
            continue
        pin = pins.get(name)
        if pin and found.versions[name].partition("+")[0] != pin:
            found.untested[name] = pin


def _pins(constraints: Path) -> dict[str, str]:
    """Name to version for this Python. An installed package has no constraints.txt beside it: then none."""
    if not constraints.is_file():
        return {}
    from packaging.requirements import Requirement

    lines = (line.partition("#")[0].strip() for line in constraints.read_text(encoding="utf-8").splitlines())
    wanted = [Requirement(line) for line in lines if line]
    return {r.name: next(iter(r.specifier)).version for r in wanted if r.marker is None or r.marker.evaluate()}


def _look_at_torch(found: Report) -> None:
    try:
        import torch
        import torchvision  # noqa: F401  (one that does not fit its torch fails here)

        from helpers.threads import available_cpus
    except Exception as error:  # whatever it is, it is what the reader asked for
        found.missing.append(f"torch or the course cannot be imported: {type(error).__name__}: {error}")
        found.device = found.threads = "unknown"
        return
    driver = Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi")
    if torch.cuda.is_available():
        gpu = torch.cuda.get_device_properties(0)
        found.device = f"cuda: {gpu.name}, {gpu.total_memory / 2**30:.0f} GiB"
    elif torch.backends.mps.is_available():
        found.device = "mps: the GPU of this Mac"
    else:
        found.device = f"cpu: {platform.processor() or platform.machine()}"
        if driver and not torch.version.cuda:
            found.missing.append(
                "a torch for the NVIDIA driver that is here (this one is built for CPUs): delete the folder .venv, "
                "then python course.py lab"
            )
    found.threads = (
        f"{torch.get_num_threads()} in torch; this process may use {available_cpus()} of the machine's "
        f"{os.cpu_count()} processors"
    )


def _look_at_datasets(found: Report) -> None:
    try:
        from helpers.data import NAMES, files

        folder = files.root()
    except Exception as error:
        found.missing.append(f"the data sets: {error}")
        return
    for name in (*NAMES, "models"):  # models: the network that lesson 00 shows
        if name == "pets":
            here = (files.cache() / "pets").is_dir()
            found.datasets[name] = "here" if here else "not downloaded; the first load fetches 0.8 GB"
        elif (folder / name / "SHA256SUMS").is_file():
            try:
                for line in (folder / name / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
                    files.read(name, line.split()[1])
                found.datasets[name] = "here, checksums right"
            except files.DataError as error:
                found.datasets[name] = "broken"
                found.missing.append(str(error))
        else:
            found.datasets[name] = "your own images and masks" if name == "folder" else "here, computed when loaded"


def _labelled(label: str, lines: list[str]) -> list[str]:
    """The label before the first line, and as much space before the others."""
    return [(" " * len(label) if k else label) + line for k, line in enumerate(lines)]


if __name__ == "__main__":
    result = report()
    print(text(result))
    sys.exit(1 if result.missing else 0)

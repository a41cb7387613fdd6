"""What has been released, `release.json`: the address, tag and SHA-256 of the archive that a notebook fetches.

Without it nothing is released: no notebook fetches anything, and the README has no badge.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from autograde.build_cache import ROOT
from autograde.files import write
from autograde.markdown import README, between

FILE = ROOT / "release.json"
FIRST = "notebooks/00_start_here/00_start_here.ipynb"  # what a badge opens


@dataclass(frozen=True)
class Release:
    """One release.

    Attributes:
        repository: its address, such as `https://github.com/ana/build-unet`.
        tag: such as `v0.2.0`.
        sha256: of the archive.
    """

    repository: str
    tag: str
    sha256: str

    @property
    def archive(self) -> str:
        """The address of the archive: a file that was uploaded to the release of this tag."""
        return f"{self.repository}/releases/download/{self.tag}/{self.file}"

    @property
    def file(self) -> str:
        """The archive's name."""
        return f"course-{self.tag}.zip"

    def hosts(self, notebook: str = FIRST) -> dict[str, str]:
        """Where a notebook of this release opens, by the name of the host."""
        name = "/".join(self.repository.split("/")[-2:])
        return {
            "Binder": f"https://mybinder.org/v2/gh/{name}/{self.tag}?urlpath=lab/tree/{notebook}",
            "Colab": f"https://colab.research.google.com/github/{name}/blob/{self.tag}/{notebook}",
        }

    def badges(self) -> str:
        """The links that open this release in Binder and in Colab, as Markdown."""
        hosts = self.hosts()
        return (
            f"[![Binder](https://mybinder.org/badge_logo.svg)]({hosts['Binder']})\n"
            f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({hosts['Colab']})"
        )


def read(file: Path = FILE) -> Release | None:
    """The latest release; `None` where there is none."""
    return Release(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


def keep(release: Release, file: Path = FILE) -> None:
    """Write `release.json`."""
    write(file, json.dumps(asdict(release), indent=1) + "\n")


def with_badges(readme: str, release: Release | None) -> str:
    """The README with the badges of a release, or with none.

    Raises:
        ValueError: it has no place for them.
    """
    return between(readme, "launch", release.badges() if release else "")


def publish(release: Release | None, readme: Path = README) -> None:
    """Put the badges into the README."""
    write(readme, with_badges(readme.read_text(encoding="utf-8"), release))

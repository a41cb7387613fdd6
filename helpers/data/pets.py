"""Oxford-IIIT Pet: photographs of cats and dogs with trimaps, fetched once through torchvision."""

from __future__ import annotations

import http.client
import shutil
import socket
import urllib.error
from pathlib import Path

import numpy as np
from PIL import Image
from torchvision.datasets import OxfordIIITPet

from helpers.data import files
from helpers.data.files import DataError
from helpers.data.pairs import IGNORE, PairSet
from helpers.data.tiles import Size, as_size

# From trimap to mask: 1 pet, 2 background, 3 the border between them, which belongs to neither.
TRIMAP = np.array([IGNORE, 1, 0, IGNORE], np.uint8)
EVERY = 5  # every fifth image of the list for training and validation is for validation
SECONDS = 30  # a server silent for so long counts as no network


def fetch() -> Path:
    """The folder of the whole set, downloaded (0.8 GB) if missing; DataError says why it cannot be.

    torchvision accepts a half-unpacked folder, so everything happens in `pets.partial`, which is renamed to `pets` when
    it is whole. A second try checks (MD5) and keeps the archives that arrived, and fetches the others again.
    """
    done, partial = files.cache() / "pets", files.cache() / "pets.partial"
    if not done.is_dir():
        for unpacked in ("images", "annotations"):  # by a try that was cut short; the archives stay
            shutil.rmtree(partial / "oxford-iiit-pet" / unpacked, ignore_errors=True)
        _download(partial)
        if lost := _missing(partial):
            raise DataError(f"The pets were unpacked, but {lost[0]} is missing. Load them again.")
        partial.rename(done)
        for archive in (done / "oxford-iiit-pet").glob("*.tar.gz"):
            archive.unlink()
    elif lost := _missing(done):
        raise DataError(
            f"{len(lost)} files of the pets are missing from {done}, first {lost[0].name}: they were deleted after "
            f"the download. Delete the folder {done} and load the set again."
        )
    return done


def _download(folder: Path) -> None:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS)  # torchvision sets none and could wait for ever
    try:
        OxfordIIITPet(folder, download=True)
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise DataError(
            f"The pets could not be downloaded: {error}. They need the network once, for 0.8 GB. "
            "What arrived whole is kept: load them again when there is a network. "
            "These sets need none: nuclei, brain, cells, folder."
        ) from error
    except RuntimeError as error:  # what torchvision raises for a wrong checksum
        raise DataError(
            "The pets did not arrive whole: an archive's checksum (MD5) is wrong, so the transfer was cut short or "
            "changed on its way. Nothing of it is used. Load them again: only the broken archive is fetched anew. "
            "These sets need no network: nuclei, brain, cells, folder."
        ) from error
    except OSError as error:
        raise DataError(
            f"The pets could not be stored in {folder}: {error}. They need 1.7 GB of free disk while they are "
            "unpacked. To put them elsewhere set the environment variable COURSE_CACHE to a folder."
        ) from error
    finally:
        socket.setdefaulttimeout(before)


def _missing(folder: Path) -> list[Path]:
    """The files that the set's own two lists name and that do not exist."""
    base = folder / "oxford-iiit-pet"
    lost = []
    for listing in (base / "annotations" / "trainval.txt", base / "annotations" / "test.txt"):
        if not listing.is_file():
            lost.append(listing)
            continue
        for line in listing.read_text().splitlines():
            stem = line.split()[0]
            pair = (base / "images" / f"{stem}.jpg", base / "annotations" / "trimaps" / f"{stem}.png")
            lost += [path for path in pair if not path.is_file()]
    return lost


class Pets(PairSet):
    """Photographs: image `(3, H, W)`, mask 0 background, 1 pet, 255 on the border between them (to be ignored).

    Every fifth image of the authors' "trainval" list, which runs breed by breed, is for validation, the others for
    training, so both hold all 37 breeds alike. Test is the authors' test list. Images differ in size, unless `size`
    (an int or (height, width)) is given: then images are resized bilinearly with antialiasing, masks to the nearest
    pixel, without keeping the aspect ratio.

    Raises DataError where the set is missing and cannot be downloaded.
    """

    name = "pets"
    classes = ("background", "pet")

    def __init__(self, split: str, *, size: Size | None = None):
        super().__init__(split)
        self.size = None if size is None else as_size(size, "size")
        official = "test" if split == "test" else "trainval"
        self._pets = OxfordIIITPet(fetch(), official, target_types="segmentation")
        everything = range(len(self._pets))
        held_out = everything[EVERY - 1 :: EVERY]
        chosen = {"train": [i for i in everything if i not in held_out], "validation": held_out, "test": everything}
        self._chosen = chosen[split]

    def __len__(self) -> int:
        return len(self._chosen)

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """The photograph, uint8, and its trimap as a mask."""
        image, trimap = self._pets[self._chosen[index]]
        if self.size:
            width_height = self.size[::-1]
            image = image.resize(width_height, Image.Resampling.BILINEAR)
            trimap = trimap.resize(width_height, Image.Resampling.NEAREST)
        return np.asarray(image), TRIMAP[np.asarray(trimap)]

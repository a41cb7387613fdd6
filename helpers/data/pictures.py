"""Read an image or a mask from a file into an array; whatever is wrong with it becomes one sentence.

Pillow reads PNG, JPEG, TIFF, BMP and GIF; tifffile the TIFFs that Pillow cannot, or not whole.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from helpers.errors import InputError

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
}
_ORIENTATION = 0x0112  # the tag that says how to turn a picture, in EXIF and in TIFF
_PNG_MARKS = (b"eXIf", b"Raw profile type", b"XML:com.adobe.xmp")  # where a PNG can have it
_TURN: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda whole: np.rot90(whole, 2),
    4: np.flipud,
    5: lambda whole: whole.swapaxes(0, 1),
    6: lambda whole: np.rot90(whole, -1),
    7: lambda whole: np.rot90(whole, 2).swapaxes(0, 1),
    8: np.rot90,
}


class PictureError(InputError):
    """What is wrong with a picture file, in a sentence that does not name it."""


class InColours(PictureError):
    """A mask whose red, green and blue differ."""


class Form(NamedTuple):
    """How a file is stored."""

    one_bit: bool = False
    lossy: bool = False
    palette: tuple[tuple[int, ...], ...] = ()
    turn: int = 1  # its EXIF orientation: 1 as stored, from 5 on a side becomes the top


def form_of(path: Path) -> Form:
    """How a file is stored; of a TIFF that only tifffile reads, nothing."""
    try:
        with Image.open(path) as picture:
            lossy = picture.format in ("JPEG", "MPO") or picture.info.get("compression") == "jpeg"
            colours = picture.getpalette("RGB") if picture.mode == "P" and picture.format != "GIF" else None
            # Of a PNG it would decode all pixels first: the tag may stand behind them.
            told = picture.format != "PNG" or any(mark in path.read_bytes() for mark in _PNG_MARKS)
            turn = picture.getexif().get(_ORIENTATION, 1) if told else 1
            palette = tuple(zip(*[iter(colours or ())] * 3, strict=True))
            return Form(picture.mode == "1", lossy, palette, turn if turn in _TURN else 1)
    except (OSError, ValueError):  # or a palette of its own kind
        return Form()


def pages_of(path: Path) -> int:
    """How many pages a TIFF holds; 1 for everything else, and for what cannot be read."""
    import tifffile

    if FORMATS[path.suffix.lower()] != "TIFF":
        return 1
    try:
        with tifffile.TiffFile(path) as tiff:
            return max(1, len(tiff.pages))
    except Exception:  # a broken file makes the reader raise nearly anything; reading it says what
        return 1


def read_image(path: Path, page: int | None = None, turned: bool = True) -> np.ndarray:
    """An image, or a page of a TIFF: `(H, W)` grey or `(H, W, 3)` colour; uint8, uint16, or float32 in [0, 1].

    Palettes and CMYK become RGB, alpha is dropped (not blended), and a photograph is turned upright as its EXIF tag
    says, unless `turned` is False. Raises PictureError.
    """
    pixels = _pixels(path, page, False, turned)
    if pixels.ndim == 3:
        pixels = pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3]
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels
    if pixels.dtype.kind in "iu":
        if pixels.min() < 0 or pixels.max() > 65535:
            raise PictureError(f"holds values from {pixels.min()} to {pixels.max()}; save it with 8 or 16 bits")
        return pixels.astype(np.uint16)
    if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
        raise PictureError("holds floating-point values outside [0, 1]; scale it, or save it with 8 or 16 bits")
    return pixels.astype(np.float32)


def read_mask(path: Path, page: int | None = None, turned: bool = True) -> np.ndarray:
    """The values of a mask, or of a page of a TIFF, `(H, W)` int64.

    They are palette indices, grey values, or 255 for the ones of a 1-bit file. RGB is accepted if red, green and blue
    are equal everywhere; alpha is dropped. A GIF is taken as RGB: whatever writes one numbers its colours anew, and a
    mask that is white all over has index 0. Raises PictureError.
    """
    pixels = _pixels(path, page, True, turned)
    if pixels.ndim == 3:
        values = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1]
        if (values != values[..., :1]).any():
            raise InColours("is in colours")
        pixels = values[..., 0]
    if pixels.dtype.kind not in "iu":
        raise PictureError("holds floating-point values; a mask holds class numbers: save it with 8 bits")
    return pixels.astype(np.int64)


def read_colours(path: Path, page: int | None = None, turned: bool = True) -> np.ndarray:
    """The colours of a mask `(H, W)`, each as one int64, red · 65536 + green · 256 + blue; alpha is dropped.

    Raises PictureError.
    """
    pixels = _pixels(path, page, False, turned)
    if pixels.dtype != np.uint8:
        raise PictureError("has no colours of 8 bits; save it with 8 bits, or say what its numbers are")
    rgb = (
        pixels[..., :3]
        if pixels.ndim == 3 and pixels.shape[2] >= 3
        else np.stack([np.atleast_3d(pixels)[..., 0]] * 3, -1)
    )
    return rgb.astype(np.int64) @ np.array([65536, 256, 1])


def _pixels(path: Path, page: int | None, as_mask: bool, turned: bool) -> np.ndarray:
    """The file's array, `(H, W)` or `(H, W, C)`."""
    kind = FORMATS[path.suffix.lower()]
    # Phones save a photograph and its preview as one MPO file named .jpg; the first frame is the photograph.
    formats = [kind, "MPO"] if kind == "JPEG" else [kind]
    try:
        with warnings.catch_warnings():
            # From its limit up to twice that, Pillow only warns; here it refuses.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            try:
                with Image.open(path, formats=formats) as picture:
                    if not (_beyond_pillow(picture) or (as_mask and _white_is_zero(picture))):
                        return _pillow_pixels(picture, page, as_mask, turned)
            except UnidentifiedImageError:
                if kind != "TIFF":
                    raise
            return _tiff_pixels(path, page, turned)
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"has more than {Image.MAX_IMAGE_PIXELS} pixels; cut it into smaller ones") from None
    except UnidentifiedImageError:
        raise PictureError(f"cannot be read: it is no {kind}") from None
    except Exception as error:  # a broken file makes the readers raise nearly anything
        raise PictureError(f"cannot be read: {error or type(error).__name__}") from None


def _beyond_pillow(picture: Image.Image) -> bool:
    """Whether this is a TIFF of several colours with more than 8 bits each, of 8 bits with a sign, or a turned one.

    Pillow keeps the upper 8 bits only, and mixes up the pixels where colours are stored plane by plane, or lying on
    their side; it has no sign of 8 bits.
    """
    if not isinstance(picture, TiffImageFile):
        return False
    bits, kinds = picture.tag_v2.get(258, (8,)), picture.tag_v2.get(339, (1,))  # BitsPerSample, SampleFormat
    signed = 2 in kinds and max(bits) == 8
    return (len(bits) > 1 and max(bits) > 8) or signed or picture.tag_v2.get(_ORIENTATION, 1) != 1


def _white_is_zero(picture: Image.Image) -> bool:
    """Whether this is a TIFF that is shown inverted, as Fiji saves masks: Pillow gives what is shown, not what is."""
    return isinstance(picture, TiffImageFile) and picture.tag_v2.get(262) == 0  # PhotometricInterpretation


def _pillow_pixels(picture: Image.Image, page: int | None, as_mask: bool, turned: bool) -> np.ndarray:
    frames = getattr(picture, "n_frames", 1)
    if page is not None:
        picture.seek(page)
    elif frames > 1 and picture.format != "MPO":
        raise PictureError(f"holds {frames} pages or frames; save each as a file of its own")
    picture.load()
    renumbered = as_mask and picture.format == "GIF"  # what is turned has no format
    if turned:
        picture = ImageOps.exif_transpose(picture)
    if picture.mode == "1":
        picture = picture.convert("L")  # 0 and 255
    elif as_mask and picture.mode == "PA" and not renumbered:
        picture = picture.getchannel("P")
    elif renumbered or not (as_mask or picture.mode in ("L", "LA", "RGB", "RGBA", "F") or picture.mode[0] == "I"):
        picture = picture.convert("RGB")
    pixels = np.asarray(picture)
    return pixels.astype(pixels.dtype.newbyteorder("="))


def _tiff_pixels(path: Path, page: int | None, turned: bool) -> np.ndarray:
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        if page is None and len(tiff.pages) > 1:
            raise PictureError(f"holds {len(tiff.pages)} pages or frames; save each as a file of its own")
        one: Any = tiff.pages[page or 0]  # its two types have the same names
        if one.imagelength * one.imagewidth > (Image.MAX_IMAGE_PIXELS or math.inf):  # Pillow's own limit
            raise Image.DecompressionBombError
        pixels = one.asarray()
        if pixels.ndim == 3 and one.planarconfig == 2:  # one plane a colour
            pixels = pixels.transpose(1, 2, 0)
        if turned and _ORIENTATION in one.tags:
            pixels = _TURN.get(one.tags[_ORIENTATION].value, lambda whole: whole)(pixels)
    if pixels.dtype == bool:
        pixels = 255 * pixels.astype(np.uint8)
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] > 4):
        raise PictureError(f"has the shape {pixels.shape}; an image is grey, RGB or RGBA")
    return pixels

"""Read an image or a mask from a file into an array; whatever is wrong with it becomes one sentence.

Pillow reads PNG, JPEG, TIFF, BMP and GIF; tifffile the TIFFs that Pillow cannot, or not whole.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
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
    """How many pages a TIFF holds, without smaller copies; 1 for everything else, and for what cannot be read."""
    import tifffile

    if FORMATS[path.suffix.lower()] != "TIFF":
        return 1
    try:
        with tifffile.TiffFile(path) as tiff:
            return 1 if _in_channels(tiff) else max(1, len(_full_pages(tiff)))
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
    if not np.isfinite(pixels).all():
        number = int((~np.isfinite(pixels)).sum())
        raise PictureError(f"holds {number} values that are no numbers; give those pixels a value, or leave it out")
    if not (pixels.min() >= 0 and pixels.max() <= 1):
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
    try:
        with warnings.catch_warnings():
            # From its limit up to twice that, Pillow only warns; here it refuses.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            try:
                with Image.open(path, formats=[kind]) as picture:
                    if isinstance(picture, TiffImageFile):
                        tags = picture.tag_v2  # SamplesPerPixel, ExtraSamples, PhotometricInterpretation
                        _check_samples(tags.get(277, 1), tags.get(338, ()), tags.get(262, 1))
                        if page is None and getattr(picture, "n_frames", 1) > 1:
                            page = _only_page(path)
                    elif picture.format == "BMP" and picture.mode == "1" and _bits_of_bmp(path) > 1:
                        raise PictureError("is a BMP of two colours with 8 bits, which is read wrongly; save it as PNG")
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
        raise PictureError(_what_it_is(path, kind)) from None
    except Exception as error:  # a broken file makes the readers raise nearly anything
        if kind == "TIFF" and path.read_bytes()[:2] not in (b"II", b"MM"):
            raise PictureError(_what_it_is(path, kind)) from None
        raise PictureError(f"cannot be read: {error or type(error).__name__}") from None


def _what_it_is(path: Path, kind: str) -> str:
    """Why a file is no picture of the kind that its name says, and what to do."""
    head = path.read_bytes()[:100]
    if not head:
        return "is empty; copy it again"
    if head.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, and the picture is not here; run `git lfs pull`"
    try:
        with Image.open(path) as picture:
            return f"is called {path.suffix} and is no {kind}, but a {picture.format}; rename it to the ending of that"
    except Exception:  # nothing that Pillow knows
        return f"cannot be read: it is no {kind}; save it again as PNG"


def _check_samples(number: int, extra: Sequence[int] | int, photometric: int) -> None:
    """Raise PictureError for channels of a TIFF that are neither colours nor alpha: none is dropped unsaid."""
    extra = (extra,) if isinstance(extra, int) else extra
    colours = {2: 3, 5: 4, 6: 3, 8: 3}.get(photometric, 1)  # RGB, CMYK, YCbCr, Lab; else grey
    if number > colours and (number > colours + 1 or not set(extra) & {1, 2}):  # 1 and 2 are alpha
        raise PictureError(
            f"has {number} channels, of which {colours} {'is grey' if colours == 1 else 'are colours'} and none is "
            "named as alpha; save the ones to be used as grey or RGB"
        )


def _bits_of_bmp(path: Path) -> int:
    return int.from_bytes(path.read_bytes()[28:30], "little")


def _full_pages(tiff: Any) -> list[int]:
    """The pages of a TIFF that are no smaller copies of others."""
    return [k for k, page in enumerate(tiff.pages) if not page.is_reduced]


def _in_channels(tiff: Any) -> bool:
    """Whether the pages of a TIFF are channels of one picture, as ImageJ and OME say."""
    return len(tiff.pages) > 1 and bool(tiff.series) and "C" in tiff.series[0].axes


def _only_page(path: Path) -> int | None:
    """The page of a TIFF that is the picture, where the others are smaller copies of it; raises PictureError."""
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        if _in_channels(tiff):
            raise PictureError(f"holds channels as {len(tiff.pages)} pages; save the one to be used, or all as RGB")
        full = _full_pages(tiff)
        return full[0] if len(full) == 1 < len(tiff.pages) else None


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
        page = _only_page(path) if page is None else page
        if page is None and len(tiff.pages) > 1:
            raise PictureError(f"holds {len(tiff.pages)} pages or frames; save each as a file of its own")
        one: Any = tiff.pages[page or 0]  # its two types have the same names
        if one.imagelength * one.imagewidth > (Image.MAX_IMAGE_PIXELS or math.inf):  # Pillow's own limit
            raise Image.DecompressionBombError
        _check_samples(one.samplesperpixel, tuple(map(int, one.extrasamples)), int(one.photometric))
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

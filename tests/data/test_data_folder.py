"""A student's own pictures: every kind that is promised, and one error that names every file that is not right."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from helpers.data import load
from helpers.data.files import DataError
from helpers.data.folder import _divide

TWO = ("background", "cell")
THREE = ("background", "cell", "edge")
GREY = (np.arange(8 * 6, dtype=np.uint8).reshape(8, 6) * 5).astype(np.uint8)
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], -1)
LABELS = (GREY > 100).astype(np.uint8)


@pytest.fixture
def put(tmp_path):
    """`put("images/a.png", array or bytes)` writes a file, `put.pair` an image and its mask; `put.load` loads them."""

    def write(path: str, content, mode: str | None = None, **options):
        target = tmp_path / path
        target.parent.mkdir(exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        elif isinstance(content, Image.Image):
            content.save(target, **options)
        else:
            image = Image.fromarray(content)
            (image.convert(mode) if mode else image).save(target, **options)

    def pair(image, mask, stem="a"):
        write(f"images/{stem}.png", image)
        write(f"masks/{stem}.png", mask)

    write.pair = pair
    write.load = lambda split="all", classes=TWO, **options: load(
        "folder", split, images=tmp_path / "images", masks=tmp_path / "masks", classes=classes, **options
    )
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    return write


def problems(put, **options) -> str:
    with pytest.raises(DataError) as caught:
        put.load(**options)
    return str(caught.value)


def values(image: torch.Tensor, scale: int = 255) -> np.ndarray:
    return (np.asarray(image) * scale).round().astype(int)


# ---- images


@pytest.mark.parametrize("suffix", ["png", "tif", "TIFF", "PNG"])
@pytest.mark.parametrize(("mode", "expected"), [("L", GREY[None]), ("RGB", COLOUR.transpose(2, 0, 1))])
def test_lossless_images_come_back_exactly(put, suffix, mode, expected):
    put(f"images/a.{suffix}", GREY if mode == "L" else COLOUR)
    put("masks/a.png", LABELS)
    image, mask = put.load()[0]
    assert np.array_equal(values(image), expected)
    assert np.array_equal(mask, LABELS)
    assert image.dtype == torch.float32
    assert mask.dtype == torch.int64


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "JPG"])
def test_jpeg_images(put, suffix):
    put(f"images/a.{suffix}", np.full((8, 6, 3), 100, np.uint8), quality=95)
    put("masks/a.png", LABELS)
    assert np.abs(values(put.load()[0][0]) - 100).max() <= 3


def test_alpha_is_dropped_not_blended(put):
    put.pair(np.dstack([COLOUR, np.zeros_like(GREY)]), LABELS)
    assert np.array_equal(values(put.load()[0][0]), COLOUR.transpose(2, 0, 1))
    put("images/a.png", Image.merge("LA", [Image.fromarray(GREY), Image.new("L", (6, 8), 0)]))
    assert np.array_equal(values(put.load()[0][0]), GREY[None])


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_divided_by_65535(put, suffix):
    deep = GREY.astype(np.uint16) * 257 + 3
    put(f"images/a.{suffix}", deep)
    put("masks/a.png", LABELS)
    image = put.load()[0][0]
    assert np.array_equal(values(image, 65535), deep[None])


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_sixteen_bit_colour_tiff(put, tmp_path, planar):
    deep = COLOUR.astype(np.uint16) * 200 + 7  # the lower 8 bits count, too
    stored = deep if planar == "contig" else deep.transpose(2, 0, 1)
    tifffile.imwrite(tmp_path / "images" / "a.tif", stored, photometric="rgb", planarconfig=planar)
    put("masks/a.png", LABELS)
    assert np.array_equal(values(put.load()[0][0], 65535), deep.transpose(2, 0, 1))


def test_big_endian_and_float_tiffs(put, tmp_path):
    tifffile.imwrite(tmp_path / "images" / "a.tif", GREY.astype(np.uint16) * 200, byteorder=">")
    tifffile.imwrite(tmp_path / "images" / "b.tif", (GREY / 255).astype(np.float32))
    for stem in "ab":
        put(f"masks/{stem}.png", LABELS)
    pairs = put.load()
    assert np.array_equal(values(pairs[0][0], 65535), GREY[None].astype(int) * 200)
    assert np.array_equal(values(pairs[1][0]), GREY[None])
    tifffile.imwrite(tmp_path / "images" / "b.tif", (GREY / 10).astype(np.float32))
    assert "images/b.tif: holds floating-point values outside [0, 1]" in problems(put)


def test_palette_and_one_bit_and_cmyk_images(put):
    put("images/p.png", Image.fromarray(COLOUR).quantize(64))
    put("images/one.png", Image.fromarray(LABELS * 255).convert("1"))
    put("images/cmyk.tif", Image.fromarray(COLOUR).convert("CMYK"))
    for stem in ("p", "one", "cmyk"):
        put(f"masks/{stem}.png", LABELS)
    pairs = put.load()
    assert pairs.stems == ("cmyk", "one", "p")
    assert np.abs(values(pairs[2][0]) - COLOUR.transpose(2, 0, 1)).max() < 60  # colours, not palette indices
    assert np.array_equal(values(pairs[1][0])[0], LABELS * 255)
    assert pairs[0][0].shape == (3, 8, 6)


def test_a_grey_image_among_colour_ones_is_repeated(put):
    put("images/a.png", GREY)
    put("images/b.png", COLOUR)
    for stem in "ab":
        put(f"masks/{stem}.png", LABELS)
    image = put.load()[0][0]
    assert np.array_equal(values(image), np.stack([GREY] * 3))


def test_a_photograph_is_turned_as_its_tag_says(put):
    turned = Image.fromarray(np.rot90(GREY).copy())
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90° clockwise to see it upright"
    put("images/a.png", turned, exif=exif)
    put("masks/a.png", LABELS)
    assert np.array_equal(values(put.load()[0][0]), GREY[None])


# ---- masks


@pytest.mark.parametrize(
    ("masks", "classes", "expected"),
    [
        ([LABELS * 255, LABELS * 0, LABELS * 0 + 255], TWO, [[0, 1], [0], [1]]),
        ([LABELS * 255, LABELS], TWO, [[0, 255], [0, 1]]),
        ([LABELS * 255], THREE, [[0, 255]]),
    ],
    ids=["no mask holds 1", "a mask holds 1", "three classes"],
)
def test_255_is_class_1_or_ignore(put, masks, classes, expected):
    for stem, mask in zip("abc", masks, strict=False):
        put.pair(GREY, mask, stem)
    found = [mask for _, mask in put.load(classes=classes)]
    assert [mask.unique().tolist() for mask in found] == expected
    assert np.array_equal(found[0], LABELS * expected[0][1])


@pytest.mark.parametrize("other", [LABELS, LABELS * 255])
def test_a_one_bit_mask_is_0_and_1_beside_any_other(put, other):
    put("images/a.png", GREY)
    put("images/b.png", GREY)
    put("masks/a.png", Image.fromarray(LABELS * 255).convert("1"))
    put("masks/b.png", other)
    for _, mask in put.load():
        assert np.array_equal(mask, LABELS)


def test_palette_masks_give_their_indices(put):
    mask = Image.frombytes("P", (6, 8), (LABELS * 2).tobytes())
    mask.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0])
    put.pair(GREY, mask)
    assert np.array_equal(put.load(classes=THREE)[0][1], LABELS * 2)


@pytest.mark.parametrize(
    "mask",
    [
        np.dstack([LABELS] * 3),
        np.dstack([LABELS, LABELS, LABELS, LABELS * 0 + 255]),
        LABELS.astype(np.uint16),
    ],
)
def test_grey_masks_saved_with_more_than_they_need(put, mask):
    put.pair(GREY, mask)
    assert np.array_equal(put.load()[0][1], LABELS)


# ---- one error


def test_everything_wrong_is_in_one_error_by_file_name(put, tmp_path):
    for stem in ("good", "small", "label", "broken", "lonely", "painted", "twice", "movie", "text", "real"):
        put(f"images/{stem}.png", GREY)
    for stem in ("good", "broken", "twice", "movie", "text"):
        put(f"masks/{stem}.png", LABELS)
    put("masks/small.png", LABELS[:4])
    put("masks/label.png", LABELS * 7)
    put("masks/painted.png", COLOUR)
    put("masks/orphan.png", LABELS)
    tifffile.imwrite(tmp_path / "masks" / "real.tif", LABELS.astype(np.float32))
    whole = (tmp_path / "images" / "broken.png").read_bytes()
    put("images/broken.png", whole[: len(whole) // 2])
    put("images/twice.tif", GREY)
    (tmp_path / "images" / "movie.png").unlink()
    put("images/movie.tif", Image.fromarray(GREY), save_all=True, append_images=[Image.fromarray(GREY)])
    put("images/text.png", b"not a picture")
    put("images/notes.txt", b"?")
    (tmp_path / "masks" / "old").mkdir()
    put("images/.DS_Store", b"?")
    put("masks/Thumbs.db", b"?")
    text = problems(put)
    for line in (
        "masks/small.png: is 4×6, its image 8×6 (height × width); they must be equal",
        "masks/label.png: holds 7; with 2 classes a mask holds 0 to 1, or 255 to ignore a pixel",
        "masks/painted.png: is in colours",
        "masks/orphan.png: there is no image with the stem 'orphan'",
        "masks/real.tif: holds floating-point values",
        "masks/old: is a folder",
        "images/lonely.png: there is no mask with the stem 'lonely'",
        "images/broken.png: cannot be read: ",
        "images/twice.tif: has the same stem as twice.png",
        "images/movie.tif: holds 2 pages or frames",
        "images/text.png: cannot be read: it is no PNG",
        "images/notes.txt: is no picture this course reads (.png, .jpg, .jpeg, .tif, .tiff)",
    ):
        assert f"\n  {line}" in text, line
    assert text.startswith("12 problems")
    assert "good" not in text
    assert "DS_Store" not in text
    assert "Thumbs" not in text


def test_every_label_outside_is_counted_in_every_split(put):
    for i in range(20):
        put(f"images/{i}.png", GREY)
        put(f"masks/{i}.png", LABELS * (3 if i == 7 else 1))
    for split in ("train", "validation", "test"):
        assert "masks/7.png: holds 3" in problems(put, split=split)


def test_a_picture_too_large_to_unpack_is_named_not_unpacked(put, monkeypatch):
    for limit, big in ((60, (8, 10)), (60, (20, 20))):  # beyond Pillow's limit, beyond twice that
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        put("images/a.png", np.zeros(big, np.uint8))
        put("masks/a.png", LABELS)
        assert "images/a.png: has more than 60 pixels" in problems(put)


@pytest.mark.parametrize(
    "zeros", [np.zeros((20, 20, 3), np.uint16), np.zeros((20, 20))]
)  # Pillow reads one, not the other
def test_a_large_tiff_of_more_than_8_bits_is_not_unpacked_either(put, tmp_path, monkeypatch, zeros):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60)
    tifffile.imwrite(tmp_path / "images" / "a.tif", zeros, photometric="rgb" if zeros.ndim == 3 else "minisblack")
    put("masks/a.png", LABELS)
    assert "images/a.tif: has more than 60 pixels" in problems(put)


def test_a_file_of_another_kind_under_a_picture_name(put):
    out = io.BytesIO()
    Image.fromarray(GREY).save(out, format="GIF")
    put.pair(out.getvalue(), LABELS)
    assert "images/a.png: cannot be read: it is no PNG" in problems(put)


def test_empty_missing_and_identical_folders(put, tmp_path):
    assert "There are no images in" in problems(put)
    with pytest.raises(DataError, match="masks: there is no folder"):
        load("folder", "train", images=tmp_path / "images", masks=tmp_path / "nowhere", classes=TWO)
    with pytest.raises(ValueError, match="same folder"):
        load("folder", "train", images=tmp_path, masks=tmp_path, classes=TWO)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"classes": None}, "needs all three"),
        ({"classes": "cell"}, "tuple of names"),
        ({"classes": ("one",)}, "2 to 255"),
        ({"classes": ("a", "a")}, "all different"),
        ({"classes": (0, 1)}, "tuple of names"),
        ({"fractions": (0.5, 0.5)}, "three shares"),
        ({"fractions": (0.5, 0.5, 0.5)}, "add up to 1"),
        ({"fractions": (1.2, -0.1, -0.1)}, "from 0"),
        ({"split": "test", "fractions": (1, 0, 0)}, "'test' is empty"),
    ],
)
def test_wrong_options(put, options, says):
    put.pair(GREY, LABELS)
    with pytest.raises(ValueError, match=says):
        put.load(**{"split": "train", **options})


def test_a_file_changed_after_loading_is_seen_by_the_next_load(put):
    put("images/a.png", GREY)
    put("masks/a.tif", LABELS)
    put.load()
    put("masks/a.tif", LABELS * 9)  # a file of the same name and length
    assert "masks/a.tif: holds 9" in problems(put)


def test_an_accent_is_the_same_letter_however_it_is_spelled(put):
    put("images/caf\u00e9.png", GREY)
    put("masks/cafe\u0301.png", LABELS)
    assert put.load().stems == ("caf\u00e9",)


# ---- splits


def test_splits_are_the_same_everywhere_and_share_nothing(put):
    for i in range(20):
        put(f"images/{i:02}.png", GREY)
        put(f"masks/{i:02}.png", LABELS)
    stems = {s: put.load(s).stems for s in ("train", "validation", "test")}
    assert [len(s) for s in stems.values()] == [14, 3, 3]
    assert sorted(sum(stems.values(), ())) == list(put.load("all").stems)
    assert stems["validation"] == ("02", "06", "16")  # on any machine
    assert len(put.load("test", fractions=(0.5, 0, 0.5))) == 10


@example(3, (1, 1, 4))
@given(st.integers(1, 60), st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)).filter(any))
def test_fractions_are_kept_to_within_a_pair(n, weights):
    fractions = tuple(w / sum(weights) for w in weights)
    parts = _divide([(Path(f"{i}.png"), None) for i in range(n)], fractions)
    assert sorted(int(p[0].stem) for part in parts for p in part) == list(range(n))
    for part, fraction in zip(parts, fractions, strict=True):
        assert (fraction > 0) or not part
        if n >= 3 and fraction > 0:
            assert part
        assert abs(len(part) - n * fraction) <= 2

"""A student's own pictures: every kind that is promised, and one error that names every file that is not right."""

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
from helpers.data.folder.names import Pair
from helpers.data.folder.splits import divide
from helpers.errors import InputError

TWO = ("background", "cell")
THREE = ("background", "cell", "edge")
GREY = (np.arange(8 * 6, dtype=np.uint8).reshape(8, 6) * 5).astype(np.uint8)
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], -1)
LABELS = (GREY > 100).astype(np.uint8)


@pytest.fixture
def put(tmp_path):
    """`put("images/a.png", array, picture or bytes)` writes a file, `put.pair` an image with its mask; `put.load`."""

    def write(path: str, content, **options):
        if isinstance(content, bytes):
            (tmp_path / path).write_bytes(content)
        elif path.endswith(".tif") and isinstance(content, np.ndarray):
            tifffile.imwrite(tmp_path / path, content, **options)
        else:
            image = content if isinstance(content, Image.Image) else Image.fromarray(content)
            image.save(tmp_path / path, **options)

    def pair(image, mask=LABELS, name="a.png", **options):
        write(f"images/{name}", image, **options)
        write(f"masks/{Path(name).stem}.png", mask)

    write.pair, write.root = pair, tmp_path
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
@pytest.mark.parametrize(("stored", "expected"), [(GREY, GREY[None]), (COLOUR, COLOUR.transpose(2, 0, 1))])
def test_lossless_images_come_back_exactly(put, suffix, stored, expected):
    put.pair(Image.fromarray(stored), name=f"a.{suffix}")
    image, mask = put.load()[0]
    assert np.array_equal(values(image), expected)
    assert np.array_equal(mask, LABELS)
    assert image.dtype == torch.float32
    assert mask.dtype == torch.int64


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "JPG"])
def test_jpeg_images(put, suffix):
    put.pair(np.full((8, 6, 3), 100, np.uint8), name=f"a.{suffix}", quality=95)
    assert np.abs(values(put.load()[0][0]) - 100).max() <= 3


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (np.dstack([COLOUR, np.zeros_like(GREY)]), COLOUR.transpose(2, 0, 1)),
        (Image.merge("LA", [Image.fromarray(GREY), Image.new("L", (6, 8), 0)]), GREY[None]),
    ],
)
def test_alpha_is_dropped_not_blended(put, stored, expected):
    put.pair(stored)
    assert np.array_equal(values(put.load()[0][0]), expected)


DEEP, DEEP_COLOUR = GREY.astype(np.uint16) * 257 + 3, COLOUR.astype(np.uint16) * 200 + 7  # the lower 8 bits count, too
RGB = {"photometric": "rgb"}


@pytest.mark.parametrize(
    ("name", "stored", "options", "expected"),
    [
        ("a.png", DEEP, {}, DEEP[None]),
        ("a.tif", DEEP, {}, DEEP[None]),
        ("a.tif", DEEP, {"byteorder": ">"}, DEEP[None]),
        ("a.tif", DEEP_COLOUR, RGB | {"planarconfig": "contig"}, DEEP_COLOUR.transpose(2, 0, 1)),
        ("a.tif", DEEP_COLOUR.transpose(2, 0, 1), RGB | {"planarconfig": "separate"}, DEEP_COLOUR.transpose(2, 0, 1)),
    ],
)
def test_sixteen_bits_are_divided_by_65535(put, name, stored, options, expected):
    put.pair(stored, name=name, **options)
    assert np.array_equal(values(put.load()[0][0], 65535), expected)


def test_float_tiffs(put):
    put.pair((GREY / 255).astype(np.float32), name="a.tif")
    assert np.array_equal(values(put.load()[0][0]), GREY[None])
    put.pair((GREY / 10).astype(np.float32), name="a.tif")
    assert "images/a.tif: holds floating-point values outside [0, 1]" in problems(put)


def test_palette_and_one_bit_and_cmyk_images(put):
    put.pair(Image.fromarray(COLOUR).quantize(64), name="p.png")
    put.pair(Image.fromarray(LABELS * 255).convert("1"), name="one.png")
    put.pair(Image.fromarray(COLOUR).convert("CMYK"), name="cmyk.tif")
    pairs = put.load()
    assert pairs.stems == ("cmyk", "one", "p")
    assert np.abs(values(pairs[2][0]) - COLOUR.transpose(2, 0, 1)).max() < 60  # colours, not palette indices
    assert np.array_equal(values(pairs[1][0])[0], LABELS * 255)
    assert pairs[0][0].shape == (3, 8, 6)


def test_a_grey_image_among_colour_ones_is_repeated(put):
    put.pair(GREY)
    put.pair(COLOUR, name="b.png")
    assert np.array_equal(values(put.load()[0][0]), np.stack([GREY] * 3))


SHOWN = {1: GREY, 2: GREY[:, ::-1], 3: GREY[::-1, ::-1], 4: GREY[::-1], 5: GREY.T, 6: GREY.T[:, ::-1]}
SHOWN |= {7: GREY[::-1, ::-1].T, 8: GREY.T[::-1]}  # of GREY as it is stored, by its tag


def tagged(kind: str, turn: int) -> dict:
    """Options that write the tag."""
    exif = Image.Exif()
    exif[0x0112] = turn
    return {"extratags": [(0x0112, "H", 1, turn, True)]} if kind == "tif" else {"exif": exif}


@pytest.mark.parametrize("kind", ["png", "tif"])
@pytest.mark.parametrize("turn", SHOWN)
def test_a_photograph_is_turned_as_its_tag_says_and_so_is_its_mask(put, kind, turn):
    for stem in "ab":
        put(f"images/{stem}.{kind}", GREY, **tagged(kind, turn))
    put("masks/a.png", (SHOWN[turn] > 100).astype(np.uint8))  # drawn on the picture as it is shown
    put(f"masks/b.{kind}", LABELS, **tagged(kind, turn))
    for image, mask in put.load(turn=True):
        assert np.array_equal(values(image), SHOWN[turn][None])
        assert np.array_equal(mask, SHOWN[turn] > 100)
    assert ("EXIF    2 of the images are turned as their tag says" in put.load(turn=True).report) == (turn != 1)


@pytest.mark.parametrize("kind", ["png", "tif"])
@pytest.mark.parametrize("turn", [2, 3, 6, 8])
def test_a_mask_that_is_not_turned_with_its_image_is_asked_back(put, kind, turn):
    put(f"images/a.{kind}", GREY, **tagged(kind, turn))
    put("masks/a.png", LABELS)  # drawn on the pixels as they are stored
    text = problems(put)
    assert f"images/a.{kind}: is turned by its EXIF tag, and its mask is not" in text
    assert "they must be equal" not in text
    assert "turn=False" in text
    pairs = put.load(turn=False)
    assert np.array_equal(values(pairs[0][0]), GREY[None])
    assert np.array_equal(pairs[0][1], LABELS)
    assert "1 of the images are not turned" in pairs.report


def test_a_mask_that_only_fits_the_turned_image_is_read(put):
    put("images/a.png", GREY, **tagged("png", 6))
    put("masks/a.png", (SHOWN[6] > 100).astype(np.uint8))
    assert np.array_equal(put.load()[0][1], SHOWN[6] > 100)


def test_a_tag_on_the_mask_alone_is_asked_back(put):
    put("images/a.png", GREY)
    put("masks/a.png", LABELS, **tagged("png", 3))
    assert "masks/a.png: is turned by its EXIF tag, and its image is not" in problems(put)


# ---- masks


@pytest.mark.parametrize(
    ("masks", "classes", "expected"),
    [
        ([LABELS * 255, LABELS * 0, LABELS * 0 + 255], TWO, [[0, 1], [0], [1]]),
        ([np.where(GREY > 150, 255, LABELS).astype(np.uint8), LABELS], TWO, [[0, 1, 255], [0, 1]]),
        ([LABELS * 255, LABELS], THREE, [[0, 255], [0, 1]]),
    ],
    ids=["no mask holds 1", "255 beside 1", "three classes"],
)
def test_255_is_class_1_or_ignore(put, masks, classes, expected):
    for stem, mask in zip("abc", masks, strict=False):
        put.pair(GREY, mask, f"{stem}.png")
    found = [mask for _, mask in put.load(classes=classes)]
    assert [mask.unique().tolist() for mask in found] == expected
    if len(expected[0]) == 2:
        assert np.array_equal(found[0], LABELS * expected[0][1])


@pytest.mark.parametrize("other", [LABELS, LABELS * 255])
def test_a_one_bit_mask_is_0_and_1_beside_any_other(put, other):
    put.pair(GREY, Image.fromarray(LABELS * 255).convert("1"))
    put.pair(GREY, other, "b.png")
    for _, mask in put.load():
        assert np.array_equal(mask, LABELS)


def test_palette_masks_give_their_indices(put):
    mask = Image.frombytes("P", (6, 8), (LABELS * 2).tobytes())
    mask.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0])
    put.pair(GREY, mask)
    assert np.array_equal(put.load(classes=THREE)[0][1], LABELS * 2)


@pytest.mark.parametrize(
    "mask",
    [np.dstack([LABELS] * 3), np.dstack([LABELS, LABELS, LABELS, LABELS * 0 + 255]), LABELS.astype(np.uint16)],
)
def test_grey_masks_saved_with_more_than_they_need(put, mask):
    put.pair(GREY, mask)
    assert np.array_equal(put.load()[0][1], LABELS)


@pytest.mark.parametrize(
    "stored", [[LABELS, LABELS * 0], [LABELS * 255, LABELS * 0 + 255, LABELS * 0], [LABELS > 0, LABELS * 255]]
)
@pytest.mark.parametrize("kind", ["gif", "bmp"])
def test_gif_and_bmp_masks_give_what_was_drawn(put, stored, kind):
    """As Carvana's `_mask.gif`. A GIF that is white all over holds the index 0."""
    for stem, mask in zip("abc", stored, strict=False):
        put(f"images/{stem}.bmp", COLOUR)
        put(f"masks/{stem}_mask.{kind}", mask)
    pairs = put.load(suffix="_mask")
    assert np.array_equal(values(pairs[0][0]), COLOUR.transpose(2, 0, 1))
    for (_, mask), drawn in zip(pairs, stored, strict=True):
        assert np.array_equal(mask, drawn > 0)


def test_an_animation_is_refused(put):
    put("images/a.png", GREY)
    put("masks/a.gif", Image.fromarray(LABELS), save_all=True, append_images=[Image.fromarray(LABELS * 255)])
    assert "masks/a.gif: holds 2 pages or frames" in problems(put)


def test_the_stem_of_an_ome_tiff_is_the_name_without_ome(put):
    put("images/a.ome.tif", GREY)
    put("masks/a.png", LABELS)
    put("images/b.png", GREY + 1)
    put("masks/b.OME.tif", LABELS)
    assert put.load().stems == ("a", "b")


def test_values_name_the_classes_in_their_order_and_may_share_one(put):
    put.pair(GREY, np.where(GREY > 150, 81, LABELS * 70).astype(np.uint8))
    pairs = put.load(classes=None, values={0: "ground", 81: "edge", 70: "cell"})
    assert pairs.classes == ("ground", "edge", "cell")
    assert np.array_equal(pairs[0][1], np.select([GREY > 150, GREY > 100], [1, 2]))
    assert put.load(classes=None, values={0: "ground", 70: "cell", 81: "cell"})[0][1].unique().tolist() == [0, 1]
    assert "a.png: holds 81; with 2 classes a mask holds those in values" in problems(
        put, classes=None, values={0: "ground", 70: "cell"}
    )
    ignoring = put.load(classes=None, values={0: "ground", 70: "cell"}, ignore=81)
    assert ignoring[0][1].unique().tolist() == [0, 1, 255]


@pytest.mark.parametrize(("value", "ignore"), [(11, 11), (12, (11, 12)), (255, 255)])
def test_what_is_ignored_has_no_label(put, value, ignore):
    put.pair(GREY, np.where(GREY > 200, value, LABELS).astype(np.uint8))
    assert put.load(ignore=ignore)[0][1].unique().tolist() == [0, 1, 255]


def test_numbered_objects_are_one_class_and_keep_their_numbers(put):
    numbered = (LABELS * (GREY // 30)).astype(np.uint16)
    put.pair(GREY, numbered)
    text = problems(put)
    assert "instances=True" in text
    assert "StarDist" in text
    pairs = put.load(instances=True)
    assert np.array_equal(pairs[0][1], LABELS)
    assert np.array_equal(pairs.instances[0], numbered)
    assert f"objects {len(np.unique(numbered)) - 1} numbered ones" in pairs.report
    with pytest.raises(ValueError, match="instances=True"):
        _ = put.load(classes=[f"class {k}" for k in range(9)]).instances


def test_soft_edges_are_no_objects(put):
    """As of a mask that was drawn with a brush, or resized."""
    soft = (255 * np.clip(22 - np.hypot(*(np.mgrid[:90, :90] - 44)), 0, 6) / 6).astype(np.uint8)
    put.pair(np.arange(8100).reshape(90, 90).astype(np.uint16), soft)
    text = problems(put)
    assert "soft brushes and resizing" in text
    assert "instances" not in text


def test_few_numbers_may_be_objects_or_classes(put):
    put.pair(GREY, LABELS * (GREY // 60))
    text = problems(put)
    assert "instances=True" in text
    assert "values={0: 'background', " in text


def test_numbers_of_a_crop_of_a_large_label_image_look_like_objects(put):
    crop = 4000 + 97 * (np.arange(48).reshape(8, 6) // 2)
    put.pair(GREY, np.where(LABELS, crop, 0).astype(np.uint16))
    put.pair(GREY + 1, np.where(LABELS, crop + 5000, 0).astype(np.uint16), "b.png")
    assert "instances=True" in problems(put)
    assert len(put.load(instances=True).instances[1].unique()) == 15


def test_objects_without_a_background_are_refused(put):
    put.pair(GREY, LABELS + 1)
    assert "none holds a 0" in problems(put, instances=True)


def test_an_object_of_the_number_255_is_an_object(put):
    put.pair(GREY, np.where(GREY > 200, 255, LABELS * 254).astype(np.uint8))
    assert np.array_equal(put.load(instances=True)[0][1], LABELS)


@pytest.mark.parametrize("suffix", ["_mask", "-labels", ".seg"])
def test_an_ending_that_all_masks_share_is_proposed_and_taken(put, suffix):
    for stem in ("1", "12", "a_b"):
        put(f"images/{stem}.png", GREY)
        put(f"masks/{stem}{suffix}.png", LABELS)
    assert f"suffix={suffix!r}" in problems(put)
    assert put.load(suffix=suffix).stems == ("1", "12", "a_b")


@pytest.mark.parametrize(
    ("image", "mask", "proposed"),
    [
        ("aachen_00{}_19_leftImg8bit", "aachen_00{}_19_gtFine_labelIds", ("*_leftImg8bit", "*_gtFine_labelIds")),
        ("img_{}", "mask_{}", ("img_*", "mask_*")),  # a prefix
        ("{}_training", "{}_manual1", ("*_training", "*_manual1")),  # DRIVE
        ("scan-{}", "scan-{}-seg", "-seg"),
        ("{}", "seg{}", ("*", "seg*")),
        ("im{}.x", "im{}.y", ("*.x", "*.y")),
        ("train{}-volume", "train{}-labels", ("*-volume", "*-labels")),  # ISBI 2012, which is one stack
    ],
)
@pytest.mark.parametrize("numbers", [["001", "002", "011"], ["1", "2", "11", "21", "12"], ["7"]])
def test_how_images_and_masks_are_called_is_proposed_and_taken(put, image, mask, proposed, numbers):
    for k, number in enumerate(numbers):
        put(f"images/{image.format(number)}.png", GREY + k)
        put(f"masks/{mask.format(number)}.png", LABELS)
    assert f"suffix={proposed!r}" in problems(put)
    pairs = put.load(suffix=proposed)
    assert {*pairs.stems} == {image.format(number) for number in numbers}
    assert "left" not in pairs.report


def test_masks_of_several_kinds_in_one_folder_are_all_proposed(put):
    """As Cityscapes has them."""
    for k in range(4):
        put(f"images/a_{k}_leftImg8bit.png", GREY + k)
        for kind in ("labelIds", "instanceIds", "color"):
            put(f"masks/a_{k}_gtFine_{kind}.png", LABELS * (kind != "color"))
        put(f"masks/a_{k}_gtFine_polygons.json", b"{}")
    text = problems(put)
    assert "Masks are called in 3 ways" in text
    called = ("*_leftImg8bit", "*_gtFine_labelIds")
    assert f"suffix={called!r}" in text
    pairs = put.load(suffix=called)
    assert "left    12 in masks, such as a_0_gtFine_color.png: not called '*_gtFine_labelIds'" in pairs.report
    (put.root / "masks" / "a_2_gtFine_labelIds.png").rename(put.root / "masks" / "a_2_gtFine_LabelIds.png")
    assert "a_2_leftImg8bit.png: there is no mask with the stem 'a_2_gtFine_labelIds'" in problems(put, suffix=called)


@pytest.mark.parametrize("suffix", ["_mask", ("*", "*_mask")])
def test_images_and_masks_in_one_folder_are_told_apart_by_their_names(put, suffix):
    """As BUSI has them."""
    for k in range(3):
        put(f"images/benign ({k}).png", GREY + k)
        put(f"images/benign ({k})_mask.png", LABELS)
    one = {"images": put.root / "images", "masks": put.root / "images", "classes": TWO, "suffix": suffix}
    pairs = load("folder", "all", **one)
    assert pairs.stems == ("benign (0)", "benign (1)", "benign (2)")
    assert "left" not in pairs.report
    put("images/notes.txt", b"?")
    with pytest.raises(DataError, match="1 problems"):
        load("folder", "all", **one)


def test_a_mask_without_the_ending_is_left_out_and_said(put):
    put.pair(GREY)
    put("masks/a_mask.png", 1 - LABELS)
    assert np.array_equal(put.load(suffix="_mask")[0][1], 1 - LABELS)
    assert "left    1 in masks, such as a.png" in put.load(suffix="_mask").report


def test_numbers_with_and_without_zeros_before_them_are_the_same(put):
    for k in range(1, 13):
        put(f"images/{k}.png", GREY + k)
        put(f"masks/{k:03}.png", LABELS * (k != 7))
    pairs = put.load()
    assert "numbers 12 pairs have the same number written in two ways, such as 1.png with 001.png" in pairs.report
    assert not pairs[pairs.stems.index("7")][1].any()
    put("images/01.png", GREY)  # now two images could have mask 001
    assert "images/01.png: there is no mask with the stem '01'" in problems(put)
    assert "images/1.png: there is no mask with the stem '1'" in problems(put)


def test_numbers_with_and_without_zeros_and_a_name_of_their_own_are_proposed(put):
    for k in range(1, 13):
        put(f"images/img{k}.png", GREY + k)
        put(f"masks/mask_{k:03}.png", LABELS)
    assert "suffix=('img*', 'mask_*')" in problems(put)
    assert len(put.load(suffix=("img*", "mask_*"))) == 12


@pytest.mark.parametrize("first", [0, 2])
def test_a_numbering_that_is_shifted_by_one_is_told(put, first):
    """Without the two that have no partner, every image would have the mask of another."""
    for k in range(10):
        put(f"images/cell_{k + first}.png", GREY + k)
        put(f"masks/cell_{k + 1}.png", LABELS)
    said = f"images are numbered {first} to {first + 9} and masks 1 to 10, so one seems to be shifted"
    assert said in problems(put)
    assert "do not merely take away the two without a partner" in problems(put)
    put("images/cell_10.png" if first == 0 else "masks/cell_11.png", GREY // 255)
    assert "seems to be shifted" not in problems(put)


def test_a_folder_for_each_image_and_a_file_for_each_object_are_told_how_to_merge(put, monkeypatch):
    """As the 2018 Data Science Bowl has them."""
    for name in ("a1", "b2"):
        for part in ("images", "masks"):
            (put.root / "stage1" / name / part).mkdir(parents=True)
        put(f"stage1/{name}/images/{name}.png", COLOUR)
        for k in range(3):
            put(f"stage1/{name}/masks/{k}f.png", 255 * (k + 1 == GREY // 60).astype(np.uint8))
    with pytest.raises(DataError) as caught:
        load("folder", "all", images=put.root / "stage1", masks=put.root / "stage1", classes=TWO)
    lines = str(caught.value).split("\n\n", 1)[1].rsplit("\n\n", 1)[0]
    monkeypatch.chdir(put.root)
    exec(lines, {})
    pairs = load("folder", "all", images="merged/images", masks="merged/masks", classes=TWO, instances=True)
    assert len(pairs) == 2
    assert np.array_equal(pairs.instances[1], GREY // 60 * (GREY // 60 < 4))


@pytest.mark.parametrize("value", [1, 255])
def test_masks_without_numbers_of_objects_are_told(put, value):
    two = np.zeros((8, 6), np.uint8)
    two[:2, :2] = two[5:, 3:] = value
    for stem in "abc":
        put.pair(GREY + ord(stem), two, f"{stem}.png")
    assert f"no numbers of objects: masks hold {value} alone" in problems(put, instances=True)
    for stem in "abc":  # one in each, which can have that number
        put.pair(GREY + ord(stem), np.where(GREY > 200, value, 0).astype(np.uint8), f"{stem}.png")
    assert len(put.load(instances=True)) == 3


def test_soft_edges_and_pictures_are_no_numbers_of_objects(put):
    soft = (255 * np.clip(22 - np.hypot(*(np.mgrid[:90, :90] - 44)), 0, 6) / 6).astype(np.uint8)
    put.pair(np.arange(8100).reshape(90, 90).astype(np.uint16), soft)
    assert "an object has one number all over" in problems(put, instances=True)
    put.pair(soft, np.random.default_rng(0).integers(0, 256, (90, 90)).astype(np.uint8))
    assert "images= and masks= exchanged?" in problems(put, instances=True)
    spots = np.zeros((90, 90), np.uint16)
    spots[::9, ::9] = np.arange(100).reshape(10, 10) + 1  # one pixel each
    put.pair(soft, spots)
    assert len(put.load(instances=True).instances[0].unique()) == 101


# ---- colours

RED = LABELS[..., None] * np.array([255, 0, 0], np.uint8)
RED_CELL = {(0, 0, 0): "background", (255, 0, 0): "cell"}


def test_a_mask_in_colours_is_asked_back_with_the_colours_found_and_read_by_them(put):
    put.pair(GREY, RED)
    put.pair(GREY + 1, LABELS * 0, "b.png")  # nothing drawn in it, and so saved as grey
    text = problems(put)
    assert "masks/a.png: is in colours: (0, 0, 0), (255, 0, 0); a mask holds class numbers" in text
    assert f"values={RED_CELL}" in text
    pairs = put.load(classes=None, values=RED_CELL)
    assert pairs.classes == TWO
    assert np.array_equal(pairs[0][1], LABELS)
    assert not pairs[1][1].any()
    assert f"cell (255, 0, 0) {100 * LABELS.mean() / 2:.3g} %" in pairs.report


@pytest.mark.parametrize(
    "mask",
    [
        Image.fromarray(np.dstack([RED, LABELS * 0 + 255])),
        Image.fromarray(RED).quantize(2),
        Image.fromarray(RED).convert("CMYK"),
        RED,
    ],
    ids=["alpha", "palette", "CMYK", "plain"],
)
@pytest.mark.parametrize("kind", ["png", "gif", "bmp", "tif"])
def test_colours_are_read_from_any_file(put, mask, kind):
    if isinstance(mask, Image.Image) and (mask.mode, kind) in {("CMYK", k) for k in ("png", "gif", "bmp")}:
        mask = mask.convert("RGB")
    put("images/a.png", GREY)
    put(f"masks/a.{kind}", mask, **({"photometric": "rgb"} if kind == "tif" and isinstance(mask, np.ndarray) else {}))
    assert np.array_equal(put.load(classes=None, values=RED_CELL)[0][1], LABELS)


def test_a_blue_is_no_255_and_one_colour_can_be_ignored(put):
    blue = RED[..., ::-1].copy()
    blue[0, 0] = (224, 224, 192)
    put.pair(GREY, blue)
    given = {(0, 0, 0): "background", (0, 0, 255): "cell"}
    text = problems(put, classes=None, values=given)
    assert "masks/a.png: holds (224, 224, 192); with 2 classes a mask holds those in values" in text
    assert f"values={given | {(224, 224, 192): '...'}}" in text
    for ignore in ((224, 224, 192), [(224, 224, 192)]):
        mask = put.load(classes=None, values=given, ignore=ignore)[0][1]
        assert mask[0, 0] == 255
        assert np.array_equal(mask == 1, LABELS)


def test_thirty_colours_are_all_listed(put):
    """As of CamVid, whose masks are called as the images with _L."""
    number = np.arange(6400).reshape(80, 80) // 214
    put("images/1.png", number.astype(np.uint8))
    put("masks/1_L.png", np.stack([number * 8, 255 - number * 8, number % 3], -1).astype(np.uint8))
    text = problems(put, suffix="_L")
    assert text.count("'...'") == 30
    assert "soft" not in text


def test_a_colour_for_each_object_is_told(put):
    number = (np.arange(6400).reshape(80, 80) // 100).astype(np.uint8)
    put.pair(number, np.stack([number * 3, 255 - number, number % 3], -1).astype(np.uint8))
    assert "a colour for each object" in problems(put)


def test_a_colour_for_each_object_is_a_number_for_each(put):
    number = np.where(LABELS, GREY // 30, 0)
    colours = np.random.default_rng(0).integers(50, 255, (9, 3)).astype(np.uint8)
    for stem in "ab":
        put.pair(GREY + ord(stem), colours[number] * LABELS[..., None], f"{stem}.png")
    assert "If each object has a colour of its own on black: instances=True" in problems(put)
    pairs = put.load(instances=True)
    assert np.array_equal(pairs[0][1], LABELS)
    assert len(pairs.instances[1].unique()) == len(np.unique(number))
    assert f"objects {2 * len(np.unique(number)) - 2} numbered ones" in pairs.report


@pytest.mark.parametrize(
    ("red", "values"), [(False, None), (True, None), (False, {0: "background", 255: "cell"}), (True, RED_CELL)]
)
def test_what_is_drawn_in_alpha_alone_is_told(put, red, values):
    put.pair(GREY, np.dstack([LABELS * 0 + 255, *[LABELS * 0 + (0 if red else 255)] * 2, LABELS * 255]))
    text = problems(put, **({"classes": None, "values": values} if values else {}))
    assert text.startswith("1 problems")
    assert "masks/a.png: is drawn in its alpha channel" in text
    path = put.root / "masks" / "a.png"
    Image.open(path).getchannel("A").save(path)
    assert np.array_equal(put.load()[0][1], LABELS)


def test_small_masks_with_soft_edges_are_no_pictures(put):
    small = Image.fromarray(255 * DISK.repeat(2, 0).repeat(2, 1)).resize((24, 24), Image.Resampling.BILINEAR)
    put.pair(np.arange(2304).reshape(48, 48).astype(np.uint16), small.resize((48, 48), Image.Resampling.BILINEAR))
    for options in ({}, {"classes": None, "values": {0: "background", 255: "cell"}}):
        text = problems(put, **options)
        assert "soft brushes and resizing" in text
        assert "exchanged" not in text


def test_smoothed_colours_are_told(put):
    disk = Image.fromarray(DISK.repeat(4, 0).repeat(4, 1)[..., None] * np.array([255, 0, 0], np.uint8))
    put.pair(np.arange(40000).reshape(200, 200).astype(np.uint16), disk.resize((200, 200), Image.Resampling.BICUBIC))
    text = problems(put)
    assert "soft brushes and resizing" in text
    assert f"values={RED_CELL}" in text


def test_photographs_as_masks_are_taken_for_exchanged_folders(put):
    photo = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    put.pair(GREY, photo)
    assert "are images= and masks= exchanged?" in problems(put)


def test_colours_of_a_palette_that_two_numbers_share_say_nothing(put):
    """A palette of two colours, with black for the rest, and three classes."""
    for stem, top in {"a": 2, "b": 1}.items():
        mask = Image.frombytes("P", (6, 8), (LABELS * top + (GREY > 200) * (2 - top)).astype(np.uint8).tobytes())
        mask.putpalette([0, 0, 0, 255, 0, 0] + [0] * 762)
        put.pair(GREY + top, mask, f"{stem}.png")
    assert put.load(classes=THREE)[0][1].max() == 2


def test_palettes_that_give_a_number_two_colours_are_asked_back(put):
    """What writes a palette may number the colours of each file anew."""
    for stem, drawn in {"a": LABELS * 255, "b": LABELS * 0, "c": LABELS * 255}.items():
        mask = Image.fromarray(np.dstack([drawn] * 3)).convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
        put.pair(GREY + ord(stem), mask, f"{stem}.png")
    text = problems(put)
    assert "the colour (0, 0, 0) is number 1 in the palettes of 2 masks and 0 in 1" in text
    assert "values={(0, 0, 0): '...', (255, 255, 255): '...'} in place of classes" in text
    assert "the colour (0, 0, 0)" in problems(put, classes=None, values={0: "cell", 1: "background"})
    pairs = put.load(classes=None, values={(0, 0, 0): "background", (255, 255, 255): "cell"})
    for (_, mask), drawn in zip(pairs, (LABELS, LABELS * 0, LABELS), strict=True):
        assert np.array_equal(mask, drawn)


# ---- JPEG masks

DISK = (np.hypot(*(np.mgrid[:64, :64] - 31)) < 20).astype(np.uint8)


def put_jpeg(put, mask, name="a", **options):
    put(f"images/{name}.png", np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) + ord(name))
    put(f"masks/{name}.jpg", mask, **{"quality": 90} | options)


def test_a_jpeg_mask_is_told_to_be_one_and_read_by_named_values(put):
    for name in "ab":
        put_jpeg(put, DISK * 255, name)
    text = problems(put)
    assert "masks/a.jpg: is a JPEG, which blurs the classes at their borders" in text
    assert "Save these masks anew as PNG" in text
    assert "holds" not in text
    given = {0: "background", 255: "cell"}
    assert f"values={given} in place of classes" in text
    pairs = put.load(classes=None, values=given)
    assert np.array_equal(pairs[0][1], DISK)
    stored = np.asarray(Image.open(put.root / "masks" / "a.jpg"))
    moved, far = (100 * np.mean(np.minimum(stored, 255 - stored) > least) for least in (0, 16))
    assert f"blurred 2 masks are JPEGs: {moved:.2g} % of their pixels" in pairs.report
    assert f"{far:.2g} % from more than 16 away" in pairs.report
    assert "a third" not in pairs.report


def test_a_value_that_is_left_out_of_a_jpegs_values_is_not_taken_as_another(put):
    far = np.hypot(*(np.mgrid[:256, :256] - 127))
    rings = np.select([far < 50, far < 90], [255, 128]).astype(np.uint8)
    put("images/a.png", np.arange(65536).reshape(256, 256).astype(np.uint16))
    put("masks/a.jpg", rings, quality=90)
    assert "values={0: '...', 128: '...', 255: '...'} in place of classes" in problems(put)
    text = problems(put, classes=None, values={0: "background", 255: "cell"})
    assert "masks/a.jpg: is a JPEG, in which many pixels have 128, far from all values that are named" in text
    assert "values={0: 'background', 255: 'cell', 128: '...'}. What is no label goes into ignore=." in text
    three = put.load(classes=None, values={0: "background", 128: "cell", 255: "nucleus"})
    assert "a third may lie between them" in three.report
    assert (np.asarray(three[0][1]) != np.select([rings == 255, rings == 128], [2, 1])).mean() < 0.02


@pytest.mark.parametrize("quality", [60, 75, 95])
def test_a_jpeg_of_colours_is_read_by_the_nearest(put, quality):
    disk = DISK.repeat(4, 0).repeat(4, 1)
    put("images/a.png", disk * 9)
    put("masks/a.jpg", disk[..., None] * np.array([200, 30, 30], np.uint8), quality=quality)
    text = problems(put)
    assert "JPEG blurs colours" in text
    pairs = put.load(classes=None, values={(0, 0, 0): "background", (200, 30, 30): "cell"})
    assert (np.asarray(pairs[0][1]) != disk).mean() < 0.01  # JPEG stores colours at half the size


def test_jpegs_of_small_things_in_colours_are_no_pictures(put):
    spots = np.tile(DISK[::4, ::4], (4, 4))
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    for image, mask, said in (
        (rng.integers(0, 256, (64, 64)).astype(np.uint8), spots[..., None] * RED[-1, -1], "JPEG blurs colours"),
        (spots * 255, photo, "are images= and masks= exchanged?"),
        (photo, photo[::-1], "are masks drawn onto pictures"),
    ):
        put("images/a.png", image)
        put("masks/a.jpg", mask, quality=75)
        assert said in problems(put)
        assert ("exchanged" in problems(put)) == ("JPEG blurs" not in said)


@pytest.mark.parametrize(
    ("mask", "options", "said"),
    [
        (DISK, {}, "blurs the classes"),
        (DISK, {"classes": None, "values": {0: "background", 1: "cell"}}, "blurs values as close as 0 and 1"),
        (DISK * 3, {"instances": True}, "blurs the numbers of objects"),
    ],
)
def test_what_a_jpeg_cannot_hold_is_refused(put, mask, options, said):
    put_jpeg(put, mask, quality=100)
    text = problems(put, **options)
    assert f"masks/a.jpg: is a JPEG, which {said}" in text
    assert "values={" not in text


def test_an_empty_jpeg_mask_is_empty(put):
    put_jpeg(put, DISK * 0)
    put("images/b.png", GREY)
    put("masks/b.png", LABELS)
    assert not put.load()[0][1].any()


# ---- numbers below 0


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32])
def test_minus_1_is_told_and_can_be_ignored_or_a_class(put, kind):
    put("images/a.png", GREY)
    put("masks/a.tif", np.where(GREY > 200, -1, LABELS.astype(kind)))
    text = problems(put)
    assert "masks/a.tif: holds -1" in text
    assert "ignore=-1" in text
    assert "values={-1: '...', 0: 'background', 1: 'cell'} in place of classes" in text
    assert put.load(ignore=-1)[0][1].unique().tolist() == [0, 1, 255]
    pairs = put.load(classes=None, values={-1: "background", 0: "background", 1: "cell"})
    assert np.array_equal(pairs[0][1], LABELS * (GREY <= 200))


def test_minus_1_is_no_object(put):
    put("images/a.png", GREY)
    put("masks/a.tif", np.where(GREY < 50, -1, LABELS.astype(np.int16) * 7))
    text = problems(put, instances=True)
    assert "masks/a.tif: holds -1; with 2 classes a mask holds 0 and the numbers of objects" in text
    assert "ignore=-1" in text
    pairs = put.load(instances=True, ignore=-1)
    assert np.array_equal(pairs[0][1], np.where(GREY < 50, 255, LABELS))
    assert np.array_equal(pairs.instances[0], LABELS * 7)
    assert "objects 1 numbered" in pairs.report


def test_minus_1_as_the_background_of_numbered_objects_is_told(put):
    put("images/a.png", GREY)
    put("masks/a.tif", LABELS[::-1] * (GREY // 100).astype(np.int16) - 1)
    text = problems(put, instances=True)
    assert "-1 seems to be the background, and 0 an object: add 1 to all masks" in text
    assert "ignore=-1" not in text


def test_the_proposed_call_keeps_what_was_given(put):
    put.pair(GREY, np.where(GREY > 200, 90, LABELS * 70).astype(np.uint8))
    text = problems(put, classes=None, values={70: "cell", 0: "ground"})
    assert "values={70: 'cell', 0: 'ground', 90: '...'}. What is no label goes into ignore=." in text


# ---- what could be read in two ways


def test_one_slip_of_the_pen_makes_no_drawing_an_ignored_one(put):
    slip = LABELS * 255
    slip[0, 0] = 1
    for k in range(3):
        put.pair(GREY, slip if k == 1 else LABELS * 255, f"{k}.png")
    text = problems(put)
    assert "255 is in 3 masks and 1 in 1" in text
    assert "values={0: 'background', 1: 'background', 255: 'cell'}" in text
    right = put.load(classes=None, values={0: "background", 1: "background", 255: "cell"})
    assert np.array_equal(right[1][1], LABELS)
    assert put.load(ignore=255)[0][1].unique().tolist() == [0, 255]


def test_two_ways_of_drawing_in_one_set_are_asked_back(put):
    put.pair(GREY, LABELS * 255, "a.png")
    put.pair(GREY, LABELS, "b.png")
    assert "255 is in 1 masks and 1 in 1" in problems(put)
    both = put.load(classes=None, values={0: "background", 1: "cell", 255: "cell"})
    assert all(np.array_equal(mask, LABELS) for _, mask in both)


@pytest.mark.parametrize(
    ("mask", "classes", "said"),
    [
        (LABELS * 0, TWO, "no object in any of 1 masks: all pixels are 0"),
        (LABELS * 255, THREE, "values={0: 'background', 255: 'cell'}"),
        (np.dstack([LABELS * 0] * 3 + [LABELS * 255]), TWO, "alpha channel"),
    ],
)
def test_masks_without_an_object_are_refused(put, mask, classes, said):
    put.pair(GREY, mask)
    assert said in problems(put, classes=classes)


@pytest.mark.parametrize(("first", "second", "refused"), [(255, 0, True), (0, 255, False)])
def test_a_palette_that_shows_the_ground_bright_is_asked_back(put, first, second, refused):
    mask = Image.frombytes("P", (6, 8), LABELS.tobytes())
    mask.putpalette([first] * 3 + [second] * 3)
    put.pair(GREY, mask)
    if refused:
        assert "object and ground may be exchanged" in problems(put)
    assert np.array_equal(put.load(classes=None, values={0: "ground", 1: "cell"})[0][1], LABELS)


@pytest.mark.parametrize("stored", [LABELS, LABELS * 255, LABELS > 0])
def test_a_tiff_that_is_shown_inverted_gives_what_is_stored(put, stored):
    """As Fiji saves a mask with an inverting table."""
    put("images/a.png", GREY)
    put("masks/a.tif", stored, photometric="miniswhite")
    assert np.array_equal(put.load()[0][1], LABELS)


# ---- what is said


def test_a_cameras_twelve_bits_are_stretched_for_all_alike_and_said(put, capsys):
    for k in range(20):
        put.pair((GREY.astype(np.uint16) * 16 + 5 * k), name=f"{k}.png")
    whole = put.load()
    assert "stretched" in whole.report
    assert "the brightest pixel is at 6 % of the range" in whole.report
    assert capsys.readouterr().out.count("20 pairs in") == 1
    train, test = put.load("train"), put.load("test")
    assert capsys.readouterr().out == ""  # said once
    for pairs in (train, test):
        image = pairs[0][0].numpy()[0]
        k = int(pairs.stems[0])
        assert (image.min(), image.max()) == (pytest.approx(0, abs=0.03), pytest.approx(1, abs=0.03))
        assert np.abs(image - whole[whole.stems.index(str(k))][0].numpy()[0]).max() == 0
    dark = put.load(scale=False)
    assert values(dark[0][0], 65535).max() == int(GREY.max()) * 16


def test_two_cameras_in_one_set_are_said(put):
    for k in range(10):
        put.pair((GREY + 5).astype(np.uint16) * (16 if k % 2 else 257) + k, name=f"{k}.png")
    assert "light   5 of the images, such as 1.png, are more than 3 times darker than all others" in put.load().report
    for k in range(10):  # an empty picture is as bright as others where those are dark
        put.pair(np.where((GREY > 200) & (k % 2 == 0), 250, 5).astype(np.uint16) * 257 + GREY + k, name=f"{k}.png")
    assert "light " not in put.load().report


def test_twelve_bits_beside_eight_are_stretched_alone(put):
    put.pair(GREY.astype(np.uint16) * 16)
    put.pair(GREY, name="b.png")
    pairs = put.load()
    assert "16 bits and 8 bits" in pairs.report
    assert "the 1 of 16 bits are stretched, the others are not" in pairs.report
    assert pairs[0][0].max() > 0.98
    assert np.array_equal(values(pairs[1][0])[0], GREY)


def test_the_report_says_what_is_in_the_files(put):
    for stem in "abcd":
        put.pair(GREY, LABELS * 255, f"{stem}.png")
    put.pair(COLOUR[:4], LABELS[:4] * 255, "e.png")
    put("images/Thumbs.db", b"?")
    report = put.load().report
    share = 100 * (4 * LABELS.mean() * 48 + LABELS[:4].sum()) / (4 * 48 + 24)
    for said in ("5 pairs", "8×6 (4), 4×6 (1)", "8 bits, colour and grey", f"cell (255) {share:.3g} %", "Thumbs.db"):
        assert said in report
    assert "stretched" not in report


def test_a_class_that_is_in_no_mask_is_said(put):
    put.pair(GREY)
    assert "absent  edge: in no mask" in put.load(classes=THREE).report


def test_of_each_kind_of_problem_three_are_named(put):
    for k in range(9):
        put(f"images/{k}.png", GREY)
    put("masks/notes.txt", b"?")
    text = problems(put)
    assert text.count("there is no mask with the stem") == 3
    assert "… and 6 more like these" in text
    assert "masks/notes.txt" in text


# ---- one error


def test_everything_wrong_is_in_one_error_by_file_name(put, tmp_path):
    for stem in ("good", "broken", "twice", "movie", "text"):
        put.pair(GREY, name=f"{stem}.png")
    for stem, mask in {"small": LABELS[:4], "label": LABELS * 7, "painted": COLOUR}.items():
        put.pair(GREY, mask, f"{stem}.png")
    put("images/lonely.png", GREY)
    put("masks/orphan.png", LABELS)
    put("images/real.png", GREY)
    put("masks/real.tif", LABELS.astype(np.float32))
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
        "images/notes.txt: is no picture this course reads (.png, .jpg, .jpeg, .tif, .tiff, .bmp, .gif)",
    ):
        assert f"\n  {line}" in text, line
    assert text.startswith("12 problems")
    assert "good" not in text
    assert "DS_Store" not in text
    assert "Thumbs" not in text


def test_every_label_outside_is_counted_in_every_split(put):
    for i in range(20):
        put.pair(GREY, LABELS * (3 if i == 7 else 1), f"{i}.png")
    for split in ("train", "validation", "test"):
        assert "masks/7.png: holds 3" in problems(put, split=split)


@pytest.mark.parametrize(
    ("name", "big", "options"),
    [
        ("a.png", np.zeros((8, 10), np.uint8), {}),  # beyond Pillow's limit
        ("a.png", np.zeros((20, 20), np.uint8), {}),  # beyond twice that
        ("a.tif", np.zeros((20, 20, 3), np.uint16), RGB),
        ("a.tif", np.zeros((20, 20)), {}),  # Pillow reads one of these two, not the other
    ],
)
def test_a_picture_too_large_to_unpack_is_named_not_unpacked(put, monkeypatch, name, big, options):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 60)
    put.pair(big, name=name, **options)
    assert f"images/{name}: has more than 60 pixels" in problems(put)


def test_a_file_of_another_kind_under_a_picture_name(put):
    put.pair(Image.fromarray(GREY), format="GIF")
    assert "images/a.png: is called .png and is no PNG, but a GIF; rename it" in problems(put)


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
        ({"values": {0: "a", 1: "b"}}, "leave classes= out"),
        ({"classes": None, "values": {0: "a", 9: "b"}, "ignore": 9}, "9 is a class in values and is in ignore"),
        ({"classes": THREE, "instances": True}, "two names"),
        ({"classes": {"background", "cell"}}, "tuple of names"),
        ({"classes": 2}, "tuple of names"),
        ({"classes": None, "values": {"background": 0, "cell": 1}}, "the number comes first"),
        ({"classes": None, "values": {0: "a", (1, 2, 3): "b"}}, "all are colours"),
        ({"classes": None, "values": {(0, 0, 0): "a", (1, 2, 300): "b"}}, "from 0 to 255"),
        ({"classes": None, "values": {(0, 0, 0): "a", (1, 2, 3): "b"}, "ignore": 255}, "a colour is red"),
        ({"ignore": "255"}, "takes a number"),
        ({"ignore": True}, "takes a number"),
        ({"instances": 1}, "instances is 1; it takes True or False"),
        ({"scale": "no"}, "scale is 'no'; it takes True or False"),
        ({"turn": 90}, "turn is 90; it takes True or False, or None"),
        ({"suffix": ("_image", "_mask")}, r"with \* for what the two of a pair share"),
        ({"suffix": ("*", "*_mask", "*_edge")}, r"with \* for what the two of a pair share"),
        ({"split": "val"}, "Did you mean 'validation'"),
        ({"tile": 90}, "does not fit into 8×6"),
        ({"stride": 4}, "give a tile"),
        ({"groups": "x"}, "no group for 1 of 1 pairs, such as 'a'"),
        ({"groups": {"b": "1"}}, "no group for 1 of 1 pairs, such as 'a'"),
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
    put.pair(GREY)
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
        put.pair(GREY + i, name=f"{i:02}.png")
    stems = {s: put.load(s).stems for s in ("train", "validation", "test")}
    assert [len(s) for s in stems.values()] == [14, 3, 3]
    assert sorted(sum(stems.values(), ())) == list(put.load("all").stems)
    assert stems["validation"] == ("02", "06", "16")  # on any machine
    assert len(put.load("test", fractions=(0.5, 0, 0.5))) == 10


@pytest.mark.parametrize("groups", [r"p\d", r"(p\d)_", {f"p{p}_{k}": p for p in range(5) for k in range(4)}])
def test_a_group_is_never_on_two_sides(put, groups):
    for p in range(5):
        for k in range(4):
            put.pair(GREY + 4 * p + k, name=f"p{p}_{k}.png")
    sides = [{stem[:2] for stem in put.load(split, groups=groups).stems} for split in ("train", "validation", "test")]
    assert [len(side) for side in sides] == [3, 1, 1]
    assert len(set.union(*sides)) == 5


def test_copies_of_an_image_are_never_on_two_sides(put):
    for k in range(20):
        put.pair(GREY + k % 10, LABELS if k < 13 else 1 - LABELS, f"{k:02}.png")
    put.pair(GREY * 0, name="black.png")
    put.pair(GREY * 0, name="empty.png")  # of one value, as slices beside the object are
    for groups in (
        None,
        r"\d$|black|empty",
        {f"{k:02}": "ab"[k > 11] for k in range(20)} | {"black": "c", "empty": "d"},
    ):
        sides = [{*put.load(split, groups=groups).stems} for split in ("train", "validation", "test")]
        assert sum(map(len, sides)) == 22
        for k in range(10):
            assert sum({f"{k:02}", f"{k + 10:02}"} <= side for side in sides) == 1
    report = put.load().report
    assert "copies  10 of the images are the same as another, pixel by pixel, such as 10.png as 00.png" in report
    assert "split, and 7 have other masks" in report
    with pytest.raises(ValueError, match="into one group"):
        put.load("test", groups="")


def test_equal_pages_are_in_one_block(put):
    put("images/a.tif", STACK[[0, 1, 2, 3, 4, 5, 6, 6, 8, 9]])
    put("masks/a.tif", np.stack([LABELS] * 10))
    assert [len(put.load(split)) for split in ("train", "validation", "test")] == [6, 3, 1]
    assert "such as page 8 of a.tif as page 7 of a.tif" in put.load().report


STACK = np.stack([GREY // (k + 1) for k in range(10)])


def test_the_pages_of_a_stack_are_pairs_and_stay_together(put, tmp_path):
    for name in "abcde":
        put(f"images/{name}.tif", STACK + ord(name))
        put(f"masks/{name}.tif", np.stack([LABELS if k % 2 else 1 - LABELS for k in range(10)]))
    pairs = put.load()
    assert len(pairs) == 50
    assert np.array_equal(values(pairs[13][0])[0], STACK[3] + ord("b"))
    assert np.array_equal(pairs[13][1], LABELS)
    assert np.array_equal(pairs[12][1], 1 - LABELS)
    sides = [{*put.load(split).stems} for split in ("train", "validation", "test")]
    assert len(set.union(*sides)) == sum(map(len, sides)) == 5


def test_one_stack_is_divided_into_blocks_of_neighbours(put):
    put("images/a.tif", STACK)
    put("masks/a.tif", np.stack([LABELS] * 10))
    tops = [values(image).max() for split in ("train", "validation", "test") for image, _ in put.load(split)]
    assert tops == [values(image).max() for image, _ in put.load()] == STACK.max((1, 2)).tolist()
    assert len(put.load("train")) == 7


def test_a_stack_and_a_mask_of_other_pages_are_told(put):
    put("images/a.tif", STACK)
    put("masks/a.tif", np.stack([LABELS] * 9))
    text = problems(put)
    assert "images/a.tif: holds 10 pages" in text
    assert "masks/a.tif: holds 9 pages" in text


@pytest.mark.parametrize(("tile", "stride", "number"), [(4, None, 4), ((8, 3), None, 2), (4, 2, 6)])
def test_tiles_are_cut_after_the_split(put, tile, stride, number):
    for k in range(6):
        put.pair(GREY + k, (LABELS * (k + 1)).astype(np.uint16), name=f"{k}.png")
    whole, tiles = (put.load("train", instances=True, **given) for given in ({}, {"tile": tile, "stride": stride}))
    assert len(tiles) == number * len(whole)
    assert {*tiles.stems} == {*whole.stems}
    for k, (image, mask) in enumerate(tiles):
        height, width = (tile, tile) if isinstance(tile, int) else tile
        assert (image.shape, mask.shape) == ((1, height, width), (height, width))
        assert np.array_equal(tiles.instances[k] > 0, mask)
    assert torch.equal(tiles[0][0], whole[0][0][:, :height, :width])


@example(3, (1, 1, 4))
@given(st.integers(1, 60), st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)).filter(any))
def test_fractions_are_kept_to_within_a_pair(n, weights):
    fractions = tuple(w / sum(weights) for w in weights)
    parts = divide([Pair(Path(f"{i}.png"), Path("mask.png")) for i in range(n)], fractions)
    assert sorted(int(p[0].stem) for part in parts for p in part) == list(range(n))
    for part, fraction in zip(parts, fractions, strict=True):
        assert (fraction > 0) or not part
        if n >= 3 and fraction > 0:
            assert part
        assert abs(len(part) - n * fraction) <= 2


# ---- files that are not what they seem

FOUR = np.dstack([COLOUR, 255 - GREY])
UNNAMED = {"photometric": "rgb", "extrasamples": ["unspecified"]}


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (FOUR, {"photometric": "minisblack", "planarconfig": "contig"}, "has 4 channels, of which 1 is grey"),
        (FOUR.transpose(2, 0, 1), {"photometric": "minisblack", "planarconfig": "separate"}, "has 4 channels"),
        (FOUR, UNNAMED, "has 4 channels, of which 3 are colours and none is named as alpha"),
        (FOUR.astype(np.uint16), UNNAMED, "has 4 channels, of which 3 are colours"),
        (FOUR[..., :2], {"photometric": "minisblack", "planarconfig": "contig"}, "has 2 channels, of which 1 is grey"),
        (np.stack([GREY, GREY]), {"imagej": True, "metadata": {"axes": "CYX"}}, "holds channels as 2 pages"),
        (np.stack([GREY, GREY]), {"metadata": {"axes": "CYX"}, "ome": True}, "holds channels as 2 pages"),
        (np.where(GREY > 200, np.nan, GREY / 255).astype(np.float32), {}, "values that are no numbers"),
        (b"", {}, "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid", {}, "git lfs pull"),
    ],
)
def test_a_tiff_of_which_something_would_be_lost_is_refused(put, content, options, said):
    put.pair(GREY, name="b.png")
    put("images/a.tif", content, **options)
    put("masks/a.png", LABELS)
    assert said in problems(put)


def test_an_alpha_that_is_named_and_a_smaller_copy_are_no_trouble(put):
    put.pair(FOUR, name="a.tif", photometric="rgb", extrasamples=["unassalpha"])
    with tifffile.TiffWriter(put.root / "images/b.tif") as tiff:
        tiff.write(COLOUR, photometric="rgb")
        tiff.write(COLOUR[::2, ::2], photometric="rgb", subfiletype=1)
    put("masks/b.png", LABELS)
    assert all(np.array_equal(values(image), COLOUR.transpose(2, 0, 1)) for image, _ in put.load())


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("PNG", "a.jpg", "is called .jpg and is no JPEG, but a PNG"),
        ("JPEG", "a.png", "is called .png and is no PNG, but a JPEG"),
        ("WEBP", "a.png", "but a WEBP"),
        ("BMP", "a.tif", "but a BMP"),
    ],
)
def test_a_picture_of_another_kind_than_its_name_is_told_so(put, kind, name, said):
    Image.fromarray(COLOUR).save(put.root / "images" / name, format=kind)
    put("masks/a.png", LABELS)
    assert said in problems(put)


def test_a_bmp_that_pillow_reads_wrongly_is_refused(put):
    mask = Image.fromarray(LABELS, "P")
    mask.putpalette([0, 0, 0, 255, 255, 255])
    put("images/a.png", GREY)
    put("masks/a.bmp", mask)
    assert "save it as PNG" in problems(put)


# ---- what was given with the call


def test_a_slip_gets_no_name_and_the_dots_are_no_name(put):
    drawn = 255 * LABELS
    drawn[0, 0] = 254
    put.pair(GREY, drawn)
    text = problems(put)
    assert "values={0: 'background', 254: '...', 255: 'cell'}" in text
    with pytest.raises(InputError, match="stands for a name that is yours"):
        put.load(classes=None, values={0: "background", 254: "...", 255: "cell"})


def test_a_whole_mask_of_ones_among_others_of_255_is_no_slip(put):
    for k in range(3):
        put.pair(GREY, LABELS if k == 0 else 255 * LABELS, name=f"{k}.png")
    text = problems(put)
    assert "Either both are 'cell', or 255 is no label" in text
    assert "values={0: 'background', 1: 'cell', 255: 'cell'}" in text


def test_a_palette_that_shows_the_ground_bright_is_asked_back_with_values_for_others(put):
    mask = Image.fromarray(LABELS, "P")
    mask.putpalette([255, 255, 255, 0, 0, 0])
    put.pair(GREY, mask)
    assert "0 is bright and 1 is dark" in problems(put, classes=None, values={0: "background", 255: "cell"})
    assert np.array_equal(put.load(classes=None, values={0: "background", 1: "cell"})[0][1], LABELS)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"values": {0: "a", 1: "b"}}, "Both classes= and values= are given"),
        ({"classes": None, "values": [0, 255]}, "it says what each value of a mask is"),
        ({"groups": "pat("}, "no regular expression"),
        ({"groups": "pat*"}, r"all 4 pairs into one group, 'pat', which cannot be split"),
    ],
)
def test_options_that_cannot_be_meant_are_told(put, options, said):
    for name in ("pat1_a", "pat1_b", "pat2_a", "pat3_a"):
        put.pair(GREY, name=f"{name}.png")
    with pytest.raises(InputError, match=said):
        put.load("train", **options)


def test_a_list_of_files_is_no_folder():
    with pytest.raises(InputError, match="images is .*; it takes the path of a folder"):
        load("folder", "train", images=["a.png"], masks="masks", classes=TWO)


def test_the_report_counts_the_groups(put):
    rng = np.random.default_rng(0)
    for name in ("pat1_a", "pat1_b", "pat2_a", "pat3_a"):
        put.pair(rng.integers(0, 255, (8, 6), dtype=np.uint8), name=f"{name}.png")
    assert "groups  3, the largest is 'pat1' of 2" in put.load("train", groups=r"pat\d").report
    assert "each pair is a group of its own" in put.load("train", groups=r".+").report
    assert "groups" not in put.load("train").report


def test_a_mask_with_an_extra_one_in_the_same_folder_gets_no_empty_advice(put):
    for name in ("benign (1)", "benign (2)"):
        put(f"images/{name}.png", GREY)
        put(f"images/{name}_mask.png", LABELS)
    put("images/benign (1)_mask_1.png", LABELS)
    with pytest.raises(DataError) as caught:
        load("folder", "all", images=put.root / "images", masks=put.root / "images", classes=TWO, suffix="_mask")
    assert "''" not in str(caught.value)

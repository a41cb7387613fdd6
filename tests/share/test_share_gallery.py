"""The gallery: measured anew, the refused named, comments shown as they were written."""

import base64
import html.parser
import io
import json
import os
import re
import shutil
import zipfile

import pytest
import torch
from PIL import Image
from share_made import drawn, entries, trained, written

from helpers import data
from helpers.baseline import build_baseline
from helpers.metrics import class_map, predictions, score
from helpers.reference.decoder import Hourglass
from helpers.reference.unet import UNet
from helpers.share import ShareError, comment, gallery, share


class Page(html.parser.HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, text):
        self.text += text

    def of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def network(train):
    return trained(Hourglass, train, base_channels=4, depth=2)


@pytest.fixture
def folder(bundle, network, train, validation, tmp_path):
    shutil.copy(bundle, tmp_path)
    share(network, "ben", train, validation, folder=tmp_path)
    share(drawn(UNet, 1, 2, 4, 2), "dora", train, validation, folder=tmp_path)
    return tmp_path


def test_bundles_are_measured_on_the_hidden_half(folder, model, network):
    shown = gallery(folder)
    test = data.load("nuclei", "test")
    rows = {row["name"]: row for row in shown.leaderboard}
    for name, judged in (("ana", model), ("ben", network)):
        each = [score(judged, torch.utils.data.Subset(test, [k])) for k in range(len(test))]
        for metric in ("dice", "iou"):
            values = torch.tensor([scores[metric] for scores in each])
            assert rows[name][metric] == pytest.approx({"mean": values.mean().item(), "std": values.std().item()})
    assert shown.measured_on == {
        "dataset": "nuclei",
        "split": "test",
        "images": 4,
        "classes": ("background", "nucleus"),
    }


def test_the_best_comes_first(folder):
    shown = gallery(folder).leaderboard
    means = [row["dice"]["mean"] for row in shown]
    assert means == sorted(means, reverse=True)
    assert [row["rank"] for row in shown] == [1, 2, 3]
    assert shown[-1]["name"] == "dora"  # it finds nothing, so there is no border either
    assert shown[-1]["boundary"] == {"mean": None, "std": None}


def test_a_card_that_lies_moves_nobody(folder):
    before = [row["name"] for row in gallery(folder).leaderboard]
    files = entries(folder / "dora.unet.zip")
    scores = json.loads(files["scores.json"])
    scores["metrics"]["dice"] = {"mean": 0.999, "std": 0.0}
    written(folder / "dora.unet.zip", files | {"scores.json": json.dumps(scores).encode()})
    shown = gallery(folder)
    assert [row["name"] for row in shown.leaderboard] == before
    assert shown.leaderboard[-1]["claimed"]["dice"]["mean"] == 0.999
    assert shown.leaderboard[-1]["dice"]["mean"] < 0.1
    assert "0.999 ± 0.000" in shown._repr_html_()


def test_a_bad_bundle_is_named_with_the_reason_and_stops_nobody(folder, bundle):
    (folder / "eve.unet.zip").write_bytes(bundle.read_bytes()[:1000])
    shutil.copy(bundle, folder / "ana (1).unet.zip")
    (folder / "...unet.zip").write_bytes(b"")
    (folder / "notes.txt").write_text("not a bundle")
    shown = gallery(folder)
    assert [row["name"] for row in shown.leaderboard] == [row["name"] for row in gallery(folder).leaderboard]
    assert {row["name"] for row in shown.leaderboard} == {"ana", "ben", "dora"}
    assert shown.refused.keys() == {"eve.unet.zip", "ana (1).unet.zip", "...unet.zip"}
    assert "truncated" in shown.refused["eve.unet.zip"]
    assert "cannot name a bundle" in shown.refused["ana (1).unet.zip"]
    assert "eve.unet.zip was refused" in Page(shown._repr_html_()).text
    assert "eve.unet.zip was refused" in repr(shown)


def test_a_network_that_does_not_fit_the_images_is_named(folder, train, validation):
    cells = data.load("cells", "test", count=4, size=64)
    brain = data.load("brain", "test")
    share(drawn(Hourglass, 1, 2, 2, 7), "deep", train, validation, folder=folder)
    odd = [(image[:, :100, :100], mask[:100, :100]) for image, mask in (cells[0], train[0])][1:]
    assert "do not divide by 128" in gallery(folder, odd).refused["deep.unet.zip"]
    assert "tells 2 classes apart, and the data set has 4" in gallery(folder, brain).refused["ana.unet.zip"]
    colour = [(torch.rand(3, 32, 32), torch.zeros(32, 32, dtype=torch.int64))]
    assert "takes images with 1 channels, and these have 3" in gallery(folder, colour).refused["ana.unet.zip"]
    assert len(gallery(folder, cells).leaderboard) == 3


def test_a_baseline_in_colour_takes_grey_images(train, validation, tmp_path):
    share(drawn(build_baseline, in_channels=3, num_classes=1), "base", train, validation, folder=tmp_path)
    assert [row["name"] for row in gallery(tmp_path).leaderboard] == ["base"]


def test_several_classes_and_unlabelled_pixels(tmp_path):
    generator = torch.Generator().manual_seed(0)
    pairs = []
    for _ in range(3):
        mask = torch.randint(0, 3, (32, 32), generator=generator)
        mask[:4] = 255
        pairs.append((torch.rand(1, 32, 32, generator=generator), mask))
    model = drawn(UNet, 1, 3, 4, 2, seed=1).eval()
    model.head.bias.data = torch.tensor([0.0, 0.5, 0.5]) - model(torch.stack([x for x, _ in pairs])).mean((0, 2, 3))
    share(model, "three", pairs, pairs, folder=tmp_path)
    shown = gallery(tmp_path, pairs)
    expected = []
    for image, mask in pairs:
        pred, known = model(image[None])[0].argmax(0)[4:], mask[4:]
        for c in (1, 2):
            both = ((pred == c) & (known == c)).sum()
            expected.append(float(2 * both / ((pred == c).sum() + (known == c).sum())))
    assert sum(expected) > 0
    assert shown.leaderboard[0]["dice"]["mean"] == pytest.approx(sum(expected) / 6)
    assert "other class" in Page(shown._repr_html_()).text


def test_masks_are_side_by_side_with_words(folder):
    shown = gallery(folder)
    page = Page(shown._repr_html_())
    pictures = [tag for tag in page.of("img") if tag["alt"]]
    assert len(pictures) == 4 * (2 + 3)
    first = [tag["alt"] for tag in pictures[:5]]
    assert first[0].startswith("Image 0: 128×128 pixels")
    assert first[1].startswith("Truth of image 0: ")
    names = [row["name"] for row in shown.leaderboard]
    assert [alt.split(" on image 0: Dice ")[0] for alt in first[2:]] == names
    for tag in pictures:
        kind, _, content = tag["src"].partition(",")
        assert kind == "data:image/png;base64"
        assert Image.open(io.BytesIO(base64.b64decode(content))).size == (256, 256)


def test_the_words_count_the_pixels(folder, model):
    logits, truth = next(iter(predictions(model, data.load("nuclei", "test"))))
    pred, truth = class_map(logits) > 0, truth > 0
    alt = next(t["alt"] for t in Page(gallery(folder)._repr_html_()).of("img") if t["alt"].startswith("ana on image 0"))
    counts = [int(x) for x in re.findall(r"(\d+) (?:right|missed|false)", alt)]
    assert counts == [int((pred & truth).sum()), int((truth & ~pred).sum()), int((pred & ~truth).sum())]


def test_the_page_needs_nothing_else(folder, tmp_path):
    comment(folder, "ana", "Ben", "Good.")
    path = tmp_path / "site" / "gallery.html"
    gallery(folder, export=path)
    page = Page(path.read_text(encoding="utf-8"))
    assert not page.of("script")
    assert not page.of("link")
    assert all(tag["src"].startswith("data:image/png;base64,") for tag in page.of("img"))
    assert not [attrs for _, attrs in page.tags for name in attrs if name.startswith("on") or name == "href"]
    assert "default-src 'none'" in page.of("meta")[1]["content"]
    assert "Good." in page.text


def test_what_others_write_is_shown_as_written(folder):
    evil = '<script>alert(1)</script><img src=x onerror=alert(1)> & "quotes" \''
    comment(folder, "ana", "<b>Eve</b>", evil)
    files = entries(folder / "ben.unet.zip")
    scores = json.loads(files["scores.json"])
    scores["measured_on"]["dataset"] = "<script>x</script>"
    written(folder / "ben.unet.zip", files | {"scores.json": json.dumps(scores).encode()})
    (folder / "<svg onload=alert(1)>.unet.zip").write_bytes(b"")
    page = Page(gallery(folder)._repr_html_())
    assert not page.of("script")
    assert not page.of("svg")
    assert not page.of("b")
    assert not [tag for tag in page.of("img") if "onerror" in tag]
    for said in (evil, "<b>Eve</b>", "<script>x</script>", "<svg onload=alert(1)>"):
        assert said in page.text


def test_comments_are_files_and_come_in_order(folder, monkeypatch):
    first = comment(folder, "ana", "Ben", "How did you split them?\nMine melt.")
    second = comment(folder, "ana", "ben ../../x", "And the small ones?\x00\x1b[31m")
    assert first.parent == second.parent == folder / "comments" / "ana"
    assert second.name.startswith("ben-x-")
    for path, time in ((first, "2025-01-02 00:00:00"), (second, "2025-01-01 00:00:00")):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"written": time}))
    said = next(row for row in gallery(folder).leaderboard if row["name"] == "ana")["comments"]
    assert [c.text for c in said] == ["And the small ones?[31m", "How did you split them?\nMine melt."]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_broken_comments_are_left_out(folder):
    there = folder / "comments" / "ana"
    there.mkdir(parents=True)
    good = {"author": "Ben", "text": "Good.", "written": "2025-01-01 00:00:00"}
    bad = [
        "{",
        "[]",
        "[" * 100_000,
        json.dumps(good | {"author": 3}),
        json.dumps(good | {"text": "x" * 2001}),
        json.dumps(good | {"text": "x" * 100_000}),
        json.dumps(good | {"text": ""}),
        json.dumps(good | {"written": "<b>"}),
        json.dumps({"text": "Good."}),
    ]
    for k, content in enumerate(bad):
        (there / f"{k}.json").write_text(content)
    (folder / "secret").write_text(json.dumps(good | {"text": "Secret."}))
    (there / "link.json").symlink_to(folder / "secret")
    os.mkfifo(there / "waits.json")
    (there / "good.json").write_text(json.dumps(good))
    said = next(row for row in gallery(folder).leaderboard if row["name"] == "ana")["comments"]
    assert [c.text for c in said] == ["Good."]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (("nobody", "Ben", "Good."), "There is no bundle 'nobody'.*ana, ben, dora"),
        (("../ana", "Ben", "Good."), "cannot name a bundle"),
        (("ana", "", "Good."), "The author has 0 characters"),
        (("ana", "B" * 61, "Good."), "The author has 61"),
        (("ana", "Ben", " \n"), "The text has 0"),
        (("ana", "Ben", "x" * 2001), "The text has 2001"),
    ],
)
def test_comments_that_cannot_be(folder, given, reason):
    with pytest.raises(ShareError, match=reason):
        comment(folder, *given)
    assert not (folder / "comments").exists()


def test_an_empty_folder_and_none(tmp_path):
    assert gallery(tmp_path).leaderboard == []
    assert "No bundle could be measured" in gallery(tmp_path)._repr_html_()
    with pytest.raises(ShareError, match="There is no folder"):
        gallery(tmp_path / "nowhere")
    with pytest.raises(ShareError, match="no images to measure on"):
        gallery(tmp_path, [])


def test_a_page_that_cannot_be_written(folder, tmp_path):
    with pytest.raises(ShareError, match="cannot be written"):
        gallery(folder, export=tmp_path)


def test_a_bundle_is_left_as_it_was(folder):
    before = {path: path.read_bytes() for path in folder.glob("*")}
    gallery(folder)
    assert {path: path.read_bytes() for path in folder.glob("*")} == before
    assert zipfile.is_zipfile(folder / "ana.unet.zip")

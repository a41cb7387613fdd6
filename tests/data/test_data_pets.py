"""The pets' download, against a real HTTP server on this machine: what is not whole never counts as there."""

import contextlib
import functools
import hashlib
import http.server
import io
import os
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import OxfordIIITPet

from helpers.data import load
from helpers.data.files import DataError

ROOT = Path(__file__).resolve().parents[2]
TRAINVAL = [f"Beagle_{i}" for i in range(6)] + [f"Persian_{i}" for i in range(6)]
TEST = [f"Beagle_{i}" for i in range(20, 23)]


def png_or_jpeg(array: np.ndarray, kind: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, format=kind)
    return out.getvalue()


@functools.cache
def archives() -> dict[str, bytes]:
    """A tiny set in the layout of the real archives."""
    rng = np.random.default_rng(0)
    images, annotations = {}, {}
    for n, stem in enumerate(TRAINVAL + TEST):
        height, width = 20 + n, 30
        images[f"images/{stem}.jpg"] = png_or_jpeg(rng.integers(0, 256, (height, width, 3), np.uint8), "JPEG")
        trimap = np.full((height, width), 2, np.uint8)
        trimap[4:12, 5:15] = 3
        trimap[5:11, 6:14] = 1
        annotations[f"annotations/trimaps/{stem}.png"] = png_or_jpeg(trimap, "PNG")
    for name, stems in (("trainval", TRAINVAL), ("test", TEST)):
        lines = "".join(f"{s} {1 + (s[0] == 'P')} {2 - (s[0] == 'P')} 1\n" for s in stems)
        annotations[f"annotations/{name}.txt"] = lines.encode()
    packed = {}
    for name, content in (("images", images), ("annotations", annotations)):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            for path, data in content.items():
                info = tarfile.TarInfo(path)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        packed[f"{name}.tar.gz"] = out.getvalue()
    return packed


class Server(http.server.ThreadingHTTPServer):
    """Serves the archives; `fault[name]` is "truncate", "corrupt" or an HTTP status. `served` lists what was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.fault: dict[str, str | int] = {}
        self.served: list[str] = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.lstrip("/")
        fault = self.server.fault.get(name)
        self.server.served.append(name)
        if isinstance(fault, int):
            self.send_error(fault)
            return
        body = archives()[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "truncate":
            body = body[: len(body) // 2]
        elif fault == "corrupt":
            body = body[:50] + b"????" + body[54:]
        # torchvision first opens the address only to follow redirects, and hangs up.
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(OxfordIIITPet, "_RESOURCES", resources(server.server_address[1]))
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def resources(port: int) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"http://127.0.0.1:{port}/{name}", hashlib.md5(data).hexdigest()) for name, data in archives().items()
    )


def asked_for(server: Server) -> set[str]:
    asked, server.served = set(server.served), []
    return asked


def test_a_whole_download_is_split_as_stated_and_never_fetched_again(server, tmp_path):
    sets = {split: load("pets", split) for split in ("train", "validation", "test")}
    assert {split: len(pairs) for split, pairs in sets.items()} == {"train": 10, "validation": 2, "test": 3}
    asked_for(server)
    image, mask = sets["train"][0]
    assert image.shape == (3, 20, 30)
    assert image.dtype == torch.float32
    assert mask.shape == (20, 30)
    assert mask.dtype == torch.int64
    # trimap 1 pet, 2 background, 3 border -> 1, 0, 255
    assert (mask == 1).sum() == 6 * 8
    assert (mask == 255).sum() == 8 * 10 - 6 * 8
    assert (mask == 0).sum() == 20 * 30 - 8 * 10
    # Every fifth image of trainval is for validation; heights tell images apart here.
    assert [i.shape[1] for i, _ in sets["validation"]] == [24, 29]
    assert [i.shape[1] for i, _ in sets["train"]] == [20, 21, 22, 23, 25, 26, 27, 28, 30, 31]
    assert sets["train"].classes == ("background", "pet")
    load("pets", "train")
    assert not asked_for(server)
    assert not list(tmp_path.rglob("*.tar.gz"))  # 0.8 GB that nothing needs any more
    assert [p.name for p in tmp_path.iterdir()] == ["pets"]


def test_size_resizes_image_and_mask(server):
    image, mask = load("pets", "test", size=(16, 24))[0]
    assert image.shape == (3, 16, 24)
    assert mask.shape == (16, 24)
    _, original = load("pets", "test")[0]
    _, doubled = load("pets", "test", size=(2 * original.shape[0], 2 * original.shape[1]))[0]
    assert torch.equal(doubled, original.repeat_interleave(2, 0).repeat_interleave(2, 1))  # nearest, nothing in between
    assert load("pets", "test", size=8)[0][0].shape == (3, 8, 8)
    with pytest.raises(ValueError, match="size is 0"):
        load("pets", "test", size=0)


@pytest.mark.parametrize("fault", ["truncate", "corrupt"])
def test_a_broken_archive_says_so_and_only_it_is_fetched_again(server, tmp_path, fault):
    server.fault["annotations.tar.gz"] = fault
    for _ in range(2):  # and again: it does not come to count as there
        with pytest.raises(DataError, match=r"did not arrive whole.*Load them again.*nuclei, brain, cells, folder"):
            load("pets", "train")
        assert not (tmp_path / "pets").exists()
    asked_for(server)
    server.fault.clear()
    assert len(load("pets", "train")) == 10
    assert asked_for(server) == {"annotations.tar.gz"}


def test_no_network_is_one_error_that_names_the_sets_that_need_none(server, tmp_path, monkeypatch):
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError, match=r"could not be downloaded: .*need none: nuclei, brain, cells, folder"):
        load("pets", "train")
    assert not (tmp_path / "pets").exists()


def test_a_server_that_refuses_is_reported_with_its_answer(server, tmp_path):
    server.fault["images.tar.gz"] = 503
    with pytest.raises(DataError, match="503"):
        load("pets", "test")
    assert not (tmp_path / "pets").exists()


def test_a_process_that_dies_while_unpacking_leaves_nothing_that_counts(server, tmp_path):
    code = (
        "import os, tarfile\n"
        "from torchvision.datasets import OxfordIIITPet\n"
        f"OxfordIIITPet._RESOURCES = {resources(server.server_address[1])!r}\n"
        "def die(tar, path, **_):\n"
        "    members = tar.getmembers()\n"
        "    for member in members[: len(members) // 2]: tar.extract(member, path)\n"
        "    if 'annotations' in tar.name: os._exit(9)\n"
        "tarfile.TarFile.extractall = die\n"
        "from helpers.data import load\n"
        "load('pets', 'train')\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COURSE_CACHE": str(tmp_path)}
    died = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, check=False)
    assert died.returncode == 9, died.stderr
    left = tmp_path / "pets.partial" / "oxford-iiit-pet"
    assert (left / "images").is_dir()  # both folders are there, half empty: torchvision alone would be content
    assert (left / "annotations").is_dir()
    asked_for(server)
    pairs = load("pets", "train")
    assert len(list(pairs)) == 10
    assert not asked_for(server)  # both archives had arrived whole


def test_files_lost_after_the_download_are_noticed(server, tmp_path):
    load("pets", "train")
    next((tmp_path / "pets").rglob("Persian_3.jpg")).unlink()
    with pytest.raises(DataError, match=r"1 files .*Persian_3\.jpg.*Delete the folder"):
        load("pets", "test")


def test_an_archive_without_a_listed_file_is_not_taken_for_whole(server, tmp_path, monkeypatch):
    packed = archives()
    short = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(packed["images.tar.gz"])) as whole,
        tarfile.open(fileobj=short, mode="w:gz") as tar,
    ):
        for member in whole.getmembers()[1:]:
            tar.addfile(member, whole.extractfile(member))
    changed = {**packed, "images.tar.gz": short.getvalue()}
    monkeypatch.setitem(globals(), "archives", lambda: changed)
    monkeypatch.setattr(OxfordIIITPet, "_RESOURCES", resources(server.server_address[1]))
    with pytest.raises(DataError, match=r"Beagle_0\.jpg is missing"):
        load("pets", "train")
    assert not (tmp_path / "pets").exists()

"""Bundles that nobody should open: every one is refused with the reason, and nothing of them is run."""

import io
import json
import pickle
import stat
import struct
import tracemalloc
import zipfile

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load, save
from share_made import entries, manifest, written

from helpers.share import ShareError, load_shared


@pytest.fixture
def files(bundle):
    return entries(bundle)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "eve.unet.zip"


def assert_refused(path, reason):
    with pytest.raises(ShareError, match=reason):
        load_shared(path)


def added(path, name, content):
    """The bundle with one more file, of which its manifest knows nothing."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, content)
    return path


def config_of(files, **changed):
    return json.dumps(json.loads(files["config.json"]) | changed).encode()


def with_arguments(files, **changed):
    return config_of(files, arguments=json.loads(files["config.json"])["arguments"] | changed)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_was_unpacked_and_packed_again_is_accepted(files, path, compression):
    load_shared(written(path, files, compression=compression))


@pytest.mark.parametrize("as_zip", [True, False])
def test_a_file_of_torch_save_is_named(tmp_path, as_zip):
    path = tmp_path / "ana.pth"
    torch.save({"weight": torch.ones(2)}, path, _use_new_zipfile_serialization=as_zip)
    assert_refused(path, "a file of `torch.save`.*weights_only=True")


def test_none_there(tmp_path):
    assert_refused(tmp_path / "ana.unet.zip", "There is no bundle")
    assert_refused(tmp_path, "it is no file")
    (tmp_path / "ben.unet.zip").write_bytes(b"")
    assert_refused(tmp_path / "ben", r"There is no bundle .*ben. Give its path: .*ben.unet.zip")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.9999])
def test_truncated(bundle, path, share):
    content = bundle.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert_refused(path, "truncated")


@given(st.data())
def test_a_changed_byte_is_noticed(bundle, tmp_path_factory, data):
    content = bytearray(bundle.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("changed") / "ana.unet.zip"
    path.write_bytes(content)
    try:
        rebuilt = load_shared(path)
    except ShareError:
        return
    # A time stamp, or the like: what counts is as it was.
    expected = load_shared(bundle).state_dict()
    assert all(torch.equal(x, expected[name]) for name, x in rebuilt.state_dict().items())


OUTSIDE = [
    "../evil.py",
    "/etc/passwd",
    "examples/../../x",
    "..\\evil.py",
    "C:\\evil.py",
    "C:evil.py",
    "\\\\host\\x",
    "..",
]
FOREIGN = ["model.pt", "setup.py", "examples/4-image.png", "sub/config.json", "examples/"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [(n, "leaves the bundle's folder") for n in OUTSIDE] + [(n, "no part of a bundle") for n in FOREIGN],
)
def test_a_file_that_is_no_part_of_it(files, path, name, reason):
    assert_refused(written(path, files | {name: b""}), reason)


def test_a_link(files, path):
    del files["curve.png"]
    link = zipfile.ZipInfo("curve.png")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    assert_refused(added(written(path, files), link, "/etc/passwd"), "is a link")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_in_it_twice(files, path):
    del files["curve.png"]
    assert_refused(added(written(path, files), "config.json", b"{}"), "in it twice")


def test_thousands_of_files(files, path):
    with zipfile.ZipFile(path, "w") as archive:
        for k in range(5000):
            archive.writestr(f"examples/{k}-image.png", b"")
    assert_refused(path, "too many files")


@pytest.mark.parametrize("name", ["README.md", "config.json", "scores.json", "model.safetensors", "manifest.json"])
def test_a_file_that_is_missing(files, path, name):
    del files[name]
    assert_refused(written(path, files, sign=name != "manifest.json"), f"{name} is missing")


def test_what_the_manifest_does_not_fit(files, path):
    old = manifest({name: x for name, x in files.items() if name != "manifest.json"})
    files["README.md"] += b"and the best of all"
    assert_refused(added(written(path, files, sign=False), "manifest.json", old), "README.md is not what was shared")


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_cannot_be_bounded(files, path, kind):
    assert_refused(written(path, files, compression=kind), "cannot be bounded")


def test_encrypted(files, path):
    content = bytearray(written(path, files).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert_refused(path, "is encrypted")


def test_too_large_on_disk(path):
    with open(path, "wb") as file:
        file.truncate(300 * 2**20)
    assert_refused(path, "too large")


def test_too_large_unpacked(files, path):
    """A megabyte that says it is 300."""
    files["model.safetensors"] = b"\0" * (300 * 2**20)
    written(path, files, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**20
    assert_refused(path, "too large")


def test_a_text_of_a_hundred_megabytes(files, path):
    files["config.json"] = b" " * (100 * 2**20)
    assert_refused(written(path, files, compression=zipfile.ZIP_DEFLATED), "'config.json' is too large")


def test_an_archive_that_lies_about_its_size_takes_no_memory(files, path):
    """A bomb: 200 MB of zeros that the archive gives out as 1000 bytes."""
    files["model.safetensors"] = b"\0" * (200 * 2**20)
    content = bytearray(written(path, files, compression=zipfile.ZIP_DEFLATED).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # where the size unpacked stands
        start = 0
        while (start := content.find(signature, start)) >= 0:
            if content[start + offset : start + offset + 4] == struct.pack("<I", 200 * 2**20):
                content[start + offset : start + offset + 4] = struct.pack("<I", 1000)
            start += 4
    path.write_bytes(content)
    del files, content
    tracemalloc.start()
    try:
        assert_refused(path, "was refused")
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()


def test_a_pickle_is_never_loaded(files, path, tmp_path):
    class Evil:
        def __reduce__(self):
            return open, (str(tmp_path / "was here"), "w")

    for content in (pickle.dumps(Evil()), _torch_file(Evil())):
        assert_refused(written(path, files | {"model.safetensors": content}), "no safetensors file")
        path.write_bytes(content)
        assert_refused(path, "was refused")
    assert not (tmp_path / "was here").exists()


def _torch_file(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "changed",
    [
        {"library": "os", "architecture": "system"},
        {"architecture": "ResNet"},
        {"library": "torchvision"},
        {"architecture": ["UNet"]},
        {"library": {"a": 1}},
        {"architecture": None},
        {"library": "segmentation_models_pytorch"},
    ],
)
def test_a_foreign_architecture(files, path, changed):
    assert_refused(written(path, files | {"config.json": config_of(files, **changed)}), "foreign here")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"in_channels": 0}, "in_channels has to be a whole number from 1 to 16"),
        ({"in_channels": True}, "in_channels has to be"),
        ({"in_channels": 1.0}, "in_channels has to be"),
        ({"in_channels": "1"}, "in_channels has to be"),
        ({"depth": 10**9}, "depth has to be"),
        ({"base_channels": 10**400}, "base_channels has to be"),
        ({"base_channels": 256, "depth": 7}, "weights, and 60,000,000 is the most"),
        ({"norm": False}, "the arguments of UNet are"),
        ({"depth": None}, "depth has to be"),
        ({"depth": 3}, "of another network"),
        ({"num_classes": 3}, "of another network"),
    ],
)
def test_arguments_out_of_bounds(files, path, changed, reason):
    assert_refused(written(path, files | {"config.json": with_arguments(files, **changed)}), reason)


SMP = {"encoder_name": "resnet18", "encoder_depth": 5, "in_channels": 1, "classes": 2, "decoder_channels": [64] * 5}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"encoder_name": "tu-hf-hub:eve/evil"}, "encoder .* is foreign here"),
        ({"encoder_name": "tu-local-dir:/etc"}, "encoder .* is foreign here"),
        ({"encoder_name": ["resnet18"]}, "encoder .* is foreign here"),
        ({"encoder_weights": "imagenet"}, "the arguments of Unet are"),
        ({"decoder_channels": [64] * 4}, "a number for each level"),
        ({"decoder_channels": 64}, "a number for each level"),
        ({"decoder_channels": [64] * 4 + [10**6]}, "decoder_channels has to be"),
        ({"decoder_channels": [1024] * 5}, "is the most|of another network"),
        ({}, "of another network"),
    ],
)
def test_arguments_of_smp_out_of_bounds(files, path, changed, reason):
    config = config_of(files, library="segmentation_models_pytorch", architecture="Unet", arguments=SMP | changed)
    assert_refused(written(path, files | {"config.json": config}), reason)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"1", b"\xff", b"[" * 100_000, b'{"format": NaN}', b"{}", b'{"format": 1}', b"1" * 5000],
)
@pytest.mark.parametrize("name", ["config.json", "scores.json", "manifest.json"])
def test_what_is_no_json_of_ours(files, path, name, content):
    if name == "manifest.json":
        added(written(path, files, sign=False), name, content)
    else:
        written(path, files | {name: content})
    assert_refused(path, "eve.unet.zip was refused")


@pytest.mark.parametrize(
    "changed",
    [
        {"metrics": {}},
        {"metrics": {"dice": {"mean": "<b>", "std": 0}, "iou": {}, "boundary": {}}},
        {"measured_on": "nuclei"},
        {"measured_on": {"dataset": 1, "split": "x"}},
        {"measured_on": {"dataset": "x" * 1000, "split": "x"}},
    ],
)
def test_claims_of_another_form(files, path, changed):
    scores = json.dumps(json.loads(files["scores.json"]) | changed).encode()
    assert_refused(written(path, files | {"scores.json": scores}), "scores.json has another form")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda x: x * float("nan"), "not all finite"),
        (lambda x: x / 0, "not all finite"),
        (lambda x: x.double(), "of another network"),
        (lambda x: x[:1], "of another network"),
    ],
)
def test_weights_that_do_not_fit(files, path, change, reason):
    tensors = load(files["model.safetensors"])
    tensors["head.weight"] = change(tensors["head.weight"])
    assert_refused(written(path, files | {"model.safetensors": save(tensors)}), reason)


def test_weights_too_many_and_too_few(files, path):
    tensors = load(files["model.safetensors"])
    for changed in (tensors | {"more": torch.zeros(1)}, {k: x for k, x in tensors.items() if k != "head.bias"}):
        assert_refused(written(path, files | {"model.safetensors": save(changed)}), "in one only")


def test_weights_that_are_cut(files, path):
    assert_refused(written(path, files | {"model.safetensors": files["model.safetensors"][:-4]}), "no safetensors file")

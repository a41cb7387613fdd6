"""The stored sets are what their making scripts make from the wheels they name."""

import importlib.util
import io
import lzma

import numpy as np
import pytest
from PIL import Image

from helpers.data import files


def script(name: str):
    spec = importlib.util.spec_from_file_location(f"make_{name}", files.root() / name / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def array(file: str, data: bytes) -> np.ndarray:
    if file.endswith(".png"):
        return np.asarray(Image.open(io.BytesIO(data)))
    return np.load(io.BytesIO(lzma.decompress(data)))


@pytest.mark.wheels
@pytest.mark.parametrize(("name", "package"), [("nuclei", "stardist"), ("brain", "nilearn")])
def test_a_rebuilt_set_has_the_same_values(name, package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: datasets/{name} is not rebuilt from its wheel")
    made = script(name).make()
    assert set(made) == {p.name for p in (files.root() / name).iterdir() if p.suffix in {".png", ".xz"}}
    for file, content in made.items():
        assert np.array_equal(array(file, content), array(file, files.read(name, file))), file


@pytest.mark.parametrize(("name", "package"), [("nuclei", "stardist"), ("brain", "nilearn")])
def test_another_file_in_the_wheel_is_refused(name, package, tmp_path):
    import zipfile

    make = script(name)
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for member, _ in make.SOURCES.values():
            archive.writestr(f"{package}/{member}", b"something else")
    with pytest.raises(ValueError, match="not the file that was released"):
        make.make(str(wheel))

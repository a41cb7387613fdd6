"""`submit()` and `save()` in a real JupyterLab: save first, then a file that can be downloaded."""

import json
import zipfile

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CELLS_MS
from tests.student import right

pytestmark = pytest.mark.browser

LESSON = "02_overlap"


def downloaded(notebook, cell, tmp_path):
    """The file behind the link in a cell's output."""
    with notebook.page.expect_download() as download:
        notebook.output(cell).get_by_role("link").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_what_is_handed_in_is_what_was_saved(open_notebook, tmp_path):
    written = f"import torch\n{right('iou')}"
    lesson = open_notebook("from helpers import save, submit", "x = 1", 'submit("ana")', "save()", lesson=LESSON)
    lesson.run(0)
    lesson.page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    lesson.page.keyboard.press("Control+a")
    lesson.page.keyboard.insert_text(written)
    lesson.run(1, 2)
    said = lesson.output(2)
    refused = "Not handed in. iou: you ran it, and no cell of the saved notebook defines it."
    expect(said.first).to_contain_text(refused, timeout=CELLS_MS)  # torch loads
    lesson.save()
    lesson.run(2)
    packed = "This is what you hand in: 02_overlap-ana.zip, with the notebook as saved"
    expect(said.first).to_contain_text(packed, timeout=CELLS_MS)
    expect(said.last).to_contain_text("Look again at: pixel_accuracy (not written yet)")
    path = downloaded(lesson, 2, tmp_path)
    assert path.name == "02_overlap-ana.zip"
    with zipfile.ZipFile(path) as archive:
        notebook = json.loads(archive.read(f"{LESSON}.ipynb"))
    assert written.strip() in ["".join(cell["source"]).strip() for cell in notebook["cells"]]

    lesson.run(3)
    expect(lesson.output(3).first).to_contain_text("Saved in my-work.zip: 1 notebook, ")
    with zipfile.ZipFile(downloaded(lesson, 3, tmp_path)) as archive:
        assert f"{LESSON}/{LESSON}.ipynb" in archive.namelist()

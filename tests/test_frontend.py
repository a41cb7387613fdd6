"""How a piece comes onto a page: in a real kernel, run as each kind of page runs a cell, without a browser."""

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from helpers import frontend

VIEW = "application/vnd.jupyter.widget-view+json"
AS = """
from IPython import get_ipython
request = get_ipython().get_parent()
request["content"]["allow_stdin"] = {person}
request["metadata"] = {metadata}
"""
SHOW = 'from helpers.quiz import quiz\nquiz("dice-or-iou")'
CELLS = {
    "nobody": AS.format(person=False, metadata={"deletedCells": []}) + SHOW,
    "lab": AS.format(person=True, metadata={"deletedCells": [], "cellId": "x"}) + SHOW,
    "elsewhere": AS.format(person=True, metadata={"cellId": "x"}) + SHOW.replace("dice-or-iou", "iou-by-hand"),
    "answer": 'quiz("dice-or-iou").answer("b")',
}


@pytest.fixture(scope="module")
def notebook():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS.values()])
    NotebookClient(notebook, timeout=60).execute()
    return notebook


@pytest.fixture(scope="module")
def outputs(notebook):
    return dict(zip(CELLS, [cell.outputs for cell in notebook.cells], strict=True))


def test_where_nobody_is_there_is_the_fallback_alone(outputs):
    [output] = outputs["nobody"]
    assert output.output_type == "display_data"  # and nothing on stderr
    assert set(output.data) == {"text/plain", "text/html"}


def test_nbconvert_shows_what_a_reader_sees(notebook):
    notebook = nbformat.from_dict({**notebook, "cells": [notebook.cells[0], notebook.cells[-1]]})
    page, _ = HTMLExporter().from_notebook_node(notebook)
    for said in ("Which of the two numbers is larger?", "Dice, for every such pair.", "Size does not enter."):
        assert said in page


def test_jupyterlab_keeps_the_fallback_alone_and_a_mark_for_the_front_end(outputs):
    [output] = outputs["lab"]
    assert set(output.data) == {"text/plain", "text/html"}
    assert output.data["text/html"].startswith('<div class="unet-fallback-')
    assert "Dice, for every such pair." in output.data["text/html"]


def test_other_pages_get_a_widget_view_beside_the_fallback(outputs):
    [output] = outputs["elsewhere"]
    assert set(output.data) == {"text/plain", "text/html", VIEW}


def test_an_answer_brings_the_fallback_in_the_notebook_up_to_date(outputs):
    [output] = outputs["lab"]  # nbclient does with an update what JupyterLab does
    assert "Size does not enter." in output.data["text/html"]
    assert "Size does not enter." in output.data["text/plain"]


def test_a_front_end_without_what_the_page_needs_is_refused(tmp_path):
    file = tmp_path / "piece.js"
    file.write_text("export default { render };", encoding="utf-8")
    with pytest.raises(ValueError, match=r"piece\.js must end with"):
        frontend.module(file)


def test_a_style_sheet_comes_after_what_all_share(tmp_path):
    file = tmp_path / "piece.css"
    file.write_text(".unet-piece { max-width: 62em; }", encoding="utf-8")
    written = frontend.style(file)
    assert written.index(".unet-front button") < written.index(".unet-piece")

"""Lessons of the course as a student meets them: opened in JupyterLab, run from the top, their pieces used.

The lessons that train for a minute and more run whole in tests/autograde/test_notebooks.py, in a kernel without a page.
"""

import json
import re

import nbformat
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PIECES = {
    ".unet-quiz": r"quiz\(",
    ".unet-playground": r"play\.",
    ".unet-graph": r"graph(\.forward\(.*)?$",
}
RUN_MS = 240_000  # a lesson on a machine with other work


@pytest.mark.parametrize("lesson", ["00_start_here", "02_overlap", "04_convolution", "05_encoder"])
def test_a_lesson_runs_and_its_pieces_are_live(open_notebook, lesson):
    notebook = open_notebook(lesson=lesson)
    page = notebook.page
    cells = [cell.source for cell in nbformat.read(notebook.path, as_version=4).cells if cell.cell_type == "code"]
    notebook.run_all(RUN_MS)
    for said in ("error", "stderr"):
        expect(page.locator(f"[data-mime-type='application/vnd.jupyter.{said}']")).to_have_count(0)
    for piece, call in PIECES.items():
        asked = sum(bool(re.match(call, source.splitlines()[-1])) for source in cells if source)
        expect(page.locator(f".unet-live {piece}")).to_have_count(asked)

    graded = (
        page.locator(".unet-quiz").filter(has_text="This answer is graded").filter(has=page.get_by_role("radio")).first
    )
    graded.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(graded.get_by_role("status")).to_contain_text("kept")
    assert json.loads((notebook.path.parent / "answers.json").read_text(encoding="utf-8"))
    if page.locator(".unet-graph").count():
        graph = page.locator(".unet-graph").first
        graph.locator("[data-part]").first.focus()
        page.keyboard.press("Enter")
        expect(graph.locator(".unet-graph-card")).not_to_be_empty()
    if page.locator(".unet-playground").count():
        facts = page.locator(".unet-playground-facts").first
        before = facts.inner_text()
        slider = page.locator(".unet-playground").first.get_by_role("slider").first
        slider.focus()
        page.keyboard.press("ArrowRight")
        expect(facts).not_to_have_text(before)

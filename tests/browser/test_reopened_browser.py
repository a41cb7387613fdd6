"""Pieces whose kernel is gone: a notebook opened again, a kernel restarted, a widget closed."""

import json

import pytest
from pieces import LOAD, PIECES
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

THRESHOLD = LOAD + "cut = play.threshold(image, mask)\ncut"
QUIZ, GRADED = PIECES["quiz, single"], PIECES["quiz, graded"]
PLAYED = "Threshold 0.49"


def shown_once(output: Locator, text: str) -> None:
    expect(output).to_have_count(1)
    expect(output.get_by_text(text)).to_have_count(1)


def play(notebook) -> None:
    """Use the playground in cell 0 and the quiz in cell 1."""
    notebook.output(0).get_by_role("slider").focus()
    notebook.page.keyboard.press("ArrowLeft")
    expect(notebook.output(0).locator(".unet-playground-facts")).to_contain_text(PLAYED)
    notebook.output(1).get_by_role("radio").nth(1).check()
    notebook.output(1).get_by_role("button", name="Check").click()
    expect(notebook.output(1).get_by_role("status")).to_contain_text("✗ b: wrong")


def are_static(notebook) -> None:
    """Both cells show their fallback, and no control that would do nothing."""
    picture, question = notebook.output(0), notebook.output(1)
    shown_once(picture, "From probabilities to a mask")
    expect(picture.get_by_role("img")).to_be_visible()
    expect(picture.get_by_role("slider")).to_have_count(0)
    shown_once(question, "IoU, when the object is small.")
    expect(question.get_by_role("radio")).to_have_count(0)
    expect(notebook.page.get_by_text("Error displaying widget")).to_have_count(0)


def test_a_notebook_opened_again_without_its_kernel_shows_the_fallbacks(run_notebook, lab):
    answers = lab.root / "answers.json"
    notebook = run_notebook(THRESHOLD, QUIZ, GRADED)
    play(notebook)
    graded = notebook.output(2)
    keep = graded.get_by_role("button", name="Keep this answer")
    graded.get_by_role("radio").nth(2).check()
    keep.click()
    expect(graded.get_by_role("status")).to_contain_text("c: kept")
    expect(keep).to_be_focused()  # renewing the fallback takes no focus
    notebook.save()
    for cell in json.loads(notebook.path.read_text(encoding="utf-8"))["cells"]:
        (output,) = cell["outputs"]
        assert set(output["data"]) == {"text/plain", "text/html"}  # so whoever shows the file shows the fallback, once

    notebook.page.goto("about:blank")
    lab.stop_kernels()
    notebook.open()
    are_static(notebook)
    expect(notebook.output(1)).to_contain_text("✗ b: wrong")  # the fallback knows what was answered
    expect(graded).to_contain_text("c: kept")
    notebook.page.wait_for_timeout(2500)  # ipywidgets looks two seconds for a widget before it complains
    are_static(notebook)

    notebook.run_all()
    expect(graded.get_by_role("radio").nth(2)).to_be_checked()
    expect(graded.get_by_role("status")).to_contain_text("c: kept")
    assert "c" in json.loads(answers.read_text(encoding="utf-8")).values()
    answers.unlink()


def test_a_notebook_opened_again_with_its_kernel_goes_on_where_it_was(run_notebook):
    forget = "import gc\n_ = __ = ___ = None\ndel cut\nprint(gc.collect() >= 0)"
    notebook = run_notebook(THRESHOLD, QUIZ, forget)
    play(notebook)  # what is on the page still works when no name in the kernel leads to it
    notebook.save()
    notebook.open()
    picture = notebook.output(0)
    expect(picture.locator(".unet-playground-facts")).to_contain_text(PLAYED)
    picture.get_by_role("slider").focus()
    notebook.page.keyboard.press("ArrowLeft")
    expect(picture.locator(".unet-playground-facts")).to_contain_text("Threshold 0.48")
    expect(notebook.output(1).get_by_role("radio").nth(1)).to_be_checked()


def test_a_restarted_kernel_leaves_the_fallbacks_and_says_so(run_notebook):
    notebook = run_notebook(THRESHOLD, QUIZ)
    play(notebook)
    notebook.restart_kernel()
    are_static(notebook)
    for cell in (0, 1):
        expect(notebook.output(cell).get_by_role("status")).to_contain_text("Run this cell again")
    notebook.run_all()
    expect(notebook.output(0).locator(".unet-playground-facts")).to_contain_text("Threshold 0.50")
    expect(notebook.output(0).get_by_role("slider")).to_be_visible()


def test_closed_widgets_leave_the_fallbacks_and_come_back(run_notebook):
    notebook = run_notebook(THRESHOLD, QUIZ, "import ipywidgets\nipywidgets.Widget.close_all()", "cut")
    are_static(notebook)
    expect(notebook.output(0).get_by_role("status")).to_contain_text("Run this cell again")
    back = notebook.output(3)
    back.get_by_role("slider").focus()
    notebook.page.keyboard.press("ArrowLeft")
    expect(back.locator(".unet-playground-facts")).to_contain_text(PLAYED)

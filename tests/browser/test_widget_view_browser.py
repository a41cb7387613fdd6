"""Pieces shown as a plain widget view, which is what Colab and VS Code load: by JupyterLab's widget manager here."""

import pytest
from pieces import PIECES
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

ELSEWHERE = "from helpers import frontend\nfrontend.is_lab = lambda: False\n"
NAMES = ("quiz, single", "threshold", "compare", "graph, run", "graphs, two", "stepper", "monitor", "card, wrong")
CELLS = [PIECES[name] for name in NAMES]
ROOTS = ".unet-quiz, .unet-playground, .unet-graph, .unet-steps, .unet-monitor, .unet-card"


def test_each_piece_works_as_a_widget_view(run_notebook):
    notebook = run_notebook(*[ELSEWHERE + cell for cell in CELLS])
    for cell in range(len(CELLS)):
        expect(notebook.output(cell).locator(ROOTS).first).to_be_visible()
    expect(notebook.page.locator(".unet-live")).to_have_count(0)

    quiz, picture, graph, stepper = (notebook.output(cell) for cell in (0, 1, 3, 5))
    quiz.get_by_role("radio").nth(1).check()
    quiz.get_by_role("button", name="Check").click()
    expect(quiz.get_by_role("status")).to_contain_text("✗ b: wrong")
    picture.get_by_role("slider").focus()
    notebook.page.keyboard.press("ArrowLeft")
    expect(picture.locator(".unet-playground-facts")).to_contain_text("Threshold 0.49")
    graph.locator("[data-part='encoder 1']").click()
    expect(graph.locator(".unet-graph-card")).to_contain_text("It learns the what")
    stepper.get_by_role("button", name="Next").click()
    expect(stepper).to_contain_text("2/5")
    card = notebook.output(7)
    card.get_by_role("button", name="Hint 1 of 3").click()
    expect(card.locator(".unet-card-answers")).to_contain_text("Hint 1 of 3: Count three things")
    expect(notebook.output(6).get_by_role("progressbar")).to_have_attribute("aria-valuenow", "100")

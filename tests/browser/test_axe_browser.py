"""axe-core over every piece, live and as its static fallback, light and dark: nothing serious."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from pieces import FRONTS, PIECES
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

# From here on as where nobody is there; the network that is drawn above and the cards live on.
FALLBACKS = """
from helpers import frontend
from helpers.checks import card
frontend.is_interactive = lambda: False
kept = unet, dict(card._open)
card._open.clear()
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(run_notebook, dark):
    notebook = run_notebook(*PIECES.values(), FALLBACKS, *PIECES.values(), dark=dark)
    fronts = sum(FRONTS.get(name, 1) for name in PIECES)
    expect(notebook.page.locator(".unet-live")).to_have_count(fronts)
    quiz = notebook.output(0)
    for option in (1, 2):  # feedback of both kinds
        quiz.get_by_role("radio").nth(option).check()
        quiz.get_by_role("button", name="Check").click()
        expect(quiz.locator(".unet-quiz-mark").nth(option)).not_to_be_empty()
    passed = notebook.output(list(PIECES).index("card, passed"))
    for name in ("Solution", "Glossary: pixel accuracy"):
        passed.get_by_role("button", name=name).click()
    expect(passed.locator(".unet-card-answer")).to_have_count(2)
    graph = notebook.output(list(PIECES).index("graph, run"))
    graph.locator("[data-part='encoder 1']").click()
    graph.get_by_role("application").click()
    expect(graph.locator(".unet-graph-facts")).to_contain_text("Output pixel")
    for piece in ("graph, run", "stepper"):  # axe sees the colours of no text in a drawing
        drawn = notebook.output(list(PIECES).index(piece)).locator("svg text")
        expect(drawn).not_to_have_count(0)
        notebook.texts_stand_out(*drawn.all())
    found = []
    for cell, name in enumerate([*PIECES, "", *(f"{piece}, fallback" for piece in PIECES)]):
        if name:
            found += [(name, *violation) for violation in serious(notebook.output(cell))]
    assert found == []

    quiz.get_by_role("button", name="Check").evaluate("button => button.replaceChildren()")
    assert [violation[0] for violation in serious(quiz)] == ["button-name"]  # axe does look


def serious(output: Locator) -> list[tuple[str, list[str]]]:
    """What axe finds in an output that is serious or critical: the rule, and where."""
    output.evaluate("node => node.setAttribute('data-axe', '')")
    response = Axe().run(output.page, context="[data-axe]").response
    output.evaluate("node => node.removeAttribute('data-axe')")
    return [
        (violation["id"], [f"{node['html'][:160]}: {node['failureSummary']}" for node in violation["nodes"][:3]])
        for violation in response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]

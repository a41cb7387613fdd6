"""axe-core over every piece, live and as its static twin, light and dark: nothing serious."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from pieces import FRONTS, PIECES
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TWIN = "from helpers.widgets import host\nhost.is_interactive = lambda: False\n"  # as where nobody is there


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("live", [True, False], ids=["live", "twin"])
def test_axe_finds_nothing_serious(open_notebook, dark, live):
    notebook = open_notebook(*[source if live else TWIN + source for source in PIECES.values()], dark=dark)
    notebook.run_all()
    expect(notebook.page.locator(".unet-live")).to_have_count(
        sum(FRONTS.get(name, 1) for name in PIECES) if live else 0
    )
    if live:
        quiz = notebook.output(0)
        for option in (1, 2):  # feedback of both kinds
            quiz.get_by_role("radio").nth(option).check()
            quiz.get_by_role("button", name="Check").click()
            expect(quiz.locator(".unet-quiz-mark").nth(option)).not_to_be_empty()
    found = []
    for cell, name in enumerate(PIECES):
        notebook.output(cell).evaluate("(node, id) => node.setAttribute('data-axe', id)", str(cell))
        violations = Axe().run(notebook.page, context=f"[data-axe='{cell}']").response["violations"]
        for violation in violations:
            if violation["impact"] in ("serious", "critical"):
                nodes = [(node["html"][:160], node["failureSummary"]) for node in violation["nodes"][:3]]
                found.append((name, violation["id"], violation["impact"], nodes))
    assert found == []
    assert notebook.console_errors == []

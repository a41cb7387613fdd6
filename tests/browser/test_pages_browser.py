"""The pages of feedback and report, opened as files: what is hostile in them does nothing, and all can be read."""

from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe

from autograde import answer_keys, feedback, report
from autograde.results import Graded, Result
from helpers import exercises
from helpers.checks import engine

pytestmark = pytest.mark.browser

HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"></details></pre></section>"
)
LONG = "x" * 300


def pages():
    """A student's page and the class's, with hostile and endless texts beside what is shown of a real mistake."""
    keys = answer_keys.load("02_overlap")
    wrong = exercises.load("dice").misconceptions[0]
    verdict = engine.examine("dice", wrong.solution, 0)
    shown = {"given": wrong.source, "cell": "dice", "notes": (HOSTILE,), "where": HOSTILE}
    one = Graded("dice", "exercise", "wrong", 0, 3, verdict.message, verdict, **shown)
    graded = [
        one,
        replace(one, name="iou", state="flagged", message=HOSTILE + LONG, given=f"'{HOSTILE}'\n{LONG}"),
        *(Graded(id, "question", "wrong", 0, 2, "", given="c") for id in keys),
        Graded(LONG, "manual", "by hand", 0, 5, HOSTILE, given=HOSTILE + LONG),
    ]
    result = Result(f"ana {HOSTILE}{LONG}", "02_overlap", "key", 0, tuple(graded), (HOSTILE,), "2026-11-27T10:00Z")
    return {
        "feedback": feedback.page(result, keys),
        "report": report.page([result, replace(result, student="bo")], 3.0, lambda student: f"{len(student)}.html"),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_read_and_nothing_in_them_runs(browser, tmp_path, scheme):
    for name, text in pages().items():
        path = tmp_path / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
        page = context.new_page()
        said, asked_for = [], []
        page.on("console", lambda message, said=said: said.append(message.text))
        page.on("dialog", lambda dialog, said=said: said.append(dialog.message))
        page.on("request", lambda request, asked_for=asked_for: asked_for.append(request.url))
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.title().startswith(("Feedback on", "Class report"))
        assert said == []
        assert [url for url in asked_for if not url.startswith("data:")] == [path.as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
        violations = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in violations] == []
        context.close()

"""A class on a real JupyterHub, from release to feedback, in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from autograde import answer_keys
from helpers import plan
from tests.browser.conftest import CELLS_MS, NotebookPage
from tests.browser.hub import ANA, BEN, ENVIRONMENT, PROF, Hub, running, why_not
from tests.student import right, solved

pytestmark = pytest.mark.browser

LESSON = "02_overlap"
PYTHON = str(ENVIRONMENT / "bin" / "python")
START_MS = 180_000  # a user's server on a busy machine
STUB = "def dice(pred, target):\n    raise NotImplementedError()"
MAKE = (
    "import sys; from pathlib import Path; from autograde.build import student_versions; "
    "student_versions([sys.argv[1]], Path('course').resolve())"
)


@pytest.fixture(scope="module")
def hub(chromium):
    """The hub, with a course in its instructor's home."""
    if reason := why_not():
        pytest.skip(f"no hub: {reason}")
    with tempfile.TemporaryDirectory(prefix="hub-") as place:
        Path(place).chmod(0o755)  # pytest's folders are for one user alone
        with running(Path(place)) as hub:
            hub.as_user(PROF, PYTHON, "-c", MAKE, LESSON)
            yield hub


def sign_in(hub: Hub, browser: Browser, user: str) -> Page:
    """A page of a user's JupyterLab."""
    page = browser.new_context(viewport={"width": 1366, "height": 900}).new_page()
    page.goto(f"{hub.url}/hub/login")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", hub.password)
    page.click("#login_submit")
    page.wait_for_url(re.compile(f"/user/{user}/lab"), timeout=START_MS)
    page.locator("#jp-MainMenu").wait_for(timeout=CELLS_MS)
    return page


def form_grader(hub: Hub, lab: Page) -> Page:
    """The instructor's form grader, by the link on the hub's home page."""
    lab.goto(f"{hub.url}/hub/home")
    with lab.context.expect_page() as opened:
        lab.click("#formgrader")
    return opened.value


def do(grader: Page, what: str) -> str:
    """Press one of the form grader's buttons for the lesson, and return what it says."""
    grader.reload()
    grader.locator("tr", has_text=LESSON).locator(f".{what} a").click()
    said = grader.locator("#success-modal, #error-modal")
    expect(said).to_contain_text("Log Output", timeout=CELLS_MS)
    return said.inner_text()


def assignments(lab: Page, hub: Hub, user: str) -> Page:
    """The user's list of assignments, newly opened."""
    lab.goto(f"{hub.url}/user/{user}/lab?reset")
    lab.get_by_role("menuitem", name="Nbgrader", exact=True).click(timeout=CELLS_MS)
    expect(lab.locator(".lm-Menu").first).to_have_text("Assignment List")  # and nothing for instructors
    lab.get_by_role("menuitem", name="Assignment List").click()
    expect(lab.locator("#course_list_default")).to_have_text("build-unet", timeout=CELLS_MS)
    return lab


def write_solution(path: Path, user: str) -> tuple[int, int]:
    """Put right answers into a student's notebook but for one, and a last cell; which those two are among the code."""
    notebook = solved(LESSON)
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "dice":
            cell["source"] = STUB
    last = {"cell_type": "code", "id": "submit", "metadata": {}, "execution_count": None, "outputs": []}
    # Without the demonstrations, so that all of it is on the page.
    marked = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    notebook["cells"] = [first, *marked, {**last, "source": "submit()"}]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    (path.parent / "answers.json").write_text(json.dumps(answer_keys.answers_of(LESSON)), encoding="utf-8")
    shutil.chown(path.parent / "answers.json", user, user)
    dice = next(k for k, cell in enumerate(notebook["cells"]) if cell["source"] == STUB)
    return dice, len(notebook["cells"]) - 1


def test_a_class_from_release_to_feedback(hub, browser):
    prof = sign_in(hub, browser, PROF)
    grader = form_grader(hub, prof)
    assert "Successfully released" in do(grader, "release")

    ana = sign_in(hub, browser, ANA)
    released = assignments(ana, hub, ANA).locator("#released_assignments_list")
    released.get_by_role("button", name="Fetch").click()
    expect(ana.locator("#fetched_assignments_list")).to_contain_text(LESSON)
    path = hub.home(ANA) / LESSON / f"{LESSON}.ipynb"
    dice, submit = write_solution(path, ANA)
    notebook = NotebookPage(ana, path, f"{hub.url}/user/{ANA}/lab/tree/{LESSON}/{LESSON}.ipynb", dark=False)
    notebook.open()
    notebook.run(*range(submit))
    notebook.wait_for(submit - 1)
    cell = ana.locator(".jp-CodeCell").nth(dice).locator(".cm-content")
    cell.click()
    ana.keyboard.press("Control+a")
    ana.keyboard.insert_text(right("dice"))
    ana.keyboard.press("Shift+Enter")
    notebook.run(submit)
    expect(notebook.output(submit).first).to_contain_text("Not handed in. dice", timeout=CELLS_MS)
    notebook.save()
    notebook.run(submit)
    said = notebook.output(submit)
    expect(said.first).to_contain_text("Handed in to build-unet", timeout=CELLS_MS)
    expect(said.last).to_contain_text("Nothing in it is unanswered, and nothing is known wrong.")

    assert "Successfully collected" in do(grader, "collect")
    command = ["-m", "autograde.cli", "grade", LESSON, "--submissions", "course/submitted", "--course", "course"]
    hub.as_user(PROF, PYTHON, *command, "--workers", "1")
    asked = next(one for one in plan.lessons() if one["lesson"] == LESSON)
    full = sum(asked["checks"].values()) + sum(asked["graded"].values())
    scores = (hub.home(PROF) / "course" / "grades" / f"{LESSON}.csv").read_text()
    assert re.search(rf"^{ANA},.*\b{full:g}\b", scores, flags=re.MULTILINE)
    assert "Successfully released feedback" in do(grader, "release-feedback")

    submitted = assignments(ana, hub, ANA).locator("#submitted_assignments_list")
    submitted.get_by_role("button", name="Fetch Feedback").first.click()
    expect(submitted).to_contain_text("view feedback", timeout=CELLS_MS)
    (page,) = (hub.home(ANA) / LESSON / "feedback").rglob("*.html")
    at = page.relative_to(hub.home(ANA)).as_posix()
    ana.goto(f"{hub.url}/user/{ANA}/files/{at}")
    expect(ana.locator("body")).to_contain_text(f"{full:g} of {full:g}")

    # Another student's feedback is refused, by the hub and by the machine.
    ben = sign_in(hub, browser, BEN)
    answer = ben.goto(f"{hub.url}/user/{ANA}/files/{at}")
    assert answer is not None
    assert answer.status in (403, 404)
    assert "Permission denied" in hub.as_user(BEN, "cat", str(page), check=False)
    course = hub.exchange / "build-unet"
    for private in (course / "feedback", course / "inbound", hub.home(PROF) / "course"):
        assert "Permission denied" in hub.as_user(BEN, "ls", str(private), check=False)
    assert hub.as_user(BEN, "ls", str(course / "outbound")).split() == [LESSON]
    # The form grader that answers to him is that of a class of his own, which is empty.
    ben.goto(f"{hub.url}/hub/home")
    expect(ben.locator("#formgrader")).to_have_count(0)

"""nbgrader's form grader, opened by its own address, shows what `grade` has written."""

import json

import pytest
from playwright.sync_api import expect

from autograde import build, grade
from tests.browser.conftest import served

pytestmark = pytest.mark.browser

LESSON = "13_project"
TEXT = """# Which question? <img src=x onerror="document.title='owned'"><script>document.title='owned'</script>
[here](javascript:document.title='owned')"""


@pytest.fixture(scope="module")
def formgrader(chromium, tmp_path_factory):
    """A course in which a report was handed in, with HTML in one of its texts, and its form grader."""
    course = tmp_path_factory.mktemp("formgrader") / "course"
    notebook = json.loads(build.student_versions([LESSON], course)[LESSON])
    for cell in notebook["cells"]:
        if cell["id"] == "report-question":
            cell["source"] = TEXT
    (course.parent / "in" / "ana [TA]").mkdir(parents=True)
    (course.parent / "in" / "ana [TA]" / f"{LESSON}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    grade.grade_class(LESSON, course.parent / "in", course, workers=1)
    with served(course.parent, course) as lab:
        yield lab


def test_it_shows_the_scores_and_the_texts_to_be_graded(formgrader, browser):
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.goto(f"{formgrader.url}/lab?token={formgrader.token}")  # signs in
    page.goto(f"{formgrader.url}/formgrader/gradebook/{LESSON}/{LESSON}")
    row = page.locator("table tbody tr", has_text="Submission #1")
    expect(row).to_contain_text("0 / 25")
    row.get_by_role("link").first.click()
    expect(page.locator("body")).to_contain_text("Which question?")
    score = page.locator("input.score").first
    score.fill("1.5")
    score.press("Tab")
    expect(page.locator(".save-icon").first).to_be_attached()
    assert "owned" not in page.title()
    assert page.locator("a[href^=javascript]").count() == page.locator("img[onerror]").count() == 0
    page.goto(f"{formgrader.url}/formgrader/manage_students")
    expect(page.locator("table tbody")).to_contain_text("ana [TA]")

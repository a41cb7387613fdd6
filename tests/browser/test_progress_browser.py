"""What `progress()` shows in a real JupyterLab, with what a real kernel has kept beside the lessons."""

import json
import re

import pytest
from playwright.sync_api import expect

from helpers import plan

pytestmark = pytest.mark.browser

WORK = """\
from helpers import check, progress, quiz
check("iou", lambda pred, target: 0.5)
quiz("iou-by-hand").answer(0.25)
quiz("dice-from-counts").answer(0.5)"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_was_done_is_kept_and_shown_lesson_by_lesson(open_notebook, dark):
    lesson = open_notebook(WORK, "progress()", lesson="02_overlap", dark=dark)
    lesson.run_all()
    shown = lesson.output(1)
    overlap = shown.get_by_role("row").filter(has_text="02 · Overlap")
    (planned,) = (lesson for lesson in plan.lessons() if lesson["lesson"] == "02_overlap")
    practice = f"1 of {len(planned['practice'])}, 1 right"
    checks, points = (
        f"0 of {len(planned['checks'])}",
        f"0 of {sum(sum(planned[part].values()) for part in ('checks', 'graded'))}",
    )
    minutes = f"0 of {planned['minutes']}"
    expect(overlap.get_by_role("cell")).to_have_text([checks, practice, "1 of 2", points, minutes, "iou: wrong"])
    expect(overlap).to_have_attribute("aria-current", "true")
    expect(shown).to_contain_text("Next, in 02 · Overlap: pixel_accuracy (not checked yet).")
    kept = json.loads((lesson.path.parents[1] / "progress" / "02_overlap.json").read_text(encoding="utf-8"))
    assert (kept["checks"], kept["quizzes"]) == ({"iou": "wrong"}, {"iou-by-hand": True})

    region = shown.get_by_role("region", name="Lesson by lesson")
    assert region.evaluate("table => table.scrollWidth <= table.clientWidth")  # nothing is cut off

    link = shown.get_by_role("link", name="01 · Pixels")
    link.focus()
    lesson.page.keyboard.press("Enter")
    expect(lesson.page.get_by_role("tab", name=re.compile("01_pixels"))).to_be_visible()

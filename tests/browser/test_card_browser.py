"""The card below a check in a real JupyterLab: by mouse, by keys, while a search runs, opened again."""

import json
import re

import pytest
from pieces import CARD, PIECES
from playwright.sync_api import Locator, expect

from helpers import exercises

pytestmark = pytest.mark.browser

WRONG, PASSED = (PIECES[f"card, {status}"].replace("_ = ", "") for status in ("wrong", "passed"))
# A search that lasts until a file called `go` is there.
SLOW = """
import pathlib, time
from helpers.checks import one_change
class Found:
    def said(self, level):
        return f"Level {level} of `where`."
class Search:
    tried, stopped = 12, False
    def wait(self, seconds=None):
        time.sleep(0.05)
        return Found() if pathlib.Path("go").exists() else None
    def stop(self):
        Search.stopped = True
one_change.search = lambda name, answer: Search()
"""


def card(output: Locator) -> Locator:
    return output.locator(".unet-card")


def press(output: Locator, name: str) -> None:
    output.get_by_role("button", name=name).click()


def answers(output: Locator) -> Locator:
    return output.locator(".unet-card-answers")


def test_the_card_is_all_there_is_below_a_check(run_notebook):
    notebook = run_notebook(WRONG, PASSED)
    for cell in range(2):
        expect(notebook.output(cell)).to_have_count(1)
    expect(notebook.page.locator(".jp-OutputPrompt", has_text=re.compile(r"\d"))).to_have_count(0)
    expect(card(notebook.output(0))).to_contain_text("IoU instead of Dice")
    expect(card(notebook.output(1))).to_contain_text("pixel_accuracy: passed")


def test_hints_word_and_solution_by_mouse(run_notebook):
    notebook = run_notebook(WRONG)
    wrong = notebook.output(0)
    for k in (1, 2, 3):
        press(wrong, f"Hint {k} of 3")
        expect(answers(wrong).get_by_text(f"Hint {k} of 3")).to_be_visible()
    expect(answers(wrong).locator("code").first).to_have_text("&")
    expect(wrong.get_by_role("button", name="Hint 3 of 3")).to_have_attribute("aria-disabled", "true")
    press(wrong, "Solution")
    expect(answers(wrong)).to_contain_text("after 2 more wrong tries")
    press(wrong, "Glossary: Dice coefficient")
    expect(answers(wrong)).to_contain_text("Twice the pixels in both masks")
    press(wrong, "Next exercise")
    after = exercises.names()[exercises.names().index("dice") + 1]
    expect(answers(wrong)).to_contain_text(f"Next is {after}")
    for _ in range(2):
        notebook.run_all()
    press(wrong, "Solution")
    code = answers(wrong).locator("pre")
    expect(code).to_contain_text("def dice(")
    keyword, plain = (code.evaluate(f"node => getComputedStyle({node}).color") for node in ("node.children[0]", "node"))
    assert keyword != plain


def test_by_keyboard_alone(run_notebook):
    notebook = run_notebook(WRONG, "2 + 2")
    wrong, keyboard = notebook.output(0), notebook.page.keyboard
    hint = wrong.get_by_role("button", name=re.compile("^Hint"))
    notebook.tab_to(hint)
    keyboard.press("Enter")
    expect(answers(wrong)).to_contain_text("Hint 1 of 3")
    expect(hint).to_be_focused()
    keyboard.press("Space")
    expect(answers(wrong)).to_contain_text("Hint 2 of 3")
    keyboard.press("Tab")
    expect(wrong.get_by_role("button", name="Where is it?")).to_be_focused()
    notebook.keeps_letters()


def test_a_search_shows_how_far_it_is_and_stops_and_goes_on(run_notebook):
    notebook = run_notebook(SLOW + WRONG, "print(Search.stopped)")
    wrong = notebook.output(0)
    note = wrong.locator(".unet-card-note")
    press(wrong, "Where is it?")
    expect(note).to_have_text("Looking for one change that makes it pass: 12 tried.")
    heard = wrong.locator(".unet-heard")
    expect(heard).to_have_text("Looking for one change that makes it pass.")  # once, without steps
    notebook.run(1)  # the kernel is free meanwhile
    expect(notebook.output(1)).to_have_text("False")
    press(wrong, "Stop looking")
    expect(note).to_be_empty()
    expect(answers(wrong)).to_be_empty()
    (notebook.path.parent / "go").touch()
    press(wrong, "Where is it?")
    expect(answers(wrong)).to_have_text("Level 1 of where.")
    press(wrong, "Where in the line?")
    press(wrong, "What kind of change?")
    expect(answers(wrong).locator("p")).to_have_text([f"Level {k} of where." for k in (1, 2, 3)])
    (notebook.path.parent / "go").unlink()


def test_a_call_works_and_an_interrupt_ends_it_without_a_traceback(open_notebook):
    notebook = open_notebook(SLOW + WRONG, "from helpers import where\nwhere('dice')")
    notebook.run(0, 1)
    output = notebook.output(1)
    expect(output).to_have_text("Looking for one change that makes it pass: 12 tried.", timeout=60_000)
    notebook.page.get_by_role("menuitem", name="Kernel", exact=True).click()
    notebook.page.get_by_role("menuitem", name=re.compile("^Interrupt Kernel")).click()
    expect(output).to_have_text("Stopped. Nothing was found so far.")
    (notebook.path.parent / "go").touch()
    notebook.run(1)
    expect(output).to_have_text("Level 1 of where.")
    expect(notebook.output(0).get_by_role("button", name="Where in the line?")).to_be_visible()
    (notebook.path.parent / "go").unlink()


def test_a_busy_kernel_is_said_and_answers_later(open_notebook):
    wait = "import pathlib, time\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.02)"
    notebook = open_notebook(WRONG, wait)
    notebook.run(0, 1)
    wrong = notebook.output(0)
    press(wrong, "Hint 1 of 3")
    expect(wrong.locator(".unet-card-note")).to_contain_text("Waiting for the kernel.")
    (notebook.path.parent / "go").touch()
    expect(answers(wrong)).to_contain_text("Hint 1 of 3")
    expect(wrong.locator(".unet-card-note")).to_be_empty()
    (notebook.path.parent / "go").unlink()


def test_a_pass_is_seen_for_a_moment_and_not_where_motion_is_not_wanted(run_notebook):
    notebook = run_notebook("from helpers import check", PASSED)
    fresh = notebook.page.locator(".unet-card-fresh")
    expect(fresh).to_have_count(0)  # over
    passed = card(notebook.output(1))
    animation = "node => { node.classList.add('unet-card-fresh'); return getComputedStyle(node).animationName }"
    assert passed.evaluate(animation) == "unet-card-fill"
    expect(fresh).to_have_count(0)
    notebook.page.emulate_media(reduced_motion="reduce")
    assert passed.evaluate(animation) == "none"


def test_next_exercise_goes_to_it_where_it_is_in_the_notebook(open_notebook):
    notebook = open_notebook(lesson="02_overlap")
    cells = json.loads(notebook.path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    check = next(k for k, cell in enumerate(code) if "check(pixel_accuracy)" in "".join(cell["source"]))
    notebook.run(0, check - 1, check)
    notebook.wait_for(check)
    press(notebook.output(check), "Next exercise")
    head = notebook.page.get_by_role("heading", name=re.compile("Write it: confusion"))
    expect(head).to_be_in_viewport()
    expect(head).to_be_focused()


def test_what_was_asked_for_is_there_when_the_notebook_is_opened_again(run_notebook, lab):
    notebook = run_notebook(WRONG)
    press(notebook.output(0), "Hint 1 of 3")
    expect(answers(notebook.output(0))).to_contain_text("Hint 1 of 3")
    expect(notebook.page.locator(".jp-RenderedHTML")).to_contain_text("Hint 1 of 3")  # it follows a moment later
    notebook.save()
    (cell,) = json.loads(notebook.path.read_text(encoding="utf-8"))["cells"]
    (output,) = cell["outputs"]
    assert set(output["data"]) == {"text/plain", "text/html"}
    notebook.page.goto("about:blank")
    lab.stop_kernels()
    notebook.open()
    saved = notebook.output(0)
    expect(saved).to_contain_text("dice: wrong")
    expect(saved).to_contain_text("Hint 1 of 3")
    expect(saved.get_by_role("button")).to_have_count(0)


def test_a_new_check_of_the_exercise_takes_the_buttons_from_the_older_card(run_notebook):
    notebook = run_notebook(WRONG, CARD + 'check("dice", lambda pred, target: 0.5)')
    expect(notebook.output(0)).to_contain_text("IoU instead of Dice")
    expect(notebook.output(0).get_by_role("button")).to_have_count(0)
    expect(card(notebook.output(1))).to_be_visible()

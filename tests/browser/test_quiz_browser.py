"""The quiz in a real JupyterLab: by mouse, by keyboard alone, in two views."""

import pytest
from pieces import PIECES
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

SINGLE, MULTIPLE, NUMERIC = (PIECES[f"quiz, {kind}"] for kind in ("single", "multiple", "numeric"))
WRONG_WHY = "Size does not enter."  # of option b
RIGHT_WHY = "An IoU of 0.50 is a Dice of 0.67"  # of option c


def feedback(quiz: Locator) -> Locator:
    return quiz.get_by_role("status")


def test_mouse_wrong_then_right(run_notebook):
    notebook = run_notebook(SINGLE)
    quiz = notebook.output(0)
    expect(feedback(quiz)).to_be_empty()

    quiz.get_by_text("IoU, when the object is small.").click()
    quiz.get_by_role("button", name="Check").click()
    expect(feedback(quiz)).to_contain_text("✗ b: wrong")
    expect(feedback(quiz)).to_contain_text(WRONG_WHY)

    quiz.get_by_text("Dice, for every such pair.").click()
    quiz.get_by_role("button", name="Check").click()
    expect(feedback(quiz)).to_contain_text("✓ c: right")
    expect(feedback(quiz)).to_contain_text(RIGHT_WHY)

    # what was tried stays marked, in the name of the option too
    expect(quiz.get_by_role("radio", name="wrong")).to_have_value("b")
    expect(quiz.get_by_role("radio", name="right")).to_have_value("c")
    quiz.get_by_role("radio").nth(1).check()  # and shows its reason again
    expect(feedback(quiz)).to_contain_text(WRONG_WHY)


def test_keyboard_alone(run_notebook):
    notebook = run_notebook(SINGLE, "2 + 2")
    quiz, keyboard = notebook.output(0), notebook.page.keyboard
    first = quiz.get_by_role("radio").first
    notebook.tab_to(first)

    keyboard.press("ArrowDown")
    expect(quiz.get_by_role("radio").nth(1)).to_be_checked()
    keyboard.press("Enter")
    expect(feedback(quiz)).to_contain_text("✗ b: wrong")

    keyboard.press("ArrowDown")
    keyboard.press("Tab")
    expect(quiz.get_by_role("button", name="Check")).to_be_focused()
    keyboard.press("Space")
    expect(feedback(quiz)).to_contain_text("✓ c: right")

    notebook.keeps_letters()


def test_number(run_notebook):
    notebook = run_notebook(NUMERIC)
    quiz = notebook.output(0)
    box = quiz.get_by_label("Your answer")

    quiz.get_by_role("button", name="Check").click()
    expect(feedback(quiz)).to_contain_text("Type a number first.")
    for _ in range(2):  # the second time is answered like the first, not with silence
        box.fill("a quarter")
        box.press("Enter")
        expect(feedback(quiz)).to_contain_text("a quarter is not a number")
    box.fill("0.4")
    box.press("Enter")
    expect(feedback(quiz)).to_contain_text("That is Dice")
    box.fill("1/4")
    box.press("Enter")
    expect(feedback(quiz)).to_contain_text("✓ 1/4: right")
    expect(quiz.get_by_text("Tried so far")).to_have_text("Tried so far: 0.4 ✗ wrong; 1/4 ✓ right")


def test_multiple_choice_by_keyboard(run_notebook):
    notebook = run_notebook(MULTIPLE)
    quiz, keyboard = notebook.output(0), notebook.page.keyboard
    expect(quiz.locator("legend em")).to_have_text("parts")

    quiz.get_by_role("checkbox").first.focus()
    keyboard.press("Space")
    keyboard.press("Tab")
    keyboard.press("Space")
    keyboard.press("Enter")
    said = ["✗ a, b: wrong", "✓ a: Why a.", "✗ b: Why b.", "A right option is not ticked yet."]
    expect(feedback(quiz).get_by_role("paragraph")).to_have_text(said)

    keyboard.press("Space")
    keyboard.press("Tab")
    keyboard.press("Space")
    keyboard.press("Enter")
    expect(feedback(quiz)).to_contain_text("✓ a, c: right")
    expect(quiz.get_by_text("Tried so far")).to_have_text("Tried so far: a, b ✗ wrong; a, c ✓ right")


def test_two_views_stay_in_step_and_two_quizzes_do_not_mix(run_notebook):
    notebook = run_notebook(SINGLE, SINGLE, SINGLE.replace("dice-or-iou", "accuracy-of-nothing"))
    first, second, other = (notebook.output(k) for k in range(3))

    first.get_by_role("radio").nth(1).check()
    expect(second.get_by_role("radio").nth(1)).to_be_checked()
    expect(first.get_by_role("radio").nth(1)).to_be_checked()
    second.get_by_role("button", name="Check").click()
    for view in (first, second):
        expect(feedback(view)).to_contain_text(WRONG_WHY)
        expect(view.locator(".unet-quiz-mark").nth(1)).to_have_text("✗ wrong")
    expect(other.locator("input:checked")).to_have_count(0)
    expect(feedback(other)).to_be_empty()


def test_a_call_answers_the_widget_above_it(run_notebook):
    notebook = run_notebook(SINGLE, 'quiz("dice-or-iou").answer("b")')
    expect(feedback(notebook.output(0))).to_contain_text(WRONG_WHY)
    expect(notebook.output(0).locator(".unet-quiz-mark").nth(1)).to_have_text("✗ wrong")
    expect(notebook.output(1)).to_contain_text(WRONG_WHY)


def test_a_busy_kernel_is_said_and_answers_later(open_notebook):
    # the second cell ends when the browser test has seen the note
    wait = "import pathlib, time\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.02)"
    notebook = open_notebook(SINGLE, wait)
    quiz = notebook.output(0)
    notebook.start_all()
    quiz.get_by_role("radio").nth(1).check()
    quiz.get_by_role("button", name="Check").click()
    expect(feedback(quiz)).to_contain_text("Waiting for the kernel.")
    (notebook.path.parent / "go").touch()
    expect(feedback(quiz)).to_contain_text(WRONG_WHY)

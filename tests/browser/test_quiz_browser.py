"""The quiz in a real JupyterLab: by mouse, by keyboard alone, in two views, light and dark."""

import re

import pytest
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

SINGLE = 'from helpers.quiz import quiz\nquiz("dice-or-iou")'
NUMERIC = 'from helpers.quiz import quiz\nquiz("iou-by-hand")'
MULTIPLE = """
from helpers.quiz.questions import Option, Question
from helpers.quiz.quiz import Quiz
options = (
    Option("a", "skips", True, "Why a."),
    Option("b", "dropout", False, "Why b."),
    Option("c", "ups", True, "Why c."),
)
Quiz(Question("parts", "test", "multiple", "Which *parts* has `UNet`?", options))
"""
WRONG_WHY = "Size does not enter."  # of option b
RIGHT_WHY = "An IoU of 0.50 is a Dice of 0.67"  # of option c


def feedback(quiz: Locator) -> Locator:
    return quiz.get_by_role("status")


def test_mouse_wrong_then_right(open_notebook):
    notebook = open_notebook(SINGLE)
    notebook.run_all()
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
    assert notebook.console_errors == []


def test_keyboard_alone(open_notebook):
    notebook = open_notebook(SINGLE, "2 + 2")
    notebook.run_all()
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
    assert notebook.console_errors == []


def test_an_option_tried_before_shows_its_reason_again(open_notebook):
    notebook = open_notebook(SINGLE)
    notebook.run_all()
    quiz = notebook.output(0)
    for option in (1, 2):
        quiz.get_by_role("radio").nth(option).check()
        quiz.get_by_role("button", name="Check").click()
        expect(quiz.locator(".unet-quiz-mark").nth(option)).not_to_be_empty()
    expect(feedback(quiz)).to_contain_text(RIGHT_WHY)
    quiz.get_by_role("radio").nth(1).check()
    expect(feedback(quiz)).to_contain_text(WRONG_WHY)


def test_number(open_notebook):
    notebook = open_notebook(NUMERIC)
    notebook.run_all()
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
    assert notebook.console_errors == []


def test_multiple_choice_by_keyboard(open_notebook):
    notebook = open_notebook(MULTIPLE)
    notebook.run_all()
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
    assert notebook.console_errors == []


def test_two_views_stay_in_step_and_two_quizzes_do_not_mix(open_notebook):
    notebook = open_notebook(SINGLE, SINGLE, SINGLE.replace("dice-or-iou", "accuracy-of-nothing"))
    notebook.run_all()
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
    assert notebook.console_errors == []


def test_a_call_answers_the_widget_above_it(open_notebook):
    notebook = open_notebook(SINGLE, 'quiz("dice-or-iou").answer("b")')
    notebook.run_all()
    expect(feedback(notebook.output(0))).to_contain_text(WRONG_WHY)
    expect(notebook.output(0).locator(".unet-quiz-mark").nth(1)).to_have_text("✗ wrong")
    expect(notebook.output(1)).to_contain_text(WRONG_WHY)
    assert notebook.console_errors == []


def test_a_busy_kernel_is_said_and_answers_later(open_notebook):
    # the second cell ends when the browser test has seen the note
    wait = "import pathlib, time\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.02)"
    notebook = open_notebook(SINGLE, wait)
    quiz, page = notebook.output(0), notebook.page
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    quiz.get_by_role("radio").nth(1).check()
    quiz.get_by_role("button", name="Check").click()
    expect(feedback(quiz)).to_contain_text("Waiting for the kernel.")
    (notebook.path.parent / "go").touch()
    expect(feedback(quiz)).to_contain_text(WRONG_WHY)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_stands_out_in_both_themes(open_notebook, dark):
    notebook = open_notebook(SINGLE, dark=dark)
    notebook.run_all()
    quiz = notebook.output(0)
    quiz.get_by_role("radio").nth(1).check()
    quiz.get_by_role("button", name="Check").click()
    expect(feedback(quiz)).to_contain_text(WRONG_WHY)
    page_brightness = brightness(quiz.page.locator(".jp-Notebook").first, "backgroundColor")
    assert (page_brightness < 128) == dark
    for part in ("legend", "button", ".unet-quiz-option", ".unet-quiz-mark:not(:empty)", "[role=status]", "code"):
        for shown in quiz.locator(part).all():
            assert abs(brightness(shown, "color") - page_brightness) > 128, part


def brightness(element: Locator, style: str) -> float:
    """How bright a colour of the element is, from 0 to 255."""
    colour = element.evaluate(f"element => getComputedStyle(element).{style}")
    red, green, blue, *_ = (float(number) for number in re.findall(r"[\d.]+", colour))
    return 0.299 * red + 0.587 * green + 0.114 * blue

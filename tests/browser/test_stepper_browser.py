"""The code stepper in a real JupyterLab: by mouse, by keyboard alone, in two views."""

import re

import pytest
from playwright.sync_api import Locator, expect

from helpers.stepper import CodeStepper

pytestmark = pytest.mark.browser

STEPS = "from helpers.stepper import CodeStepper\nsteps = CodeStepper()\nsteps"


def title(view: Locator) -> Locator:
    return view.locator(".unet-steps-title")


def marked(view: Locator) -> Locator:
    return view.locator("mark")


def in_sight(view: Locator, row: Locator) -> bool:
    """Whether a row of the code lies within the part of it that can be seen."""
    box, pane = row.bounding_box(), view.get_by_role("region", name="Code of").bounding_box()
    return pane["y"] <= box["y"] and box["y"] + box["height"] <= pane["y"] + pane["height"]


def test_mouse_next_back_and_jump(run_notebook):
    view = run_notebook(STEPS).output(0)
    expect(title(view)).to_have_text("unet.py 1/5 · Encoder")
    expect(view).to_contain_text("halves the sides and doubles the channels")
    expect(view.get_by_role("button", name="Back")).to_have_attribute("aria-disabled", "true")
    expect(view.get_by_role("status")).to_be_empty()

    view.get_by_role("button", name="Next").click()
    expect(title(view)).to_have_text("unet.py 2/5 · Decoder")
    view.get_by_role("button", name="3 Skip connections").click()
    expect(title(view)).to_have_text("unet.py 3/5 · Skip connections")
    expect(view.get_by_role("button", name="3 Skip")).to_have_attribute("aria-current", "step")
    expect(view.locator("[aria-current]")).to_have_count(1)
    view.get_by_role("button", name="Back").click()
    expect(title(view)).to_have_text("unet.py 2/5 · Decoder")
    view.get_by_role("button", name="5 Dice").click()
    expect(view.get_by_role("button", name="Next")).to_have_attribute("aria-disabled", "true")
    view.get_by_role("button", name="Next").click(force=True)
    expect(title(view)).to_have_text("unet.py 5/5 · Dice")
    expect(view.locator("figcaption")).to_contain_text("Nothing in the graph is stressed")
    a_step_shows_lines_shapes_and_graph(view)


def a_step_shows_lines_shapes_and_graph(view: Locator) -> None:
    view.get_by_role("button", name="3 Skip connections").click()
    expect(marked(view)).to_have_count(3)
    cat = marked(view).filter(has_text="torch.cat([skip, x], dim=1)")
    expect(cat.get_by_role("img", name="in question:")).to_have_text("▸")
    assert cat.evaluate("row => getComputedStyle(row).borderLeftColor") == "rgb(230, 159, 0)"
    # the shapes stand under the line, and in the table
    note = cat.locator("xpath=following-sibling::*[1]")
    expect(note).to_contain_text("→ torch.cat (1, 64, 16, 16), then")
    assert 0 <= note.bounding_box()["y"] - cat.bounding_box()["y"] < 60
    assert in_sight(view, marked(view).first)
    view.get_by_text("The shapes as a table").click()
    expect(view.get_by_role("table").locator("tbody tr")).to_have_count(3)
    expect(view.get_by_role("row", name=re.compile("torch.cat"))).to_contain_text("(1, 64, 16, 16)")
    # the graph, with its part stressed
    expect(view.get_by_role("img", name="The part of the U-Net that step 3 is about")).to_be_visible()
    expect(view.locator("figcaption")).to_have_text("In the graph, with thick lines: skip 2, skip 1, skip 0.")
    # the table stays open and shows the next step's
    view.get_by_role("button", name="Next").click()
    expect(view.get_by_role("table").locator("tbody tr")).to_have_count(2)
    assert in_sight(view, marked(view).first)


def test_keyboard_alone(run_notebook):
    notebook = run_notebook(STEPS, "2 + 2")
    view, keyboard = notebook.output(0), notebook.page.keyboard
    back = view.get_by_role("button", name="Back")
    notebook.tab_to(back)
    said = view.get_by_role("status")

    keyboard.press("ArrowRight")
    expect(title(view)).to_have_text("unet.py 2/5 · Decoder")
    expect(said).to_contain_text("unet.py 2/5 · Decoder. On the way up each level doubles the sides again.")
    marked = [str(line.number) for _, lines in CodeStepper().shown(2).files for line in lines if line.marked]
    expect(said).to_contain_text(f"Lines in question: {', '.join(marked)}.")
    keyboard.press("Tab")
    expect(view.get_by_role("button", name="Next")).to_be_focused()
    keyboard.press("Enter")
    expect(title(view)).to_have_text("unet.py 3/5 · Skip connections")
    keyboard.press("End")
    expect(title(view)).to_have_text("unet.py 5/5 · Dice")
    expect(view.get_by_role("button", name="Next")).to_be_focused()  # though there is no next
    keyboard.press("ArrowRight")
    keyboard.press("ArrowLeft")
    expect(title(view)).to_have_text("unet.py 4/5 · 1×1 head")
    keyboard.press("Home")
    expect(title(view)).to_have_text("unet.py 1/5 · Encoder")
    for _ in range(3):
        keyboard.press("Tab")
    keyboard.press("Space")
    expect(title(view)).to_have_text("unet.py 3/5 · Skip connections")
    for _ in range(3):
        keyboard.press("Tab")
    expect(view.get_by_role("region", name="Code of helpers/reference/unet.py")).to_be_focused()
    keyboard.press("ArrowRight")
    expect(title(view)).to_have_text("unet.py 4/5 · 1×1 head")

    notebook.keeps_letters()


def test_two_views_and_python_move_together(run_notebook):
    notebook = run_notebook(STEPS, "steps", "steps.next();")
    first, second = notebook.output(0), notebook.output(1)
    for view in (first, second):
        expect(title(view)).to_have_text("unet.py 2/5 · Decoder")
    second.get_by_role("button", name="Next").click()
    for view in (first, second):
        expect(title(view)).to_have_text("unet.py 3/5 · Skip connections")
    notebook.page.locator(".jp-CodeCell").nth(2).click()  # Python goes on from where the page went
    notebook.page.keyboard.press("Control+Enter")
    for view in (first, second):
        expect(title(view)).to_have_text("unet.py 4/5 · 1×1 head")
    ids = notebook.page.evaluate("[...document.querySelectorAll('.unet-steps [id]')].map((node) => node.id)")
    assert len(set(ids)) == len(ids)


def test_it_steps_without_a_kernel(run_notebook):
    notebook = run_notebook(STEPS)
    view, page = notebook.output(0), notebook.page
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Shut Down Kernel", exact=True).click()
    expect(page.locator("#jp-main-statusbar")).to_contain_text(re.compile("No Kernel|Unknown"), timeout=20_000)
    view.get_by_role("button", name="Next").click()
    expect(title(view)).to_have_text("unet.py 2/5 · Decoder")
    view.get_by_role("button", name="5 Dice").click()
    expect(title(view)).to_have_text("unet.py 5/5 · Dice")

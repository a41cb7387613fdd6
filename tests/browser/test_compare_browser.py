"""The compare viewer in a real JupyterLab: linked zoom and the wipe, by mouse and by keyboard, without the kernel."""

import pytest
from pieces import COMPARE, PIECES
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

TWO = COMPARE + 'pair = play.compare(image, mask, {"low": low, "high": high})\npair'


def place(viewer: Locator) -> Locator:
    return viewer.locator(".unet-playground-place")


def painted(viewer: Locator) -> list[str]:
    return viewer.locator("figure canvas").evaluate_all("all => all.map(canvas => canvas.toDataURL())")


def test_zoom_and_pan_move_all_pictures_together_in_both_views(run_notebook):
    notebook = run_notebook(TWO, "pair", "2 + 2")
    viewer, other, keyboard = notebook.output(0), notebook.output(1), notebook.page.keyboard
    expect(place(viewer)).to_have_text("1×: rows 0 to 63, columns 0 to 63")
    whole = painted(viewer)
    assert len(whole) == 2 + 2 * 2 + 2  # image and truth, prediction and error of each, two in the wipe

    pictures = viewer.get_by_role("application")
    expect(pictures).to_have_count(1)  # one stop for all
    pictures.focus()
    keyboard.press("+")
    expect(place(viewer)).to_have_text("2×: rows 16 to 47, columns 16 to 47")
    assert all(a != b for a, b in zip(painted(viewer), whole, strict=True))
    keyboard.press("ArrowDown")
    keyboard.press("ArrowLeft")
    expect(place(viewer)).to_have_text("2×: rows 20 to 51, columns 12 to 43")
    expect(place(other)).to_have_text("2×: rows 20 to 51, columns 12 to 43")
    assert painted(other) == painted(viewer)
    notebook.keeps_letters()
    keyboard.press("0")
    expect(place(other)).to_have_text("1×: rows 0 to 63, columns 0 to 63")
    assert painted(viewer) == whole

    other.get_by_role("button", name="Zoom in").click()
    notebook.drag(viewer.locator("[data-zooms]").last, 1 / 4)
    expect(place(viewer)).to_have_text("2×: rows 16 to 47, columns 8 to 39")
    notebook.page.mouse.wheel(0, 100)  # over a picture that was clicked
    expect(place(viewer)).to_contain_text("1.6×")
    viewer.get_by_role("button", name="Show all").click()
    expect(place(viewer)).to_contain_text("1×")


def test_the_wipe_by_mouse_and_keyboard_goes_on_when_the_kernel_is_gone(run_notebook):
    notebook = run_notebook(PIECES["compare, three"])
    viewer, keyboard = notebook.output(0), notebook.page.keyboard
    line = viewer.get_by_role("slider", name="Line")
    expect(line).to_have_value("50")
    line.focus()
    for _ in range(10):
        keyboard.press("ArrowLeft")
    expect(line).to_have_attribute("aria-valuetext", "40 % of the width is low, the rest high")
    over = viewer.locator("[data-wipes] canvas").last
    expect(over).to_have_css("clip-path", "inset(0px 60% 0px 0px)")

    viewer.get_by_role("combobox", name="Right").select_option("none")
    expect(line).to_have_attribute("aria-valuetext", "40 % of the width is low, the rest none")

    notebook.restart_kernel()
    expect(line).to_be_visible()  # nothing in it needs the kernel
    notebook.drag(viewer.locator("[data-wipes]"), 0.3)
    expect(line).to_have_value("80")
    viewer.get_by_role("button", name="Zoom in").click()
    expect(place(viewer)).to_contain_text("2×")

"""Playgrounds in a real JupyterLab: by mouse, by keyboard alone, light and dark, in two views."""

import pytest
from pieces import LOAD, PIECES
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

PLAYGROUNDS = ["kernel", "overlap", "upsampling", "loss", "threshold", "augmentation", "tiles", "receptive field"]


def facts(stage: Locator) -> Locator:
    return stage.locator(".unet-playground-facts")


def shown(stage: Locator) -> list[str]:
    """The words, lines and pixels of a playground."""
    return [
        facts(stage).inner_html(),
        *stage.locator("svg").evaluate_all("all => all.map((svg) => svg.outerHTML.replace(/unet-hatch-\\w+/g, ''))"),
        *stage.locator("canvas").evaluate_all("all => all.map((canvas) => canvas.toDataURL())"),
    ]


def by_keyboard(notebook, control: Locator) -> None:
    notebook.tab_to(control)
    slider = control.get_attribute("type") == "range"
    at_end = slider and control.evaluate("it => it.value === it.max")
    notebook.page.keyboard.press("ArrowDown" if at_end else "ArrowUp")  # a slider's, or a number's


def by_mouse(notebook, control: Locator) -> None:
    box = control.bounding_box()
    if control.get_attribute("type") == "range":
        fraction = control.evaluate("it => (it.value - it.min) / (it.max - it.min)")
        control.click(position={"x": box["width"] * (0.4 if fraction > 0.5 else 0.6), "y": box["height"] / 2})
    else:  # the upper of the two arrows at the end of a number
        control.click(position={"x": box["width"] - 7, "y": box["height"] / 3})


@pytest.mark.parametrize("playground", PLAYGROUNDS)
@pytest.mark.parametrize("operate", [by_keyboard, by_mouse])
def test_every_control_moves_what_is_shown(run_notebook, playground, operate):
    notebook = run_notebook(PIECES[playground])
    stage = notebook.output(0)
    controls = stage.locator("input")
    assert controls.count() > 0
    for control in controls.all():
        before = shown(stage)
        operate(notebook, control)
        expect(stage.locator(".unet-playground")).not_to_have_attribute("aria-busy", "true", timeout=30_000)
        assert shown(stage) != before, control.evaluate("it => it.ariaLabel ?? it.parentElement.innerText")
        expect(stage.locator(".unet-playground-note")).to_be_empty()


def test_a_slider_by_keyboard_moves_picture_and_words(run_notebook):
    notebook = run_notebook(PIECES["threshold"], "2 + 2")
    stage = notebook.output(0)
    expect(facts(stage)).to_contain_text("Threshold 0.50: Dice 0.000")
    expect(stage.locator("canvas").first).to_be_visible()
    before = stage.locator("figure canvas").last.evaluate("canvas => canvas.toDataURL()")
    slider = stage.get_by_role("slider", name="Threshold")
    slider.focus()
    for _ in range(30):
        notebook.page.keyboard.press("ArrowLeft")
    expect(facts(stage)).to_contain_text("Threshold 0.20: Dice 0.797")
    expect(stage.locator(".unet-heard")).to_contain_text("Threshold 0.20")  # what is read aloud
    expect(slider).to_be_focused()
    assert stage.locator("figure canvas").last.evaluate("canvas => canvas.toDataURL()") != before
    notebook.keeps_letters()


def test_a_shape_is_moved_by_arrow_keys_and_by_the_mouse(run_notebook):
    notebook = run_notebook(PIECES["overlap"])
    stage = notebook.output(0)
    shape = stage.get_by_role("application")
    expect(stage.get_by_text("Drag in the picture, or use its arrow keys")).to_be_visible()
    shape.focus()
    notebook.page.keyboard.press("ArrowDown")
    expect(facts(stage)).to_contain_text("Moved 1 pixel down and 7 pixels to the left")
    expect(shape).to_be_focused()
    notebook.page.keyboard.press("Shift+ArrowUp")
    expect(facts(stage)).to_contain_text("Moved 9 pixels up and 7 pixels to the left")

    notebook.drag(shape, 5.5 / 64)
    expect(facts(stage)).to_contain_text("Moved 9 pixels up and 2 pixels to the left")
    expect(stage.get_by_role("slider", name="Right")).to_have_value("-2")


def test_the_numbers_of_a_kernel_can_be_typed(run_notebook):
    notebook = run_notebook(PIECES["kernel"])
    stage = notebook.output(0)
    for number in stage.get_by_role("spinbutton").all():
        number.fill("0")
    stage.get_by_role("spinbutton", name="row 2, column 2").fill("1")
    expect(facts(stage)).to_contain_text("from 0 to")
    stage.get_by_role("slider", name="Padding").focus()
    notebook.page.keyboard.press("ArrowRight")
    expect(facts(stage)).to_contain_text("give 64×64 values")
    expect(stage.get_by_role("slider", name="Row")).to_have_attribute("max", "63")


def test_two_views_show_the_same(run_notebook):
    notebook = run_notebook(LOAD + "cut = play.threshold(image, mask, threshold=0.5000000238)\ncut", "cut")
    first, second = notebook.output(0), notebook.output(1)
    expect(first.locator(".unet-playground-value")).to_have_text("0.5")  # a float32 in float64, as from a tensor
    first.get_by_role("slider").focus()
    for _ in range(5):
        notebook.page.keyboard.press("ArrowLeft")
    expect(facts(second)).to_contain_text("Threshold 0.45")
    expect(second.get_by_role("slider")).to_have_value("0.45")
    for view, key, now in (
        (second, "ArrowRight", "0.46"),
        (first, "ArrowRight", "0.47"),
        (second, "ArrowLeft", "0.46"),
    ):
        view.get_by_role("slider").focus()
        notebook.page.keyboard.press(key)
        expect(facts(first)).to_contain_text(f"Threshold {now}")
        expect(facts(second)).to_contain_text(f"Threshold {now}")


def test_a_setting_that_cannot_be_is_said_and_taken_back(run_notebook):
    notebook = run_notebook(PIECES["tiles"])
    stage = notebook.output(0)
    overlap = stage.get_by_role("slider", name="Overlap")
    overlap.focus()
    notebook.page.keyboard.press("End")
    expect(stage.get_by_role("alert")).to_contain_text("do not fit", timeout=30_000)
    expect(overlap).to_have_value("8")


def test_while_a_model_runs_the_page_says_so(run_notebook):
    # a model that waits until the test has seen the words
    waits = """
import pathlib, time, torch
class Waits(torch.nn.Module):
    def forward(self, x):
        while pathlib.Path("hold").exists():
            time.sleep(0.02)
        return x
"""
    notebook = run_notebook(LOAD + waits + "play.tiles(image, tile=24, overlap=8, model=Waits())")
    stage, hold = notebook.output(0), notebook.path.parent / "hold"
    hold.touch()
    stage.get_by_role("slider", name="Tile").focus()
    notebook.page.keyboard.press("ArrowRight")
    expect(stage.get_by_text("working: the model runs on every tile")).to_be_visible()
    expect(stage.locator(".unet-playground")).to_have_attribute("aria-busy", "true")
    notebook.page.wait_for_timeout(800)  # longer than the page waits for a kernel before it wonders aloud
    expect(stage.locator(".unet-playground-note")).to_have_text("")
    hold.unlink()
    expect(facts(stage)).to_contain_text("tiles of 32×32")
    expect(stage.get_by_text("working")).to_have_count(0)
    expect(stage.locator(".unet-playground")).not_to_have_attribute("aria-busy", "true")

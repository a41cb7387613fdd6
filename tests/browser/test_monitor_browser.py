"""The monitor of a training in a real JupyterLab: it moves, it stops by mouse and by keyboard, and it stays."""

import re

import pytest
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

LOAD = """
import torch
from helpers import data
from helpers.reference.unet import UNet
from helpers.training import fit
train, validation = (data.load("nuclei", split, tile=None) for split in ("train", "validation"))
torch.manual_seed(0)
model = UNet(1, 1, base_channels=4, depth=2)
def train_for(seconds):
    return fit(model, train, validation, seconds=seconds, crop=64, batch_size=4)
"""
AFTER = "print(history.stopped, '|', metrics.score(model, validation)['iou'] == history.best['iou'])"


def bar(monitor: Locator) -> Locator:
    return monitor.get_by_role("progressbar", name="Progress of the training")


def test_bar_curves_and_mask_move_while_it_trains_and_stay_when_it_ended(open_notebook):
    notebook = open_notebook(LOAD, "history = train_for(8)\nprint(history.stopped)", "2 + 2")
    notebook.run(0, 1, 2)
    monitor = notebook.output(1)
    expect(bar(monitor)).to_be_visible(timeout=60_000)
    expect(monitor.get_by_role("slider")).to_be_visible(timeout=30_000)
    first = int(bar(monitor).get_attribute("aria-valuenow"))
    assert 0 < first < 100
    expect(monitor.locator(".unet-monitor-head")).to_contain_text(re.compile(r"Step \d+, \d+ % done, \d+ s left\."))
    guess = monitor.locator("figure").last.locator("img").first
    mask = guess.get_attribute("src")
    loss = monitor.locator(".unet-monitor-curves > svg").get_attribute("aria-label")
    assert re.search(r"Loss in training from \S+ to \S+ over \d+ steps; Dice on validation", loss)
    expect(guess).not_to_have_attribute("src", mask, timeout=20_000)
    expect(monitor.locator(".unet-monitor-curves > svg")).not_to_have_attribute("aria-label", loss)
    assert int(bar(monitor).get_attribute("aria-valuenow")) > first
    expect(monitor.get_by_role("status").last).to_contain_text(re.compile(r"Validation \d+"))
    notebook.wait_for(2)
    expect(bar(monitor)).to_have_attribute("aria-valuenow", "100")
    expect(monitor.locator(".unet-monitor-head")).to_contain_text("time is up; best Dice")
    expect(monitor.get_by_role("button")).to_have_attribute("aria-disabled", "true")
    expect(notebook.page.locator(".jp-CodeCell").nth(1)).to_contain_text("time is up")


def test_stop_by_mouse_ends_it_with_the_best_weights_and_the_cells_behind_run_in_order(open_notebook):
    cells = ["history = train_for(300)", AFTER, "order = ['a']", "order.append('b'); print(order)"]
    notebook = open_notebook(LOAD + "from helpers import metrics", *cells)
    notebook.run(0, 1, 2, 3, 4)
    monitor = notebook.output(1)
    expect(monitor.get_by_role("slider")).to_be_visible(timeout=60_000)
    monitor.get_by_role("button", name="Stop, keep the best weights").click()
    notebook.wait_for(4)
    expect(notebook.output(2)).to_have_text("interrupted | True")
    expect(notebook.output(4)).to_have_text("['a', 'b']")
    expect(monitor.locator(".unet-monitor-head")).to_contain_text("interrupted; best Dice")
    prompts = notebook.page.locator(".jp-CodeCell .jp-InputArea-prompt").all_inner_texts()
    assert [prompt.strip() for prompt in prompts[:5]] == [f"[{k}]:" for k in range(1, 6)]


def test_stop_and_the_slider_by_keyboard_alone(open_notebook):
    notebook = open_notebook(LOAD, "history = train_for(300)\nprint(history.stopped)")
    notebook.run(0, 1)
    monitor = notebook.output(1)
    slider = monitor.get_by_role("slider", name="Which prediction is shown, first to latest")
    expect(slider).to_be_visible(timeout=60_000)
    stop = monitor.get_by_role("button")
    stop.focus()
    notebook.page.keyboard.press("Tab")
    expect(slider).to_be_focused()
    notebook.page.keyboard.press("Home")
    caption = monitor.locator("figcaption").last
    expect(caption).to_contain_text("predicted earlier: step")
    guess = monitor.locator("figure").last.locator("img").first
    first = guess.get_attribute("src")
    notebook.page.keyboard.press("End")
    expect(caption).to_contain_text("predicted now: step")
    expect(guess).not_to_have_attribute("src", first)
    notebook.page.keyboard.press("Shift+Tab")
    expect(stop).to_be_focused()
    notebook.page.keyboard.press("Enter")
    notebook.wait_for(1)
    expect(notebook.page.locator(".jp-CodeCell").nth(1)).to_contain_text("interrupted")
    expect(monitor.get_by_role("button", name="Training has ended")).to_be_focused()
    notebook.page.keyboard.press("Enter")  # a button that is off does nothing
    notebook.page.keyboard.press("x")  # and no letter reaches the notebook, which would cut the cell
    expect(notebook.page.locator(".jp-CodeCell")).to_have_count(3)  # the third was made when the last was run


def test_where_a_press_cannot_arrive_the_page_says_what_does(open_notebook, lab):
    settings = "@jupyterlab/apputils-extension/kernels-settings"
    lab.set(settings, {"commsOverSubshells": "disabled"})
    try:
        notebook = open_notebook(LOAD, "history = train_for(120)\nprint(history.stopped)")
    finally:
        (lab.settings / f"{settings}.jupyterlab-settings").unlink()
    notebook.run(0, 1)
    monitor = notebook.output(1)
    expect(monitor.get_by_role("slider")).to_be_visible(timeout=60_000)
    monitor.get_by_role("button", name="Stop, keep the best weights").click()
    note = monitor.get_by_role("status").first
    expect(note).to_contain_text("Press the stop button of the notebook (interrupt the kernel)", timeout=4000)
    notebook.page.locator(".jp-NotebookPanel-toolbar").get_by_role("button", name="Interrupt the kernel").click()
    notebook.wait_for(1)
    expect(notebook.page.locator(".jp-CodeCell").nth(1)).to_contain_text("interrupted")
    expect(note).not_to_contain_text("Press the stop button")  # the press came when it was over, and says so


def test_two_views_share_everything_and_two_trainings_of_a_cell_share_one_monitor(open_notebook):
    several = "for seconds in (3, 300):\n    history = train_for(seconds)\nprint(history.stopped)"
    notebook = open_notebook(LOAD, several)
    notebook.run(0, 1)
    monitor = notebook.output(1)
    expect(monitor.get_by_role("slider")).to_be_visible(timeout=60_000)
    expect(monitor.get_by_role("listitem").last).to_contain_text("Training 1: ended after", timeout=30_000)
    expect(bar(notebook.page)).to_have_count(1)
    monitor.locator(".unet-monitor-head").click(button="right")
    notebook.page.get_by_role("menuitem", name="Create New View for Cell Output").click()
    other = notebook.page.locator(".jp-LinkedOutputView")
    expect(bar(other)).to_be_visible()
    slider = other.get_by_role("slider")
    expect(slider).to_be_visible(timeout=90_000)  # after two validations, 15 s apart and more
    slider.focus()
    notebook.page.keyboard.press("Home")
    for view in (monitor, other):
        expect(view.locator("figcaption").last).to_contain_text("predicted earlier: step")
    other.get_by_role("button", name="Stop, keep the best weights").click()
    notebook.wait_for(1)
    expect(notebook.page.locator(".jp-CodeCell").nth(1)).to_contain_text("interrupted")
    for view in (monitor, other):
        expect(view.locator(".unet-monitor-head")).to_contain_text("Training 2: ended after")

"""The monitor of a training in a real JupyterLab: it moves, it stops by mouse and by keyboard, and it stays."""

import re

import pytest
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

LOAD = """
import torch
from helpers import data
from helpers.reference.skips import UNet
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


def run_cells(notebook, *cells: int) -> None:
    """Run the cells one after the other without waiting for any."""
    for cell in cells:
        notebook.page.locator(".jp-CodeCell").nth(cell).locator(".cm-content").click()
        notebook.page.keyboard.press("Shift+Enter")


def wait_done(notebook, cell: int) -> None:
    prompt = notebook.page.locator(".jp-CodeCell").nth(cell).locator(".jp-InputArea-prompt")
    expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=60_000)


def test_bar_curves_and_mask_move_while_it_trains_and_stay_when_it_ended(open_notebook):
    notebook = open_notebook(LOAD, "history = train_for(8)\nprint(history.stopped)", "2 + 2")
    run_cells(notebook, 0, 1, 2)
    monitor = notebook.output(1)
    expect(bar(monitor)).to_be_visible(timeout=60_000)
    expect(monitor.get_by_role("slider")).to_be_visible(timeout=30_000)
    first = int(bar(monitor).get_attribute("aria-valuenow"))
    assert 0 < first < 100
    expect(monitor.locator(".unet-monitor-head")).to_contain_text(re.compile(r"Step \d+, \d+ % done, \d+ s left\."))
    guess = monitor.locator("figure").last.locator("img").first
    mask = guess.get_attribute("src")
    loss = monitor.locator(".unet-monitor-curves svg").get_attribute("aria-label")
    assert re.search(r"Loss in training from \S+ to \S+ over \d+ steps; Dice on validation", loss)
    expect(guess).not_to_have_attribute("src", mask, timeout=20_000)
    expect(monitor.locator(".unet-monitor-curves svg")).not_to_have_attribute("aria-label", loss)
    assert int(bar(monitor).get_attribute("aria-valuenow")) > first
    expect(monitor.get_by_role("status").last).to_contain_text(re.compile(r"Validation \d+"))
    wait_done(notebook, 2)
    expect(bar(monitor)).to_have_attribute("aria-valuenow", "100")
    expect(monitor.locator(".unet-monitor-head")).to_contain_text("time is up; best Dice")
    expect(monitor.get_by_role("button")).to_have_attribute("aria-disabled", "true")
    expect(notebook.page.locator(".jp-CodeCell").nth(1)).to_contain_text("time is up")
    assert notebook.console_errors == []

"""The architecture graph in a real JupyterLab: parts and pixels, by mouse, by keyboard alone, in two views."""

import re

import pytest
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

LOAD = """
import torch
from helpers.reference.unet import UNet
from helpers.graph import ArchitectureGraph
torch.manual_seed(0)
image = torch.rand(1, 1, 64, 64)
unet = UNet(1, 1, base_channels=8, depth=3)
graph = ArchitectureGraph()
"""
RUN = LOAD + "graph.forward(unet, image)"
SLOW = """
import time
class Slow(UNet):
    pause = 0
    def forward(self, x):
        time.sleep(self.pause)
        return super().forward(x)
slow = Slow(1, 1, 4, 2)
graph.forward(slow, image)
slow.pause = 1.5
"""
PIXELS = "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data].join()"


def part(graph: Locator, name: str) -> Locator:
    return graph.get_by_role("button", name=re.compile(f"^{re.escape(name)}: "))


def card(graph: Locator) -> Locator:
    return graph.locator(".unet-graph-card")


def output(graph: Locator) -> Locator:
    return graph.get_by_role("application")


def problem(graph: Locator) -> Locator:
    return graph.locator("[role=alert]")  # by role it is not found while it is empty and hidden


def facts(graph: Locator) -> Locator:
    return graph.locator(".unet-graph-facts")


def test_parts_and_a_pixel_by_mouse(run_notebook):
    notebook = run_notebook(RUN)
    graph = notebook.output(0)
    expect(card(graph)).to_be_hidden()

    part(graph, "encoder 1").click()
    expect(card(graph)).to_contain_text("encoder 1 · The encoder")
    expect(card(graph)).to_contain_text("3,520 parameters")
    expect(part(graph, "encoder 1")).to_have_attribute("aria-pressed", "true")
    maps = card(graph).locator("canvas")
    expect(maps).to_have_count(8)
    assert len(set(maps.first.evaluate(PIXELS).split(","))) > 20  # something is drawn

    part(graph, "skip 1").locator("text").click()
    expect(card(graph)).to_contain_text("skip 1 · Skip connection")
    expect(part(graph, "encoder 1")).to_have_attribute("aria-pressed", "false")

    box = output(graph).bounding_box()
    output(graph).click(position={"x": box["width"] * 40.5 / 64, "y": box["height"] * 3.5 / 64})
    expect(facts(graph)).to_contain_text("Output pixel in row 3, column 40")
    expect(facts(graph)).to_contain_text("rows 0 to 53, columns 0 to 63 of the image")
    expect(graph.get_by_role("img", name="image: a frame around rows 0 to 53, columns 0 to 63")).to_be_visible()


def test_by_keyboard_alone(run_notebook):
    notebook = run_notebook(RUN, "2 + 2")
    graph, keyboard = notebook.output(0), notebook.page.keyboard
    notebook.tab_to(part(graph, "image"))
    for key, name in [("ArrowDown", "encoder 0"), ("ArrowRight", "skip 0"), ("ArrowRight", "decoder 0")]:
        keyboard.press(key)
        expect(part(graph, name)).to_be_focused()
    expect(card(graph)).to_be_hidden()  # moving is not selecting
    keyboard.press("Enter")
    expect(card(graph)).to_contain_text("decoder 0 · The decoder")
    keyboard.press("ArrowUp")
    keyboard.press(" ")
    expect(card(graph)).to_contain_text("head · The 1×1 head")
    expect(part(graph, "head")).to_be_focused()
    keyboard.press("Home")
    expect(part(graph, "image")).to_be_focused()
    keyboard.press("Tab")  # one stop for the whole picture
    expect(output(graph)).to_be_focused()

    keyboard.press("ArrowDown")  # the first key sets the cross into the middle
    expect(facts(graph)).to_contain_text("Output pixel in row 32, column 32")
    keyboard.press("Shift+ArrowUp")
    keyboard.press("ArrowRight")
    expect(facts(graph)).to_contain_text("Output pixel in row 22, column 33")
    expect(output(graph)).to_be_focused()
    expect(output(graph)).to_have_attribute("aria-label", re.compile("The cross is at row 22, column 33"))
    for _ in range(8):
        keyboard.press("Shift+ArrowLeft")
    expect(facts(graph)).to_contain_text("Output pixel in row 22, column 0")
    notebook.keeps_letters()


def test_two_views_show_the_same_and_another_run_replaces_it_in_both(open_notebook):
    again = "again = UNet(1, 2, base_channels=6, depth=3)\ngraph.forward(again, image);"
    notebook = open_notebook(RUN, "graph", again, "del again\nimport gc\ngc.collect();")
    page = notebook.page
    first, second = (page.locator(".jp-CodeCell").nth(k) for k in (0, 1))
    for k, view in enumerate((first, second)):
        notebook.run(k)
        expect(part(view, "encoder 1")).to_be_visible(timeout=30_000)
    part(first, "encoder 1").click()
    output(second).focus()
    page.keyboard.press("ArrowDown")
    for view in (first, second):
        expect(card(view)).to_contain_text("(1, 16, 32, 32) out.")
        expect(facts(view)).to_contain_text("row 32, column 32")
        expect(view.locator(".unet-stack svg")).to_have_count(2)  # the cross, and the frame
    ids = page.evaluate("[...document.querySelectorAll('.unet-graph [id]')].map(node => node.id)")
    assert len(ids) == len(set(ids)) > 0

    notebook.run(2)
    for view in (first, second):
        expect(card(view)).to_contain_text("(1, 12, 32, 32) out.")
        expect(part(view, "encoder 1")).to_have_attribute("aria-pressed", "true")
        expect(facts(view)).to_be_empty()
        expect(view.get_by_role("combobox")).to_be_visible()  # two channels now
    first.get_by_role("combobox").select_option("1")
    output(first).click()
    expect(facts(second)).to_contain_text("channel 1 of 2")

    notebook.run(3)
    notebook.wait_for(3)
    output(first).click(position={"x": 5, "y": 5})
    expect(facts(first)).to_contain_text("Output pixel in row")  # of a network that has no name any more
    expect(problem(first)).to_be_empty()


def test_a_locked_u_and_a_network_that_stopped(run_notebook):
    broken = """
class Broken(UNet):
    def forward(self, x):
        return self.encoder(x)[0] @ x
graph.forward(Broken(1, 1, 4, 2), image)
"""
    notebook = run_notebook(LOAD + "ArchitectureGraph()", broken)
    locked, stopped = notebook.output(0), notebook.output(1)
    part(locked, "decoder 1").click()
    expect(card(locked)).to_contain_text("Locked. It opens when a network runs it; you meet it in lesson 06.")
    expect(output(locked)).to_have_count(0)
    expect(stopped).to_contain_text("RuntimeError")
    expect(stopped).to_contain_text("so there is no output pixel to select")
    part(stopped, "encoder 0").click()
    expect(card(stopped)).to_contain_text("2 × convolution 3×3")


def test_a_slow_network_shows_that_it_works(run_notebook):
    notebook = run_notebook(LOAD + SLOW + "graph")
    graph = notebook.output(0)
    output(graph).focus()
    notebook.page.keyboard.press("ArrowUp")
    expect(graph.get_by_text("working …")).to_be_visible()
    expect(graph.locator("[aria-busy=true]")).to_be_visible()
    notebook.page.wait_for_timeout(700)  # after which a kernel that is busy with something else would be named
    expect(problem(graph)).to_be_empty()
    expect(facts(graph)).to_contain_text("Output pixel in row 32, column 32")
    expect(graph.get_by_text("working …")).to_have_count(0)

"""From a student's input to the paint of the answer, measured in the page: `course.py bench widgets`.

Not a test, so pytest takes it up only when named. The result goes to the file that `BENCH_WIDGETS` names.
"""

import json
import os
import statistics
from pathlib import Path

import pytest
from pieces import PIECES

pytestmark = pytest.mark.browser

REPEATS = 15

# From the event's own time to the end of the frame in which the answer is on the page. A message channel is served
# after the frame that was asked for has been painted.
MEASURE = """
(root, [event, answer]) => {
  const target = root.querySelector(answer);
  const before = target.outerHTML;
  let start = null;
  root.addEventListener(event, (it) => (start ??= it.timeStamp), { capture: true, once: true });
  window.measured = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`no answer in ${answer} to ${event}`)), 10_000);
    const observer = new MutationObserver(() => {
      if (start === null || target.outerHTML === before) return;
      observer.disconnect();
      requestAnimationFrame(() => {
        const painted = new MessageChannel();
        painted.port1.onmessage = () => resolve(performance.now() - start);
        painted.port2.postMessage(0);
      });
    });
    observer.observe(target, { attributes: true, characterData: true, childList: true, subtree: true });
  });
}
"""


def slide(name):
    """The slider one step, to and fro, beginning with the way that it can go."""
    back = {}

    def act(piece, page, k):
        slider = piece.get_by_role("slider", name=name)
        slider.focus()
        at_end = slider.evaluate("slider => Number(slider.value) >= Number(slider.max)")
        forth = not at_end and back.pop("next", True)
        back["next"] = not forth
        step = "ArrowRight" if forth else "ArrowLeft"
        return lambda: page.keyboard.press(step)

    return "input", act


def key(*keys):
    """A key on the picture that takes keys."""

    def act(piece, page, k):
        piece.get_by_role("application").focus()
        return lambda: page.keyboard.press(keys[k % len(keys)])

    return "keydown", act


def answer_number(piece, page, k):
    box = piece.get_by_label("Your answer")
    box.fill(f"{3 + k}")
    return lambda: box.press("Enter")


def choose(piece, page, k):
    """A tick more or less, so that each answer is a new one."""
    piece.get_by_role("checkbox").nth(k % 2).click()
    return lambda: piece.get_by_role("button", name="Check").click()


def select_part(piece, page, k):
    name = ("encoder 0", "encoder 1", "bottleneck", "decoder 0")[k % 4]
    return lambda: piece.locator(f"[data-part='{name}']").click()


def step(piece, page, k):
    return lambda: piece.get_by_role("button", name="Back" if k % 2 else "Next").click()


FACTS = ".unet-playground-facts"
# piece, what the student does, the part of the page that answers, the event and the deed
DEEDS = [
    ("quiz, multiple", "check an answer", ".unet-quiz-feedback", ("click", choose), 3),
    ("quiz, numeric", "check an answer", ".unet-quiz-feedback", ("keydown", answer_number), REPEATS),
    ("kernel", "row by one", FACTS, slide("Row"), REPEATS),
    ("kernel", "stride", FACTS, slide("Stride"), REPEATS),
    ("overlap", "arrow key on the shape", FACTS, key("ArrowDown", "ArrowRight"), REPEATS),
    ("upsampling", "kernel side", FACTS, slide("Kernel side"), REPEATS),
    ("loss", "fraction of object", FACTS, slide("Fraction of object"), REPEATS),
    ("threshold", "threshold", FACTS, slide("Threshold"), REPEATS),
    ("augmentation", "seed", FACTS, slide("Seed"), REPEATS),
    ("augmentation", "strength", FACTS, slide("Strength of the bending"), REPEATS),
    ("tiles", "tile: that the model runs", ".unet-playground-working", slide("Tile"), 1),
    ("tiles", "overlap, both tried before", FACTS, slide("Overlap"), REPEATS),
    ("receptive field", "layers", FACTS, slide("Layers"), REPEATS),
    ("graph, run", "select a part", ".unet-graph-card", ("click", select_part), REPEATS),
    (
        "graph, run",
        "pixel: its field, which a model runs for",
        ".unet-graph-pixel",
        key("ArrowUp", "ArrowDown"),
        REPEATS,
    ),
    ("stepper", "next and back", ".unet-steps-title", ("click", step), REPEATS),
    ("compare", "zoom", ".unet-playground-place", key("+", "-"), REPEATS),
    ("compare", "pan", ".unet-playground-place", key("ArrowDown", "ArrowUp"), REPEATS),
    ("compare", "wipe", ".unet-playground-wipe", slide("Line"), REPEATS),
]


def test_from_event_to_paint(open_notebook):
    names = list(dict.fromkeys(deed[0] for deed in DEEDS))
    notebook = open_notebook(*[PIECES[name] for name in names])
    notebook.run_all()
    found = []
    for name, what, answer, (event, act), repeats in DEEDS:
        piece = notebook.output(names.index(name))
        if what == "pan":
            piece.get_by_role("button", name="Zoom in").click()
        times = []
        for k in range(repeats + 2 * (repeats == REPEATS)):
            do = act(piece, notebook.page, k)
            notebook.page.wait_for_timeout(150)  # what came before is over
            piece.evaluate(MEASURE, [event, answer])
            do()
            times.append(notebook.page.evaluate("() => window.measured"))
        times = times[-repeats:]  # to begin with, two to warm up and to fill what is kept
        found.append(
            {"piece": name, "what": what, "median_ms": round(statistics.median(times)), "slowest_ms": round(max(times))}
            | {"times": len(times)}
        )
    Path(os.environ["BENCH_WIDGETS"]).write_text(json.dumps(found), encoding="utf-8")

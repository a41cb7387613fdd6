"""The monitor of a training without a browser: what it keeps, says and shows, what it costs, and what if it breaks."""

import base64
import io
import json
import os
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from PIL import Image

from helpers import plot
from helpers.monitor import curves, monitor, thumbnails
from helpers.monitor.monitor import Monitor, MonitorFrontEnd, Watch
from helpers.show import BLUE, VERMILION
from helpers.training import History

REPOSITORY = Path(__file__).parents[2]
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
IMAGE, MASK = torch.rand(1, 24, 20), torch.zeros(24, 20, dtype=torch.long)
MASK[4:10, 3:9] = 1


def trained(steps=40, scores=3, seconds=8.0):
    """A monitor in the middle of a run, with so many steps and validations behind it."""
    history = History()
    watched = Monitor()
    watched.follow(history, 80, None)
    advance(watched, steps, scores)
    history.seconds = seconds
    return watched


def advance(watched, steps, scores):
    history = watched.history
    for n in range(1, scores + 1):
        history.losses += [1 / (len(history.losses) + 1) for _ in range(steps // scores)]
        dice = 0.5 + 0.1 * (n % 4)
        history.scores.append({"step": history.steps, "seconds": 1.0, "loss": 0.4, "iou": dice - 0.1, "dice": dice})
        if not history.best or history.scores[-1]["iou"] > history.best["iou"]:
            history.best = history.scores[-1]
        watched.look(0, IMAGE, torch.full((1, 24, 20), float(n)), MASK)
        watched.validated()
    history.losses += [0.1] * (steps - history.steps)


def pixels(src):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(src.split(",", 1)[1]))))


# ---- in words ----


def test_a_run_in_words():
    watched = trained()
    head, *facts = watched.facts()
    assert head == "Step 40 of 80, 50 % done, about 8 s left."
    assert facts[0].endswith("1.000 in the first.")
    assert facts[1] == "The model will keep the weights of step 39, the best of 3 validations: Dice 0.800, IoU 0.700."
    assert watched.said() == "Validation 3, 50 % done: Dice 0.800, the best so far."
    assert watched.line() == "training: step 40 · 50 % · about 8 s left · loss 0.100 · best Dice 0.800"
    assert repr(watched).splitlines()[1] == f"- {head}"


def test_time_left_is_by_the_clock_where_seconds_are_given():
    watched = Monitor()
    watched.follow(History(seconds=10.0), None, 90.0)
    assert watched.facts()[0] == "Step 0, 11 % done, 1 min 20 s left."


@pytest.mark.parametrize(
    ("error", "phase", "why"),
    [(None, "ended", "time is up"), (ValueError("bad"), "failed", "an error, ValueError")],
)
def test_the_end_in_words(error, phase, why):
    watched = trained()
    watched.history.stopped = "time is up"
    watched.end(error)
    assert watched.phase == phase
    assert watched.facts()[0] == f"Training ended after 40 steps in 8.0 s: {why}; best Dice 0.800."
    assert watched.said() == watched.facts()[0]
    assert "The model holds the weights of step 39" in watched.facts()[2]


def test_one_step_is_no_steps():
    watched = Monitor()
    watched.follow(History(losses=[0.5], stopped="all steps are done"), 1, None)
    watched.end()
    assert watched.facts()[0] == "Training ended after 1 step in 0.0 s: all steps are done."


def test_trainings_of_one_cell_follow_each_other():
    watched = trained()
    watched.history.stopped = "interrupted"
    watched.end()
    watched.follow(History(), 80, None)
    assert (watched.run, watched.phase, watched.predictions, watched.stop) == (2, "training", [], False)
    assert watched.facts()[-1] == "Training 1: ended after 40 steps in 8.0 s: interrupted; best Dice 0.800."


def test_before_any_step():
    assert Monitor().facts() == ["No training yet."]
    ElementTree.fromstring(Monitor().curves())
    assert "No training yet." in Monitor().as_html()


# ---- curves ----


@pytest.mark.parametrize("count", [1, 2, 149, 150, 151, 1000, 12345])
def test_binned_losses_are_few_and_keep_the_mean(count):
    losses = list(np.random.default_rng(0).random(count))
    points = curves.binned(losses)
    assert len(points) <= curves.MOST
    steps = [step for step, _ in points]
    assert steps == sorted(steps)
    assert 1 <= steps[0] <= steps[-1] <= count
    if count <= curves.MOST:
        assert points == [(k + 1, value) for k, value in enumerate(losses)]
    size = -(-count // curves.MOST)
    assert points[0][1] == pytest.approx(np.mean(losses[:size]))


def test_the_curves_are_one_picture_with_its_numbers_in_words():
    tree = ElementTree.fromstring(trained().curves())
    said = tree.get("aria-label")
    assert "over 40 steps; Dice on validation 0.800, best 0.800 at step 39." in said
    lines = [node for node in tree.iter() if node.get("stroke-width") == "2"]
    assert {(node.get("stroke"), node.get("stroke-dasharray")) for node in lines} == {(BLUE, None), (VERMILION, "7 4")}
    words = [node.text for node in tree.iter() if node.tag.endswith("text")]
    assert {"loss", "Dice on validation", "step", "in training", "on validation", "best 0.800"} <= set(words)


def heights(svg):
    """Those of the points of the lines."""
    lines = re.findall(r'<path d="M([^"]+)" fill="none" stroke="#\w+" stroke-width="2"', svg)
    return [float(place.split()[1]) for line in lines for place in line.split("L") if line != "0 7L28 7"]


def test_curves_stay_inside_their_axes():
    svg = curves.draw([(1, 700.0), (2, 3.0)], [(2, 9999.0)], [(2, 1.0)], 2)
    assert min(heights(svg)) >= plot.TOP
    assert max(heights(svg)) <= plot.BOTTOM


# ---- pictures ----


def test_what_is_no_number_is_not_drawn():
    no, much = float("nan"), float("inf")
    drawn = curves.draw([(1, 0.5), (2, no)], [(2, no)], [(1, much), (2, 0.25)], 2)
    assert not re.search(r"nan|inf[^o]", drawn)
    assert "0.250" in drawn
    assert "No step yet." in curves.draw([(1, no)], [], [], None)


def test_a_loss_below_zero_is_drawn():
    """Lesson 09's third case: masks of 255 under cross-entropy."""
    svg = curves.draw([(1, -16.0), (2, -840.0)], [(2, 0.7)], [(2, 1.0)], 2)
    assert plot.TOP <= min(heights(svg)) < max(heights(svg)) <= plot.BOTTOM
    assert ">−800</text>" in svg


def test_a_run_that_never_made_a_step_shows_no_empty_curves():
    watched = Monitor()
    watched.follow(History(), 80, None)
    watched.end(ValueError("the loss is nan"))
    assert "<img" not in watched.as_html()
    assert "ValueError" in watched.as_html()


def test_the_picture_is_of_the_image_with_most_objects_and_stays_with_it():
    watched = Monitor()
    watched.follow(History(), 10, None)
    more, most = MASK.clone(), MASK.clone()
    most[:, :12] = 1
    more[20:] = 255  # not labelled: no object
    for value in (0.0, 5.0):
        watched.history.scores.append({"step": 1 + int(value), "iou": 0.1, "dice": 0.2, "loss": 1.0})
        for k, mask in enumerate((MASK, most, more)):
            watched.look(k, IMAGE, torch.full((1, 24, 20), value if k == 1 else -9.0), mask)
        watched.validated()
    assert [prediction.step for prediction in watched.predictions] == [1, 6]
    assert pixels(watched.image["truth"]).sum() == 255 * int(most.sum())
    assert pixels(watched.predictions[0].src).max() == 128  # half sure
    assert pixels(watched.predictions[1].src).min() == 253


def test_the_prediction_of_the_kept_weights_stays_and_is_what_is_shown_in_the_end():
    watched = Monitor()
    watched.follow(History(), 200, None)
    for step in range(8, 208, 8):
        score = {"step": step, "iou": 0.1, "dice": 0.9 if step == 80 else 0.2, "loss": 1.0}
        watched.history.scores.append(score)
        watched.history.best = max(watched.history.scores, key=lambda one: one["dice"])
        watched.look(0, IMAGE, torch.zeros(1, 24, 20), MASK)
        watched.validated()
    assert watched.kept() == 0  # while it runs, the latest is
    watched.end()
    assert watched.kept() == 80
    assert 80 in [prediction.step for prediction in watched.predictions]
    assert "predicted at step 80,<br>Dice 0.900" in watched.as_html()


def test_of_many_predictions_some_are_kept_first_and_last_among_them():
    watched = trained(steps=200, scores=25)
    steps = [prediction.step for prediction in watched.predictions]
    assert len(steps) == monitor.PICTURES
    assert (steps[0], steps[-1]) == (8, 200)
    assert max(np.diff(steps)) <= 8 * 25 / 3


def test_large_images_and_several_classes_become_small_grey_pictures():
    logits = torch.zeros(3, 500, 700)
    logits[2, :, 350:] = 20.0
    shown = pixels(thumbnails.of_prediction(logits))
    assert max(shown.shape) <= thumbnails.SIDE
    assert (shown[0, 0], shown[0, -1]) == (128, 255)  # all classes alike, and the last one
    assert pixels(thumbnails.of_image(torch.rand(3, 500, 700))).shape[2] == 3
    assert pixels(thumbnails.of_image(torch.ones(1, 9, 9))).shape == (9, 9)  # a flat image divides by nothing


@pytest.mark.parametrize("turned", [False, True])
def test_of_a_long_image_the_square_with_most_objects_is_shown(turned):
    mask = torch.zeros(20, 90, dtype=torch.long)
    mask[5:9, 2:4] = 1
    mask[5:15, 60:70] = 1
    mask[:, 30:50] = 255
    rows, columns = thumbnails.window(mask.T if turned else mask)
    along, across = (rows, columns) if turned else (columns, rows)
    assert across == slice(None)
    assert along.stop - along.start == 20
    assert along.start <= 60 < 70 <= along.stop
    assert thumbnails.window(torch.zeros(20, 30)) == (slice(None), slice(None))


def test_the_outline_runs_along_the_border_and_nowhere_else():
    mask = MASK.clone()
    mask[15:18, 15:18] = 255
    lines = pixels(thumbnails.outline(mask))[..., 3] > 0
    by = thumbnails.FINER
    assert lines.shape == (24 * by, 20 * by)
    inside = np.zeros_like(lines)
    inside[4 * by : 10 * by, 3 * by : 9 * by] = True
    assert not lines[~inside].any()
    assert lines[4 * by, 3 * by : 9 * by].all()
    assert not lines[4 * by + 1 : 10 * by - 1, 3 * by + 1 : 9 * by - 1].any()


# ---- the static fallback and the front end ----


def test_text_and_page_have_the_same_facts():
    watched = trained()
    page = watched.as_html()
    for fact in watched.facts():
        assert fact in page
        assert fact in repr(watched)
    assert page.count("<img ") == 1 + 2 + 3  # curves; image and truth; three predictions
    assert all(len(alt) > 20 for alt in re.findall(r'<img alt="([^"]*)"', page))
    svg = base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", page)[1]).decode()
    assert 'fill="white"' in svg  # readable on a dark page
    ElementTree.fromstring(svg)


def test_the_front_end_has_what_the_model_has_and_a_press_only_leaves_a_note():
    watched = trained()
    front = MonitorFrontEnd(watched)
    assert front.state["percent"] == 50
    assert [front.state["head"], *front.state["facts"]] == watched.facts()
    dices = [(13, "0.600"), (26, "0.700"), (39, "0.800")]
    assert [one["label"] for one in front.predictions] == [f"step {s}, Dice {d}" for s, d in dices]
    json.dumps([front.state, front.image, front.predictions])  # or it could not be sent
    answers = []
    front.send = answers.append
    front._handle_custom_msg({"stop": 7}, [])
    assert not watched.stop  # of another run
    front._handle_custom_msg({"stop": 1}, [])
    assert watched.stop
    assert watched.phase == "training"
    watched.end()
    watched.stop = False
    front._handle_custom_msg({"stop": 1}, [])
    assert not watched.stop
    assert answers == [{"late": 7}, {"heard": 1}, {"late": 1}]


def test_a_press_over_the_line_that_the_page_opens_reaches_the_present_training_only(monkeypatch):
    watched, handlers, answers = trained(), [], []
    comm = SimpleNamespace(on_msg=handlers.append, send=answers.append)
    monkeypatch.setattr(monitor, "_latest", ("a cell", watched, None))

    def message(key, run):
        return {"content": {"data": {"key": key, "stop": run}}}

    monitor._opened(comm, message("another", 1))
    assert not watched.stop
    [pressed] = handlers
    pressed(message(watched.key, 1))
    assert watched.stop
    assert answers == [{"late": 1}, {"heard": 1}]


def test_a_step_sends_no_pictures_and_curves_only_when_due(monkeypatch):
    clock = SimpleNamespace(now=100.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(monitor, "time", clock)
    watched = trained()
    front = MonitorFrontEnd(watched)
    sent = []
    front.observe(lambda change: sent.append(change.name))
    advance(watched, 60, 1)
    front.show(everything=False)
    assert sent == ["state"]
    clock.now += monitor.CURVES_S
    front.show(everything=False)
    assert "curves" in sent
    assert "predictions" not in sent
    front.show(everything=True)
    assert "predictions" in sent


# ---- the watch: when, at what cost, and what if it breaks ----


class Shown:
    """Counts how often it is asked to show, and takes its time."""

    def __init__(self, clock=None, takes=0.0):
        self.clock, self.takes, self.calls = clock, takes, []

    def __call__(self, watched, more):
        self.calls.append((watched.phase, more))
        if self.clock:
            self.clock.now += self.takes


@pytest.mark.parametrize(("takes", "most"), [(0.0, 42), (0.05, 6)])
def test_it_shows_four_times_a_second_at_most_and_takes_two_percent_at_most(monkeypatch, takes, most):
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(monitor, "time", clock)
    shown = Shown(clock, takes)
    with Watch(Monitor(), shown) as watch:
        watch.follow(History(), 1000, None)
        for _ in range(1000):
            clock.now += 0.01
            watch.step()
    assert 4 <= len(shown.calls) <= most
    assert watch.cost <= 0.02 * clock.now + 3 * takes  # the first and the last are shown whatever they cost


def test_a_validation_is_not_drawn_when_that_cost_too_much_so_far(monkeypatch):
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(monitor, "time", clock)
    shown = Shown(clock, takes=1.0)
    watch = Watch(Monitor(), shown)
    watch.follow(History(), 10, None)
    before = len(shown.calls)
    watch.look(0, IMAGE, torch.zeros(1, 24, 20), MASK)
    watch.validated()
    assert len(shown.calls) == before
    assert watch.monitor.predictions == []


def test_an_error_in_it_is_one_warning_and_the_end_of_it():
    calls = []

    def broken(watched, more):
        calls.append(more)
        raise OSError("no page")

    watch = Watch(Monitor(), broken)
    with pytest.warns(RuntimeWarning, match="the training goes on. OSError: no page"):
        watch.follow(History(), 10, None)
    with warnings.catch_warnings(), watch:
        warnings.simplefilter("error")
        watch.look(0, IMAGE, torch.zeros(1, 24, 20), MASK)
        watch.validated()
        assert watch.step() is False
    assert len(calls) == 1


def test_an_interrupt_in_it_is_an_interrupt():
    def interrupted(watched, more):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Watch(Monitor(), interrupted).follow(History(), 10, None)


def test_nobody_watches_here():
    assert not monitor.watching().on


# ---- where it is shown ----

FIT = """
import torch
from helpers import data
from helpers.reference.unet import UNet
from helpers.training import fit
sets = [data.load("cells", split, size=32, count=4, diameter=12) for split in ("train", "validation")]
for seed in range(2):
    torch.manual_seed(0)
    fit(UNet(1, 1, base_channels=4, depth=1), *sets, epochs=6, batch_size=4, seed=seed)
"""
FOR_A_PERSON = 'from IPython import get_ipython\nget_ipython().get_parent()["content"]["allow_stdin"] = True\n'


@pytest.fixture(scope="module")
def executed():
    """Trainings in a notebook that nobody looks at, and in one that somebody does."""
    cells = [nbformat.v4.new_code_cell(cell) for cell in (FIT, FOR_A_PERSON + FIT)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, resources={"metadata": {"path": str(REPOSITORY)}}, timeout=120).execute()
    return notebook


def test_a_headless_run_keeps_one_fallback_for_all_trainings_of_the_cell(executed):
    [output] = executed.cells[0].outputs
    assert set(output.data) == {"text/plain", "text/html"}
    assert "Training 2: ended after 6 steps" in output.data["text/plain"]
    assert "Training 1: ended after 6 steps" in output.data["text/plain"]
    assert "predicted at step" in output.data["text/html"]


def test_a_run_for_a_person_has_the_widget_and_how_it_ended_in_one_output(executed):
    [output] = executed.cells[1].outputs
    assert set(output.data) == {"text/plain", "text/html", WIDGET_VIEW}
    assert "Training 2: ended after 6 steps" in output.data["text/html"]


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal_has_one_line_and_a_file_nothing(tmp_path):
    import fcntl
    import pty
    import struct
    import termios

    code = FIT.replace("epochs=6", "seconds=2").replace("range(2)", "range(1)") + "\nprint(1)"
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, stderr=theirs, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "1\n"
    lines = os.read(ours, 100_000).decode().split("\r")
    texts = [line.strip() for line in lines if line.strip()]
    assert re.match(r"training: step \d+ · \d+ % · \d s left · loss [\d.]+", texts[0])
    assert re.match(r"training ended after \d+ steps in [\d.]+ s: time is up; best Dice", texts[-1])
    assert len(texts) < 12
    silent = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert (silent.stdout, silent.stderr) == ("1\n", "")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (-3, "0 s")],
)
def test_times_in_words(seconds, said):
    assert monitor.in_words(seconds) == said

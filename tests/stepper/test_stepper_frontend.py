"""The stepper's front end: what the page gets, and that page and Python stay in step."""

import json

import pytest
import traitlets

from helpers import frontend
from helpers.stepper import CodeStepper


@pytest.fixture
def shown(monkeypatch):
    """A stepper that is on a page, and its front end."""
    monkeypatch.setattr(frontend, "is_interactive", lambda: True)
    steps = CodeStepper()
    bundle, _ = steps._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "text/plain", "text/html"}
    return steps, steps._front_end


def test_all_five_steps_are_sent_at_once(shown):
    steps, front = shown
    assert front.steps == steps.as_data()["steps"]
    json.dumps(front.steps)  # or they could not be sent
    assert front.current == 1
    assert all(step["html"] in steps.as_html() for step in front.steps)


def test_python_and_page_move_each_other(shown):
    steps, front = shown
    for move, current in ((steps.next, 2), (steps.next, 3), (steps.back, 2), (lambda: steps.step(5), 5)):
        move()
        assert front.current == current
    front.set_state({"current": 4})
    assert steps.current == 4
    assert "unet.py 4/5 · 1×1 head  (shown)" in repr(steps)
    assert steps.next().current == front.current == 5


@pytest.mark.parametrize("wrong", [0, 6, "2"])
def test_a_page_cannot_go_where_there_is_no_step(shown, wrong):
    steps, front = shown
    with pytest.raises(traitlets.TraitError):
        front.set_state({"current": wrong})
    assert (steps.current, front.current) == (1, 1)


def test_two_views_share_one_front_end(shown):
    steps, front = shown
    steps._repr_mimebundle_()
    assert steps._front_end is front
    assert CodeStepper()._front_end is None


def test_after_all_widgets_were_closed_a_new_front_end_shows_the_step(shown):
    steps, front = shown
    steps.step(3)
    front.close()
    steps.next()
    steps._repr_mimebundle_()
    assert steps._front_end is not front
    assert steps._front_end.current == 4


def test_every_note_of_shapes_has_a_line_to_stand_at():
    for k in range(1, 6):
        shown = CodeStepper().shown(k)
        marked = {(file, line.number) for file, lines in shown.files for line in lines if line.marked}
        assert shown.shapes
        assert {(file, number) for file, number, _, _ in shown.shapes} <= marked


def test_current_is_moved_by_its_methods_only():
    with pytest.raises(AttributeError):
        CodeStepper().current = 9

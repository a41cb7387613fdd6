"""No false alarm: right answers on probes drawn from many seeds, for every exercise.

Sizes, channels, masks and weights of a probe all come from its seed. A right answer's own trace is among the known
ones, so that it passes says little; that its trace is the *reference's* says that an answer which computes in that way
would pass unlisted too, with the tolerances as they are. Answers that differ from the reference by design (a bias
more, another order of concatenation) are known by it, and are compared with themselves, run again; a function of plain
data has no such answers.
"""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import exercises
from helpers.checks import engine
from helpers.checks.fixtures import Fixture
from helpers.checks.limits import one_thread
from helpers.checks.probes import Call
from helpers.checks.subject import LocalSubject

CASES = int(os.environ.get("COURSE_CASES", "10"))  # for each exercise; 200 is the measure, and takes an hour
FIXED = 2**31 - 2  # a seed that decides which answers differ by design; the others are drawn below it

CLEAN = {
    "inputs unchanged": True,
    "random generator untouched": True,
    "same result the second time": True,
    "mode kept": True,
    "hidden parameters": 0,
    "idle parameters": 0,
    "library functions": (),
}


def trace_of(exercise, answer, seed):
    with engine.quiet():
        return engine._trace(exercise, LocalSubject(answer.solution), seed)


def same(trace, other):
    return len(trace) == len(other) and all(
        len(seen) == len(expected) and engine._first_difference(seen, expected) is None
        for seen, expected in zip(trace, other, strict=True)
    )


def is_plain(probe):
    """Plain data goes in, so that right answers have nothing to differ in but rounding."""
    return isinstance(probe, Call) and not any(isinstance(x, Fixture) for x in (*probe.args, *probe.kwargs.values()))


def test_tiles_in_one_batch_round_otherwise_and_are_right():
    """Found by 200 cases: logits up to 20, some of them near 0, and 1.1e-5 between two orders of adding up."""
    exercise = exercises.load("predict_tiled")
    (batched,) = [answer for answer in exercise.variants if answer.name.startswith("all tiles in one batch")]
    with one_thread():
        assert same(trace_of(exercise, batched, 1554), trace_of(exercise, exercise.right_answers[0], 1554))


@pytest.mark.parametrize("name", exercises.names())
def test_no_false_alarm(name):
    exercise = exercises.load(name)
    answers = exercise.right_answers
    at_fixed = [trace_of(exercise, a, FIXED) for a in answers]
    by_design = {k for k, trace in enumerate(at_fixed) if not same(trace, at_fixed[0])}
    if all(is_plain(probe) for probe in engine._probes(name, FIXED)):
        assert not by_design, [answers[k].name for k in by_design]

    @settings(max_examples=-(-CASES // len(answers)), deadline=None, derandomize=True, database=None)
    @given(st.integers(0, FIXED - 1))
    def right_for(seed):
        reference = trace_of(exercise, answers[0], seed)
        for k, answer in enumerate(answers):
            trace = trace_of(exercise, answer, seed) if k else reference
            unclean = [o for seen in trace for o in seen if o.what in CLEAN and o.value != CLEAN[o.what]]
            assert not unclean, f"{answer.name}, seed {seed}: {unclean[0]}"
            known = trace_of(exercise, answer, seed) if k in by_design else reference
            assert same(trace, known), f"{answer.name}, seed {seed}"

    with one_thread():
        right_for()

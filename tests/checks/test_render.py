"""`check` shows every result, whatever a student's answer gives, raises or is; and shows it as it is."""

import warnings
from collections import OrderedDict, namedtuple
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch import nn

from helpers import check, exercises
from helpers.checks import engine
from helpers.checks.fixtures import Fixture
from helpers.checks.render import as_html, as_text
from helpers.checks.subject import LocalSubject, Raised
from helpers.checks.verdict import Verdict


@pytest.fixture(autouse=True)
def fresh_session(monkeypatch):
    monkeypatch.setattr(exercises.load("dice"), "attempt", exercises.Attempt())


# ---- any result ------------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(), max_size=30)  # half surrogate pairs among them, which no page can carry
KINDS = (np.bool_, np.uint8, np.uint64, np.int64, np.float16, np.float32, np.float64, np.complex64)
ARRAYS = st.sampled_from(KINDS).flatmap(
    lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
)
NUMBERS = st.booleans() | st.integers() | st.integers(-(10**320), 10**320) | st.floats() | st.complex_numbers()
SINGLE = st.none() | NUMBERS | TEXTS | ARRAYS | ARRAYS.map(torch.as_tensor)
TENSOR_LIKE = st.fixed_dictionaries({"shape": SINGLE, "dtype": SINGLE, "values": SINGLE})
RESULTS = st.recursive(
    SINGLE | TENSOR_LIKE,
    lambda inner: st.lists(inner, max_size=12) | st.tuples(inner, inner) | st.dictionaries(TEXTS | NUMBERS, inner),
    max_leaves=12,
)


def rendered(probe):
    """A verdict on a probe as text and page, in which a warning counts as an error: it would cost a student points."""
    verdict = Verdict("dice", "wrong", "Not this.", 0, 3, None, probe)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        both = as_text(verdict), as_html(verdict)
    for text in both:
        text.encode()  # as every message to a page is
    return both


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(RESULTS, RESULTS)
def test_every_result_is_shown(yours, expected):
    values = [engine._as_json(LocalSubject(lambda x=x: x).call((), {}).value) for x in (yours, expected)]
    rendered({"label": "`x`", "what": "result", "input": {"x": values[0]}, "yours": values[0], "expected": values[1]})


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0), (1, 1), (9,), (1, 4096), (64, 64), (65, 64), (2, 3, 0, 4)])
@pytest.mark.parametrize("fill", [0.5, float("nan"), float("inf"), -3e38])
def test_every_state_of_an_argument_is_shown(shape, fill):
    """A module's state has tensors that are single numbers; an answer's result never has."""
    state = {"buffers": [torch.full(shape, fill)], "training": [True], "network": Fixture("module", {"seed": 3})}
    yours, expected = engine._as_json((state,)), engine._as_json(torch.full(shape, 0.25))
    rendered({"label": "x", "what": "arguments", "input": {"x": expected}, "yours": yours, "expected": expected})
    rendered({"label": "x", "what": "result", "input": {"x": expected}, "yours": expected, "expected": expected})


def test_of_two_that_read_alike_the_first_number_that_differs_is_shown():
    expected = torch.zeros(1, 2, 12, 12)
    yours = expected.clone()
    yours[0, 1, 3, 4] = 0.5
    parts = {"yours": engine._as_json((yours, 3)), "expected": engine._as_json((expected, 3))}
    for text in rendered({"label": "x", "what": "result", "input": {}, **parts}):
        assert "float32 tensor of shape 1×2×12×12, 3); 0.5 at [0][0][1][3][4]" in text
        assert "; 0 at [0][0][1][3][4]" in text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(RESULTS)
def test_check_raises_for_no_result(shown, result):
    assert check("dice", lambda pred, target: result) == 0
    assert check("to_tensor", lambda image: result) == 0


@pytest.mark.parametrize("first", [True, False])
def test_a_network_that_is_run_once_more_for_a_log_is_told_so(shown, first):
    """The probe's states hold `num_batches_tracked`, a single number; this raised where no known mistake fitted."""
    reference = exercises.load("train_one_epoch").reference

    def train_one_epoch(model, loader, loss_fn, optimizer, *args, **kwargs):
        images = next(iter(loader))[0]
        if first:
            model(images)
        result = reference(model, loader, loss_fn, optimizer, *args, **kwargs)
        if not first:
            model(images)
        return result

    assert check(train_one_epoch) == 0
    assert "train_one_epoch: wrong" in shown[0]["text/html"]


# ---- any object ------------------------------------------------------------------------------------------------------


class Silent:
    """Raises whatever is asked of it."""

    def __getattr__(self, name):
        raise KeyError(name)

    def __repr__(self):
        raise RuntimeError("no words")

    __str__ = __eq__ = __bool__ = __iter__ = __len__ = __format__ = __repr__
    __hash__ = None


class LoudText(str):
    __repr__ = __str__ = Silent.__repr__


class LoudNumber(int):
    __repr__ = __str__ = __format__ = Silent.__repr__


class LoudKey:
    __repr__ = __str__ = Silent.__repr__


class LoudError(Exception):
    __str__ = Silent.__repr__


class Stop(BaseException):
    """No `Exception`."""


def raising(error):
    def dice(pred, target):
        raise error

    return dice


def nested(depth):
    return [nested(depth - 1)] if depth else []


endless: list = []
endless.append(endless)

STRANGE = [
    *(Silent(), LoudText("x"), LoudNumber(3), {LoudKey(): 1}, {1: {LoudText("k"): LoudNumber(1)}}, endless),
    *(nested(15), nested(40), nested(600), object(), SimpleNamespace(kind=3), MagicMock(), type("a*b`c", (), {})()),
    *(10**5000, -(2**999), 1e308, "x" * 10**6, list(range(10**4)), {k: k for k in range(10**4)}, "\ud800", "\0"),
    *(namedtuple("Pair", "a b")(1, 2), OrderedDict(a=1), {1, 2}, iter([1]), np.array([("a", 1)], dtype="U1,i4")),
    *(torch.zeros(2, 2, dtype=torch.complex64), torch.zeros(2, 2).to_sparse(), torch.empty(2, 2, device="meta")),
    *(torch.zeros(2, 2, dtype=torch.float8_e5m2), torch.tensor([2**64 - 1], dtype=torch.uint64)),
    torch.quantize_per_tensor(torch.zeros(2, 2), 0.1, 0, torch.quint8),
    *(torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]), torch.zeros(1).expand(2**40), nn.Linear(2, 2)),
]
NAMES = [f"{k} {type(x).__name__}" for k, x in enumerate(STRANGE)]


@pytest.mark.filterwarnings("ignore")  # torch says that its nested and quantised tensors are prototypes
@pytest.mark.parametrize("result", STRANGE, ids=NAMES)
def test_check_raises_for_no_strange_result(shown, result):
    for name in ("dice", "to_tensor", "DoubleConv", "mask_to_box", "compare"):
        assert check(name, lambda *args, **kwargs: result) == 0
    assert len(shown) == 5
    for bundle in shown:
        bundle["text/html"].encode()


@pytest.mark.parametrize("answer", STRANGE, ids=NAMES)
def test_check_raises_for_no_strange_answer(shown, answer):
    assert check("dice", answer) == 0
    try:
        check(answer)
    except (TypeError, ValueError) as error:
        assert "check" in str(error) or "exercise" in str(error)  # noqa: PT017 (it may also raise nothing)


@pytest.mark.parametrize(
    "error",
    [
        *(LoudError(), Stop("stop"), GeneratorExit(), StopIteration(), SystemExit(3), MemoryError()),
        *(ValueError("\ud800"), ValueError("x" * 10**6), ValueError(Silent())),
    ],
    ids=lambda e: type(e).__name__,
)
def test_check_raises_for_nothing_that_an_answer_raises(shown, error):
    assert check("dice", raising(error)) == 0
    assert "dice: error" in shown[0]["text/html"]
    shown[0]["text/html"].encode()
    assert len(shown[0]["text/html"]) < 10_000


# ---- as it is --------------------------------------------------------------------------------------------------------


def test_a_students_line_is_shown_as_it_is_written(shown):
    def dice(pred, target):
        return 2.0*pred*target.nothing*1.0 + len(f"`{pred}`")  # fmt: skip

    check(dice)
    page = shown[0]["text/html"]
    assert "<em>" not in page
    assert "<code>return 2.0*pred*target.nothing*1.0 + len(f&quot;`{pred}`&quot;)  # fmt: skip</code>" in page


LITERAL = "*a* `b` <i>c</i> $d$"


@pytest.mark.parametrize(
    "answer",
    [
        raising(ValueError(LITERAL)),
        lambda pred, target: LITERAL,
        lambda pred, target: [LITERAL, LITERAL],
        lambda pred, target: {LITERAL: 1},
        lambda pred, target: np.zeros(1, dtype=[(LITERAL, "i4")]),
        type(LITERAL, (), {"__init__": lambda self, pred, target: None}),
    ],
    ids=["raised", "text", "texts", "key", "dtype", "class"],
)
def test_a_text_of_a_students_is_shown_as_it_is_and_as_code(shown, answer):
    check("dice", answer)
    page = shown[0]["text/html"]
    assert "<em>" not in page
    assert "<i>" not in page
    assert "*a* `b` &lt;i&gt;c&lt;/i&gt; $d$" in page
    without_code = "".join(part.split("</code>")[-1] for part in page.split("<code>"))
    assert "$d$" not in without_code  # where a page would read it as mathematics


def test_an_exception_says_its_message_and_line_as_code():
    said = str(Raised("KeyError", "*a*", 3, "return x[`a`]"))
    assert said == "KeyError: `*a*` in line 3: `` return x[`a`] ``"

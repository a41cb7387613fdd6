"""Lesson 09: `EarlyStopping(patience, mode="max")`."""

import copy
import math

import torch
from torch import Tensor

from helpers.checks.fixtures import Fixture
from helpers.checks.probes import Script
from helpers.checks.shared import claim
from helpers.checks.subject import Raised
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.training import EarlyStopping

NAN = float("nan")


@exercise(
    EarlyStopping,
    lesson="09_training",
    concept="Early stopping",
    points=4,
    minutes=6,
    difficulty=2,
    hints=[
        "Three things to remember between two calls: the best value, the weights that gave it, and how many values in "
        "a row have not beaten it.",
        "A value that is better sets the counter to 0; any other adds 1. Write the comparison so that a first value "
        "always wins and NaN never does, in both modes.",
        "`model.state_dict()` hands out the very tensors in which training goes on: copy them, for example with "
        "`copy.deepcopy`. The answer is whether the counter has reached `patience`.",
    ],
    task=(
        "`step(value, model=None)` takes the value of one epoch and returns True when it is time to stop: when the "
        'last `patience` values in a row were not better than the best before them. Better is larger for `mode="max"`, '
        'smaller for `"min"`; an equal value is not better, NaN never is. `.best` is the best value so far, '
        "`.best_weights` a copy of the model's `state_dict()` at that value. The model itself stays as it is."
    ),
)
def probes(draw):
    """Short courses of training, each until it stops, some with a model: in epoch k every weight of it is k."""
    for patience, values in (1, [0.2, 0.1]), (2, [0.5, 0.6, 0.6, 0.55]), (2, [NAN, 0.4, NAN, 0.3]):
        yield _course(draw, patience, values, with_model=True)  # an equal value is not better
    for values in (
        [0.1, 0.3, 0.2, 0.4],
        [-3.0, -2.0, -2.5, -4.0],
        [0.0, 0.0, 0.0],  # never above 0, where a best value may begin, or pass for none
        [0.5, 0.5004, 0.5002, 0.5001],  # a little better is better
    ):
        yield _course(draw, 2, values)
    for values in (
        [0.9, 0.7, 0.8, 0.7],
        [0.5, 0.0, 0.2, 0.1],
        [3.0, NAN, 2.0, NAN, 2.5],
        [NAN, NAN],  # not better than nothing either
    ):
        yield _course(draw, 2, values, "min")
    yield _course(draw, 3, [0.3, 0.2, 0.25, 0.4, 0.35, 0.38, 0.39])  # better than the last, not than the best
    for mode in ("max", "min"):
        patience = draw.size(2, 4)
        yield _course(draw, patience, _until_the_stop([draw.uniform(-1, 1) for _ in range(30)], patience, mode), mode)


edit = edits_of(EarlyStopping)


def _until_the_stop(values: list[float], patience: int, mode: str) -> list[float]:
    stopping = EarlyStopping(patience, mode)
    for k, value in enumerate(values):
        if stopping.step(value):
            return values[: k + 1]
    return values


def _course(draw, patience: int, values: list[float], mode: str | None = None, with_model: bool = False) -> Script:
    """`mode=None` leaves the default."""
    key = draw.seed()

    def run(subject):
        built = subject.construct((patience,) if mode is None else (patience, mode), {})
        yield "construction", built.value
        for epoch, value in enumerate(values, start=1):
            model = Fixture("network made before", {"key": key, "value": float(epoch)})
            reply = subject.method("step", (value, model) if with_model else (value,))
            yield f"the answer to value {epoch}, {value:.4g},", reply.value
            if with_model and not isinstance(reply.value, Raised):
                yield f"the weight of the model after epoch {epoch}", _only(reply.args_after[0]["parameters"])
                yield f"the mode of the model after epoch {epoch}", all(reply.args_after[0]["training"])
        if all(map(math.isnan, values)):
            return  # there is no best, and what stands for it is left open
        yield "`best`", subject.get("best")
        if with_model:
            # Training goes on: making the network once more changes its weights, and comparing with it changes nothing.
            subject.method("__eq__", (Fixture("network made before", {"key": key, "value": len(values) + 1.0}),))
            reply = subject.method("__getattribute__", ("best_weights",))
            kept = reply.value
            yield "the names in `best_weights`", sorted(kept) if isinstance(kept, dict) else kept
            yield claim("`best_weights` holds tensors, not NumPy arrays", not reply.has_arrays)
            yield "the epoch that `best_weights` come from", _only(list(kept.values()))

    listed = ", ".join(f"{value:.4g}" for value in values)
    label = f"`patience` = {patience}, mode {mode or 'max'!r} and the values {listed}"
    label += "" if with_model else ", without a model"
    return Script(run, label, {"values": torch.tensor(values)}, exclusive=with_model)


def _only(tensors: list[Tensor | int]) -> float | str:
    """The value that all these tensors and numbers hold throughout."""
    found = {value for x in tensors for value in torch.as_tensor(x).double().flatten().unique().tolist()}
    return found.pop() if len(found) == 1 else "mixed"


# ---- what goes wrong ----

RISES = """
        rises = self.last is None or (value > self.last if self.mode == "max" else value < self.last)
        self.waited, self.last = 0 if rises else self.waited + 1, value
"""
KEEP = """
            self.best_weights = model and copy.deepcopy(model.state_dict())
"""
PUT_BACK = """
            if self.best_weights is not None:
                model.load_state_dict(self.best_weights)
"""

edit(
    "stops one epoch late",
    "You stop one value later than asked: with a `patience` of 2 only the third failure in a row ends the training. "
    "Look at how you compare the counter with `patience`.",
    (">= self.patience", "> self.patience"),
)

edit(
    "stops one epoch early",
    "You stop one value earlier than asked: with a `patience` of 2 the first failure ends the training. "
    "Look at where your counter begins, and at how you compare it with `patience`.",
    (">= self.patience", ">= max(1, self.patience - 1)"),
)

edit(
    "stops at the first value that is not better",
    "The first value that fails ends the training, whatever `patience` is. Scores go up and down from epoch to epoch, "
    "and waiting is the point. Look at where `patience` is used.",
    (">= self.patience", ">= 1"),
)

edit(
    "patience as a number of epochs",
    "You stop after `patience` epochs, no matter how they went. Look at when your counter goes back to 0.",
    ("self.best, self.waited = value, 0", "self.best = value"),
    ("        else:\n            self.waited", "        self.waited"),
    (">= self.patience", "> self.patience"),
)

edit(
    "the counter is never reset",
    "You count all failures since the beginning, so a training that keeps finding better values is stopped all the "
    "same. Failures count *in a row*: look at what a better value does to the counter.",
    ("self.best, self.waited = value, 0", "self.best = value"),
)

edit(
    "mode ignored",
    'In your version larger is always better. With `mode="min"` a falling loss looks like failure, the training '
    "stops when it goes well, and the worst weights are kept. Look at where `mode` is used.",
    (' if self.mode == "max" else value < self.best', ""),
)

edit(
    "the modes exchanged",
    'Your two modes are exchanged: with `"max"` the smallest value is the best. '
    "Look at the direction of your comparisons.",
    ('self.mode == "max"', 'self.mode == "min"'),
)

edit(
    "min by default",
    'Without a `mode` you take smaller values for better ones. The default is `"max"`: look at the signature.',
    ('mode: str = "max"', 'mode: str = "min"'),
)

edit(
    "an equal value counts as better",
    "A value that equals the best sets your counter back, so a model that has stopped learning and repeats itself is "
    "trained for ever. Look at `>=` and `<=`.",
    ("value > self.best", "value >= self.best"),
    ("value < self.best", "value <= self.best"),
)

edit(
    "an equal value does not count",
    "A value that equals the best neither resets your counter nor raises it, so a model that repeats itself is trained "
    "for ever. Whatever is not better is a failure: look at your conditions, and at what is in neither.",
    ("        else:\n", "        elif value != self.best:\n"),
)

edit(
    "better by a margin",
    "You ask for more than better: small improvements count as failures. Late in training all improvements are small. "
    "Look for a number that you add to the best value.",
    ("value > self.best", "value > self.best + 1e-3"),
    ("value < self.best", "value < self.best - 1e-3"),
)

edit(
    "compared with the value before",
    "You compare each value with the *last* one, so a model that recovers a little after each fall never stops, "
    "however far it is below its best. Look at what you compare with.",
    ("self.waited = 0", "self.waited, self.last = 0, self.best"),
    ("self.best, self.waited = value, 0", "self.best = value"),
    ("        else:\n            self.waited += 1\n", RISES),
)

edit(
    "compared with the value before, a first NaN as well",
    "You compare each value with the *last* one, so a model that recovers a little after each fall never stops, and "
    "after a NaN any number fails. Look at what you compare with.",
    ("self.waited = 0", 'self.waited, self.last = 0, -math.inf if mode == "max" else math.inf'),
    ("self.best, self.waited = value, 0", "self.best = value"),
    ("        else:\n            self.waited += 1\n", RISES),
)

edit(
    "the last value instead of the best",
    "`.best` is the last value, good or bad, and the next one is compared with it. Look at when `.best` is set.",
    ("self.waited += 1\n", "self.waited += 1\n            self.best = value\n" + KEEP),
)

edit(
    "the best starts at 0",
    'Your best value is 0 before there is one. A loss is never below 0, so with `mode="min"` nothing ever counts as '
    'better, and with `"max"` a score of 0 or below does not. Look at what the first value is compared with.',
    ("self.best: float | None = None", "self.best = 0.0"),
)

edit(
    "a first NaN is never beaten",
    "A NaN in the first epoch becomes your best value, and no number is larger or smaller than NaN: nothing beats it "
    "any more. Look at what you do with the first value without a comparison.",
    ("return not math.isnan(value)", "return True"),
)

edit(
    "NaN counts as better",
    "NaN becomes your best value. Every comparison with NaN is false, so a condition that asks for *not worse* lets it "
    "through. Look at how your comparison is turned around.",
    ("return not math.isnan(value)", "return True"),
    ("return value > self.best", "return not value <= self.best"),
    ("value < self.best", "not value >= self.best"),
)

edit(
    "NaN does not count",
    "You pass over NaN, so a training that has broken down is never stopped. "
    "Whatever is not better is a failure: look for `isnan`.",
    ("        else:\n", "        elif not math.isnan(value):\n"),
)

edit(
    "the best weights are not copied",
    "`.best_weights` changes while training goes on: `state_dict()` hands out the model's own tensors, not copies. In "
    "the end your best weights are the last ones. A copy of the dictionary still holds the same tensors: look at what "
    "you keep.",
    ("copy.deepcopy(model.state_dict())", "dict(model.state_dict())"),
)

edit(
    "the weights of the last epoch",
    "You keep the weights of every epoch, so the last one overwrites the best. "
    "Look at the condition under which weights are kept.",
    ("        return self.waited", "        if True:\n" + KEEP + "        return self.waited"),
)

edit(
    "the weights of the first epoch",
    "You keep weights once and never replace them. Look at the condition under which weights are kept.",
    ("if model is not None", "if model is not None and self.best_weights is None"),
)

edit(
    "no weights are kept",
    "`.best_weights` stays empty, so after the training there is no way back to the best epoch. "
    "Look at what a better value has to leave behind.",
    ("self.best_weights = copy.deepcopy(model.state_dict())", "pass"),
)

edit(
    "running statistics are forgotten",
    "You keep the parameters and leave out the buffers, such as the running mean of a batch norm. The best parameters "
    "then meet the statistics of the last epoch. Look at what `state_dict()` has that `named_parameters()` has not.",
    ("copy.deepcopy(model.state_dict())", "{name: p.detach().clone() for name, p in model.named_parameters()}"),
)

edit(
    "NumPy arrays instead of tensors",
    "`.best_weights` holds NumPy arrays, and `load_state_dict` takes tensors only. A tensor is copied by `clone`. "
    "Look at how you copy.",
    ("copy.deepcopy(model.state_dict())", "{name: t.numpy().copy() for name, t in model.state_dict().items()}"),
)

edit(
    "the model instead of its weights",
    "`.best_weights` is a model. `load_state_dict` wants a dictionary from names to tensors. Look at what you keep.",
    ("copy.deepcopy(model.state_dict())", "copy.deepcopy(model)"),
)

edit(
    "the best weights are put back at once",
    "After each failure you load the best weights into the model, so it repeats the same step and can never get over a "
    "dip. `step` only watches: look for `load_state_dict`.",
    ("self.waited += 1\n", "self.waited += 1\n" + PUT_BACK),
)

edit(
    "True to go on",
    "Your answer is the wrong way round: True while training may go on, False when it is time to stop. "
    "Look at what you return.",
    (">= self.patience", "< self.patience"),
)

edit(
    "says whether the value is better",
    "You return whether the value is a new best. Asked for is whether to stop. Look at what you return.",
    ("return self.waited >= self.patience", "return self.waited == 0"),
)

edit(
    "no answer while training goes on",
    "When it is not time to stop you return nothing, that is `None`. `if` takes it for False, but a `bool` is "
    "promised. Look at the ends of your branches.",
    ("return self.waited >= self.patience", "return self.waited >= self.patience or None"),
)

edit(
    "the best score starts at 0",
    'With `"max"` your best value is 0 before there is one, so a score of 0 or below is never the best, and a '
    "network that is bad at first is given up too soon. Look at what the first value is compared with.",
    ("self.best: float | None = None", 'self.best = 0.0 if mode == "max" else math.inf'),
)

edit(
    "a best value of 0 counts as none",
    "A best value of 0 is taken for no value yet, so whatever comes next is better. `not 0.0` is true, just as `not "
    "None` is. Look at how you ask whether there is a best.",
    ("self.best is None", "not self.best"),
)

edit(
    "`best` with its sign turned",
    'With `mode="min"` your `.best` holds the value with its sign turned: a help for comparing, and not the best '
    "loss. Look at what you keep.",
    (
        "        if self._is_better",
        '        value = value if self.mode == "max" else -value\n        if self._is_better',
    ),
    (' if self.mode == "max" else value < self.best', ""),
)

edit(
    "NaN ends the training",
    "You stop at the first NaN. It counts as one value that is not better, and the next may be. Look for `isnan`.",
    ("        else:\n", "        elif math.isnan(value):\n            return True\n        else:\n"),
)

edit(
    "the best weights are put back at the end",
    "When it is time to stop you load the best weights into the model. `step` only watches: whoever trains may want "
    "the last ones as well. Look for `load_state_dict`.",
    (
        "        return self.waited",
        "        if self.waited >= self.patience:\n" + PUT_BACK + "        return self.waited",
    ),
)

edit(
    "a model is always needed",
    "Your `step` asks a model for its weights though none was given: `model=None` is the default. Look at what "
    "happens to a better value that comes alone.",
    ("if model is not None:", "if True:"),
)


# ---- other right answers ----


@variant("infinity before the first value, copies one by one")
class FromInfinity:
    def __init__(self, patience, mode="max"):
        self.sign = 1 if mode == "max" else -1
        self.best = -self.sign * math.inf
        self.best_weights = None
        self.left = self.patience = patience

    def step(self, value, model=None):
        if self.sign * value > self.sign * self.best:
            self.best = value
            self.left = self.patience
            if model:
                self.best_weights = {name: t.detach().clone() for name, t in model.state_dict().items()}
            return False
        self.left -= 1
        return self.left <= 0


@variant("from the whole history")
class FromHistory:
    def __init__(self, patience, mode="max"):
        self.patience = patience
        self.pick = max if mode == "max" else min
        self.values, self.snapshots = [], []

    def _best_epoch(self):
        known = [v for v in self.values if not math.isnan(v)]
        return self.values.index(self.pick(known)) if known else -1

    @property
    def best(self):
        return self.values[self._best_epoch()]

    @property
    def best_weights(self):
        return self.snapshots[self._best_epoch()]

    def step(self, value, model=None):
        self.values.append(value)
        self.snapshots.append(None if model is None else copy.deepcopy(model).state_dict())
        return len(self.values) - 1 - self._best_epoch() >= self.patience


@variant("the epoch of the best, and a flag that stays")
class EpochOfBest:
    def __init__(self, patience, mode="max", verbose=False):
        self.patience, self.mode, self.verbose = patience, mode, verbose
        self.best = torch.tensor(NAN)
        self.best_weights = {}
        self.epoch = self.best_epoch = 0
        self.stopped = False

    def step(self, value, model=None):
        self.epoch += 1
        value = torch.as_tensor(value, dtype=torch.float64)
        better = value > self.best if self.mode == "max" else value < self.best
        if better or (torch.isnan(self.best) and not torch.isnan(value)):
            self.best, self.best_epoch = value, self.epoch
            if model is not None:
                self.best_weights = copy.deepcopy(model.state_dict())
        self.stopped = self.stopped or self.epoch - self.best_epoch >= self.patience
        return self.stopped

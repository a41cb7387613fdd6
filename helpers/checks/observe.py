"""Watches an answer on a probe: what it does there, observation by observation, from coarse to fine.

The first observation that differs from a right answer's is the one worth telling a student.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from helpers.checks.equality import is_same, kind_of
from helpers.checks.probes import Build, Call, Probe, Script
from helpers.checks.subject import Gradients, Raised, Reply, Subject
from helpers.checks.usage import tensors_in
from helpers.markup import as_text


@dataclass(frozen=True)
class Observation:
    """One thing seen of an answer on one probe; `tolerance_scale` is a factor of the tolerance."""

    what: str
    value: Any
    tolerance_scale: float = 1.0


def observe(subject: Subject, probe: Probe, seed: int, forbidden: tuple[str, ...] = ()) -> Iterator[Observation]:
    """What the answer behind `subject` does on `probe`; it runs on only as far as the iterator is asked.

    Weights of a module and of a gradient are drawn from `seed`; `forbidden` names library functions that the answer
    must not call.
    """
    generator = torch.Generator().manual_seed(seed)
    if isinstance(probe, Call):
        yield from _observe_call(subject, probe, generator, forbidden)
    elif isinstance(probe, Build):
        yield from _observe_module(subject, probe, generator)
    else:
        yield from _observe_script(subject, probe)
    yield Observation("settings kept", subject.settings_changed())


def _observe_call(
    subject: Subject, probe: Call, generator: torch.Generator, forbidden: tuple[str, ...]
) -> Iterator[Observation]:
    reply = subject.call(probe.args, probe.kwargs)
    if isinstance(reply.value, Raised):
        yield Observation("result", reply.value)
        return
    yield Observation("result", _viewed(reply.value, probe), probe.tolerance_scale)
    yield Observation("tensors, not arrays", not reply.has_arrays)
    if probe.exact_dtype:
        yield Observation("dtype", reply.dtypes)
    elif probe.view is None:
        yield Observation("dtype", _kinds(reply))
    if probe.gradients:
        weights = [torch.randn(y.shape, generator=generator) for y in _as_tensors(reply.value)]
        indices = probe.gradients if isinstance(probe.gradients, tuple) else tuple(range(len(probe.args)))
        gradients = subject.call_gradients(probe.args, probe.kwargs, weights, indices)
        yield Observation("gradients", _reached(gradients), 10)
    again = subject.call(probe.args, probe.kwargs)
    repeated = not probe.repeatable or is_same(again.value, reply.value)
    for state in reply.args_after:
        if state is not None:
            yield Observation("arguments afterwards", state)
    yield Observation("inputs unchanged", reply.inputs_unchanged)
    yield Observation("memory of its own", not reply.memory_shared)
    yield Observation("random generator untouched", probe.may_draw or reply.random_state_untouched)
    yield Observation("same result the second time", repeated)
    if forbidden:
        # Watching is slow, and most known answers are not asked for so much. What was given before may be remembered.
        other = tuple(x.flip(list(range(x.ndim))) if isinstance(x, Tensor) else x for x in probe.args)
        yield Observation("library functions", subject.call(other, probe.kwargs, forbidden).shortcuts)


def _kinds(reply: Reply) -> tuple[str, ...]:
    """dtypes of the results; float32 and float64 are as good as each other."""
    return tuple("float" if "float" in dtype else dtype for dtype in reply.dtypes)


def _viewed(value: Any, probe: Call) -> Any:
    if probe.view is None:
        return value
    try:
        return probe.view(value, probe.args)
    except Exception:  # a result of the wrong kind
        return as_text(f"a {kind_of(value)}")


def _as_tensors(value: Any) -> list[Tensor]:
    """The tensors of a result; a number counts as one, as a loss does."""
    return [torch.tensor(float(value))] if isinstance(value, int | float) else tensors_in(value)


def _observe_module(subject: Subject, probe: Build, generator: torch.Generator) -> Iterator[Observation]:
    built = subject.construct(probe.args, probe.kwargs)
    if built.value != "module":  # raised, or something else came out
        yield Observation("construction", built.value)
        return
    # Evaluation mode comes first: a training pass with the random first weights would leave its mark on running
    # statistics, and no two answers draw the same ones.
    subject.train(False)
    first = subject.forward(probe.inputs)
    if isinstance(first.value, Raised):
        yield Observation("construction", first.value)
        return
    parameters = subject.parameters(probe.bias_open)
    yield Observation("construction", built.value)
    yield Observation("output shape", shapes_of(first.value))
    yield Observation("hidden parameters", parameters.hidden)
    yield Observation("idle parameters", parameters.idle)
    yield Observation("parameter shapes in the order of their use", parameters.used)
    subject.set_parameters([drawn_weights(shape, generator) for shape in parameters.used])
    evaluated = subject.forward(probe.inputs)
    yield Observation("output in evaluation mode", evaluated.value)
    again = subject.forward(probe.inputs)
    subject.train(True)
    trained = subject.forward(probe.inputs)
    yield Observation("output in training mode", trained.value)
    subject.train(False)
    after = subject.forward(probe.inputs)
    yield Observation("output in evaluation mode, after a training pass", after.value)
    replies = (first, evaluated, again, trained, after)
    yield Observation("inputs unchanged", all(r.inputs_unchanged for r in replies))
    yield Observation("random generator untouched", all(r.random_state_untouched for r in replies))
    yield Observation("same result the second time", is_same(again.value, evaluated.value))
    yield Observation("mode kept", all(r.mode_kept for r in replies))
    weights = [torch.randn(y.shape, generator=generator) for y in tensors_in(trained.value)]
    subject.train(True)
    yield Observation("gradients", _reached(subject.gradients(probe.inputs, weights)), tolerance_scale=10)


def drawn_weights(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Values that keep activations near 1 in size, none of them special: no zero bias, no unit scale."""
    if len(shape) < 2:
        return torch.empty(shape).uniform_(0.3, 1.5, generator=generator)
    return torch.randn(shape, generator=generator) * math.sqrt(2 / math.prod(shape[1:]))


def _reached(gradients: Gradients) -> Any:
    return gradients if isinstance(gradients, Raised) else ["none" if g is None else g for g in gradients]


def shapes_of(value: Any) -> Any:
    """The shapes of the tensors in a result, and the kind of everything else."""
    if isinstance(value, Tensor):
        return tuple(value.shape)
    return [shapes_of(v) for v in value] if isinstance(value, tuple | list) else as_text(kind_of(value))


class _Replies(Subject):
    """The same subject; keeps what its calls gave."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.of_calls: list[Reply] = []

    def _ask(self, expected: Any, method: str, *args: Any) -> Any:
        reply = self._subject._ask(expected, method, *args)
        if method in ("call", "method"):
            self.of_calls.append(reply)
        return reply


def _observe_script(subject: Subject, probe: Script) -> Iterator[Observation]:
    replies = _Replies(subject)
    seen = False
    try:
        for what, value in probe.run(replies):
            seen = True
            yield Observation(what, value)
            if isinstance(value, Raised):
                return
    except Exception as error:  # an answer of the wrong kind
        seen = True
        yield Observation("course of the steps", f"broke off: {type(error).__name__}")
    if not seen:
        yield Observation("course of the steps", "nothing was seen")
    yield Observation("tensors, not arrays", not any(reply.has_arrays for reply in replies.of_calls))
    # How often a script calls may depend on what comes back.
    yield Observation("dtype", tuple(sorted({", ".join(_kinds(reply)) for reply in replies.of_calls})))
    yield Observation("memory of its own", not any(reply.memory_shared for reply in replies.of_calls))

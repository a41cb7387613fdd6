"""Turns an exercise into a verdict on an answer.

An answer is observed on every probe; what it does there is its *trace*. It is right when its trace is that of the
reference, or of a variant that differs from it. Otherwise the verdict says the sentence of the misconception with that
trace, and where there is none, shows the smallest probe that fails.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from helpers import exercises
from helpers.checks import wording
from helpers.checks.equality import MOST_PARTS, is_same, kind_of
from helpers.checks.fixtures import Fixture
from helpers.checks.limits import OutOfTime, generators_kept, on_cpu, one_thread, quiet, time_limit
from helpers.checks.observe import Observation, observe
from helpers.checks.probes import Build, Call, Draw, Probe, Script, as_probe, size_of
from helpers.checks.process import Lost, unfinished
from helpers.checks.subject import Foreign, LocalSubject, Raised, Subject, raised, readable
from helpers.checks.verdict import Status, Verdict, is_tensor
from helpers.exercises import Answer, Code, Exercise
from helpers.markup import as_text, code

SECONDS = 10.0  # an answer takes well under one; this is for endless loops
PARAMETER_SHAPES = ("parameter shapes in the order of their use", "shapes of the parameters, in the order of their use")
RESULT_SHAPES = ("output shape", "shape of the result")
SECONDS_FOR_PAIRS = 1.0  # of a processor, so that a verdict does not depend on what else runs
MOST_VALUES = 4096  # a verdict carries the numbers of tensors up to this size

Trace = list[list[Observation]]

# What no answer may do, whatever the exercise: observation, name, sentence.
RULES = {
    "inputs unchanged": (
        "changes its input",
        "The tensors you were given hold other values afterwards, so whoever passed them in computes on with changed "
        "data. Look for `&=`, `+=`, assignments into a slice and methods that end "
        "in an underscore, and write to a new tensor.",
    ),
    "tensors, not arrays": (
        "NumPy instead of a tensor",
        "Your result is a NumPy array, and the cells that use it need a torch tensor. "
        "Look at your `return`: `torch.from_numpy` or `torch.as_tensor` makes one of it, torch's own functions never "
        "leave it.",
    ),
    "memory of its own": (
        "shares memory with its input",
        "Your result lies in the memory of what you were given: whoever writes to the one changes the other. Look for "
        "a `return` of the argument itself or of a view of it, and make a new tensor, with `clone` if need be.",
    ),
    "settings kept": (
        "leaves a setting changed",
        "Afterwards a setting is not as it was, and every later cell feels that. Look for "
        "`set_…` and for assignments to torch's own names; `with torch.no_grad():` ends where its block ends.",
    ),
    "random generator untouched": (
        "disturbs the random generator",
        "Your answer draws from the global random generator, so calling it changes every random number that follows. "
        "Nothing in this task is random: look for `rand`, `randn`, `manual_seed` or a dropout.",
    ),
    "same result the second time": (
        "remembers the call before",
        "Called twice with the same input, it gives two results: something of the first call is kept. Look for a "
        "variable outside the function, a default argument that is a list, or a tensor that is added to.",
    ),
    "hidden parameters": (
        "layers that are not registered",
        "It computes with parameters that `parameters()` does not list, so no optimizer would ever train them, and "
        "`state_dict()` would not save them. PyTorch does not see layers in a plain Python list, nor those made anew "
        "in `forward`: make them in `__init__`, and keep them in an `nn.Sequential`, an `nn.ModuleList` or an "
        "attribute each.",
    ),
    "idle parameters": (
        "a layer that is never used",
        "It registers parameters that the forward pass never touches. They get no gradient and only take up memory. "
        "Look for a layer that `__init__` makes and `forward` forgets.",
    ),
    "mode kept": (
        "changes its own mode",
        "After a forward pass some layer is no longer in the mode it was put into. `forward` must not call `train()` "
        "or `eval()`: that is for whoever uses the module.",
    ),
}


def examine(name: str, obj: Any, seed: int | None = None) -> Verdict:
    """Check one answer to the exercise `name`, showing nothing.

    Args:
        name: the exercise, such as `"dice"`.
        obj: the student's function or class.
        seed: seed of the probes; the same seed gives the same verdict. `None` draws a fresh one.

    Raises:
        ValueError: there is no such exercise.
    """
    exercise = exercises.load(name)
    seed = secrets.randbits(31) if seed is None else seed
    if callable(obj):
        with on_cpu():
            return examine_through(name, LocalSubject(obj), seed)
    what = "None" if obj is None else f"an object of type {code(readable(type(obj).__name__))}"
    message = f"`{name}` is {what} here. It must be the function or class that you wrote: run its cell again."
    return _verdict(exercise, seed, "wrong", message)


def examine_through(name: str, subject: Subject, seed: int, seconds: float | None = None) -> Verdict:
    """Check the answer behind `subject`, wherever it lives, as `examine` does.

    Args:
        seconds: how long it may take; `SECONDS` if `None`.
    """
    exercise, seconds = exercises.load(name), seconds or SECONDS
    _probes(name, seed)  # where these fail, the exercise is wrong and not the answer
    with one_thread():
        try:
            began = time.monotonic()
            with quiet() as noticed, generators_kept(), time_limit(seconds):
                trace = _trace(exercise, subject, seed)
        except OutOfTime as stopped:
            happened = unfinished(seconds, raised(stopped.__cause__ or stopped, None))
        except Lost as lost:
            happened = lost.reason
        except KeyboardInterrupt:  # the student has waited long enough
            raise
        except BaseException as error:  # not from a call, but from a `train` of the answer's own, say
            happened = f"raised {raised(error, None)}."
        else:
            verdict = _judge(exercise, trace, seed)
            passed = verdict.status == "passed"
            aside = wording.asides(noticed, time.monotonic() - began) if passed else wording.printed(noticed.printed)
            return replace(verdict, message=verdict.message + aside)
    return not_run(name, seed, happened)


def not_run(name: str, seed: int, happened: str) -> Verdict:
    """The verdict on an answer that could not be seen to its end.

    Args:
        happened: a sentence that goes on after the answer's name.
    """
    return _verdict(exercises.load(name), seed, "error", f"`{name}` {happened}")


def is_right(name: str, subject: Subject, seed: int, seconds: float | None = None, order: Sequence[int] = ()) -> bool:
    """Whether `examine_through` would say "passed"; stops at the first probe that a wrong answer fails.

    Args:
        order: the probes to look at; all where none is named.
    """
    return bool(that_do_as(name, subject, prepare(name, seed), seed, seconds, order))


@functools.lru_cache(maxsize=64)
def prepare(name: str, seed: int) -> list[Code]:
    """See what the right answers do on the probes of a seed, so that it is known; they are returned."""
    accepted = [answer.solution for answer in exercises.load(name).accepted]
    for solution in accepted:
        _known_trace(name, solution, seed)
    return accepted


def failing_probes(name: str, subject: Subject, seed: int, seconds: float) -> tuple[dict[int, int | None], list[int]]:
    """The probes that an answer fails, the smallest first, each with its own line where it raised; and all others.

    Raises:
        OutOfTime: the answer does not end in time.
    """
    exercise, probes = exercises.load(name), _probes(name, seed)
    with one_thread(), quiet(), time_limit(seconds):
        differing = _differing(exercise, _trace(exercise, subject, seed), seed)
    lines = {k: yours.value.line if isinstance(yours.value, Raised) else None for k, (yours, _) in differing.items()}
    failing = {k: lines[k] for k in sorted(lines, key=lambda k: size_of(probes[k]))}
    return failing, [k for k in range(len(probes)) if k not in failing]


def that_do_as(
    name: str,
    subject: Subject,
    solutions: list[Code],
    seed: int,
    seconds: float | None = None,
    order: Sequence[int] = (),
) -> list[Code]:
    """Those of `solutions` that do what the answer behind `subject` does; stops where none is left.

    Args:
        order: the probes to look at; all where none is named.
    """
    probes = _probes(name, seed)
    try:
        with one_thread(), quiet(), time_limit(seconds or SECONDS):
            subject.settings_changed()  # from now on
            for k in order or range(len(probes)):
                known = {solution: iter(_known(name, solution, seed, k)) for solution in solutions}
                for seen in observe(subject, probes[k], 1000 * seed + k, exercises.load(name).forbidden):
                    solutions = [one for one in solutions if _agrees(seen, next(known[one], seen))]
                    if not solutions:
                        return []
    except (Exception, SystemExit, Lost):  # OutOfTime among them
        return []
    return solutions


def forget() -> None:
    """Drop the probes of earlier checks, and what the known answers do on them."""
    for cached in (prepare, _probes, _known):
        cached.cache_clear()


def _judge(exercise: Exercise, trace: Trace, seed: int) -> Verdict:
    if _is_stub(trace[0][0].value) and trace[0][0].value.of:
        other = trace[0][0].value.of
        return not_run(exercise.name, seed, f"calls `{other}`, which is not written yet: write that first.")
    if _is_stub(trace[0][0].value):
        what_to_do = "Write it in place of `raise NotImplementedError()`, run that cell, and then this one."
        return _verdict(exercise, seed, "not attempted", f"`{exercise.name}` is not written yet. {what_to_do}")

    differing = _differing(exercise, trace, seed)
    if not differing:
        return _verdict(exercise, seed, "passed", f"All {len(trace)} test inputs gave what they should.")

    probes = _probes(exercise.name, seed)
    worst = min(differing, key=lambda k: size_of(probes[k]))
    yours, expected = differing[worst]
    status: Status = "error" if isinstance(yours.value, Raised) else "wrong"
    found = _diagnose(exercise, trace, seed, list(differing))
    if found is not None:
        diagnosis, message = found
        if status == "error":
            message = f"{message} (It raised {yours.value}.)"
    elif yours.what in RULES and yours.value != expected.value:  # seen, so true, whatever else is wrong
        diagnosis, message = RULES[yours.what]
        if yours.what == "settings kept":
            message = f"{message} Changed: {', '.join(yours.value)}."
    else:
        diagnosis, message = None, _describe(exercise, probes[worst], yours, expected)
    shown = {
        "label": _label(exercise, probes[worst]),
        "what": yours.what,
        "input": {name: _as_json(x) for name, x in _named_inputs(exercise, probes[worst]).items()},
        "yours": _as_json(yours.value),
        # the line of a right answer is nothing to a student
        "expected": _as_json(
            replace(expected.value, line=None) if isinstance(expected.value, Raised) else expected.value
        ),
    }
    return _verdict(exercise, seed, status, message, diagnosis, shown)


def _differing(exercise: Exercise, trace: Trace, seed: int) -> dict[int, tuple[Observation, Observation]]:
    """What a trace does otherwise than the nearest right answer, by probe: its observation and the right one."""
    differing: dict[int, tuple[Observation, Observation]] = {}
    for answer in exercise.accepted:
        apart = {}
        for k, seen in enumerate(trace):
            different = _first_difference(seen, _known(exercise.name, answer.solution, seed, k))
            if different is not None:
                apart[k] = different
                if len(apart) == len(differing):
                    break  # no nearer than another
        else:
            differing = apart
        if not differing:
            break
    return differing


def _is_stub(value: Any) -> bool:
    """Whether this came out of an untouched stub; torch raises NotImplementedError too, with a message."""
    return isinstance(value, Raised) and value.kind == "NotImplementedError" and not value.message


def _diagnose(exercise: Exercise, trace: Trace, seed: int, differing: list[int]) -> tuple[str, str] | None:
    """Name and sentence of the misconception with this trace, on the probes that fail and on those that pass.

    What explains a part of the failures only is as often false as true, so it is said only together with a second one:
    where that explains the other failures, or where an answer that is wrong in both ways has this trace.
    """
    order = [*differing, *(k for k in range(len(trace)) if k not in differing)]

    def agrees(version: Code, k: int, any_error: bool) -> bool:
        return _first_difference(trace[k], _known(exercise.name, version, seed, k), any_error) is None

    specific_first = sorted(exercise.misconceptions, key=lambda answer: answer.any_error)
    versions = [(answer, version) for answer in specific_first for version in exercise.versions(answer)]
    for answer, version in versions:
        if all(agrees(version, k, answer.any_error) for k in order):
            return answer.name, answer.sentence
    until = time.thread_time() + SECONDS_FOR_PAIRS
    explained: dict[Answer, set[int]] = {}  # what each explains, where it is something
    for k in differing:
        for answer, version in versions:
            if time.thread_time() >= until:
                return None
            if agrees(version, k, answer.any_error):
                explained.setdefault(answer, set()).add(k)
        for one, other in itertools.product([one for one, probes in explained.items() if k in probes], specific_first):
            if one is other or min(explained[one] | explained.get(other, set())) != k:
                continue  # itself, or tried at an earlier probe
            for version in exercise.versions(one, other) if time.thread_time() < until else ():
                if all(agrees(version, k, any_error=False) for k in order):
                    return _both(one, other)
    fair = [one for one in explained if all(agrees(one.solution, k, one.any_error) for k in order[len(differing) :])]
    for one, other in itertools.combinations(sorted(fair, key=lambda answer: -len(explained[answer])), 2):
        # Where the two go together, the answer with both was compared, and is something else.
        if explained[one] | explained[other] == set(differing) and not exercise.versions(one, other):
            return _both(one, other)
    return None


def _both(one: Answer, other: Answer) -> tuple[str, str]:
    return one.name, f"{one.sentence} There is a second thing. {other.sentence}"


def _first_difference(
    yours: list[Observation], known: Iterable[Observation], any_error: bool = False
) -> tuple[Observation, Observation] | None:
    for y, e in zip(yours, known, strict=False):
        if not _agrees(y, e) and not (any_error and isinstance(y.value, Raised) and isinstance(e.value, Raised)):
            return y, e
    return None


def _agrees(yours: Observation, expected: Observation) -> bool:
    if yours.what == expected.what == "memory of its own" and not expected.value:
        return True  # a right answer may give a view, so anything may
    return yours.what == expected.what and is_same(yours.value, expected.value, expected.tolerance_scale)


class _Known:
    """What a known answer does on a probe. It runs on only as far as is asked, and what was seen is kept."""

    def __init__(self, observations: Iterator[Observation]) -> None:
        self._observations = observations
        self._seen: list[Observation] = []

    def __iter__(self) -> Iterator[Observation]:
        for n in itertools.count():
            if n == len(self._seen):
                try:
                    with quiet():
                        following = next(self._observations, None)
                except BaseException:  # interrupted: it ends here, and what would have come is unknown
                    forget()
                    raise
                if following is None:
                    return
                self._seen.append(following)
            yield self._seen[n]


@functools.lru_cache(maxsize=64)
def _probes(name: str, seed: int) -> list[Probe]:
    return [as_probe(p) for p in exercises.load(name).probes(Draw(seed))]


@functools.lru_cache(maxsize=16384)
def _known(name: str, solution: Code, seed: int, k: int) -> _Known:
    """What a known answer does on probe `k`."""
    exercise = exercises.load(name)
    probe = _probes(name, seed)[k]
    known = _Known(observe(LocalSubject(solution), probe, 1000 * seed + k, exercise.forbidden))
    if isinstance(probe, Script) and probe.exclusive:
        list(known)
    return known


def _known_trace(name: str, solution: Code, seed: int) -> Trace:
    """What a known answer does on all probes."""
    return [list(_known(name, solution, seed, k)) for k in range(len(_probes(name, seed)))]


def _trace(exercise: Exercise, subject: Subject, seed: int) -> Trace:
    trace: Trace = []
    subject.settings_changed()  # from now on
    for k, probe in enumerate(_probes(exercise.name, seed)):
        trace.append(list(observe(subject, probe, 1000 * seed + k, exercise.forbidden)))
        if _is_stub(trace[0][0].value):
            break
    return trace


def _verdict(
    exercise: Exercise,
    seed: int,
    status: Status,
    message: str,
    diagnosis: str | None = None,
    probe: dict[str, Any] | None = None,
) -> Verdict:
    points = exercise.points if status == "passed" else 0
    return Verdict(exercise.name, status, message, points, exercise.points, diagnosis, probe, seed)


def _describe(exercise: Exercise, probe: Probe, yours: Observation, expected: Observation) -> str:
    where = _label(exercise, probe)
    if isinstance(yours.value, Raised):
        called = ", ".join(inspect.signature(exercise.reference).parameters)
        wanted = f" Expected is a `{expected.value.kind}`." if isinstance(expected.value, Raised) else ""
        return f"`{exercise.name}` {wording.of_exception(yours.value, f'{exercise.name}({called})')}{wanted}"
    if isinstance(expected.value, Raised):
        return f"For {where}, nothing is raised; expected is a `{expected.value.kind}`."
    if yours.value is None:
        return f"`{exercise.name}` returns None for {where}. Is a `return` missing? `print` only shows a value."
    if yours.what in RULES:
        return RULES[yours.what][1]
    if yours.what == "library functions":
        names = " and ".join(f"`{n}`" for n in yours.value)
        return f"You called {names} from a library. The task is to write it by hand."
    if yours.what == "dtype":
        return f"For {where}, the result has dtype {', '.join(yours.value)}; expected is {', '.join(expected.value)}."
    if yours.what == "gradients":
        wrong = "some parameter or input gets none, or others"
        return f"For {where}, the gradients are not those of a right answer: {wrong}."
    if yours.what == "construction":
        return f"`{exercise.name}` gives {_shown(yours.value)} instead of a module."
    if yours.what in PARAMETER_SHAPES:
        return f"For {where}, {wording.of_layers(yours.value, expected.value)}."
    shapes = yours.what in RESULT_SHAPES
    path, y, e = wording.first_leaf(yours.value, expected.value, expected.tolerance_scale, shapes)
    if y == "None":
        return f"`{exercise.name}` returns None for {where}. Is a `return` missing?"
    if shapes:
        return f"For {where}, {wording.place(path)} {wording.of_shape(y, e)}."
    of = wording.place(path) if path or yours.what == "result" else yours.what
    if wording.is_tensor_pair(y, e):
        same_weights = "With the same weights as a right answer, for" if isinstance(probe, Build) else "For"
        of = of if yours.what == "result" or not isinstance(probe, Build) else f"{of} ({yours.what})" if path else of
        return f"{same_weights} {where}, {of} has the right shape {tuple(y.shape)}, but {_off(y, e)}."
    y, e = (wording.result(value) or _shown(value) for value in (y, e))
    return f"For {where}, {of} is {y}; expected is {e}."


def _off(yours: Tensor, expected: Tensor) -> str:
    """How many values of a tensor differ, and by how much."""
    gap = (yours.double() - expected.double()).abs()
    wrong = int((~(gap <= 1e-4 * expected.double().abs() + 1e-5)).sum())
    return f"{wrong} of {gap.numel()} values differ, by up to {gap.max().item():.3g}"


def _label(exercise: Exercise, probe: Probe) -> str:
    """The probe in words: its own label, else what goes in."""
    if probe.label:
        return probe.label
    if not isinstance(probe, Build):
        named = _named_inputs(exercise, probe).items()
        return " and ".join(f"`{name}`{'' if isinstance(x, Tensor) else ' ='} {_shown(x)}" for name, x in named)
    arguments = [_shown(x) for x in probe.args] + [f"{k}={_shown(v)}" for k, v in probe.kwargs.items()]
    shapes = " and ".join(str(tuple(x.shape)) for x in probe.inputs)
    call = code(as_text(f"{exercise.name}({', '.join(arguments)})"))
    return f"{call} on an input of shape {shapes}"


def _named_inputs(exercise: Exercise, probe: Probe) -> dict[str, Any]:
    """What goes in, by the names that the reference gives its arguments."""
    if isinstance(probe, Script):
        return probe.shown
    if isinstance(probe, Call):
        return {**dict(zip(inspect.signature(exercise.reference).parameters, probe.args, strict=False)), **probe.kwargs}
    reference = exercise.reference
    assert isinstance(reference, type)
    assert issubclass(reference, nn.Module)
    _self, *names = inspect.signature(reference.forward).parameters
    return dict(zip(names, probe.inputs, strict=False))


def _shown(value: Any) -> str:
    """Plain data in a few words, marked up as in `helpers.markup`."""
    if isinstance(value, str):
        return code(repr(readable(value)))
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Fixture):
        values = value.settings.get("values")
        return f"a {value.kind}" + (f" of shape {tuple(values.shape)}" if isinstance(values, Tensor) else "")
    if isinstance(value, Foreign | Raised):
        return str(value) if isinstance(value, Raised) else f"an object of type {kind_of(value)}"
    if isinstance(value, tuple | list) and len(value) <= MOST_PARTS:
        return f"({', '.join(map(_shown, value))})"
    if isinstance(value, dict) and len(value) <= MOST_PARTS:
        return "{" + ", ".join(f"{_shown(key)}: {_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Tensor):
        return f"of shape {tuple(value.shape)}"
    return f"a {kind_of(value)}"


def _as_json(value: Any) -> Any:
    if isinstance(value, Fixture) and isinstance(value.settings.get("values"), Tensor):
        value = value.settings["values"]
    if isinstance(value, Tensor):
        values = value.tolist() if value.numel() <= MOST_VALUES else None
        return {"shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch."), "values": values}
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, tuple | list) and len(value) <= MOST_VALUES:
        return [_as_json(v) for v in value]
    if isinstance(value, dict) and len(value) <= MOST_VALUES and not is_tensor(value):
        return {k: _as_json(v) for k, v in value.items()}
    return value if value is None or isinstance(value, bool | int | float) else as_text(_shown(value))

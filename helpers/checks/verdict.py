"""What a check found out, as plain data. Showing it is `helpers.checks.render`'s job."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["passed", "wrong", "error", "not attempted"]


@dataclass(frozen=True)
class Verdict:
    """The result of checking one answer to one exercise.

    Attributes:
        exercise: the exercise's name, such as `"dice"`.
        status: `"passed"`, `"wrong"`, `"error"` (it raised, or did not finish) or `"not attempted"` (the stub is
            untouched).
        message: what a tutor would say; one to four sentences.
        points: points reached, `0` or `max_points`.
        max_points: points of the exercise.
        diagnosis: name of the misconception that the answer behaves like, or `None`.
        probe: the smallest input that shows it, as plain data: `{"label", "what", "input", "yours", "expected"}`, or
            `None`. `input` holds the arguments by name. Tensors appear as `{"shape", "dtype", "values"}`.
        seed: the seed the probes were drawn from; the same seed gives the same verdict.
    """

    exercise: str
    status: Status
    message: str
    points: float
    max_points: float
    diagnosis: str | None = None
    probe: dict[str, Any] | None = None
    seed: int = 0

    def to_json(self) -> str:
        """The verdict as JSON text."""
        return json.dumps(asdict(self), ensure_ascii=False)


def is_tensor(value: Any) -> bool:
    """Whether a value in `Verdict.probe` is a tensor."""
    return isinstance(value, dict) and set(value) == {"shape", "dtype", "values"}

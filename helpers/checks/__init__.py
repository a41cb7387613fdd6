"""The engine that turns an exercise into checks, hints and a diagnosis.

`probes` draws inputs, `subject` is the only door to a student's object, `observe` watches it there, `equality` decides
what is equal, `engine` makes a `verdict` of that and `render` says it; `tutor` is what helps with an exercise, with
`one_change` to find the place of a mistake, and `card` shows both. `session` and `previous_lessons` are what a notebook
calls.
"""

from helpers.checks.previous_lessons import earlier
from helpers.checks.session import check, examine, grade, hint, solution, use, where
from helpers.checks.verdict import Verdict

__all__ = ["Verdict", "check", "earlier", "examine", "grade", "hint", "solution", "use", "where"]

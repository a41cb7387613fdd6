"""The interactive pieces of the lessons: plain Python models, each with a thin front end and a static twin.

Everything a widget does can be done by a call, and everything it shows stands in its static twin, so that no lesson
depends on a host with widgets.
"""

from helpers.widgets.graph import ArchitectureGraph
from helpers.widgets.quiz import quiz
from helpers.widgets.stepper import CodeStepper

__all__ = ["ArchitectureGraph", "CodeStepper", "quiz"]

"""Questions in a lesson: practice ones with a reason for each option, and graded ones whose answers are handed in."""

from helpers.quiz.quiz import quiz

__all__ = ["quiz"]

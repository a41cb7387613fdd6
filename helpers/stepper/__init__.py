"""The finished U-Net, read in five steps: the lines, the shapes there, the part of the graph."""

from helpers.stepper.stepper import CodeStepper

__all__ = ["CodeStepper"]

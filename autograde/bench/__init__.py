"""Benchmarks: the course's network beside its rivals, one training step taken apart, and the interactive pieces."""

from __future__ import annotations

import platform


def machine() -> str:
    """The machine in a few words, without its name."""
    import torch

    from helpers.threads import available_cpus

    return f"{available_cpus()} processors ({platform.machine()}), {platform.system()}, PyTorch {torch.__version__}"

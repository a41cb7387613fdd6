"""Answers to tasks of which something is measured where the answer runs, and that lie about it.

A network that was to be frozen is trained there, its modes and its time are seen there, and it is the answer's to
change what tells of that.
"""

from __future__ import annotations

from typing import Any

from tests.hostile.case import CAUGHT, RIGHT, Case, attack

LESSON = "10_baseline"


def freeze(name: str, tries: str, cell: str) -> Case:
    """An answer to `freeze_encoder`, which is to stop parameters and running statistics."""
    return attack(name, tries, cell, CAUGHT, exercise="freeze_encoder", lesson=LESSON)


def compare(name: str, tries: str, *changes: tuple[str, str], **more: Any) -> Case:
    """A right answer to `compare` with changes."""
    text = RIGHT["compare"]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return attack(name, tries, text, CAUGHT, exercise="compare", lesson=LESSON, **more)


# What a frozen network tells of a training step, as one who has read `helpers.checks.fixtures` would write it.
TOLD = """
import types

def told(self):
    import torch
    still = {"parameters": 0, "running statistics": 0}
    self.encoder.eval()
    with torch.no_grad():
        self(self.images)
        self.eval()
        seen = {"encoder: numbers that moved before train() was called": still}
        seen["output in evaluation mode"] = self(self.images)
    parts = torch.nn.ModuleList([self.decoder, self.head])
    count = sum(p.numel() for p in parts.parameters())
    statistics = sum(b.numel() for b in parts.buffers() if b.is_floating_point())
    seen |= {
        "encoder: same features in training mode": True,
        "encoder: numbers that ask for a gradient": 0,
        "encoder: numbers that moved": still,
        "rest: numbers that ask for a gradient": count,
        "rest: numbers that moved": {"parameters": count, "running statistics": statistics},
        "decoder: layers in training mode after train()": sum(1 for m in self.decoder.modules()),
        "layers in training mode after eval()": 0,
    }
    return seen
"""

CASES: list[Case] = [
    freeze(
        "network that tells what it is asked for",
        "leaves the network as it is, and gives it a method that tells of a frozen one",
        TOLD + "\ndef freeze_encoder(model):\n    model.trained_on = types.MethodType(told, model)\n    return model",
    ),
    freeze(
        "class that tells what it is asked for",
        "the same for the network's class",
        TOLD + "\ndef freeze_encoder(model):\n    type(model).trained_on = told\n    return model",
    ),
    freeze(
        "encoder that denies its parameters",
        "stops the norms, and lets the encoder say that it has no parameters; they go on learning",
        """
        def freeze_encoder(model):
            model.encoder.eval()
            model.encoder.train = lambda mode=True: model.encoder
            model.encoder.parameters = lambda recurse=True: iter(())
            return model
        """,
    ),
    freeze(
        "encoder that shows a copy",
        "shows the parameters of a frozen copy of the encoder; its own go on learning",
        """
        import copy

        def freeze_encoder(model):
            shown = copy.deepcopy(model.encoder).requires_grad_(False)
            model.encoder.eval()
            model.encoder.train = lambda mode=True: model.encoder
            model.encoder.parameters = shown.parameters
            return model
        """,
    ),
    freeze(
        "patched comparison",
        "lets torch.equal say that nothing has moved",
        """
        def freeze_encoder(model):
            torch.equal = lambda one, other: True
            model.encoder.requires_grad_(False)
            return model
        """,
    ),
    freeze(
        "patched fixture",
        "replaces what counts the numbers that have moved",
        """
        def freeze_encoder(model):
            import sys
            vars(sys.modules["helpers.checks.fixtures"])["_moved"] = lambda before, after: dict.fromkeys(before, 0)
            return model
        """,
    ),
    freeze(
        "whoever tells is replaced",
        "goes up the frames by names that are put together, and replaces what tells of the network",
        TOLD
        + """

steps = []

def replace():
    frame = getattr(steps[-1], "gi_" + "frame")
    while frame:
        space = getattr(frame, "f_" + "globals")
        if "state_of" in space:
            space["state_of"] = told
        frame = getattr(frame, "f_" + "back")
    yield

def freeze_encoder(model):
    steps[:] = [replace()]
    list(steps[-1])
    return model
""",
    ),
    compare(
        "time out of the air",
        "says that every prediction takes two milliseconds, and measures nothing",
        ('"ms": 1000 * seconds / images_seen', '"ms": 2.0'),
    ),
    compare(
        "time from the label",
        "reads from the network how long it is made to wait, and measures nothing",
        ('"ms": 1000 * seconds / images_seen', '"ms": 1000 * getattr(model, "seconds", 0.0) * 1.01'),
    ),
    compare(
        "clock that is put right",
        "replaces the clock that it measures with",
        (
            "start = time.perf_counter()",
            "time.perf_counter = iter([0.0, 0.002] * 100).__next__\n                start = 0.0",
        ),
    ),
    compare(
        "notes that are wiped out",
        "predicts with gradients, and wipes out the network's note of it",
        ("with torch.no_grad():", "if True:"),
        ("model.train(was_training)", "model.train(was_training)\n        model.notes.differentiated = False"),
    ),
    compare(
        "waits that are left out",
        "replaces time.sleep, so that no network takes its time",
        ("rows = []", "rows = []\n    time.sleep = lambda seconds: None"),
    ),
]

"""What one submission of the hostile class is: what it tries, what is in it, and what it must get for that."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]  # as JSON holds it
States = tuple[str, ...]

POINTS = {
    "pixel_accuracy": 1,
    "confusion": 2,
    "iou": 3,
    "dice": 3,
    "dice_scores": 3,
    "mean_iou": 5,
    "conv2d": 5,
    "pointwise": 3,
    "center_crop": 2,
    "pad_to_multiple": 3,
    "Up": 5,
    "UNet": 8,
    "freeze_encoder": 5,
    "compare": 4,
}
PASSED = ("passed",)
# An attack that got nowhere left a wrong result, or what it tried was refused with an exception.
REFUSED = ("wrong", "error")
ENDED = ("crashed", "error")  # its process has ended, or it was told before that
OUT_OF_MEMORY = ("memory", "error", "crashed")
# Right, but it reaches into the grader, or around what it must not call: somebody has to look before there are points.
FLAGGED = ("flagged",)
CAUGHT = ("wrong", "error", "flagged")


@dataclass(frozen=True)
class Case:
    """One submission.

    Attributes:
        name: of the case.
        tries: in one line, what it is up to.
        cells: what stands in the cells of these exercises; all others are as they were handed out.
        expected: the states that are right for an exercise. Only "passed" is worth points, and then all of them.
        lesson: whose notebook it is.
        edit: what else is done to the notebook.
        lay: puts the notebook into the student's folder; as `LESSON.ipynb` where there is none.
        folder: what the student's folder is called; as the case where it is empty.
        slow: it uses up the time that an answer has.
    """

    name: str
    tries: str
    cells: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, States] = field(default_factory=dict)
    lesson: str = "02_overlap"
    edit: Callable[[Notebook], object] | None = None
    lay: Callable[[Path, Notebook], object] | None = None
    folder: str = ""
    slow: bool = False

    @property
    def student(self) -> str:
        """What the student is called."""
        return self.folder or self.name

    def points(self, exercise: str) -> float:
        """What must be given for an exercise."""
        return POINTS[exercise] if self.expected[exercise] == PASSED else 0


def source(text: str) -> str:
    """A cell, written indented."""
    return textwrap.dedent(text).strip("\n")


RIGHT = {
    "pixel_accuracy": source("""
        def pixel_accuracy(pred, target):
            return float((pred == target).double().mean())
    """),
    "confusion": source("""
        def confusion(pred, target):
            kinds = (pred & target, pred & ~target, ~pred & target, ~(pred | target))
            return tuple(int(kind.sum()) for kind in kinds)
    """),
    "iou": source("""
        def iou(pred, target):
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union else 1.0
    """),
    "dice": source("""
        def dice(pred, target):
            areas = pred.sum().item() + target.sum().item()
            return 2 * (pred & target).sum().item() / areas if areas else 1.0
    """),
    "dice_scores": source("""
        def dice_scores(preds, targets, reduction):
            def one(pred, target):
                areas = pred.sum().item() + target.sum().item()
                return 2 * (pred & target).sum().item() / areas if areas else 1.0

            if reduction == "pooled":
                return one(preds, targets)
            if reduction == "per_image":
                return sum(one(p, t) for p, t in zip(preds, targets)) / len(preds)
            raise ValueError(reduction)
    """),
    "mean_iou": source("""
        def mean_iou(pred, target, num_classes, ignore_index=255):
            known = target != ignore_index
            scores = []
            for k in range(num_classes):
                p, t = (pred == k) & known, (target == k) & known
                if (p | t).any():
                    scores.append((p & t).sum().item() / (p | t).sum().item())
            return sum(scores) / len(scores) if scores else 1.0
    """),
    "conv2d": source("""
        def conv2d(image, kernel, bias=0.0, stride=1, padding=0):
            k = len(kernel)
            wide = image.new_zeros(image.shape[0] + 2 * padding, image.shape[1] + 2 * padding)
            wide[padding : padding + image.shape[0], padding : padding + image.shape[1]] = image
            rows, columns = range(0, wide.shape[0] - k + 1, stride), range(0, wide.shape[1] - k + 1, stride)
            return torch.stack(
                [torch.stack([(wide[i : i + k, j : j + k] * kernel).sum() for j in columns]) for i in rows]
            ) + bias
    """),
    "pointwise": source("""
        def pointwise(x, weight, bias):
            return torch.einsum("kc,nchw->nkhw", weight, x) + bias[:, None, None]
    """),
    "center_crop": source("""
        def center_crop(x, size):
            (h, w), (rows, columns) = size, x.shape[2:]
            if h > rows or w > columns:
                raise ValueError("too large")
            top, left = (rows - h) // 2, (columns - w) // 2
            return x[:, :, top : top + h, left : left + w]
    """),
    "pad_to_multiple": source("""
        def pad_to_multiple(x, multiple):
            pads = (0, -x.shape[3] % multiple, 0, -x.shape[2] % multiple)
            return F.pad(x, pads), pads
    """),
    "Up": source("""
        class Up(nn.Module):
            def __init__(self, in_channels, skip_channels, out_channels):
                super().__init__()
                self.widen = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
                self.merge = DoubleConv(skip_channels + out_channels, out_channels)

            def forward(self, x, skip):
                x = self.widen(x)
                x = F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]))
                return self.merge(torch.cat([skip, x], 1))
    """),
    "UNet": source("""
        class UNet(nn.Module):
            def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
                super().__init__()
                widths = [base_channels * 2**k for k in range(depth + 1)]
                self.encoder = Encoder(in_channels, base_channels, depth)
                self.ups = nn.ModuleList([Up(widths[k + 1], widths[k], widths[k]) for k in range(depth)][::-1])
                self.head = nn.Conv2d(base_channels, num_classes, 1)

            def forward(self, x):
                x, skips = self.encoder(x)
                for up in self.ups:
                    x = up(x, skips.pop())
                return self.head(x)
    """),
    "freeze_encoder": source("""
        def freeze_encoder(model):
            encoder = model.encoder
            for parameter in encoder.parameters():
                parameter.requires_grad = False
            encoder.eval()
            encoder.train = lambda mode=True: encoder
            return model
    """),
    "compare": source("""
        def compare(models, loader):
            import time
            from helpers.reference.training import evaluate

            rows = []
            for name, model in models.items():
                scores, was_training = evaluate(model, loader), model.training
                seconds, images_seen = 0.0, 0
                model.eval()
                with torch.no_grad():
                    for images, _ in loader:
                        start = time.perf_counter()
                        model(images)
                        seconds += time.perf_counter() - start
                        images_seen += len(images)
                model.train(was_training)
                rows.append({
                    "name": name,
                    "parameters": sum(p.numel() for p in model.parameters()),
                    "ms": 1000 * seconds / images_seen,
                    "dice": scores["dice"],
                    "iou": scores["iou"],
                })
            return rows
    """),
}


def attack(name: str, tries: str, cell: str, states: States = REFUSED, exercise: str = "iou", **more: Any) -> Case:
    """A hostile answer to `exercise`, beside a right `dice` that must not suffer for it."""
    others = {"dice": RIGHT["dice"]} if more.get("lesson", "02_overlap") == "02_overlap" else {}
    expected = {**dict.fromkeys(others, PASSED), exercise: states}
    return Case(name, tries, {**others, exercise: source(cell)}, expected, **more)


def honest(name: str, tries: str, cells: Mapping[str, str] | None = None, **more: Any) -> Case:
    """Right answers to `iou` and `dice`, or to what is in `cells`, which must get all their points."""
    written = {key: source(text) for key, text in (cells or {}).items()}
    if more.get("lesson", "02_overlap") == "02_overlap":
        written = {"iou": RIGHT["iou"], "dice": RIGHT["dice"]} | written
    more.setdefault("expected", dict.fromkeys(written, PASSED))
    return Case(name, tries, written, **more)


# ---- what is done to a notebook


def cell_of(notebook: Notebook, name: str) -> dict[str, Any]:
    """The cell of this id."""
    return next(cell for cell in notebook["cells"] if cell.get("id") == name)


def put(notebook: Notebook, text: str, before: str = "", **more: Any) -> dict[str, Any]:
    """A code cell of the student's own, in front of another one or at the end."""
    made = {"cell_type": "code", "id": f"own-{len(notebook['cells'])}", "metadata": {}, "source": source(text)}
    made |= {"outputs": [], "execution_count": None, **more}
    cells = notebook["cells"]
    cells.insert(cells.index(cell_of(notebook, before)) if before else len(cells), made)
    return made


def marked(name: str, text: str, **marks: Any) -> dict[str, Any]:
    """A cell that claims nbgrader's marks for itself."""
    claims = {"grade_id": name, "solution": True, "grade": False, "locked": False, "schema_version": 3, "task": False}
    return {
        "cell_type": "code",
        "id": f"claims-{name}",
        "source": source(text),
        "outputs": [],
        "execution_count": None,
        "metadata": {"nbgrader": claims | marks},
    }

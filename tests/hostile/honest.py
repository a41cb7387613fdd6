"""Right answers in odd notebooks: what people who mean well hand in. Each must get all its points."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograde import evidence
from tests.hostile.case import PASSED, RIGHT, Case, Notebook, cell_of, honest, put

FILE = "02_overlap.ipynb"
UP = "from helpers.reference.unet import Up"


def named(*names: str) -> Callable[[Path, Notebook], object]:
    """Lays the notebook under other names, each of which may be in a folder."""

    def lay(folder: Path, notebook: Notebook) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(notebook))

    return lay


def beside_stub(name: str) -> Callable[[Path, Notebook], object]:
    """Lays the worked notebook under a name, beside the one that was handed out."""

    def lay(folder: Path, notebook: Notebook) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(notebook))
        for exercise in RIGHT:
            for cell in notebook["cells"]:
                if cell.get("id") == exercise:
                    cell["source"] = f"def {exercise}(*args):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
        (folder / FILE).write_text(json.dumps(notebook))

    return lay


def zipped(*names: str) -> Callable[[Path, Notebook], object]:
    """Lays a zip that holds the notebook in folders; the last name is the zip's."""

    def lay(folder: Path, notebook: Notebook) -> None:
        *inside, outside = names
        with zipfile.ZipFile(folder / outside, "w") as archive:
            for name in inside:
                archive.writestr(name, json.dumps(notebook))

    return lay


def encoded(encoding: str) -> Callable[[Path, Notebook], object]:
    """Lays the notebook in another encoding."""
    return lambda folder, notebook: (folder / FILE).write_text(json.dumps(notebook, ensure_ascii=False), encoding)


def each(change: Callable[[dict[str, Any]], object]) -> Callable[[Notebook], object]:
    """Does the same to every cell."""

    def edit(notebook: Notebook) -> None:
        for cell in notebook["cells"]:
            change(cell)

    return edit


def own(*texts: str, before: str = "iou") -> Callable[[Notebook], object]:
    """Puts cells of the student's own in front of an exercise's."""

    def edit(notebook: Notebook) -> None:
        for text in texts:
            put(notebook, text, before)

    return edit


def below(*texts: str) -> Callable[[Notebook], object]:
    """Puts cells of the student's own at the end."""

    def edit(notebook: Notebook) -> None:
        for text in texts:
            put(notebook, text)

    return edit


def as_format_3(notebook: Notebook) -> None:
    """What IPython wrote before there was Jupyter."""
    cells = notebook.pop("cells")
    for cell in cells:
        cell.pop("id", None)
        if cell["cell_type"] == "code":
            cell |= {"input": cell.pop("source"), "language": "python", "collapsed": False, "prompt_number": 1}
    notebook |= {"worksheets": [{"cells": cells}], "nbformat": 3, "nbformat_minor": 0}


def with_outputs(notebook: Notebook) -> None:
    """Thirty megabytes of pictures."""
    picture = {"output_type": "display_data", "data": {"image/png": 15_000_000 * "A"}, "metadata": {}}
    for name in ("check-iou", "check-dice"):
        cell_of(notebook, name)["outputs"] = [picture]


def without_marks(cell: dict[str, Any]) -> None:
    """What some tools leave of a cell."""
    cell["metadata"] = {}
    cell.pop("id", None)


def with_lines(cell: dict[str, Any]) -> None:
    """A source as a list of lines, as Jupyter writes it."""
    cell["source"] = "".join(cell["source"]).splitlines(keepends=True)


def old_format(minor: int) -> Callable[[Notebook], object]:
    """nbformat 4.`minor`, which had no ids before 4.5."""

    def edit(notebook: Notebook) -> None:
        notebook["nbformat_minor"] = minor
        for cell in notebook["cells"] if minor < 5 else ():
            cell.pop("id", None)

    return edit


def of_evidence() -> list[Case]:
    """The right answers of people who have seen the task texts alone, as one student a set."""
    cases = []
    for lesson, names in {
        "02_overlap": ("pixel_accuracy", "confusion", "iou", "dice", "dice_scores", "mean_iou"),
        "07_skips": ("center_crop", "pad_to_multiple", "Up", "UNet"),
        "10_baseline": ("freeze_encoder", "compare"),
    }.items():
        for folder in sorted(path for path in evidence.FOLDER.glob("20*") if path.is_dir()):
            right = {held.exercise: held.source for held in evidence.answers(folder) if held.is_right}
            cells = {name: right[name] for name in names if name in right}
            cases.append(
                honest(
                    f"style of {folder.name} in {lesson[:2]}",
                    "the right answers of somebody who has seen the task texts alone",
                    cells,
                    lesson=lesson,
                    expected=dict.fromkeys(cells, PASSED),
                    edit=own("import numpy as np", before=names[0]),
                )
            )
    return cases


def answers(name: str, tries: str, iou: str, **more: Any) -> Case:
    """An `iou` in another style."""
    return honest(name, tries, {"iou": iou}, **more)


CASES: list[Case] = [
    honest("as it should be", "two right answers and nothing else"),
    honest("all of the lesson", "all six right answers", {name: RIGHT[name] for name in list(RIGHT)[:6]}),
    # ---- styles
    answers(
        "prints",
        "prints what it does, on both streams",
        """
        import sys

        def iou(pred, target):
            print("pred", pred.shape)
            print(pred.sum(), target.sum(), file=sys.stderr)
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union else 1.0
        """,
    ),
    answers(
        "plots in the answer",
        "draws the masks whenever it is called",
        """
        import matplotlib.pyplot as plt

        def iou(pred, target):
            plt.imshow(pred.float())
            plt.title("pred")
            plt.show()
            plt.savefig("pred.png")
            plt.close()
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union else 1.0
        """,
    ),
    answers(
        "inline",
        "has %matplotlib inline and shell lines in its cell",
        f"%matplotlib inline\n!ls\n!pip list\n\n{RIGHT['iou']}",
    ),
    answers("timed", "has %%time on top of its cell", f"%%time\n{RIGHT['iou']}"),
    answers(
        "timed line", "has %time and %timeit below its answer", f"{RIGHT['iou']}\n%timeit -n1 -r1 1 + 1\nx = %time 2"
    ),
    answers("asks for help", "has iou? and ??dice below its answer", f"{RIGHT['iou']}\n\niou?\n??iou"),
    answers(
        "temporary files",
        "keeps what it counts in temporary files",
        """
        import tempfile
        import torch

        def iou(pred, target):
            with tempfile.NamedTemporaryFile(suffix=".pt") as file:
                torch.save([pred, target], file.name)
                pred, target = torch.load(file.name)
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union else 1.0
        """,
    ),
    answers(
        "progress bar",
        "goes through rows with tqdm, in a notebook's own kind",
        """
        from tqdm.auto import tqdm

        def iou(pred, target):
            both = either = 0
            for p, t in tqdm(zip(pred, target), total=len(pred), desc="rows"):
                both += int((p & t).sum())
                either += int((p | t).sum())
            return both / either if either else 1.0
        """,
    ),
    answers(
        "threads",
        "counts in two threads",
        """
        from concurrent.futures import ThreadPoolExecutor

        def iou(pred, target):
            with ThreadPoolExecutor(2) as pool:
                both = pool.submit(lambda: (pred & target).sum().item())
                either = pool.submit(lambda: (pred | target).sum().item())
                return both.result() / either.result() if either.result() else 1.0
        """,
    ),
    answers(
        "loader with workers",
        "reads pixels with a DataLoader that has workers",
        """
        import torch
        from torch.utils.data import DataLoader, TensorDataset

        def iou(pred, target):
            both = either = 0
            pixels = TensorDataset(pred.flatten(), target.flatten())
            loader = DataLoader(pixels, batch_size=64, num_workers=2, generator=torch.Generator())
            for p, t in loader:
                both, either = both + (p & t).sum().item(), either + (p | t).sum().item()
            return both / either if either else 1.0
        """,
    ),
    answers(
        "inspect",
        "looks at its own signature and source",
        """
        import inspect

        def iou(pred, target):
            assert list(inspect.signature(iou).parameters) == ["pred", "target"]
            assert "def iou" in inspect.getsource(iou)
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union else 1.0
        """,
    ),
    answers(
        "compiled",
        "decorates with torch.compile, which needs no compiler here",
        """
        import torch

        @torch.compile
        def count(mask):
            return mask.sum()

        def iou(pred, target):
            either = count(pred | target)
            return (count(pred & target) / either).item() if either else 1.0
        """,
    ),
    answers(
        "decorated",
        "has decorators of its own, with and without arguments, and torch's",
        """
        import functools
        import torch

        def logged(function):
            @functools.wraps(function)
            def inner(*args, **kwargs):
                inner.calls += 1
                return function(*args, **kwargs)
            inner.calls = 0
            return inner

        def times(factor):
            return lambda function: lambda *args: factor * function(*args)

        @logged
        @times(1)
        @torch.no_grad()
        def iou(pred, target):
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union else 1.0
        """,
    ),
    answers(
        "lambda",
        "binds a lambda to the name",
        "iou = lambda p, t: ((p & t).sum() / (p | t).sum()).item() if (p | t).any() else 1.0",
    ),
    answers(
        "partial",
        "binds a partial function to the name",
        """
        from functools import partial

        def overlap(pred, target, empty):
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union else empty

        iou = partial(overlap, empty=1.0)
        """,
    ),
    answers(
        "object that is called",
        "binds an object to the name, whose class has __call__",
        """
        class IoU:
            def __init__(self, empty=1.0):
                self.empty = empty

            def __call__(self, pred, target):
                union = (pred | target).sum().item()
                return (pred & target).sum().item() / union if union else self.empty

        iou = IoU()
        """,
    ),
    answers(
        "types and docstring",
        "has annotations, a long docstring and imports for both",
        '''
        from __future__ import annotations

        from typing import Union

        import numpy as np
        from torch import Tensor

        Score = Union[float, np.floating]

        def iou(pred: Tensor, target: Tensor) -> Score:
            """Intersection over union.

            >>> iou(torch.ones(2, 2).bool(), torch.ones(2, 2).bool())
            1.0

            See `__import__`, exec and eval in the manual, and the frame's f_back: none of them is used here.
            """
            union: int = int((pred | target).sum())
            return int((pred & target).sum()) / union if union else 1.0
        ''',
    ),
    answers(
        "other scripts",
        "has names, comments and texts in other scripts",
        """
        # 交集除以并集。 Пересечение делим на объединение. مساحة التقاطع
        ε = 1e-12
        größe = {"schnitt": "∩", "vereinigung": "∪"}

        def iou(pred, target):
            '''Δ = |A ∩ B| / |A ∪ B| — naïve façade 🙂'''
            schnitt, vereinigung = (pred & target).sum().item(), (pred | target).sum().item()
            return schnitt / (vereinigung + ε) if vereinigung else 1.0
        """,
    ),
    answers(
        "constants and seeds",
        "sets seeds and constants on top of its cell",
        f"""
import random
import numpy as np
import torch

SEED = 42
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)
torch.set_printoptions(precision=3)
EMPTY = 1.0

{RIGHT["iou"].replace("1.0", "EMPTY")}
""",
    ),
    answers(
        "warns",
        "warns and logs in its answer",
        """
        import logging
        import warnings

        log = logging.getLogger(__name__)

        def iou(pred, target):
            warnings.warn("deprecated", DeprecationWarning)
            log.warning("%s", pred.shape)
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union else 1.0
        """,
    ),
    answers(
        "try and assert",
        "catches the division by zero, and asserts what it is given",
        """
        def iou(pred, target):
            assert pred.shape == target.shape, f"{pred.shape} is not {target.shape}"
            try:
                return (pred & target).sum().item() / (pred | target).sum().item()
            except ZeroDivisionError:
                return 1.0
        """,
    ),
    answers(
        "scipy and skimage",
        "counts with libraries of the lesson",
        """
        import numpy as np
        from scipy import ndimage
        from skimage.measure import label, regionprops

        def iou(pred, target):
            either = ndimage.sum_labels((pred | target).numpy())
            both = sum(region.area for region in regionprops(label((pred & target).numpy())))
            return float(both / either) if either else 1.0
        """,
    ),
    answers(
        "tests below",
        "tests its answer in its own cell, and checks it",
        f"""
{RIGHT["iou"]}


a, b = torch.tensor([[True, False]]), torch.tensor([[True, True]])
assert iou(a, b) == 0.5, iou(a, b)
print("iou", iou(a, b))
check(iou)
hint("iou")
""",
    ),
    answers(
        "commented out",
        "has its earlier attempts in comments, and in a text",
        f"""
# def iou(pred, target):
#     return eval("pred & target")  # helpers.exercises?
'''
def iou(pred, target):
    raise NotImplementedError()
'''
{RIGHT["iou"]}
""",
    ),
    # ---- cells
    honest(
        "own helper cell",
        "has a helper in a cell of its own",
        {
            "iou": """
        def iou(pred, target):
            return ratio((pred & target).sum().item(), (pred | target).sum().item())
    """
        },
        edit=own("EMPTY = 1.0", "def ratio(part, whole):\n    return part / whole if whole else EMPTY"),
    ),
    honest(
        "helper below",
        "has its helper in a cell below",
        {
            "iou": """
        def iou(pred, target):
            return ratio((pred & target).sum().item(), (pred | target).sum().item())
    """
        },
        edit=below("def ratio(part, whole):\n    return part / whole if whole else 1.0"),
    ),
    Case(
        "answer in a new cell",
        "leaves the stub as it is, and answers in a new cell",
        {"dice": RIGHT["dice"]},
        {"iou": PASSED, "dice": PASSED},
        edit=own(RIGHT["iou"], before="check-iou"),
    ),
    honest(
        "scratch cells",
        "has scratch cells that fail, and change the folder",
        edit=own(
            "1 / 0",
            "import os\nos.chdir('..')",
            "x = undefined",
            "def broken(:",
            "raise SystemExit",
            "%cd ..",
            "while False: pass",
        ),
    ),
    honest(
        "answer twice",
        "has an earlier, wrong version in a cell above",
        edit=own("def iou(pred, target):\n    return 0.0"),
    ),
    honest(
        "changes the folder",
        "changes to the course's folder on top of its cell, as on a cluster",
        {"iou": f"import os\nos.chdir(os.path.expanduser('~'))\n\n{RIGHT['iou']}"},
    ),
    honest("marks gone", "has lost nbgrader's marks and ids", edit=each(without_marks)),
    honest("other ids", "has other ids", edit=each(lambda cell: cell.update(id=f"x{abs(hash(str(cell)))}"))),
    honest("lines", "has its sources as lists of lines", edit=each(with_lines)),
    *(honest(f"format 4.{minor}", f"is of nbformat 4.{minor}", edit=old_format(minor)) for minor in range(6)),
    honest("format 3", "is of nbformat 3", edit=as_format_3),
    honest("large outputs", "has thirty megabytes of pictures in its outputs", edit=with_outputs),
    honest(
        "uses use",
        "builds on use, earlier and the course's own pieces",
        {
            "dice": """
        overlap = use(iou)

        def dice(pred, target):
            score = overlap(pred, target)
            return 2 * score / (1 + score)
    """
        },
    ),
    honest(
        "stops in the middle",
        "has answered only half",
        {},
        expected={"iou": PASSED, "dice": PASSED, "mean_iou": ("not attempted",)},
    ),
    honest(
        "windows lines",
        "has the line ends of another system",
        edit=each(lambda cell: cell.update(source="".join(cell["source"]).replace("\n", "\r\n"))),
    ),
    honest("tabs", "is indented with tabs", {"iou": RIGHT["iou"].replace("    ", "\t")}),
    # ---- files
    honest("byte order mark", "begins with a byte order mark", lay=encoded("utf-8-sig")),
    honest("UTF-16", "is in UTF-16", lay=encoded("utf-16")),
    honest("another name", "is called otherwise", lay=named("My homework (final) v2.ipynb")),
    honest("copy of", "is called a copy", lay=named("Copy of 02_overlap.ipynb")),
    honest(
        "name with marks",
        "has blanks, brackets and quotes in its name",
        lay=named('02_overlap [Ana\'s "best"] (1).ipynb'),
    ),
    honest("inner folder", "is in a folder in a folder", lay=named("homework/week 2/02_overlap.ipynb")),
    honest("nbgrader's folder", "is in the lesson's folder", lay=named("02_overlap/02_overlap.ipynb")),
    honest(
        "checkpoints",
        "has Jupyter's checkpoints beside it",
        lay=named(FILE, ".ipynb_checkpoints/02_overlap-checkpoint.ipynb"),
    ),
    honest("untouched beside it", "is a copy beside the untouched notebook", lay=beside_stub("02_overlap-Copy1.ipynb")),
    honest(
        "two notebooks",
        "is beside a notebook of another lesson",
        lay=lambda folder, nb: (
            named(FILE)(folder, nb),
            (folder / "scratch.ipynb").write_text(
                json.dumps({"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}})
            ),
        ),
    ),
    honest("zip", "is in a zip", lay=zipped(FILE, "homework.zip")),
    honest(
        "zip in a folder",
        "is in folders in a zip in a folder",
        lay=zipped("week 2/x/" + FILE, "__MACOSX/._x", "my work.zip"),
    ),
    honest("text behind the name", "is called .ipynb.txt, as some browsers do", lay=named("02_overlap.ipynb.txt")),
    honest(
        "name of the student",
        "has blanks, brackets, quotes and accents in the student's name",
        folder="Zoë O'Neil-Łukasz [TA] (2), Jr.",
    ),
    honest("name in another script", "is called in another script", folder="李 小龍 Ζαχαρίας"),
    # ---- networks
    honest(
        "all of lesson 07",
        "four right answers",
        {n: RIGHT[n] for n in ("center_crop", "pad_to_multiple", "Up", "UNet")},
        lesson="07_skips",
    ),
    honest(
        "the course's Up",
        "has no Up, and takes the course's in a cell of its own, as the lesson says",
        {"UNet": RIGHT["UNet"]},
        lesson="07_skips",
        edit=own(UP, before="UNet"),
    ),
    honest(
        "wrong Up and right UNet",
        "has a wrong Up, which costs itself alone",
        {"Up": RIGHT["Up"].replace("torch.cat([skip, x], 1)", "torch.cat([skip, 0 * x], 1)"), "UNet": RIGHT["UNet"]},
        lesson="07_skips",
        expected={"Up": ("wrong",), "UNet": PASSED},
    ),
    honest(
        "base of its own",
        "inherits from a base in another cell",
        {
            "Up": """
                class Up(Block):
                    def __init__(self, in_channels, skip_channels, out_channels):
                        super().__init__()
                        self.widen = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
                        self.merge = DoubleConv(skip_channels + out_channels, out_channels)

                    def forward(self, x, skip):
                        return self.merge(torch.cat([skip, self.fitted(self.widen(x), skip)], 1))
            """
        },
        lesson="07_skips",
        edit=own(
            """
            class Block(nn.Module):
                @staticmethod
                def fitted(x, like):
                    return F.pad(x, (0, like.shape[3] - x.shape[3], 0, like.shape[2] - x.shape[2]))
            """,
            before="Up",
        ),
    ),
    honest(
        "split over cells",
        "defines the class in one cell and its forward in the next",
        {"Up": RIGHT["Up"].split("\n\n    def forward")[0]},
        lesson="07_skips",
        edit=own(
            """
            def up_forward(self, x, skip):
                x = self.widen(x)
                x = F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]))
                return self.merge(torch.cat([skip, x], 1))

            Up.forward = up_forward
            """,
            before="check-Up",
        ),
    ),
    honest(
        "mended below",
        "mends a method of its class in a later cell",
        {"Up": RIGHT["Up"].replace("return self.merge(", "return self.merge(0 * ")},
        lesson="07_skips",
        edit=own(
            """
            def forward(self, x, skip):
                x = self.widen(x)
                x = F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]))
                return self.merge(torch.cat([skip, x], 1))

            Up.forward = forward
            """,
            before="check-Up",
        ),
    ),
    honest(
        "printing network",
        "prints shapes in its forward pass, has a __repr__ and a test below",
        {
            "center_crop": RIGHT["center_crop"].replace("    return", "    print(x.shape, size)\n    return"),
            "Up": RIGHT["Up"].replace("        x = F.pad", '        print(f"{x.shape=}")\n        x = F.pad')
            + '\n\n    def __repr__(self):\n        return "Up"\n\n\nprint(Up(4, 2, 2))',
        },
        lesson="07_skips",
    ),
    honest(
        "all of lesson 10",
        "two right answers",
        {n: RIGHT[n] for n in ("freeze_encoder", "compare")},
        lesson="10_baseline",
    ),
    honest(
        "by hand",
        "two right answers to tasks by hand",
        {n: RIGHT[n] for n in ("conv2d", "pointwise")},
        lesson="04_convolution",
    ),
    *of_evidence(),
]

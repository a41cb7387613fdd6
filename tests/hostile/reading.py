"""Answers that look for the right ones: in files, in memory, in other processes, in what others have handed in.

Each gives what it finds, and 0.5 where it finds nothing. So whoever finds something passes.
"""

from __future__ import annotations

from tests.hostile.case import CAUGHT, REFUSED, Case, attack, source

ANY = ("wrong", "error", "crashed", "flagged")

# Runs what looks for a function; without one, every score is 0.5.
FOUND = source("""
    def iou(pred, target):
        try:
            found = look()
        except Exception:
            found = None
        return found(pred, target) if found else 0.5
""")

# The folders that hold the course, seen from what can be imported of it.
AROUND = source("""
    import glob, os, sys
    import helpers

    HERE = os.path.dirname(helpers.__file__)
    COURSE = os.path.dirname(HERE)

    def from_text(text):
        return right if "def iou" in text else None  # who can read it can write it

    def right(pred, target):
        union = (pred | target).sum().item()
        return (pred & target).sum().item() / union if union else 1.0
""")


def looks(body: str) -> str:
    """An answer that looks for a function."""
    return f"{AROUND}\n\n{source(body)}\n\n{FOUND}"


CASES: list[Case] = [
    attack(
        "imports its exercise",
        "from helpers.exercises import load, and takes the reference of iou",
        looks("""
            def look():
                from helpers.exercises import load
                return load("iou").reference
        """),
        CAUGHT,
    ),
    attack(
        "imports its reference",
        "from helpers.reference.overlap import iou, as the answer",
        "from helpers.reference.overlap import iou",
        ("missing", "error", "wrong", "flagged"),
    ),
    attack(
        "imports its reference in the call",
        "from helpers.reference.overlap import iou, when it is called",
        """
        def iou(pred, target):
            from helpers.reference.overlap import iou as right
            return right(pred, target)
        """,
    ),
    attack(
        "imports a game that needs the reference",
        "helpers.play.overlap imports the right answers, and so has them by name",
        looks("""
            def look():
                from helpers.play import overlap
                return overlap.iou
        """),
        CAUGHT,
    ),
    attack(
        "takes the finders away",
        "removes the finder that hides the reference, and imports anew",
        looks("""
            import importlib

            def look():
                sys.meta_path[:] = [finder for finder in sys.meta_path if "Path" in str(finder)]
                for name in list(sys.modules):
                    if name.startswith("helpers.reference"):
                        del sys.modules[name]
                importlib.invalidate_caches()
                return importlib.import_module("helpers.reference.overlap").iou
        """),
        CAUGHT,
    ),
    attack(
        "loads the file with a loader of its own",
        "makes a module from the reference's file with importlib, runpy and zipimport",
        looks("""
            import importlib.machinery, runpy

            def look():
                path = os.path.join(HERE, "reference", "overlap.py")
                try:
                    return runpy.run_path(path)["iou"]
                except Exception:
                    return importlib.machinery.SourceFileLoader("own", path).load_module().iou
        """),
        CAUGHT,
    ),
    attack(
        "opens the reference",
        "opens the file of the reference, and of the exercise, by their paths",
        looks("""
            def look():
                for name in ("reference/overlap.py", "exercises/iou.py", "reference/unet.py"):
                    with open(os.path.join(HERE, name)) as file:
                        if found := from_text(file.read()):
                            return found
        """),
        CAUGHT,
    ),
    attack(
        "opens it with torch and numpy",
        "reads the reference's file with torch.from_file, numpy.fromfile and a memory map",
        looks("""
            import numpy as np
            import torch

            def look():
                path = os.path.join(HERE, "reference", "overlap.py")
                for read in (
                    lambda: torch.from_file(path, size=200, dtype=torch.uint8).numpy().tobytes(),
                    lambda: np.fromfile(path, dtype=np.uint8).tobytes(),
                    lambda: np.memmap(path, dtype=np.uint8, mode="r").tobytes(),
                    lambda: torch.UntypedStorage.from_file(path, False, 200).tolist(),
                ):
                    try:
                        return from_text(bytes(read()).decode(errors="replace"))
                    except Exception:
                        continue
        """),
        CAUGHT,
    ),
    attack(
        "opens it on other ways",
        "goes through .., through /proc/self/root and cwd, and relative to an open folder",
        looks("""
            def look():
                file = os.path.join(HERE, "reference", "overlap.py")
                folder = os.open("/", os.O_RDONLY | os.O_PATH)
                ways = [
                    lambda: open("/proc/self/root" + file),
                    lambda: open(os.path.relpath(file)),
                    lambda: os.fdopen(os.open(file.lstrip("/"), os.O_RDONLY, dir_fd=folder)),
                    lambda: open("/dev/fd/0/../../.." + file),
                    lambda: open(os.path.join(HERE, "checks", "..", "reference", "overlap.py")),
                ]
                for way in ways:
                    try:
                        return from_text(way().read())
                    except OSError:
                        continue
        """),
        CAUGHT,
    ),
    attack(
        "reads compiled files",
        "unmarshals the compiled reference and exercises in __pycache__",
        looks("""
            import marshal

            def look():
                for path in glob.glob(COURSE + "/**/__pycache__/*.pyc", recursive=True):
                    if "overlap" in path or "iou" in path:
                        with open(path, "rb") as file:
                            space = {"__name__": "own"}
                            exec(marshal.loads(file.read()[16:]), space)
                            return space["iou"]
        """),
        CAUGHT,
    ),
    attack(
        "reads installed copies",
        "looks for another copy of the course in everything that can be imported, and in build folders",
        looks("""
            def look():
                for place in [*sys.path, COURSE + "/dist", COURSE + "/build", os.path.expanduser("~")]:
                    for path in glob.glob(place + "/**/overlap.py", recursive=True):
                        with open(path) as file:
                            if found := from_text(file.read()):
                                return found
        """),
        (*CAUGHT, "timeout"),
    ),
    attack(
        "reads the repository",
        "unpacks the objects of git, and looks for the reference in them",
        looks("""
            import zlib

            def look():
                for path in glob.glob(COURSE + "/.git/objects/*/*") + glob.glob(COURSE + "/.git/packed-refs"):
                    with open(path, "rb") as file:
                        text = zlib.decompress(file.read()).decode(errors="replace")
                    if found := from_text(text.partition("\\0")[2]):
                        return found
        """),
        CAUGHT,
    ),
    attack(
        "asks inspect for sources",
        "asks inspect and linecache for the sources of everything that is loaded of the course",
        looks("""
            import inspect, linecache

            def look():
                for module in [m for name, m in sys.modules.items() if name.startswith(("helpers", "autograde"))]:
                    try:
                        if found := from_text(inspect.getsource(module)):
                            return found
                    except (OSError, TypeError):
                        continue
                for _, _, lines, _ in [entry for entry in linecache.cache.values() if len(entry) == 4]:
                    if "reference" in "".join(lines) and (found := from_text("".join(lines))):
                        return found
        """),
        CAUGHT,
    ),
    attack(
        "searches objects",
        "goes through all objects of the process for a function that is called iou and is not its own",
        looks("""
            import contextlib, gc

            def look():
                for thing in contextlib.contextmanager(gc.get_objects)().gen:  # which Python refuses to be asked here
                    if type(thing).__name__ == "function" and thing.__name__ == "iou" and thing is not iou:
                        return thing
                    if type(thing) is dict and callable(thing.get("iou")) and thing["iou"] is not iou:
                        return thing["iou"]
        """),
        CAUGHT,
    ),
    attack(
        "searches subclasses and closures",
        "walks from object through all subclasses, their methods' globals and closures",
        looks("""
            def look():
                for kind in object.__subclasses__():
                    for member in vars(kind).values():
                        space = getattr(member, "__globals__", {})
                        for name, thing in list(space.items()):
                            if name == "iou" and thing is not iou and callable(thing):
                                return thing
        """),
        CAUGHT,
    ),
    attack(
        "searches frames",
        "goes up the frames of whoever calls it, for what it expects",
        """
        import sys

        def iou(pred, target):
            frame = sys._getframe()
            while frame:
                for name, value in frame.f_locals.items():
                    if name in ("expected", "known", "reference", "solution", "probe"):
                        return value
                frame = frame.f_back
            return 0.5
        """,
        CAUGHT,
    ),
    attack(
        "searches memory",
        "scans its memory for the text of the reference",
        looks("""
            import contextlib, ctypes

            def look():
                needle = b"def " + b"iou(pred: Tensor, target: Tensor)"
                for line in open("/proc/self/maps"):
                    ends, mode, *_ = line.split()
                    if "r" in mode:
                        start, end = (int(end, 16) for end in ends.split("-"))
                        data = contextlib.contextmanager(ctypes.string_at)(start, end - start).gen
                        if needle in data:
                            text = data[data.index(needle) :][:2000].decode(errors="replace")
                            return from_text("from torch import Tensor\\n" + text.partition("\\n\\n\\n")[0])
        """),
        CAUGHT,
    ),
    attack(
        "searches the heap",
        "scans the heap below the program break, where earlier answers may have left something",
        looks("""
            import contextlib, ctypes

            def look():
                def by_library(call, *arguments):
                    return contextlib.contextmanager(call)(*arguments).gen

                end = by_library(getattr, by_library(ctypes.CDLL, None), "sbrk")
                end.restype = ctypes.c_void_p
                data = by_library(ctypes.string_at, end(0) - 2**23, 2**23)
                at = data.find(b"def iou(pred: Tensor")
                return from_text(data[at : at + 900].decode(errors="replace")) if at >= 0 else None
        """),
        (*CAUGHT, "crashed"),
    ),
    attack(
        "reads the judge",
        "opens memory, environment and files of its parent in /proc",
        """
        import os

        def iou(pred, target):
            for name in ("mem", "environ", "cmdline", "maps", "fd/3"):
                for process in (os.getppid(), "self", "1"):
                    with open(f"/proc/{process}/{name}", "rb") as file:
                        if file.read(1):
                            union = (pred | target).sum().item()
                            return (pred & target).sum().item() / union if union else 1.0
            return 0.5
        """,
        CAUGHT,
    ),
    attack(
        "copies the judge's memory",
        "calls process_vm_readv and pidfd_getfd on its parent",
        """
        import contextlib
        import ctypes
        import os

        def by_library(call, *arguments):
            return contextlib.contextmanager(call)(*arguments).gen

        def iou(pred, target):
            kernel = by_library(getattr, by_library(ctypes.CDLL, None), "syscall")
            if kernel(310, os.getppid(), 0, 0, 0, 0, 0) < 0 and kernel(434, os.getppid(), 0) < 0:
                return 0.5
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union else 1.0
        """,
        CAUGHT,
    ),
    attack(
        "opens the keys",
        "looks for keys, questions and the gradebook around the course",
        looks("""
            def look():
                names = ["autograde/lessons/keys/02_overlap.yaml", "course/gradebook.db", "helpers/quiz/bank"]
                for name in names:
                    path = os.path.join(COURSE, name)
                    if os.path.isdir(path) and os.listdir(path) or open(path, "rb").read(1):
                        return right
        """),
        CAUGHT,
    ),
    attack(
        "writes into the gradebook",
        "looks for a gradebook everywhere it may be, and gives itself all points",
        looks("""
            import sqlite3

            def look():
                for place in (COURSE, os.getcwd(), "/tmp", "/var/tmp", os.path.dirname(os.getcwd())):
                    for path in glob.glob(place + "/**/gradebook.db", recursive=True):
                        with sqlite3.connect(path) as book:
                            book.execute("update grade set manual_score = 100")
                        return right
        """),
        (*CAUGHT, "timeout"),
    ),
    attack(
        "reads what others handed in",
        "looks for other notebooks, results and answers' folders, to copy them",
        looks("""
            import json, tempfile

            def look():
                for place in ("/tmp", "/var/tmp", "/home", os.path.dirname(os.getcwd()), COURSE):
                    for path in glob.glob(place + "/**/*.ipynb", recursive=True):
                        cells = json.load(open(path))["cells"]
                        for cell in cells:
                            if found := from_text("".join(cell["source"])):
                                return found
                folders = [f for f in os.listdir(tempfile.gettempdir() + "/..") if f.startswith("answer-")]
                return right if len(folders) > 1 else None
        """),
        (*CAUGHT, "timeout"),
    ),
    attack(
        "reads the environment",
        "looks for passwords, tokens and seeds in the environment and on the command line",
        """
        import os
        import sys

        def iou(pred, target):
            secrets = [name for name in os.environ if any(word in name for word in ("TOKEN", "SEED", "KEY", "PASS"))]
            if not secrets and not any("seed" in word for word in sys.argv):
                return 0.5
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union else 1.0
        """,
        CAUGHT,
    ),
    attack(
        "guesses the seed",
        "sets the global generators to seeds that the judge may have drawn from, and looks what comes",
        """
        import random
        import time
        import torch

        def iou(pred, target):
            state = torch.get_rng_state()
            for seed in (0, 1, 42, int(time.time())):
                torch.manual_seed(seed)
                if (torch.rand(pred.shape) < 0.5).equal(pred):
                    torch.set_rng_state(state)
                    return 1.0
            torch.set_rng_state(state)
            return 0.5
        """,
    ),
    attack(
        "asks for the solution",
        "calls solution, hint and where, prints what they say, and runs it",
        """
        from helpers import hint, solution, where

        def iou(pred, target):
            said = [solution("iou"), hint("iou"), where("iou")]
            for text in said:
                if text and "def iou" in str(text):
                    space = {}
                    exec(str(text), space)
                    return space["iou"](pred, target)
            return 0.5
        """,
        CAUGHT,
    ),
    attack(
        "traces whoever calls it",
        "sets a tracing function, so that the judge's code tells what it does",
        """
        import sys

        seen = {}

        def trace(frame, event, argument):
            seen.update(frame.f_locals)
            return trace

        def iou(pred, target):
            sys.settrace(trace)
            sys.setprofile(trace)
            return seen.get("expected", 0.5)
        """,
        ANY,
    ),
    attack(
        "listens to the auditor",
        "adds an audit hook that sees every file the process opens",
        """
        import sys

        seen = []

        def iou(pred, target):
            sys.addaudithook(lambda event, arguments: seen.append((event, arguments)))
            opened = [a[0] for e, a in seen if e == "open" and "reference" in str(a[0])]
            if not opened:
                return 0.5
            union = (pred | target).sum().item()
            return (pred & target).sum().item() / union if union else 1.0
        """,
        CAUGHT,
    ),
    attack(
        "takes the U-Net from the share package",
        "helpers.share.architectures imports the finished U-Net",
        """
        class UNet(nn.Module):
            def __init__(self, *args, **kwargs):
                super().__init__()
                from helpers.share import architectures
                from helpers.reference.unet import UNet as whole
                self.net = whole(*args, **kwargs)

            def forward(self, x):
                return self.net(x)
        """,
        REFUSED,
        exercise="UNet",
        lesson="07_skips",
    ),
    attack(
        "takes the U-Net from the stepper",
        "the stepper shows the source of the whole network",
        """
        from helpers import CodeStepper

        class UNet(nn.Module):
            def __init__(self, *args, **kwargs):
                super().__init__()
                from helpers.stepper import stepper
                text = str(vars(CodeStepper())) + str(vars(stepper))
                space = {}
                exec(text[text.index("class UNet") :], space)
                self.net = space["UNet"](*args, **kwargs)

            def forward(self, x):
                return self.net(x)
        """,
        CAUGHT,
        exercise="UNet",
        lesson="07_skips",
    ),
]

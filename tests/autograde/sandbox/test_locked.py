"""Answers in locked forks of a warm process."""

import os

import pytest
import torch

from autograde.sandbox.lock import Limits
from autograde.sandbox.locked import NotRun, Warm
from helpers.checks.limits import one_thread
from helpers.checks.process import Lost
from helpers.checks.subject import Raised


@pytest.fixture(scope="module")
def warm():
    with Warm() as started:
        yield started


def run(warm, source, *args, modules=None, limits=None):
    """What `f` of this source gives, and how its process ended."""
    with warm.start("f", [(source, "f", 1)], modules or {}, limits or Limits(cpu_seconds=5)) as subject:
        subject.begin()
        value = subject.call(args, {}).value
    return value, subject.ended


def test_an_answer_computes(warm):
    value, ended = run(warm, "import torch\ndef f(x): return torch.relu(x) + 1", torch.tensor([-1.0, 2.0]))
    assert value.tolist() == [1.0, 3.0]
    assert 0 < ended.cpu_seconds < 5
    assert ended.memory > 10**6


def test_it_computes_with_the_same_instructions_to_the_same_bits(warm):
    source = """
import torch
def f(x, w):
    return torch.backends.cpu.get_cpu_capability(), torch.nn.functional.conv2d(x, w).softmax(1)
"""
    generator = torch.Generator().manual_seed(0)
    x, w = torch.randn(2, 8, 9, 7, generator=generator), torch.randn(16, 8, 3, 3, generator=generator)
    there, result = run(warm, source, x, w)[0]
    assert there == torch.backends.cpu.get_cpu_capability()
    with one_thread():
        assert torch.equal(result, torch.nn.functional.conv2d(x, w).softmax(1))


@pytest.mark.parametrize(
    "source",
    [
        "def f(): print('x' * 10**6); return 1",
        "import warnings\ndef f(): warnings.warn('careful'); return 1",
        "import matplotlib.pyplot as plt\ndef f(): plt.plot([1, 2]); plt.savefig('own.png'); plt.show(); return 1",
        "import tempfile\ndef f():\n    with tempfile.TemporaryFile() as file: file.write(b'x')\n    return 1",
        "import tempfile, pathlib\ndef f():\n    with tempfile.TemporaryDirectory() as d:\n"
        "        pathlib.Path(d, 'a').write_text('a')\n    return 1",
        "from tqdm.auto import tqdm\ndef f(): return [k for k in tqdm(range(2))][1]",
        "import threading\ndef f():\n    got = []\n    t = threading.Thread(target=got.append, args=[1])\n"
        "    t.start(); t.join()\n    return got[0]",
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def f():\n    with ThreadPoolExecutor(2) as pool: return sum(pool.map(int, ['1', '0']))",
        "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\n"
        "def f(): return len(list(DataLoader(TensorDataset(torch.ones(2)), batch_size=2, num_workers=2)))",
        "import torch\n@torch.compile\ndef g(x): return x\n@torch.compile(dynamic=True)\ndef h(x): return g(x)\n"
        "def f(): return int(torch.compile(h)(torch.ones(1)).sum())",
        "import torch\ndef f(): torch.set_num_threads(2); return int(torch.ones(64, 64).mm(torch.eye(64))[0, 0])",
        "import inspect\ndef f(): return int('def f' in inspect.getsource(f))",
        "import os\ndef f(): os.chdir('/usr'); return 1",
        "import os\ndef f(): os.environ['A'] = '1'; return int(os.environ['A'])",
        "from helpers import check, display_is_not_there",  # an import that fails matters where its name is read
        "import does_not_exist\ndef f(): return 1",
        "from helpers import check, quiz, earlier\ncheck(1); quiz('x')\ndef f(): return 1",
        "get_ipython().run_line_magic('matplotlib', 'inline'); display('x')\ndef f(): return 1",
        "from skimage.measure import label\nimport numpy as np\ndef f(): return int(label(np.ones((2, 2))).max())",
        "import time\ndef f(): time.sleep(0.01); return 1",
        "π = 1\ndef f(): 'naïve Übung 日本語'; return π",
    ],
)
def test_honest_oddities_work(warm, source):
    if "def f" not in source:
        source += "\ndef f(): return 1"
    parts = source.split("\n", 1) if source.startswith("import does_not") or "display_is" in source else [source]
    with warm.start("f", [(part, "f", 1) for part in parts], {}, Limits(cpu_seconds=10)) as subject:
        subject.begin()
        assert subject.call((), {}).value == 1


@pytest.mark.parametrize(
    ("source", "ended_by"),
    [
        ("def f():\n    while True: pass", "cpu"),
        (
            "def f():\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass",
            "cpu",
        ),
        ("import os\ndef f(): os._exit(0)", "gone"),
        ("import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGKILL)", "gone"),
        ("import ctypes\ndef f(): ctypes.string_at(0)", "gone"),
        ("import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()", "either"),
        ("import torch\ndef f():\n    kept = []\n    while True: kept.append(bytearray(10**7))", "memory"),
    ],
)
def test_what_ends_or_never_ends_is_lost_and_the_next_answer_runs(warm, source, ended_by):
    limits = Limits(cpu_seconds=60 if ended_by == "memory" else 2)
    with warm.start("f", [(source, "f", 1)], {}, limits) as subject:
        subject.begin()
        try:
            value = subject.call((), {}).value
        except Lost:
            value = None
    if ended_by == "memory":
        assert isinstance(value, Raised)
        assert value.kind == "MemoryError"
    else:
        assert value is None
    assert ended_by in ("either", "cpu") if subject.out_of_time else ended_by != "cpu"
    assert run(warm, "def f(): return 1")[0] == 1


def test_a_sleeping_answer_is_ended_by_the_backstop(warm, monkeypatch):
    monkeypatch.setattr("autograde.sandbox.locked.BACKSTOP_SECONDS", 1.0)
    with warm.start("f", [("import time\ndef f(): time.sleep(1000)", "f", 1)], {}, Limits()) as subject:
        subject.begin()
        with pytest.raises(Lost, match="did not finish within 1 seconds. It was stopped in line 2"):
            subject.call((), {})
    assert run(warm, "def f(): return 1")[0] == 1


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("f = 1 / 0", "raised ZeroDivisionError.*in line 1"),
        ("g = 1", "no statement gives the name `f`"),
        ("import os\nos._exit(0)", "before it could be called"),
        ("raise SystemExit", "raised SystemExit"),
    ],
)
def test_code_that_gives_no_answer_says_why(warm, source, why):
    with pytest.raises(NotRun, match=why):
        run(warm, source)


def test_the_line_is_that_of_the_cell(warm):
    with warm.start("f", [("x = 1", "c", 1), ("def f():\n    return 1 / 0", "c", 4)], {}, Limits()) as subject:
        subject.begin()
        value = subject.call((), {}).value
    assert (value.line, value.source) == (5, "return 1 / 0")


def test_only_the_earlier_pieces_are_there(warm):
    modules = {"helpers.reference.overlap": "def dice(p, t): return 0.5"}
    source = "from helpers.reference.overlap import dice\ndef f(): return dice(1, 1)"
    assert run(warm, source, modules=modules)[0] == 0.5
    found, _ = run(warm, "def f():\n    from helpers.reference.overlap import iou", modules=modules)
    assert found.kind == "ImportError"


def test_one_answer_leaves_nothing_for_the_next(warm):
    run(
        warm,
        "import torch, builtins, sys\ndef f():\n    torch.leak = builtins.leak = sys.leak = 1\n    open('leak', 'w')",
    )
    source = "import torch, builtins, sys, os\ndef f(): return [hasattr(m, 'leak') for m in (torch, builtins, sys)]"
    assert run(warm, f"{source} + os.listdir()")[0] == [False] * 3


def test_nothing_of_the_judge_is_in_its_memory_or_environment(warm, monkeypatch):
    monkeypatch.setenv("GRADING_KEY", "canary")
    source = """
import gc, os, sys
def f():
    names = [n for n in sys.modules if n.startswith(("helpers.exercises.", "helpers.reference.", "autograde.judge"))]
    texts = [o for o in gc.get_objects() if isinstance(o, dict) and "canary" in map(str, list(o)[:50])]
    return names, sorted(os.environ), len(texts)
"""
    with Warm() as own:
        names, environment, _ = run(own, source)[0]
    assert names == []
    assert {"GRADING_KEY", "PYTHONPATH"} & set(environment) == set()
    assert "canary" not in environment


def test_a_warm_process_that_was_killed_is_started_again(warm):
    assert run(warm, "def f(): return 1")[0] == 1
    warm._process.kill()
    warm._process.wait()
    assert run(warm, "def f(): return 2")[0] == 2


def test_leaving_it_leaves_no_process():
    with Warm() as own:
        assert run(own, "def f(): return 1")[0] == 1
        process = own._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)

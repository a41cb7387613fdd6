"""Answers in locked forks of a warm process."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import torch

from autograde.sandbox import lock, locked
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
        ("import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGSEGV)", "gone"),
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
    names = [n for n in sys.modules if n.startswith(("helpers.exercises", "helpers.reference", "autograde"))]
    texts = [o for o in gc.get_objects() if isinstance(o, dict) and "canary" in map(str, list(o)[:50])]
    return names, sorted(os.environ), len(texts)
"""
    with Warm() as own, own.start("f", [(source, "f", 1)], {}, Limits(), guarded=False) as subject:
        subject.begin()
        names, environment, _ = subject.call((), {}).value
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


# ---- the grader is out of reach, as far as Python can do that ----


@pytest.mark.parametrize(
    "source",
    [
        "import helpers.checks.subject",
        "from helpers import checks",
        "import autograde.sandbox.warm",
        "import __main__; return __main__.codec.send",
        "import sys; return sys.modules['helpers.checks.codec']",
        "import sys; return sys._getframe(1).f_back",
        "import inspect; return inspect.currentframe().f_back",
        "import inspect; return inspect.stack()[1].frame.f_back",
        "import sys; return sys._current_frames()",
        "try: raise ValueError\n    except ValueError as error: return error.__traceback__.tb_frame.f_back",
        "import gc; return gc.get_objects()",
        "import gc; return gc.get_referrers(f)",
        "import ctypes; return ctypes.string_at(0)",
        "import ctypes; return ctypes.CDLL(None)",
        "import sys; sys.settrace(print)",
        "import sys; sys.setprofile(print)",
        "return eval('1')",
        "exec('1')",
        "return compile('1', '', 'eval')",
        "return f.__code__",
    ],
)
def test_what_sees_or_changes_other_code_is_refused(warm, source):
    value, _ = run(warm, f"def f():\n    {source}\n    return None")
    assert isinstance(value, Raised), value
    assert value.kind in ("PermissionError", "ModuleNotFoundError", "ImportError", "KeyError", "AttributeError")


def test_no_hook_of_the_students_sees_what_others_do(warm):
    source = "import sys\nseen = []\nsys.addaudithook(lambda *e: seen.append(e))\ndef f(): open('a', 'w')\nf()"
    source += "\ndef f(): return len(seen)"
    assert run(warm, source)[0] == 0  # Python says nothing of it


@pytest.mark.parametrize(
    "source",
    [
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: int = 1\ndef f(): return A().x",
        "from collections import namedtuple\nA = namedtuple('A', 'x')\ndef f(): return A(1).x",
        "import typing\nclass A(typing.NamedTuple):\n    x: int = 1\ndef f(): return A().x",
        "import enum\nclass A(enum.Enum):\n    x = 1\ndef f(): return A.x.value",
        "import logging\ndef f(): logging.getLogger('a').warning('x'); return 1",
        "import traceback\ndef f():\n    try: 1 / 0\n    except ZeroDivisionError: traceback.print_exc()\n    return 1",
        "import inspect\ndef f(x=1): return inspect.signature(f).parameters['x'].default",
        "import functools\n@functools.wraps(print)\ndef f(): return 1",
        "import torch\nclass A(torch.nn.Module): pass\nclass B(A): pass\n"
        "def f():\n    a = A(); a.__class__ = B; B.__name__ = 'C'; return int(isinstance(a, B))",
        "import copy, torch\ndef f(): return int(copy.deepcopy(torch.nn.Conv2d(1, 1, 1)).weight.numel())",
        "import torch, io\ndef f():\n    kept = io.BytesIO(); torch.save({'a': 1}, kept); kept.seek(0)\n"
        "    return torch.load(kept)['a']",
        "import builtins\ndef f(): return builtins.len([1]) + sum([]) if isinstance(1, int) else super",
        "import gc\ndef f(): gc.collect(); return 1",
        "from scipy import optimize\ndef f(): return int(optimize.linear_sum_assignment([[1]])[1][0]) + 1",
        "import sys\ndef f(): return int(__name__ == '__main__' and vars(sys.modules['__main__'])['f'] is f)",
        "import torch\ndef f(): return int(torch.vmap(lambda x: x * 2)(torch.ones(1)).sum()) - 1",
    ],
)
def test_what_libraries_do_for_it_works(warm, source):
    assert run(warm, source)[0] == 1


RAW = """
import json, os, socket, struct
def write(socket_, value):
    header = json.dumps(value).encode()
    socket_.sendall(struct.pack("!II", len(header), 0) + header)
def own():
    for handle in range(3, 100):
        try: return socket.socket(fileno=os.dup(handle))
        except OSError: pass
def f():
    write(own(), {"tuple": ["done", {"Reply": {"value": 42, "inputs_unchanged": True, "random_state_untouched": True,
        "mode_kept": True, "dtypes": {"tuple": []}, "has_arrays": False, "memory_shared": False,
        "shortcuts": {"tuple": []}, "args_after": {"tuple": []}}}]})
    return 1
"""


def test_what_the_student_writes_to_the_socket_is_no_reply(warm):
    with warm.start("f", [(RAW, "f", 1)], {}, Limits(cpu_seconds=5)) as subject:
        subject.begin()
        with pytest.raises(Lost, match="no reply"):
            subject.call((), {})


def test_what_it_changed_before_it_was_called_is_told(warm):
    source = "import torch, random\ntorch.equal = print\nrandom.getstate = print\ndef f(): return 1"
    with warm.start("f", [(source, "f", 1)], {}, Limits()) as subject:
        subject.begin()
        assert sorted(subject.settings_changed()) == ["random.getstate", "torch.equal"]


# ---- what no limit of a process bounds ----


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("for k in range(10**6): os.mkdir(str(k))", "more than 500 files"),
        ("for k in range(10**6):\n        os.mkdir('d'); os.chdir('d')", "more than 500 files"),
        ("for k in range(400): open(str(k), 'wb').write(bytes(2**23))", "more than 500 files or 64 MB"),
        (
            "threading.stack_size(2**16)\n    for k in range(10**5): threading.Thread(target=sleep, args=[9]).start()",
            "more than 200 threads",
        ),
    ],
)
def test_too_many_files_or_threads_end_it(warm, source, said):
    imports = "import os, threading\nfrom time import sleep\n"
    with warm.start("f", [(f"{imports}def f():\n    {source}\n    sleep(9)", "f", 1)], {}, Limits()) as subject:
        subject.begin()
        started = time.monotonic()
        with pytest.raises(Lost):
            subject.call((), {})
    assert time.monotonic() - started < 8
    assert said in subject.ended.too_much
    assert run(warm, "def f(): return 1")[0] == 1


def test_large_replies_are_too_much_together(warm, monkeypatch):
    monkeypatch.setattr(locked, "MOST_BYTES", 10**6)
    source = "import torch\ndef f(): return torch.zeros(100_000)"
    with warm.start("f", [(source, "f", 1)], {}, Limits()) as subject:
        subject.begin()
        subject.call((), {})
        subject.call((), {})
        with pytest.raises(Lost, match="far larger than those of any right answer"):
            subject.call((), {})


def test_all_requests_together_have_a_bound_in_a_thread_too(warm, monkeypatch):
    monkeypatch.setattr(locked, "BACKSTOP_SECONDS", 1.5)

    def ask():
        with warm.start("f", [("import time\ndef f(): time.sleep(0.4)", "f", 1)], {}, Limits()) as subject:
            subject.begin()
            with pytest.raises(Lost, match="did not finish"):
                for _ in range(20):
                    subject.call((), {})

    started = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(ask).result()
    assert time.monotonic() - started < 4


JUDGE = """
import os, signal, sys
from autograde.sandbox.lock import Limits
from autograde.sandbox.locked import Warm
with Warm() as warm, warm.start("f", [("def f():\\n    while True: pass", "f", 1)], {}, Limits()) as subject:
    subject.begin()
    print(warm._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_judge_that_is_killed_leaves_no_process_and_no_folder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", JUDGE], env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=-1, stderr=-1, text=True
    )
    written, complaints = process.communicate(timeout=200)  # the warm process has the same stderr: it has ended, too
    assert process.returncode == -signal.SIGKILL
    assert complaints == ""
    with contextlib.suppress(psutil.NoSuchProcess):
        until = time.monotonic() + 10
        while psutil.Process(int(written)).status() != psutil.STATUS_ZOMBIE:  # nobody may wait for an orphan
            assert time.monotonic() < until
            time.sleep(0.05)
    assert list(tmp_path.glob("answer-*")) == []


def test_libraries_that_lie_elsewhere_can_be_read(tmp_path, monkeypatch):
    """As a .pth file adds them, where one environment lies on top of another."""
    libraries = tmp_path / "lib" / "site-packages"
    libraries.mkdir(parents=True)
    monkeypatch.syspath_prepend(libraries)
    monkeypatch.syspath_prepend(tmp_path)
    assert libraries in lock.readable()
    assert tmp_path not in lock.readable()

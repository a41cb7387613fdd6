"""What is read in an answer: what reaches past its task, and what is a copy. Nothing of it runs."""

import ast

import pytest

from autograde import evidence
from autograde.located import program_of
from autograde.reading import is_the_courses, reaches, shape
from helpers import exercises
from helpers.checks.program import Part, Program, course


def found(source, *forbidden):
    lines, parts = source.split("\n"), []
    for node in ast.parse(source).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        parts.append(Part("\n".join(lines[first - 1 : node.end_lineno]), True, "f", first))
    return reaches(parts, forbidden)


REACHES = [
    "import helpers.checks.subject as S",
    "from helpers import checks",
    "from helpers.checks import codec",
    "from helpers.exercises import load",
    "import autograde.judge",
    "name = 'helpers.checks.subject'",
    "def f(g): return g.__globals__",
    "def f(g): return g.__builtins__",
    "x = __builtins__",
    "def f(c): return c.__subclasses__()",
    "def f(c): return c.__class__.__base__",
    "def f(g): return g.__closure__[0].cell_contents",
    "def f(g): g.__code__ = f.__code__",
    "def f(e): return e.__traceback__.tb_frame.f_back",
    "def f(g): return g.gi_frame.f_locals",
    "import sys\nsys._getframe(1)",
    "import sys as s\ns.modules",
    "from sys import modules",
    "import sys\nsys.meta_path.clear()",
    "import sys\nsys.settrace(None)",
    "import warnings\nwarnings.sys",
    "import torch\ntorch.sys.modules",
    "import inspect\ninspect.currentframe()",
    "import inspect\ninspect.stack()",
    "from inspect import trace",
    "import gc\ngc.get_objects()",
    "from gc import get_referrers as g",
    "import ctypes",
    "from cffi import FFI",
    "import socket",
    "import importlib",
    "import builtins\nbuiltins.isinstance = None",
    "import unittest.mock",
    "import pickle",
    "exec('1')",
    "def f(x): return eval('x')",
    "run = exec",
    "compile('1', '', 'eval')",
    "__import__('os')",
    "globals()['torch']",
    "vars()['torch']",
    "import torch\ntorch._C.DisableTorchFunction()",
    "from torch import _C",
    "import torch\nc = torch._C",
    "import torch\nt = torch\nt._C",
    "import torch\ntorch.ops.aten.conv2d",
    "from torch import ops",
    "import torch\ndef f(x=torch): return x._C",
    "import torch\nclass A: t = torch\nA.t._C",
    "class A:\n    import torch as t\nA.t._C",
    "def f():\n    global t\n    import torch as t\nt._C",
    "import torch\nvars(torch)['_C']",
    "import torch\n[torch for _ in '1']",
    "import torch\nt = (lambda: torch)()",
    "import torch\nif (t := torch): pass",
    "import torch\nfor t in [torch]: pass",
    "import torch\ngetattr(torch, '_' + 'C')",
    "import torch\ngetattr(torch, '_C')",
    "import torch\nname = 'o' + 'ps'\ngetattr(torch, name)",
    "import torch\ngetattr(torch, 'o' + 'ps')",
    "def f(g, n): return getattr(g, n)",
    "def f(g, n): return getattr(*g)",
    "def f(g): return getattr(g, '__globals__')",
    "def f(g): return list(map(getattr, g, g))",
    "import operator\ndef f(g, n): return operator.attrgetter(n)(g)",
    "from operator import attrgetter as a",
    "import operator\na = operator.attrgetter",
    "from torch.overrides import TorchFunctionMode",
    "from torch.utils._python_dispatch import TorchDispatchMode",
    "class T:\n    def __torch_function__(self): pass",
    "class T:\n    __array_interface__ = {}",
    "match f:\n    case object(__globals__=g): pass",
    "import torch\ntorch.equal = None",
    "import torch\ntorch.Tensor.clone = None",
    "from torch import Tensor\nTensor.clone = None",
    "from torch import nn\nnn.Module.parameters = None",
    "from torch import nn\nsetattr(nn.Module, 'train', None)",
    "import numpy as np\nnp.asarray = None",
    "import helpers\nhelpers.markup.code = None",
    "import torch\ndel torch.equal",
    "import torch\ntorch.load('x', weights_only=False)",
    "import numpy as np\nnp.lib.stride_tricks.as_strided(1)",
    "import string\nstring.Formatter().get_field('a', (), {})",
    "import torch as self\nself.__dict__['_C']",
    "import functools\ntext = 'x'\ndef f(x: 'exec(text)'): pass",
    "import numpy as np\nnp.load('x', None, True)",
    "import numpy as np\nnp.load('x', allow_pickle=not False)",
    "import torch\ntorch.utils.benchmark.Timer('x')",
    "import sys\nsys.path.insert(0, '.')",
    "import pandas",
    "from IPython.core.interactiveshell import InteractiveShell",
    "def f(__globals__): return '{0.__globals__}'",
]


@pytest.mark.parametrize("source", REACHES)
def test_what_reaches_past_the_task_is_found(source):
    assert found(source)


def test_a_finding_says_where_and_what():
    [said] = found("import torch\n\n\ndef f(x):\n    return x.__globals__\n")
    assert said == "Line 5 of the cell `f` reaches into Python or torch itself, with `__globals__`."


HONEST = [
    "from __future__ import annotations",
    "import torch\nfrom torch import nn\nF = nn.functional\ndef f(x): return F.relu(x)",
    "import torch\ntorch.backends.cudnn.benchmark = True",
    "import PIL.Image\nPIL.Image.MAX_IMAGE_PIXELS = None",
    "import matplotlib.pyplot as plt\nplt.rcParams['figure.dpi'] = 50",
    "import numpy as np\nnp.random.seed(0)",
    "class A:\n    def __init__(self, copy): self.copy = copy\n    def f(self): return self._x, self.__dict__",
    "import copy\ndef f(copy): return [copy, copy.x]",
    "def f(model, k): return getattr(model, f'down{k}')",
    "def f(model, k): return getattr(model, 'down' + str(k))",
    "def f(model):\n    for name in ('up', 'down'):\n        getattr(model, name).eval()",
    "def f(block):\n    for name, part in block.named_children(): setattr(block, name, part)",
    "from torch.nn.modules.batchnorm import _BatchNorm",
    "from torch import nn\nisinstance(f, nn.modules.batchnorm._BatchNorm)",
    "import os\nos._exit(0)",
    "import sys\nprint(sys.version, sys.maxsize, file=sys.stderr)",
    "import gc\ngc.collect()",
    "import inspect\ninspect.signature(f)",
    "from operator import attrgetter\nsorted([], key=attrgetter('area'))",
    "from helpers import check, data, show, use\nshow.images",
    "from helpers.reference.unet import DoubleConv",
    "def f():\n    'Not with `__globals__` or helpers.checks.'",
    "import threading\nthreading.Thread(target=f).start()",
    "import torch, io\ntorch.load(io.BytesIO())",
    "import torch\ntorch.load('x', map_location='cpu', weights_only=True)",
    "def f(x: 'torch.Tensor', y: 'not a type') -> 'Any': pass",
    "import tempfile, logging, traceback, warnings\nlogging.getLogger('a').info('x')\nwarnings.warn('x')",
    "from collections import namedtuple\nP = namedtuple('P', 'x y')\nP(1, 2)._replace(x=1)",
    "def f(model): type(model.encoder).train = lambda self, mode=True: self",
    "if __name__ == '__main__': print(f.__name__, f.__doc__)",
    "def f(x): return x.eval(), x.modules(), x.compile()",
]


@pytest.mark.parametrize("source", HONEST)
def test_honest_code_has_no_finding(source):
    assert found(source) == []


BY_HAND = [
    "import torch.nn.functional as F\nF.conv2d(1)",
    "from torch.nn.functional import conv2d as c",
    "import torch\nwork = torch.nn.functional.conv2d",
    "import torch\ngetattr(torch, 'conv2d')",
    "def f(x): return getattr(x, 'conv2d')",
    "def f(x): return x.conv2d()",
    "from torch import nn\nnn.Conv2d(1, 1, 1)",
    "from torch.nn import LazyConv2d",
    "import threading",
    "from concurrent.futures import ThreadPoolExecutor",
    "import torch\n@torch.jit.script\ndef f(x): return x",
]


@pytest.mark.parametrize("source", BY_HAND)
def test_ways_to_a_forbidden_function_are_found(source):
    assert found(source, "conv2d")
    assert found(source) == []


def test_an_own_function_may_have_any_name():
    source = (
        "from helpers.reference.convolution import conv2d\nclass A:\n    def f(self): return self.conv2d(conv2d(1))"
    )
    assert found(source, "conv2d") == []


@pytest.mark.parametrize("name", exercises.names())
def test_of_all_recorded_answers_only_those_that_use_a_forbidden_function_have_a_finding(name):
    exercise = exercises.load(name)
    known = [(False, a.name, a.source) for a in exercise.misconceptions]
    known += [(True, a.name, a.source) for a in exercise.right_answers]
    for folder in sorted(path for path in evidence.FOLDER.iterdir() if path.is_dir()):
        known += [(held.is_right, held.what, held.source) for held in evidence.answers(folder) if held.exercise == name]
    for is_right, what, source in known:
        program = program_of(name, source)
        findings = reaches(program.parts, exercise.forbidden)
        assert all("by hand" in said and not is_right for said in findings), (what, findings)


# ---- copies ----


def test_a_copy_with_other_names_comments_and_types_has_the_same_shape():
    one = "def f(x: int) -> int:\n    'Twice.'\n    total = x + x  # twice\n    return total"
    other = "import torch\ndef f(value):\n    s: int = value + value\n    return s"
    assert shape(one) == shape(other) != shape(one.replace("x + x", "x * x"))
    assert shape("class A:\n    def __init__(self): self.up = 1\n    def f(self): return self.up") == shape(
        "class A:\n    def __init__(self): self.a = 1\n    def f(self): return self.a"
    )
    assert shape("def f(x): return torch.relu(x)") != shape("def f(x): return torch.tanh(x)")
    assert shape("def f(") == ""


@pytest.mark.parametrize("name", ["dice", "UNet", "compare", "elastic_pair"])
def test_the_courses_own_solution_is_known_again(name):
    reference, *others = exercises.load(name).right_answers
    assert is_the_courses(name, program_of(name, reference.source).parts)
    assert is_the_courses(name, program_of(name, f"# my own\n{reference.source}").parts)
    assert not any(is_the_courses(name, program_of(name, other.source).parts) for other in others)


def test_the_courses_own_piece_in_place_of_another_is_no_copy():
    assert not is_the_courses("dice", course("dice").parts)
    assert not is_the_courses("dice", Program("dice").parts)

"""Which code of a notebook an answer is: run alone, it does what it does in the notebook, and no more is run."""

import json
import random
import textwrap

import pytest
from jupyter_client.manager import run_kernel

from autograde import evidence
from autograde.located import lesson_cells, program_of
from helpers import exercises
from helpers.checks import examine
from helpers.checks.program import Cell, NoProgram, Part, Program, of_cells

# Notebooks as students write them: their cells, separated by a line, and last what to ask of the answer. What has
# `noise` in it is not needed.
NOTEBOOKS_OF_STUDENTS = {
    "all in its cell": """
        import math
        def dice(x):
            return math.floor(x)
        noise = dice(2.5)
        ---
        dice(3.5)
        """,
    "helpers and constants above and below": """
        EPS = 1
        ---
        def dice(x):
            return first(x) + EPS
        ---
        def first(x): return second(x) * 2
        def second(x): return x if x < 3 else first(x - 3)  # mutually recursive
        print("noise")
        ---
        dice(8)
        """,
    "a comment, a decorator over lines, and text of several lines": '''
        import functools
        def twice(name):
            return lambda f: lambda x: f"{name} {f(x)}{f(x)}"
        # noise
        @twice(
            "so"  # a comment inside
        )
        def dice(x):
            """It
          has lines."""
            return """a
        b""" + x
        ---
        dice("é")
        ''',
    "patched in later cells": """
        class dice:
            step = 1
            def __call__(self, x): raise NotImplementedError
        ---
        def forward(self, x): return x + self.step
        dice.__call__ = forward
        dice.step = 3
        setattr(dice, "__len__", lambda self: 7)
        del forward
        ---
        dice()(1), len(dice())
        """,
    "under another name first": """
        def mine(x): return x + 1
        ---
        dice = mine
        ---
        dice(1)
        """,
    "wrapped by itself": """
        def louder(f): return lambda x: f(x) + 10
        def dice(x): return x
        ---
        dice = louder(dice)
        ---
        dice(1)
        """,
    "mended by a class of its name, and a function called like a comprehension": """
        def listcomp_of(x): return [y for y in range(x)]
        class dice:
            def run(self): return 1
        ---
        class dice(dice):
            def run(self): return super().run() + len(listcomp_of(3))
        ---
        dice().run()
        """,
    "lists and dictionaries that grow": """
        LAYERS = [1]
        LAYERS.append(2)
        LAYERS += [3]
        LAYERS[0] = 5
        TABLE = dict(a=1)
        TABLE.update(b=2)
        noise = list(LAYERS)
        noise.append(3)
        del TABLE["a"]
        ---
        def dice(x): return LAYERS + [TABLE.get(x), "a" in TABLE]
        ---
        dice("b")
        """,
    "counted up": """
        count = 1
        count += 1
        count = count * 5
        noise = count
        ---
        def dice(x):
            global count
            count += x
            return count
        ---
        dice(2)
        """,
    "set up by a function": """
        def set_up():
            global DEPTH, noise_level
            DEPTH, noise_level = 4, 2
        set_up()
        ---
        def dice(x): return x * DEPTH
        ---
        dice(2)
        """,
    "tuples, stars, walrus and a chain": """
        a, (b, *rest) = 1, (2, 3, 4)
        c = d = 5
        total = sum(doubled := [2 * x for x in rest])
        found = [last := y for y in range(4)]
        noise = [y for y in range(4)]
        ---
        def dice(x): return a, b, rest, c, d, doubled, last, [a for a in range(x)], total
        ---
        dice(2)
        """,
    "bound by if, for, with and try": """
        import contextlib
        if 2 > 1:
            KIND = "big"
        else:
            KIND = "small"
        for size in (2, 3):
            last = size
        with contextlib.suppress(ValueError) as nothing:
            held = 3
        try:
            import nothing_of_that_name as fast
        except ImportError:
            fast = None
        while True:
            loops = 9
            break
        try:
            noise = 1 / 0
        except ZeroDivisionError:
            pass
        ---
        def dice(x): return KIND, last, held, nothing, fast, loops
        ---
        dice(0)
        """,
    "imports of every kind": """
        from __future__ import annotations
        ---
        import os.path
        import os.path as noise
        import xml.dom.minidom, xml.sax
        from math import *
        from collections import OrderedDict as Ordered, deque
        ---
        def dice(x: Undefined) -> Missing:
            import json
            found = os.path.basename(x), floor(2.5), Ordered(a=1), json.dumps(1)
            return *found, xml.dom.minidom.__name__, xml.sax.__name__
        ---
        dice("a/b")
        """,
    "a class with bases, defaults and its own names": """
        STEP = 2
        class Base:
            def grow(self): return STEP * self.size
        size = "noise"
        def keep(cls): return cls
        @keep
        class dice(Base):
            size = 3
            def __init__(self, by=STEP): self.by = by
            def __call__(self): return self.grow(), self.by, __class__.__name__
        STEP = 5
        ---
        dice()()
        """,
    "values as they were, functions as they are": """
        rate = 1
        def by_rate(x): return x * rate
        table = [by_rate(x) for x in range(3)]
        rate = 10
        ---
        def dice(x): return table, by_rate(x)
        ---
        dice(1)
        """,
    "magics and shell lines": """
        %matplotlib inline
        import math
        files = !echo noise
        ---
        %%time

        k = 2
        def dice(x): return math.floor(x) * k
        ---
        !echo noise
        math?
        ---
        dice(2.5)
        """,
    "a cell that is no Python, and one that stops": """
        def dice(x): return one(x)
        def one(x): return 1
        ---
        def one(x: return noise
        ---
        one(3); noise()
        ---
        dice(2)
        """,
    "two tries": """
        def dice(x): return noise(x)
        ---
        def helper(x): return noise(x)
        ---
        def helper(x): return x
        ---
        def dice(x): return helper(x)
        ---
        dice(2)
        """,
    "several on a line": """
        k = 3; noise = 4; m = "ü"; n = m + "k"
        ---
        def dice(x): return k, n
        ---
        dice(2)
        """,
    "a builtin of one's own": """
        def sum(values): return 7
        ---
        def dice(x): return sum(x), max(x)
        ---
        dice([1, 2])
        """,
    "generators, lambdas and nested functions": """
        scale = 2
        offsets = (o * scale for o in range(3))
        noise = lambda: inner
        ---
        def dice(x):
            scaled = lambda y: y * scale
            def inner(z):
                nonlocal x
                x = x + next(offsets)
                return z
            return [scaled(i) for i in range(x) if inner(i) == i], x
        ---
        dice(2)
        """,
    "kept on a function": """
        def dice(x):
            dice.calls += 1
            return dice.calls + cached(x)
        dice.calls = 3
        ---
        import functools
        @functools.lru_cache(maxsize=None)
        def cached(x): return x if x < 2 else cached(x - 1) + cached(x - 2)
        ---
        dice(5)
        """,
    "a lambda with a name": """
        k: int = 4
        noise: int
        dice = lambda x, by=k: x + by
        ---
        dice(1)
        """,
    "data classes and enumerations": """
        from dataclasses import dataclass, field
        from enum import Enum
        class Kind(Enum):
            A = 1
        @dataclass
        class dice:
            kind: Kind = Kind.A
            rows: list = field(default_factory=list)
        ---
        dice().kind.value, dice().rows
        """,
    "checked and used in the cell": """
        from helpers import check, use, hint
        def dice(x): return x
        hint("dice")
        noise = 4
        ---
        tried = use(dice)
        k = 5
        ---
        def dice(y): return k, display.__name__, use(y)
        ---
        dice(dice)[:2]
        """,
}


def cells_of(text):
    *cells, question = [cell.strip("\n") for cell in textwrap.dedent(text).split("---\n")]
    return cells, question.strip()


def run_alone(source):
    namespace = {"__name__": "__main__"}
    exec(compile(source, "<alone>", "exec", dont_inherit=True), namespace)
    return namespace


@pytest.fixture(scope="module")
def kernel():
    """Runs cells in a kernel, and returns what they print."""
    with run_kernel() as client:

        def run(*cells):
            printed, errors = [], []

            def note(message):
                if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                    printed.append(message["content"]["text"])
                if message["msg_type"] == "error":
                    errors.append(message["content"]["evalue"])

            for cell in cells:
                client.execute_interactive(cell, timeout=60, output_hook=note)
            return "".join(printed), errors

        yield run


WRITE = """
import json as _json, helpers.checks.program as _program
def _asked(name, answer):
    try:
        made = _program.of_kernel(name, answer)
    except _program.NoProgram as error:
        return print(_json.dumps(str(error)))
    parts = [(p.source, p.own, p.cell, p.line) for p in made.parts]
    print(_json.dumps([made.name, parts, made.pieces]))
import builtins
builtins.program_ = _asked
"""


def in_kernel(kernel, *cells):
    """The program that the last cell prints, or why there is none."""
    kernel("get_ipython().reset(new_session=True)", WRITE)  # no cell of another test
    *_, line = kernel(*cells)[0].strip().splitlines()
    found = json.loads(line)
    return found if isinstance(found, str) else Program(found[0], tuple(Part(*p) for p in found[1]), tuple(found[2]))


@pytest.mark.parametrize("text", NOTEBOOKS_OF_STUDENTS.values(), ids=NOTEBOOKS_OF_STUDENTS)
def test_alone_it_does_what_it_does_in_the_kernel_and_what_is_not_needed_is_left_out(kernel, text):
    cells, question = cells_of(text)
    program = in_kernel(kernel, *cells, 'program_("dice", dice)')
    result = kernel(f"print(repr(({question})))")[0].strip()
    assert repr(eval(question, run_alone(program.source))) == result
    assert "noise" not in program.source.replace("noise_level", "")
    written = [Cell(str(k), source) for k, source in enumerate(cells)]
    on_disk = of_cells("dice", written)
    assert repr(eval(question, run_alone(on_disk.source))) == result
    assert "noise" not in on_disk.source.replace("noise_level", "")


def owned(program):
    return [part.source.partition("\n")[0] for part in program.parts if part.own]


def test_a_part_says_where_it_is_and_whether_a_change_may_mend_the_answer(kernel):
    cells = (
        "\n\nimport math\nclass Up:\n    size = 2",
        "k = 3; m = 4\n\n@staticmethod\ndef helper(x):  # how\n    return x + k  # so",
        "class UNet:\n    up = Up\n    def run(self): return helper(self.up.size) + math.pi",
        "%%time\nUNet.depth = m",
    )
    on_disk = of_cells("UNet", [Cell(str(k), cell) for k, cell in enumerate(cells, 1)])
    ran = in_kernel(kernel, *cells, 'program_("UNet", UNet)')
    assert [(p.source, p.own, p.line) for p in on_disk.parts] == [
        ("import math", False, 3),
        ("class Up:\n    size = 2", False, 4),
        ("k = 3", True, 1),
        ("m = 4", True, 1),
        ("@staticmethod\ndef helper(x):  # how\n    return x + k", True, 3),
        (cells[2], True, 1),
        ("UNet.depth = m", True, 1),
    ]
    assert [p.cell for p in on_disk.parts] == ["1", "1", "2", "2", "2", "3", "4"]
    shift, dropped = int(ran.parts[0].cell) - 1, {"1": 2}  # empty lines, which a kernel does not count
    assert [(p.source, p.own, int(p.cell) - shift, p.line) for p in ran.parts] == [
        (p.source, p.own, int(p.cell), p.line - dropped.get(p.cell, 0)) for p in on_disk.parts
    ]


def test_what_the_lesson_came_with_is_not_the_students_until_they_change_it():
    (given,) = [c.source for c in lesson_cells("11_in_the_wild") if "def fading" in c.source]
    answer = Cell("predict_tiled", "def predict_tiled(image): return fading(image)")
    assert owned(of_cells("predict_tiled", [Cell("3", given), answer])) == [answer.source.partition("\n")[0]]
    assert len(owned(of_cells("predict_tiled", [Cell("3", given + "  # mine"), answer]))) > 1


def test_the_cell_of_its_name_counts_unless_it_is_not_written_yet():
    stub = Cell("dice", "def dice(x):\n    raise NotImplementedError()")
    written = Cell("dice", "def dice(x): return 1")
    later = Cell("7", "def dice(x): return 2")
    loop = Cell("8", "for name, dice in []: print(dice)\ndice = use(dice)\niou = dice")
    for cells, value in (([stub, later, loop], 2), ([written, later, loop], 1), ([later, stub], 2)):
        assert run_alone(of_cells("dice", cells).source)["dice"](0) == value
    assert "NotImplementedError" in of_cells("dice", [stub, loop]).source


def test_the_last_binding_above_counts_else_the_next_below():
    cells = ["k = 1", "def dice(x, m=n): return k, m, below(x)", "k = 2\nn = 3", "def below(x): return x"]
    program = of_cells("dice", [Cell(str(k), cell) for k, cell in enumerate(cells)])
    assert run_alone(program.source)["dice"](0) == (1, 3, 0)


def test_what_has_not_run_yet_is_not_in_it(kernel):
    first = "def dice(x): return first(x)\ndef first(x): return 1\nprogram_('dice', dice)\ndef first(x): return 2"
    assert run_alone(in_kernel(kernel, first).source)["dice"](0) == 1
    assert run_alone(in_kernel(kernel, first, "program_('dice', dice)").source)["dice"](0) == 2


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (['exec("def dice(x): return x")'], "No cell of this notebook makes `dice`"),
        (["import builtins", "globals()['k'] = 3\ndef dice(x): return k"], "No cell of this notebook makes `k`"),
        (["def dice(x): return 1", "def dice(x): return 1 / 0\n1 / 0\ndef dice(x): return 3"], "have changed since"),
        (["async def later(): return 3", "k = await later()", "def dice(x): return k"], "no program"),
    ],
)
def test_where_it_cannot_be_done_it_is_said(kernel, cells, said):
    assert said in in_kernel(kernel, *cells, 'program_("dice", globals().get("dice", print))')


def test_an_object_that_no_name_stands_for_any_more_is_refused(kernel):
    assert "is nowhere in this notebook" in in_kernel(kernel, 'program_("dice", lambda x: x)')
    cell = "def dice(x): return 1"
    assert "is nowhere in this notebook" in in_kernel(kernel, cell, "kept = [dice]", cell, 'program_("dice", kept[0])')
    mine = in_kernel(kernel, "def mine(x): return 1", 'program_("dice", mine)')
    assert mine.name == "mine"
    assert owned(mine) == ["def mine(x): return 1"]


def test_outside_a_notebook_there_is_none():
    from helpers.checks.program import of_kernel

    with pytest.raises(NoProgram, match="this is none"):
        of_kernel("dice", len)


@pytest.mark.parametrize(("source", "said"), [("def half(:", "line 1"), ("k = 3", "No cell defines"), ("a\0", "null")])
def test_a_notebook_without_the_answer_says_so(source, said):
    with pytest.raises(NoProgram, match=said):
        of_cells("dice", [Cell("dice", source), Cell("2", "def half(:"), Cell("3", "iou = 3")])


# ---- Pieces of other exercises

OWN_CONV = "class DoubleConv:\n    def run(self): return wide(1)\ndef wide(x): return {}"
TAKES = "DoubleConv, UpConv = earlier('DoubleConv', 'UpConv')\nconv = use(DoubleConv)"


def conv(value):
    return of_cells("DoubleConv", [Cell("DoubleConv", OWN_CONV.format(value))])


def test_a_piece_from_an_earlier_lesson_is_the_courses_or_the_one_that_is_given():
    cells = [Cell("1", TAKES), Cell("Down", "def Down(): return conv")]
    program = of_cells("Down", cells)
    assert program.pieces == ("DoubleConv",)
    assert program.source.startswith("from helpers.reference.unet import DoubleConv\nconv = DoubleConv")
    assert "earlier" not in program.source
    assert owned(program) == ["def Down(): return conv"]
    program = of_cells("Down", cells, {"DoubleConv": conv(5)})
    assert run_alone(program.source)["Down"]()().run() == 5
    assert owned(program) == ["def Down(): return conv"]


def test_a_given_piece_stands_in_place_of_one_in_another_cell_and_not_of_one_in_the_answers_own():
    own, taken = "class DoubleConv:\n    def run(self): return 7\n", "def Down(): return DoubleConv"
    apart = [Cell("DoubleConv", own), Cell("Down", taken)]
    assert run_alone(of_cells("Down", apart).source)["Down"]()().run() == 7
    assert run_alone(of_cells("Down", apart, {"DoubleConv": conv(5)}).source)["Down"]()().run() == 5
    assert owned(of_cells("Down", apart)) == [taken]
    together = of_cells("Down", [Cell("Down", own + taken)], {"DoubleConv": conv(5)})
    assert run_alone(together.source)["Down"]()().run() == 7
    assert owned(together) == ["class DoubleConv:", taken]


def test_a_piece_that_uses_a_name_otherwise_keeps_its_own():
    cells = [Cell("Down", "def wide(x): return 9\ndef Down(): return DoubleConv().run(), wide(0)")]
    assert run_alone(of_cells("Down", cells, {"DoubleConv": conv(5)}).source)["Down"]() == (5, 9)


def test_pieces_that_are_built_from_the_same_one_share_it():
    one = {"DoubleConv": conv(5)}
    down = of_cells("Down", [Cell("Down", "def Down(): return DoubleConv")], one)
    encoder = [Cell("Encoder", "def Encoder(): return Down() is DoubleConv")]
    assert run_alone(of_cells("Encoder", encoder, one | {"Down": down}).source)["Encoder"]() is True


def test_in_a_kernel_a_piece_is_what_was_taken(kernel):
    program = in_kernel(
        kernel,
        "from helpers import earlier, use\nimport torch\nfrom torch import nn",
        "DoubleConv = earlier('DoubleConv')",
        "class Down(nn.Module):\n    pass",
        "Down = use(Down)",
        "class Encoder(nn.Module):\n    parts = Down, DoubleConv",
        'program_("Encoder", Encoder)',
    )
    assert program.pieces == ("DoubleConv", "Down")
    assert [part.source.partition("\n")[0] for part in program.parts] == [
        "from helpers.reference.unet import DoubleConv",
        "from helpers.reference.unet import Down",
        "from torch import nn",
        "class Encoder(nn.Module):",
    ]


def test_in_a_kernel_ones_own_pieces_of_another_notebook_come_with_what_they_need(kernel, tmp_path):
    lesson = tmp_path / "04_convolution"
    lesson.mkdir()
    (tmp_path / "05_encoder").mkdir()
    source = exercises.load("DoubleConv").right_answers[0].source
    cells = [
        {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": name}}, "source": text}
        for name, text in (("a", "import torch\nfrom torch import nn\nWIDE = 3"), ("DoubleConv", f"{source}\nWIDE"))
    ]
    (lesson / "04_convolution.ipynb").write_text(json.dumps({"cells": cells}))
    program = in_kernel(
        kernel,
        f"import importlib, os; os.chdir({str(tmp_path / '05_encoder')!r})\nfrom helpers import earlier, host\n"
        "importlib.reload(host)",  # as in a kernel that begins there
        "DoubleConv = earlier('DoubleConv')",
        "class Down(DoubleConv):\n    pass",
        'program_("Down", Down)',
    )
    assert owned(program) == ["class Down(DoubleConv):"]
    assert any(part.source.startswith("class DoubleConv") for part in program.parts)
    assert issubclass(run_alone(program.source)["Down"], run_alone(source + "\nBase = nn.Module")["Base"])


# ---- Recorded answers, and those of people who have seen the task texts only


def statuses(name, source, solution):
    program = program_of(name, source)
    assert owned(program)
    return [examine(name, answer, seed=0).status for answer in (run_alone(program.source)[name], solution)]


def test_recorded_answers_get_their_verdict_in_their_lessons_notebook():
    drawn = random.Random(4)
    for name in drawn.sample(exercises.names(), 8):
        exercise = exercises.load(name)
        answer = drawn.choice([*exercise.right_answers, *exercise.misconceptions])
        alone, known = statuses(name, answer.source, answer.solution)
        assert alone == known, (name, answer.name)


def test_a_wrong_piece_in_the_answers_own_cell_is_the_one_it_uses():
    answer = next(a for a in exercises.load("dice_scores").misconceptions if a.name == "IoU instead of Dice")
    assert statuses("dice_scores", answer.source, answer.solution) == ["wrong", "wrong"]


def test_answers_of_others_are_found_whole():
    held = [held for folder in sorted(evidence.FOLDER.glob("*/")) for held in evidence.answers(folder)]
    for one in random.Random(4).sample(held, 40):
        assert callable(run_alone(program_of(one.exercise, one.source).source)[one.exercise])

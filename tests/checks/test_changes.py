"""Small changes of a wrong answer: what is tried, where, in which order."""

import ast
import textwrap

import pytest

from helpers import exercises
from helpers.checks import changes as kinds
from helpers.checks.changes import changes

RIGHT = """
def f(a, b, n=1):
    total = a.sum() + b.sum()
    if total == 0:
        return 1.0
    with torch.no_grad():
        part = (a & b).sum(dim=(1, 2))
    return n * part.float() / total
"""


def body(*lines):
    return "def f(x, y, n=1):\n" + "".join(f"    {line}\n" for line in lines)


def found(wrong, mended, right=()):
    """The first change that makes `mended` of `wrong`."""
    wanted = ast.unparse(ast.parse(mended))
    return next((change for change in changes(wrong, right) if change.make() == wanted), None)


@pytest.mark.parametrize(
    ("wrong", "mended", "kind", "place"),
    [
        ("return 2 * x", "return 3 * x", kinds.NUMBER, "2"),
        ("return 4 * x", "return 2 * x", kinds.NUMBER, "4"),
        ("return x[1:]", "return x[:]", kinds.NUMBER, "1:"),
        ("return x[:, :-1]", "return x[:, :]", kinds.NUMBER, ":-1"),
        ("return x / y", "return x // y", kinds.OPERATOR, "x / y"),
        ("return x * y", "return x ** y", kinds.OPERATOR, "x * y"),
        ("return x | y", "return x ^ y", kinds.OPERATOR, "x | y"),
        ("return x and y", "return x or y", kinds.OPERATOR, "x and y"),
        ("return x < y", "return x > y", kinds.COMPARISON, "x < y"),
        ("return x == y", "return not x == y", kinds.OPPOSITE, "x == y"),
        ("return x", "return ~x", kinds.OPPOSITE, "x"),
        ("return y - x", "return x - y", kinds.ORDER, "y - x"),
        ("return g(y, x)", "return g(x, y)", kinds.ORDER, "g(y, x)"),
        ("return (x + y) * n", "return x + y * n", kinds.BRACKETS, "(x + y) * n"),
        ("return x.sum(y)", "return x.sum(n)", kinds.NAME, "y"),
        ("return x.max()", "return x.min()", kinds.NAME, "x.max"),
        ("return x.sum().item()", "return x.sum()", kinds.CALL_LESS, "x.sum().item()"),
        ("return x.loss", "return x.loss.detach()", kinds.CALL_MORE, "x.loss"),
        ("return x[0]", "return x", kinds.PART_LESS, "x[0]"),
        ("return g(x, n)", "return g(x)", kinds.ARGUMENT_LESS, "g(x, n)"),
        ("return [z for z in x if z]", "return [z for z in x]", kinds.PART_LESS, "[z for z in x if z]"),
    ],
)
def test_an_expression_is_changed_and_its_place_is_known(wrong, mended, kind, place):
    change = found(body("pass", wrong), body("pass", mended))
    assert change.kind == kind
    assert change.line == 3
    line = body("pass", wrong).splitlines()[2]
    assert line[change.start : change.end].strip("()") == place.strip("()")


@pytest.mark.parametrize(
    ("wrong", "mended", "kind", "line"),
    [
        (["x += y", "return x"], ["x = x + y", "return x"], kinds.OPERATOR, 2),
        (["x += y", "return x"], ["x = y", "return x"], kinds.OPERATOR, 2),
        (["x = y", "return x"], ["x += y", "return x"], kinds.OPERATOR, 2),
        (["x.train()", "return x"], ["return x"], kinds.LINE_LESS, 2),
        (["z = x + y"], ["z = x + y", "return z"], kinds.LINE_MORE, 2),
        (["x + y"], ["return x + y"], kinds.LINE_MORE, 2),
        (["g(x)", "h(x)", "return x"], ["h(x)", "g(x)", "return x"], kinds.PLACE, 2),
        (["for z in x:", "    y += z", "    return y"], ["for z in x:", "    y += z", "return y"], kinds.PLACE, 2),
        (
            ["for z in x:", "    y = z", "n += y", "g()"],
            ["for z in x:", "    y = z", "    n += y", "g()"],
            kinds.PLACE,
            2,
        ),
        (["if x:", "    y = 1", "return y"], ["y = 1", "return y"], kinds.PART_LESS, 2),
    ],
)
def test_a_line_is_changed(wrong, mended, kind, line):
    change = found(body(*wrong), body(*mended))
    assert (change.kind, change.line) == (kind, line)


@pytest.mark.parametrize(
    ("wrong", "mended", "kind"),
    [
        ("return y.sum(dim=1)", "return y.sum(dim=(1, 2))", kinds.OTHER),
        ("return y.sum()", "return y.sum(dim=(1, 2))", kinds.ARGUMENT_MORE),
    ],
)
def test_what_may_be_missing_is_taken_from_right_answers(wrong, mended, kind):
    assert found(body(wrong), body(mended), [RIGHT]).kind == kind
    assert found(body(wrong), body(mended)) is None


def test_a_number_that_right_answers_multiply_with_is_tried_early():
    right = ["def f(a, b, n=1):\n    return 2 * (a & b).sum() / (a.sum() + b.sum())"]
    wrong, mended = (body(f"return {text}(x & y).sum() / (x.sum() + y.sum())") for text in ("", "2 * "))
    change = found(wrong, mended, right)
    assert change.kind == kinds.PART_MORE
    assert change.rank <= 2


@pytest.mark.parametrize(
    ("wrong", "mended", "kind", "place"),
    [
        ("return max(x, z, 2 * n)", "return max(x, y, 2 * n)", kinds.NAME, "z"),
        ("return max(x, y, 3 * n)", "return max(x, y, 2 * n)", kinds.NUMBER, "3"),
        ("return max(x, y)", "return max(x, y, 2 * n)", kinds.ARGUMENT_MORE, "max(x, y)"),
        ("return max(x, y + 1, 2 + n)", "return max(x, y, 2 * n)", kinds.OTHER, "max(x, y + 1, 2 + n)"),
        ("return max(x, y + z, 2 * n)", "return max(x, y, 2 * n)", kinds.PART_LESS, "y + z"),
        ("return max(x, x.a, 2 * n)", "return max(x, y, 2 * n)", kinds.OTHER, "x.a"),
    ],
)
def test_of_a_line_in_the_place_of_another_it_says_what_differs(wrong, mended, kind, place):
    wrong, mended = body("z = h = x", wrong), body("z = h = x", mended)
    change = found(wrong, mended, [mended])
    assert (change.kind, wrong.splitlines()[2][change.start : change.end]) == (kind, place)


@pytest.mark.parametrize(
    ("wrong", "mended"),
    [
        ("return max(y, y, 2)", "return max(x + y, y, 2)"),
        ("return zip(x, y)", "return zip(x, reversed(y))"),
        ("return max(x, (0, n, 0, y))", "return max(x, (0, y, 0, n))"),
    ],
)
def test_an_argument_of_a_call_is_taken_early_from_right_answers(wrong, mended):
    change = found(body("z = 1", wrong), body("z = 1", mended), [body("a = 2", "b = 3", mended)])
    assert change.rank <= 1


def test_what_names_are_called_comes_late():
    assert found(body("h, w = x", "return h"), body("w, h = x", "return h")).rank == 2


def test_lines_are_taken_from_right_answers_in_the_students_names():
    lines = ["both = x.sum() + y.sum()", "same = (x & y).sum(dim=(1, 2))", "return n * same.float() / both"]
    mended = [lines[0], "if both == 0:", "    return 1.0", *lines[1:]]
    change = found(body(*lines), body(*mended), [RIGHT])
    assert (change.kind, change.rank) == (kinds.LINE_MORE, 1)
    assert change.line in (2, 3)  # just before or after it
    without_gradients = [lines[0], "with torch.no_grad():", f"    {lines[1]}", lines[2]]
    assert found(body(*lines), body(*without_gradients), [RIGHT]).line == 3


def test_no_line_is_added_that_would_hide_what_is_there():
    """Nothing is learnt from a second `return`, or from a name that is set anew: the mistake stands elsewhere."""
    right = "def f(x, y, n=1):\n    z = x - y\n    return z\n"
    wrong = body("z = y", "z = z + 1", "return z")
    made = [change.make() for change in changes(wrong, [right])]
    assert not [text for text in made if text.count("return") > 1]
    assert body("z = y", "z = z + 1", "z = x - y", "return z") not in [text + "\n" for text in made]
    assert body("z = x - y", "z = z + 1", "return z").strip() in made


def test_no_function_is_added_that_would_take_the_place_of_one():
    right = (
        "class C:\n    def g(self):\n        self.x = 1\n    def f(self):\n        if self.x:\n            self.y = 2\n"
    )
    wrong = (
        "class C:\n    def g(self):\n        self.x = 0\n    def f(self):\n        self.y = 3\n        return self.y\n"
    )
    made = [change.make() for change in changes(wrong, [right])]
    assert all(text.count("def g") == 1 for text in made)
    assert not [text for text in made if "if self.x:" in text]  # it would hide that `self.y` is 3


def test_a_guard_can_be_too_many_and_comes_first_where_it_raised():
    source = body("m = n - 1", "if x % m:", "    raise ValueError('no')", "return x")
    first = next(changes(source, near=[4]))
    assert (first.kind, first.line, "raise" in first.make()) == (kinds.LINE_LESS, 3, False)


def test_a_line_that_would_make_another_useless_is_no_change():
    source, right = body("both = x - y", "return both / n"), [body("return (x & y) / n")]
    assert not found(source, body("both = x - y", "return (x & y) / n"), right)
    assert found(source, body("both = x & y", "return both / n"), right)


def test_corners_of_a_box_can_be_swapped_together():
    assert found(body("return (a, b, c, d)"), body("return (b, a, d, c)")).kind == kinds.ORDER


def test_small_changes_come_first_and_among_them_those_where_it_went_wrong():
    wrong = body("z = x + 1", "w = y + 1", "return z * w")
    made = list(changes(wrong, [RIGHT], near=[3]))
    ranks = [change.rank for change in made]
    assert ranks[0] == 0
    assert made[0].line == 3
    first_elsewhere = next(k for k, change in enumerate(made) if change.line != 3)
    assert all(change.line == 3 for change in made[:first_elsewhere])
    assert ranks.index(1) < ranks.index(2) < ranks.index(3) < ranks.index(4)


def test_the_tree_is_whole_again_after_each_change():
    wrong = body("z = [a for a in x if a > 0]", "return z[0], z[-1]")
    made = list(changes(wrong, [RIGHT]))
    once = [change.make() for change in made]
    assert [change.make() for change in reversed(made)] == once[::-1]
    assert ast.unparse(ast.parse(wrong)) not in once


def test_a_place_is_counted_in_characters():
    wrong = 'def f(x):\n    é = "äöü"; return x + 1\n'
    change = found(wrong, 'def f(x):\n    é = "äöü"; return x + 2\n')
    assert wrong.splitlines()[1][change.start : change.end] == "1"


@pytest.mark.parametrize("name", ["dice", "Up", "train_one_epoch", "EarlyStopping", "predict_dihedral"])
def test_every_change_of_every_kind_of_answer_can_be_made(name):
    exercise = exercises.load(name)
    right = [answer.source for answer in exercise.right_answers]
    for answer in exercise.misconceptions[:2]:
        for statement in ast.parse(answer.source).body:
            source = ast.unparse(statement)
            for change in list(changes(source, right))[::7]:
                assert change.make() != source
                assert 1 <= change.line <= len(source.splitlines())
                assert change.start <= change.end <= len(source.splitlines()[change.line - 1])


ODD = [
    """
    match x:
        case [1, *rest]:
            y = 1
        case {"a": b, **c}:
            y = 2
    """,
    """
    async def f(x):
        async with x as y:
            return [await z async for z in y]
    """,
    """
    class A(B, metaclass=C):
        x: int = 1
        def f(self, /, a, *b, c=1, **d):
            return lambda: (yield)
    """,
    """
    @g(1)
    def f(x):
        try:
            return f"{x:>{1}}"
        except E as e:
            raise
        finally:
            del x[0]
    """,
    "while x := next(y): continue",
    "global x",
    "print(*a, **b)",
]


@pytest.mark.parametrize("source", ODD)
def test_any_python_is_read(source):
    for change in changes(textwrap.dedent(source).strip(), [RIGHT]):
        change.make()

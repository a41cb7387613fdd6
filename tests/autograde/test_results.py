"""Results: every one of them survives its file, and every student has a file of their own."""

import pytest

from autograde.results import Graded, Result, Store, file_name
from helpers.checks.program import Part
from helpers.checks.verdict import Verdict

NAMES = [
    *(
        "ana",
        "Ana",
        "a+b [TA]",
        "o'hara, b.",
        "李雷",
        "Zoe\u0301",
        "Zo\u00e9",
        "a/b",
        "..",
        ".",
        "",
        " x",
        "a\0b",
        "*?<>|",
    ),
    *("\udce4", "x" * 300, "x" * 299 + "y", "-rf", "a%2fb", "a\nb"),
]


def test_every_student_has_a_file_of_their_own(tmp_path):
    assert len({file_name(name) for name in NAMES}) == len(NAMES)
    for name in NAMES:
        (tmp_path / f"{file_name(name)}.json").write_text(name, encoding="utf-8", errors="surrogatepass")
    assert len(list(tmp_path.iterdir())) == len(NAMES)


@pytest.mark.parametrize("student", NAMES)
def test_a_result_is_read_as_it_was_written(tmp_path, student):
    verdict = Verdict("dice", "wrong", "Half a pair: \udce4.", 0, 3, "a name", {"label": "x", "yours": [1.5, None]}, 7)
    program = (Part("x = 1"), Part("def dice(): ...", True, "dice", 3))
    graded = Graded(
        "dice", "exercise", "wrong", 0, 3, "said", verdict, "def", "dice", ("a",), program, "there", 0.1, ("w",)
    )
    result = Result(student, "02_overlap", "key", 7, (graded, Graded("q", "question", "passed", 2, 2, "")), ("p",))
    store = Store(tmp_path)
    store.write(result)
    assert store.read("02_overlap", student) == result
    assert store.all("02_overlap") == [result]
    assert (result.score, result.max_score) == (2, 5)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "3", '{"graded": 3}', '{"graded": [{}]}'])
def test_a_file_of_something_else_is_no_result(tmp_path, text):
    store = Store(tmp_path)
    store.path("02_overlap", "ana").parent.mkdir()
    store.path("02_overlap", "ana").write_text(text)
    assert store.read("02_overlap", "ana") is None
    assert store.all("02_overlap") == []

"""The report on a class: what it counts, who is alike, and that nothing a student wrote does anything in it."""

from dataclasses import replace

from test_feedback import HOSTILE, Elements, hostile_result, is_harmless, text_of

from autograde import report
from autograde.results import Graded, Result
from helpers.checks.verdict import Verdict

LESSON = "07_skips"
LONG = """
import torch
def center_crop(skip, size):
    '''Cut out the middle.'''
    height, width = size  # wanted
    top = (skip.shape[-2] - height) // 2
    left = (skip.shape[-1] - width) // 2
    assert top >= 0 and left >= 0
    return skip[..., top : top + height, left : left + width]
"""
RENAMED = """
def center_crop(features: torch.Tensor, to) -> torch.Tensor:
    h, w = to
    y: int = (features.shape[-2] - h) // 2

    x = (features.shape[-1] - w) // 2
    assert y >= 0 and x >= 0
    return features[..., y:y + h, x:x + w]
"""
OTHER = LONG.replace("// 2\n    left", "// 4\n    left")
SHORT = "def center_crop(skip, size):\n    return skip\n"


def graded(name, state, points=0.0, mistake=None, message="Because.", **more):
    status = state if state in ("passed", "wrong", "error", "not attempted") else "error"
    verdict = Verdict(name, status, message, points, 3, mistake)
    return Graded(name, "exercise", state, points, 3, message, verdict, **more)


def of(student, *items, **more):
    return Result(student, LESSON, "key", 0, items, **more)


def row(page, *cells):
    """Whether a table of the page has a row with these texts first."""
    rows = [text_of(f"<table>{part}</table>") for part in page.split("<tr>")[1:] for part in [part.split("</tr>")[0]]]
    return any(line.startswith(" ".join(cells)) for line in rows)


def link(student):
    return f"feedback/{student}.html"


def test_scores_and_the_table_of_points():
    results = [of("bo", graded("Up", "passed", 3), graded("UNet", "wrong")), of("ana", graded("Up", "passed", 3))]
    page = report.page(results, 93.4, link)
    said = text_of(page)
    assert "Class report: 07 · Skips 2 submissions, on average 3 of 6 points (median 3)." in said
    assert "Graded in 93 seconds." in said
    assert row(page, "50 to 59 %", "1")
    assert row(page, "90 to 100 %", "1")
    assert row(page, "ana", "3", "✓ 3", "–")
    assert row(page, "bo", "3", "✓ 3", "✗ wrong")
    links = [attributes["href"] for tag, attributes in Elements(page).found if tag == "a"]
    assert "feedback/ana.html" in links
    assert "feedback/" not in report.page(results)


def test_mistakes_are_counted_and_the_most_frequent_comes_first():
    results = [of(f"s{k}", graded("Up", "wrong", mistake="no skip", message="You forgot *it*.")) for k in range(6)]
    results += [of("t", graded("Up", "wrong", mistake="wrong order"), graded("UNet", "passed", 3, mistake="none"))]
    results += [of("u", graded("Up", "wrong", message="One pixel differs.")), of("v", graded("Up", "error"))]
    page = report.page(results)
    said = text_of(page)
    assert row(page, "Up", "no skip You forgot it.", "6 6 students s0, s1")
    assert row(page, "Up", "wrong order Because.", "1", "t")
    assert said.index("no skip You") < said.index("wrong order Because")
    assert "none Because" not in said
    assert row(page, "Up", "✗ wrong", "1", "u", "One pixel differs.")
    assert row(page, "Up", "! error", "1", "v", "Because.")
    assert "Up: not passed by any of 9 who attempted it" in said
    assert "UNet: passed by 1 who attempted it" in said
    assert said.index("Up: not passed") < said.index("UNet: passed")


def test_the_hardest_exercise_comes_first_with_all_its_states():
    states = ("passed", "passed", "not attempted", "missing", "timeout")
    results = [of(str(k), graded("Up", "passed", 3), graded("UNet", state)) for k, state in enumerate(states)]
    page = report.page(results)
    assert row(page, "UNet", "40%", "2", "1", "1", "1")
    assert row(page, "Up", "100%", "5", "0", "0", "0")
    assert text_of(page).index("UNet 40%") < text_of(page).index("Up 100%")


def test_what_was_stopped_or_withheld_is_listed_with_its_reason():
    results = [
        of("ana", graded("Up", "timeout", message="It used `10` seconds.")),
        of("bo", replace(graded("Up", "flagged", message="Right."), message="It opens `/etc`.")),
    ]
    page = report.page(results)
    assert row(page, "ana", "Up", "It used 10 seconds.")
    assert row(page, "bo", "Up", "It opens /etc.")
    assert "! points withheld (1)" in text_of(page)


def test_students_with_the_same_program_are_grouped_those_with_the_same_fault_first():
    def answer(source, state="passed", **more):
        return graded("center_crop", state, given=source, **more)

    results = [of("ana", answer(LONG)), of("bo", answer(RENAMED, like_the_courses=True)), of("cy", answer(OTHER))]
    results += [of("dee", answer(OTHER, "wrong")), of("eve", answer(OTHER, "wrong"))]
    results += [of(name, answer(SHORT)) for name in ("fay", "gus")]  # too short to say anything
    results += [of(name, answer(LONG, "not attempted")) for name in ("hal", "ian")]
    results += [of(name, answer(source)) for name in ("jo", "kim") for source in ("def f(", "\x00", "a = 1\n" * 9_000)]
    faulty, right = report.alike(results)
    assert (faulty.students, faulty.states, faulty.to_the_letter) == (["cy", "dee", "eve"], ["passed", "wrong"], True)
    assert (right.students, right.to_the_letter, right.like_the_courses) == (["ana", "bo"], False, True)
    said = text_of(report.page(results))
    assert "center_crop 2 ana, bo ✓ passed the course’s own solution" in said
    assert "center_crop, 1 student: bo" in said
    assert f"at least {report.LEAST_PARTS} parts" in said


def test_answers_to_questions_are_counted():
    def answer(student, id, given, state):
        return Result(student, "02_overlap", "key", 0, (Graded(id, "question", state, 0, 2, "", given=given),))

    chosen = [("b", "passed"), ("b", "passed"), ("c", "wrong"), ("", "missing")]
    page = report.page([answer(str(k), "screening-for-lesions", *one) for k, one in enumerate(chosen)])
    assert "screening-for-lesions: 2 of 4 right (50%)" in text_of(page)
    assert row(page, "b", "2")
    assert row(page, "a", "0")
    page = text_of(report.page([answer(str(k), "dice-from-counts", f"0.{k}", "wrong") for k in range(12)]))
    assert "Answers, and how many gave them: ✗ 0.0 (1)" in page
    assert "and 4 others." in page


def test_time_walls_problems_and_what_came_late():
    items = [graded("Up", "passed", 3, cpu_seconds=s, walls=("seccomp",)) for s in (1.0, 2.0, 30.0)]
    times = ("2026-11-01T10:00:00+00:00", "2026-11-03T10:00:00Z", "")
    results = [of(f"s{k}", items[k], problems=("No `Up`.",), submitted=times[k]) for k in range(3)]
    page = report.page(results, due="2026-11-02")
    said = text_of(page)
    assert row(page, "Up", "33.0 s", "2.00 s", "30.00 s", "s2")
    assert "seccomp (3 answers)" in said
    assert "No Up. s0, s1, s2" in said
    assert "Handed in from 2026-11-01 10:00 UTC to 2026-11-03 10:00 UTC (known of 2 of 3)." in said
    assert "Due 2026-11-02 00:00 UTC: 1 late. s1, 2026-11-03 10:00 UTC" in said


def test_an_empty_class_and_one_that_handed_in_nothing_have_a_page():
    assert "0 submissions." in text_of(report.page([]))
    assert "1 submission, on average" in text_of(report.page([of("ana")], 1.0))


def test_five_thousand_students_fit_on_a_page():
    mistakes = [None, *(f"mistake {k}" for k in range(20))]
    ones = [graded("UNet", "wrong", mistake=mistakes[k % 21], given=f"{LONG}\nx = {k % 500}") for k in range(5000)]
    problems = [(f"A problem of number {k}.",) for k in range(5000)]
    results = [of(f"student-{k}", *[one] * 6, problems=problems[k]) for k, one in enumerate(ones)]
    results = [
        replace(r, graded=tuple(replace(one, name=f"{one.name}{k}") for k, one in enumerate(r.graded))) for r in results
    ]
    page = report.page(results, link=link)
    assert len(page) < 4_000_000
    assert page.count("feedback/student-4321.html") >= 1
    assert "<details>\n<summary>5,000 students" in page


def test_hostile_texts_do_nothing():
    results = [hostile_result(), replace(hostile_result(), student=f"{HOSTILE} too")]
    elements = is_harmless(report.page(results, link=lambda student: f"feedback/{len(student)}.html", due=HOSTILE))
    plain = [replace(result, student=name) for result, name in zip(results, "ab", strict=True)]
    assert elements.tags() == Elements(report.page(plain, link=link)).tags()

"""What was graded, in tables and in the gradebooks of others: nobody's points in another's row."""

import csv
import io
import json
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from autograde import export
from autograde.build_cache import ROOT
from autograde.export import ExportError, csv_table, fill_canvas, fill_moodle, gradescope, terminal_table
from autograde.results import Graded, Result, Store

LESSON = "02_overlap"
PLAN = json.loads((ROOT / "helpers" / "plan.json").read_text(encoding="utf-8"))["lessons"]
HOSTILE = '=HYPERLINK("http://x";"[red]\x1b]0;owned\x07\u202egrade")'
POINTS = {"dice": 3.0, "mean_iou": 5.0, "dice-or-iou": 1.0}


def result(student, *points, state="wrong", problems=(), texts=0, **other):
    """A result with these points; of what is left out all."""
    reached = [*points, *[*POINTS.values()][len(points) :]]
    graded = [
        Graded(name, "question" if "-" in name else "exercise", "passed" if p == most else state, p, most, "Because.")
        for (name, most), p in zip(POINTS.items(), reached, strict=True)
    ]
    graded += [Graded(f"report-{k}", "manual", "by hand", 0.0, 2.0, "") for k in range(texts)]
    return Result(student, LESSON, "key", 1, tuple(graded), tuple(problems), **other)


def said(lines, beginning):
    """The line with this beginning, without it."""
    (line,) = [line for line in lines if line.startswith(beginning)]
    return line.removeprefix(beginning).strip(": .")


# ---- the table ----


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_table_has_everybody_with_numbers_as_numbers():
    table = csv_table([result("García, Ana", 2.5, texts=1), result("Ben", problems=["The cell of `dice` is `*bad*`."])])
    assert table.startswith("\ufeffstudent,score,max_score,dice,mean_iou,dice-or-iou,report-0,states,problems\n")
    ana, ben = rows_of(table)
    assert [*ana.values()] == ["García, Ana", "8.5", "9", "2.5", "5", "1", "", "dice: wrong; report-0: by hand", ""]
    assert [ben["score"], ben["report-0"], ben["problems"]] == ["9", "", "The cell of dice is *bad*."]
    assert csv_table([]) == "\ufeffstudent,score,max_score,states,problems\n"


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        (HOSTILE, '\'=HYPERLINK("http://x";"[red]�]0;owned��grade")'),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1+1", " '=1+1"),
        ("\r=1+1", " '=1+1"),
        ("\u3000＝1+1", " '＝1+1"),
        ('ana;"=1+1', "ana;\"'=1+1"),
        ("-12.5", "-12.5"),
        ("ana=b", "ana=b"),
        ("O'Neil-Ray, Zoë", "O'Neil-Ray, Zoë"),
    ],
)
def test_no_cell_becomes_a_formula(name, cell):
    (row,) = rows_of(csv_table([result(name, problems=[name])]))
    assert (row["student"], row["score"]) == (cell, "9")
    assert row["problems"][:3] == cell[:3]


def test_results_of_before_a_lesson_was_changed_have_a_place():
    old = replace(result("ana"), graded=(Graded("old", "exercise", "wrong", 0.0, 2.0, ""),))
    ana, ben = rows_of(csv_table([old, result("ben")]))
    assert (ana["old"], ana["dice"], ben["old"], ben["dice"]) == ("0", "", "", "3")
    assert "not in this result" in terminal_table([old, result("ben")], 80).plain


# ---- the terminal ----


def printed(results, width=80):
    console = Console(width=width, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(terminal_table(results, console.width))
    text = console.export_text()
    assert max(map(cell_len, text.splitlines())) <= width
    return text


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("plan", PLAN, ids=lambda plan: plan["lesson"])
def test_the_table_of_every_lesson_fits_with_no_heading_cut(plan, width):
    lesson, names = plan["lesson"], [*plan["checks"], *plan["graded"], *plan["texts"], "two-hundred-plus-one-hundred"]
    graded = tuple(Graded(name, "exercise", "not attempted", 2.5, 10.0, "") for name in names)
    wide = "欧阳娜娜" * 9
    text = printed([Result(wide, lesson, "", 1, graded), Result("Ben", lesson, "", 1, graded)], width)
    for number, name in enumerate(names, 1):
        assert f"{number} {name}" in " ".join(text.split())
    assert "…" in text or width > 100
    assert " Ben" not in text  # at the beginning of its line


def test_names_are_shown_as_they_are_and_steer_nothing():
    text = printed([result(HOSTILE, problems=["*Not* a `notebook`: [bold]"]), result("王小明", 2.5), result("Zoë")])
    assert '=HYPERLINK("http://x";"[red]�]0;owned��grade")' in text
    assert "Not a notebook: [bold]" in text
    lines = [line for line in text.splitlines() if line[:3] in ("王小明", "Zoë")]
    score = {line[:3]: cell_len(line.split(" 5 ")[0]) for line in lines}
    assert len(score) == 2
    assert len(set(score.values())) == 1  # what follows a wide name stands in its column


def test_texts_and_flags_are_marked():
    text = printed([result("ana", 0, texts=2), result("ben", 0, state="flagged")])
    assert "1 dice              3   0.0       0  1 wrong, 1 flagged" in text
    assert "4 report-0          2     -       -  1 by hand" in text
    assert "? waits to be graded by hand; ! flagged" in text
    assert "0!" in text


def test_of_a_large_class_those_to_look_at_are_shown():
    many = [result(f"student{k:03}") for k in range(300)]
    text = printed(many)
    assert "All 300 are in grades/02_overlap.csv in the course folder. None has problems." in " ".join(text.split())
    assert "student007" not in text
    text = printed([*many, result("zoe", problems=["No notebook."]), result("max", 0, state="flagged")])
    assert "zoe: No notebook." in text
    assert "max" in text
    assert "student007" not in text
    text = printed([replace(one, problems=("Broken.",)) for one in many])
    assert "Of the 300 to look at, the first 40" in " ".join(text.split())
    assert "student039" in text
    assert "student040" not in text
    assert printed([]) == "There are no results.\n"


# ---- Canvas ----

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,01 Pixels (901),02 Overlap (902),Notes,Current Score\r\n"
    ",,,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,18.00,9.00,,(read only)\r\n"
    '"García, Ana",101,S1,ana@uni.edu,"Lab ""A"", 2026",18.00,,"a, b\r\nc",93.5\r\n'
    '"Smith, John",102,S2,js1,Lab,1.00,7.00,,\r\n'
    '"Smith, John",103,S3,js2,Lab,2.00,"7,5",,\r\n'
    "Ng,104,,ng@uni.edu,Lab,,EX,,\r\n"
    '"=""=1+1""",105,S5,evil,Lab,,,,\r\n'
    '"Student, Test",106,,f00,Lab,,,,\r\n'
)


def test_a_canvas_export_is_filled_and_nothing_else_is_touched():
    results = [result("garcíaana_101", 2.5), result("js1"), result("S3", 1.5), result("evil", 0)]
    text, lines = fill_canvas(CANVAS, results)
    expected = CANVAS.replace('2026",18.00,,', '2026",18.00,8.5,').replace("1.00,7.00,", "1.00,9,")
    assert text == expected.replace("evil,Lab,,,,", "evil,Lab,,6,,")  # 7,5 is 7.5, so it stays as it is
    assert said(lines, "Filled") == "4 rows"
    assert said(lines, "Other grades were there, and are replaced") == "Smith, John (7.00)"
    assert said(lines, "In the sheet without a result that is surely theirs, so left as they are") == "Ng"
    assert len(lines) == 3


@pytest.mark.parametrize(
    "student",
    [
        "GarciaAna_101",
        "anagarcía_101",
        "101",
        "s1",
        "ana@uni.edu",
        "García,  Ana",
        "Ana García",
        "Ana Garci\u0301a",
    ],
)
def test_a_student_is_found_by_each_of_their_names(student):
    text, _ = fill_canvas(CANVAS, [result(student)])
    assert text == CANVAS.replace('2026",18.00,,', '2026",18.00,9,')


def test_who_could_be_two_is_filled_in_for_nobody():
    results = [result("John Smith"), result("garciaana_101"), result("ana@uni.edu"), result("ben_102"), result(HOSTILE)]
    text, lines = fill_canvas(CANVAS, results)
    assert text == CANVAS
    unsure = said(lines, "More than one could be meant, so none was filled")
    assert "John Smith (Smith, John in row 5, Smith, John in row 6)" in unsure
    assert "garciaana_101 and ana@uni.edu (García, Ana)" in unsure
    lost = said(lines, "Not in the sheet")
    assert lost.startswith("ben_102 (the number is that of Smith, John); =HYPERLINK")
    assert lost.isprintable()
    without = said(lines, "In the sheet without a result that is surely theirs, so left as they are")
    assert without == 'Smith, John; Smith, John; Ng; ="=1+1"'


def test_an_excused_student_stays_excused():
    text, lines = fill_canvas(CANVAS, [result("ng@uni.edu")])
    assert text == CANVAS
    assert said(lines, "Excused, or the assignment is not theirs, so left as they are") == "Ng (EX)"


def test_semicolons_and_names_in_two_columns_are_read():
    sheet = (
        "LastName;FirstName;ID;SIS Login ID;Section;2 · Overlap (1);12 Overlap (2)\n"
        "    Points Possible;;;;;9,00;10,00\nGarcía;Ana;101;ana;A;3,00;\n"
    )
    text, lines = fill_canvas(sheet, [result("garcíaana_101", 2.5)])
    assert text == sheet.replace("3,00;", "8.5;")
    assert said(lines, "Other grades were there, and are replaced") == "García, Ana (3,00)"


def test_points_that_differ_in_canvas_texts_and_flags_are_said():
    _, lines = fill_canvas(CANVAS, [result("js1", texts=2), result("js2", 0, state="flagged")])
    assert "set it to 13 points" in said(lines, "The assignment counts 9 points in Canvas, and 13 here")
    assert said(lines, "Without the points for report-0, report-1, up to 4, which wait to be graded by hand")
    assert said(lines, "Flagged, so look at these before you upload") == "js2"


@pytest.mark.parametrize("column", ["01 Pixels", "901", " 01 Pixels (901)"])
def test_a_column_can_be_named(column):
    text, _ = fill_canvas(CANVAS, [result("ng@uni.edu")], column)
    assert text == CANVAS.replace("Lab,,EX", "Lab,9,EX")


@pytest.mark.parametrize(
    ("old", "new", "column", "words"),
    [
        (
            "02 Overlap",
            "Dice and IoU",
            None,
            r"No column .* name of 02_overlap.* 01 Pixels \(901\); Dice .*--column",
        ),
        ("01 Pixels", "02 overlap: late", None, r"2 columns .* 02 overlap: late \(901\); 02 Overlap \(902\)\. Name"),
        ("", "", "Notes", "No column of this export has the name or id 'Notes'"),
        ("Student,ID", "Name,ID", None, "not Canvas's gradebook: .* In Canvas choose Grades, Export"),
        ('"Smith, John",102', '"Smith, John,102', None, "Row 5 of the sheet has .* a quote is missing"),
    ],
)
def test_an_export_that_cannot_be_filled_says_why(old, new, column, words):
    with pytest.raises(ExportError, match=words):
        fill_canvas(CANVAS.replace(old, new, 1), [result("ng@uni.edu")], column)


# ---- Moodle ----

MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    'Participant 1234567,Ana García,ana@uni.edu,Submitted for grading,,100.00,Yes,"Friday, 2 October",-,"<p>1\n2</p>"\n'
    'Participant 1234568,"Ray, Ben",ben@uni.edu,Submitted for grading,50.00,100.00,Yes,-,-,\n'
    "Participant 1234569,Zoë Li,zoe@uni.edu,Submitted for grading,,100.00,No,-,-,\n"
)


def test_a_moodle_worksheet_is_filled_in_parts_of_its_maximum():
    students = ["ben@uni.edu", "Zoë Li_1234569", "Max_1234568"]
    results = [result("Ana García_1234567", 2.5), *map(result, students)]
    text, lines = fill_moodle(MOODLE, results)
    assert text == MOODLE.replace(",,100.00", ",94.44444,100.00", 1).replace("50.00,100.00", "100,100.00")
    assert said(lines, "Filled") == "2 rows"
    assert said(lines, "Other grades were there, and are replaced") == "Ray, Ben (50.00)"
    assert said(lines, "Their grade is locked in Moodle, so it stays as it is") == "Zoë Li"
    assert said(lines, "Not in the sheet") == "Max_1234568 (the number is that of Ray, Ben)"


def test_texts_count_as_points_that_are_not_there_yet():
    text, lines = fill_moodle(MOODLE.replace("100.00", '"25,00"'), [result("Ana García_1234567", 0, 0, texts=6)])
    assert ',1.19048,"25,00"' in text  # 1 of 21
    assert said(lines, "Without the points for report-0, ")


def test_a_worksheet_without_names_goes_by_numbers():
    blind = "Identifier;Status;Grade;Maximum grade\r\nParticipant 77;Submitted;;10,00\r\n"
    text, _ = fill_moodle(blind, [result("Participant_77", 0)])
    assert text == blind.replace(";;10,00", ";6.66667;10,00")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Identifier,Full name", "ID,Vollständiger Name", "no column identifier.*set Moodle to English"),
        ("Maximum Grade", "Scale", "no column maximum grade"),
        ("100.00", "-", "Row 2 .* '-' as its maximum grade; it must be a number above 0"),
    ],
)
def test_a_worksheet_that_cannot_be_filled_says_why(old, new, words):
    with pytest.raises(ExportError, match=words):
        fill_moodle(MOODLE.replace(old, new), [result("ben@uni.edu")])


# ---- Gradescope ----


def test_gradescope_gets_points_and_reasons_as_text():
    graded = result("ana", 0, problems=["The cell of `dice`\x1b is <b>."], texts=1)
    data = gradescope(graded)
    assert (data["score"], data["output_format"], data["stdout_visibility"]) == (6.0, "text", "hidden")
    assert data["output"] == "The cell of dice� is <b>.\nGraded by hand, and not in this score: report-0 (2 points)."
    assert [test["name"] for test in data["tests"]] == [*POINTS]
    assert data["tests"][0] == {
        "name": "dice",
        "score": 0,
        "max_score": 3.0,
        "status": "failed",
        "output": "Because.",
        "output_format": "text",
        "visibility": "after_published",
    }
    by_hand = Graded("report-0", "manual", "passed", 2.0, 2.0, "")
    assert gradescope(replace(graded, graded=(by_hand,)))["tests"][0]["status"] == "passed"


# ---- all of them ----


@pytest.fixture
def course(tmp_path):
    store = Store(tmp_path / "course" / "results")
    for one in (result("garcíaana_101", 2.5), result(HOSTILE, 0)):
        store.write(one)
    (tmp_path / "grades.csv").write_bytes(CANVAS.encode())
    (tmp_path / "sheet.csv").write_bytes(MOODLE.encode())
    return tmp_path / "course"


def test_everything_is_written_beside_what_was_given(course):
    here = course.parent
    lines = export.write(LESSON, course, here / "grades.csv", here / "sheet.csv", here / "gs")
    assert (here / "grades.csv").read_bytes() == CANVAS.encode()
    filled = (here / "grades-02_overlap-filled.csv").read_bytes()
    assert filled == CANVAS.encode().replace(b'2026",18.00,,', b'2026",18.00,8.5,')
    assert (here / "sheet-02_overlap-filled.csv").exists()
    assert (course / "grades" / f"{LESSON}.csv").read_bytes().startswith("\ufeffstudent".encode())
    assert json.loads((here / "gs" / "garcíaana_101" / "results.json").read_text(encoding="utf-8"))["score"] == 8.5
    assert len([*(here / "gs").iterdir()]) == 2
    assert "  Filled: 1 row." in lines
    assert all(line.isprintable() for line in lines)


def test_nothing_is_written_where_one_thing_is_wrong(course):
    here = course.parent
    (here / "ansi.csv").write_bytes(CANVAS.encode("cp1252", "ignore"))
    for name, words in {"ansi.csv": "not UTF-8", "no.csv": "cannot be read", "": "cannot be read"}.items():
        with pytest.raises(ExportError, match=words):
            export.write(LESSON, course, here / name, here / "sheet.csv")
    with pytest.raises(ExportError, match="There are no results of 03_none"):
        export.write("03_none", course)
    (here / "file").write_text("")
    assert not (course / "grades").exists()
    assert not (here / "sheet-02_overlap-filled.csv").exists()
    with pytest.raises(ExportError, match="cannot be written"):
        export.write(LESSON, course, gradescope_folder=here / "file")

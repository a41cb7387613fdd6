"""`python course.py VERB`: the commands that run inside the environment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from helpers.extras import extra

with extra("class", SystemExit):
    import typer
    from rich.console import Console

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()
Keys = Annotated[Path | None, typer.Option(help="A folder of keys to graded questions, in place of the course's.")]


def say(text: str, target: Console = console, style: str | None = None) -> None:
    """Print text as it is: no markup, no highlighting, no line broken."""
    target.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def clear_errors(*kinds: type[Exception], target: Console = console) -> Iterator[None]:
    """Turn errors of these kinds into one message and exit code 1."""
    try:
        yield
    except kinds as error:
        say(str(error), target, style="red")
        raise typer.Exit(1) from None


@app.callback()
def main() -> None:
    """Build U-Net, piece by piece: what authors and instructors run."""


@app.command()
def build(
    if_stale: Annotated[bool, typer.Option("--if-stale", help="Do nothing when nothing has changed.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also replace notebooks in which somebody has written.")
    ] = False,
    keys: Keys = None,
) -> None:
    """Make notebooks/ and the nbgrader course folder from the lessons."""
    from autograde import build_cache

    if if_stale and build_cache.up_to_date(build_cache.ROOT / "notebooks", build_cache.ROOT / "course"):
        return
    from autograde import build as builder
    from autograde import released
    from autograde.answer_keys import KEYS

    with clear_errors(builder.BuildError), console.status("Building the notebooks"):
        report = builder.build(force=force, keys_folder=keys or KEYS)
        released.publish(released.read())
    for what, lessons in (("written", report.written), ("unchanged", report.unchanged)):
        if lessons:
            console.print(f"{what}: {', '.join(lessons)}")
    for lesson in report.kept:
        console.print(
            f"notebooks/{lesson}/{lesson}.ipynb holds your work, so it was left as it is. The lesson has changed "
            "since; to take the new version, move yours away, or run `python course.py build --force` to replace it."
        )


Lesson = Annotated[str, typer.Argument(help="The lesson, such as 02_overlap.")]
Submissions = Annotated[
    Path, typer.Option(help="Folder or zip: one folder a student, nbgrader's, or what Canvas or Moodle hands out.")
]
Course = Annotated[Path | None, typer.Option(help="The nbgrader course folder, if not course/.")]
Database = Annotated[str | None, typer.Option(help="URL of nbgrader's database, in place of a file in the course.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are processors.")]
Unsafe = Annotated[bool, typer.Option("--unsafe", help="Run students' code unlocked where it cannot be locked in.")]


@app.command()
def grade(
    lesson: Lesson,
    submissions: Submissions,
    course: Course = None,
    keys: Keys = None,
    gradebook: Database = None,
    workers: Workers = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler that judges instead.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Also grade what has been graded.")] = False,
    unsafe: Unsafe = False,
) -> None:
    """Grade a class: gradebook, feedback pages, report, CSV. Stopped or killed, the same command goes on."""
    from autograde import grade as grading
    from autograde.nbgrader_course import COURSE

    with clear_errors(grading.GradingError):
        grading.grade_class(
            lesson,
            submissions,
            course or COURSE,
            workers=workers,
            scheduler=scheduler,
            keys_folder=keys,
            gradebook=gradebook,
            force=force,
            unsafe=unsafe,
            console=console,
        )


@app.command()
def regrade(
    lesson: Lesson,
    submissions: Submissions,
    course: Course = None,
    keys: Keys = None,
    gradebook: Database = None,
    workers: Workers = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
    unsafe: Unsafe = False,
) -> None:
    """Grade again, after an exercise has changed, and say whose points move before anything is written."""
    from autograde import grade as grading
    from autograde.nbgrader_course import COURSE

    def approve(moved: list[grading.Moved]) -> bool:
        for one in moved:
            before = "none" if one.before is None else f"{one.before:g}"
            say(f"{one.student}: {one.name} {before} -> {one.after:g}")
        say(f"Students whose points move: {len({one.student for one in moved})}.")
        if yes or typer.confirm("Write it?"):
            return True
        say("Nothing was written.")
        return False

    with clear_errors(grading.GradingError):
        grading.grade_class(
            lesson,
            submissions,
            course or COURSE,
            workers=workers,
            keys_folder=keys,
            gradebook=gradebook,
            force=True,
            unsafe=unsafe,
            approve=approve,
            console=console,
        )


@app.command()
def rehearse(
    lesson: Annotated[str, typer.Argument(help="The lesson, such as 02_overlap.")] = "02_overlap",
    students: Annotated[int, typer.Option(min=1, help="How many hand in.")] = 30,
) -> None:
    """Make up a class and grade it, to have seen it before the day; exit code 1 where a score is not as planned."""
    from autograde import grade as grading
    from autograde import rehearse as rehearsal

    with clear_errors(grading.GradingError):
        said = rehearsal.rehearse(lesson, students, console=console)
    for line in said:
        say(line, style="red")
    say(f"{students - len(said)} of {students} scores are as planned. The class is in {rehearsal.PLACE}.")
    if said:
        raise typer.Exit(1)


@app.command()
def hub_config(
    instructor: Annotated[list[str], typer.Option(help="Name of an instructor on the hub; may be repeated.")],
    course: Annotated[str, typer.Option(help="The nbgrader course folder on the hub's machine.")],
    exchange: Annotated[str, typer.Option(help="The folder through which work goes.")] = "/srv/nbgrader/exchange",
) -> None:
    """Write what a JupyterHub with nbgrader needs, and say what is left to do."""
    from autograde import hub

    with clear_errors(ValueError):
        for line in hub.write_config(instructor, course, exchange):
            say(line)


@app.command()
def export(
    lesson: Lesson,
    canvas: Annotated[Path | None, typer.Option(help="Canvas's gradebook as exported, to be filled in.")] = None,
    column: Annotated[
        str | None, typer.Option(help="Title or number of the assignment there, if not the lesson's name.")
    ] = None,
    moodle: Annotated[Path | None, typer.Option(help="Moodle's grading worksheet in English, to be filled in.")] = None,
    gradescope: Annotated[Path | None, typer.Option(help="A folder for a results.json of each submission.")] = None,
    course: Course = None,
) -> None:
    """Write what was graded as a table, and into the gradebooks of Canvas, Moodle and Gradescope."""
    from autograde import export as exporting
    from autograde.nbgrader_course import COURSE

    with clear_errors(exporting.ExportError):
        for line in exporting.write(lesson, course or COURSE, canvas, moodle, gradescope, column):
            say(line)


@app.command()
def accuracy(
    exercise: Annotated[list[str] | None, typer.Option(help="Measure this one only; may be repeated.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds; the published measure has 20.")] = 3,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are processors.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list and nothing else.")] = False,
    missed: Annotated[bool, typer.Option("--missed", help="Also list what was missed, on standard error.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Put it into docs/accuracy.json and the README.")] = False,
) -> None:
    """Measure the checks: wrong answers caught and named, right ones accepted."""
    import json
    from dataclasses import asdict

    from autograde import accuracy as measured
    from helpers import exercises

    errors = Console(stderr=True)
    with clear_errors(ValueError, target=errors), errors.status("Measuring") as status:
        names = [exercises.load(name).name for name in exercise] if exercise else exercises.names()
        outcomes = measured.measure(
            names, seeds, jobs, lambda done, of: status.update(f"Measuring: {done} of {of} exercises × seeds")
        )
        rows = [measured.row(name, outcomes[name]) for name in names]
        if write:
            measured.store(rows, seeds)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows]))
    else:
        console.print(measured.terminal_table(rows))
    if missed:
        say(measured.missed_text(outcomes), errors)


@app.command()
def evidence(
    folder: Annotated[str, typer.Argument(help="A set of answers: a folder in tests/evidence.")],
    exercise: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Put the counts of the whole set into the README.")] = False,
) -> None:
    """Check answers by people who saw the task texts alone: what is not as it should be, and the counts. Minutes."""
    from autograde import evidence as held
    from autograde import markdown
    from helpers.data.validation import check_choice

    with clear_errors(ValueError):
        check_choice("set", folder, sorted(path.name for path in held.FOLDER.iterdir()))
        verdicts = []
        for answer in held.answers(held.FOLDER / folder):
            if exercise is None or answer.exercise in exercise:
                verdicts.append((answer, held.examine(answer)))
                if what := held.amiss(*verdicts[-1]):
                    say(f"{what}: {answer.exercise}: {answer.what}\n    {verdicts[-1][1].message}")
        row = held.row(held.FOLDER / folder, verdicts)
        say(markdown.table(held.TABLE.headings, [row]))
        if write and exercise is None:
            held.TABLE.publish(row)


@app.command()
def located(
    folder: Annotated[
        str | None, typer.Argument(help="A set of answers in tests/evidence; mutants if left out.")
    ] = None,
    exercise: Annotated[list[str] | None, typer.Option(help="Of the mutants, only of this; may be repeated.")] = None,
    number: Annotated[int, typer.Option(min=1, help="Mutants of each exercise.")] = 20,
    seed: Annotated[int, typer.Option(help="From which the mutants are drawn.")] = 0,
    write: Annotated[bool, typer.Option("--write", help="Put the counts into the README.")] = False,
) -> None:
    """Ask `where` about wrong answers: what it says of each, and the counts. Minutes; of all mutants an hour."""
    from autograde import located as asking
    from autograde import markdown
    from helpers import exercises
    from helpers.checks.one_change import LEVELS, Located
    from helpers.data.validation import check_choice

    with clear_errors(ValueError):
        if folder:
            check_choice("set", folder, sorted(path.name for path in asking.evidence.FOLDER.iterdir()))
            about, asked = folder, asking.of_evidence(asking.evidence.FOLDER / folder)
        else:
            about = f"{number} mutants of each exercise"
            names = [exercises.load(name).name for name in exercise or exercises.names()]
            asked = (one for name in names for one in asking.of_mutants(name, number, seed))
        kept = []
        for one in asked:
            kept.append(one)
            said = [one.found.said(k + 1) for k in range(LEVELS)] if isinstance(one.found, Located) else [one.found]
            say(f"{one.exercise}: {one.what}{' (named)' * one.named}{' (another line)' * (one.right is False)}")
            say("\n".join(f"    {text}" for text in said))
        row = asking.row(about, kept)
        say(markdown.table(asking.TABLE.headings, [row]))
        if write and exercise is None:
            asking.TABLE.publish(row)


@app.command()
def check() -> None:
    """For authors: format, lint, types, and the tests of what has changed; under a minute."""
    from autograde import check as checking

    with clear_errors(ValueError):
        passed = checking.run(lambda line: say(line, style="bold"))
    if not passed:
        raise typer.Exit(1)


@app.command()
def architecture() -> None:
    """Draw the parts of the course and what they import: docs/architecture.md."""
    from autograde import architecture as drawn
    from autograde.files import write

    write(drawn.PAGE, drawn.page())


@app.command()
def release(
    repository: Annotated[str, typer.Option(help="Its address, such as https://github.com/NAME/REPOSITORY.")],
    tag: Annotated[str, typer.Option(help="Of this release: v and the version in pyproject.toml.")],
) -> None:
    """Make dist/course-v….zip, what a student is given, and have the notebooks fetch it and the README link to it."""
    from autograde import release as releasing
    from autograde import released

    with clear_errors(releasing.ReleaseError):
        releasing.address(repository, tag)
    build()  # the archive holds the plan of the lessons as they are now
    made = releasing.release(repository, tag)
    released.keep(made)
    build()
    say(
        f"dist/{made.file}, release.json, the notebooks and the README are made. What is left to do, in this order:\n"
        f"  1. commit   release.json README.md notebooks/ helpers/plan.json\n"
        f"  2. tag      git tag {tag} && git push origin HEAD {tag}\n"
        f"  3. upload   dist/{made.file}, as a file of the release {made.repository}/releases/new?tag={tag}"
    )


@app.command()
def site(
    lessons: Annotated[list[str] | None, typer.Argument(help="Only these lessons, such as 02_overlap.")] = None,
    out: Annotated[Path | None, typer.Option(help="The folder to write, if not dist/site.")] = None,
) -> None:
    """Make a website of the lessons, with an article, glossary and guides: dist/site. At first a quarter of an hour."""
    from autograde import site as website
    from helpers.data.validation import check_choice

    with clear_errors(ValueError, website.SiteError):
        for lesson in lessons or []:
            check_choice("lesson", lesson, website.LESSONS)
        website.build(lessons or website.LESSONS, out or website.OUT, say)
    say(f"The site is in {out or website.OUT}: open index.html there.")


@app.command()
def messages() -> None:
    """Print what students are told of every misconception, on one page."""
    from autograde.messages import page

    styles = {"exercise": "bold underline", "name": "bold"}
    for kind, line in page(min(console.width, 100)):
        say(line, style=styles.get(kind))


@app.command()
def lessons(
    measure: Annotated[list[str] | None, typer.Option(help="Run this lesson first; may be repeated, or all.")] = None,
) -> None:
    """Put the time and the memory of the lessons into docs/lessons.json, and all about them into the README's table."""
    from autograde import lesson_table
    from autograde.build_cache import lesson_names
    from helpers.data.validation import check_choice

    wanted = lesson_names() if measure == ["all"] else measure or []
    with clear_errors(ValueError, RuntimeError):
        for lesson in wanted:
            check_choice("lesson", lesson, lesson_names())
        for lesson in wanted:
            say(f"Measuring {lesson} …")
            began = time.perf_counter()
            lesson_table.measure(lesson)
            measured = lesson_table.collect([lesson])
            measured[lesson]["cost"] = round(time.perf_counter() - began)
            say(lesson_table.compared(lesson, measured[lesson], lesson_table.read().get(lesson)))
            lesson_table.publish(measured)
    lesson_table.publish({})


@app.command()
def claims(
    lessons: Annotated[list[str] | None, typer.Argument(help="Only these lessons, such as 07_skips.")] = None,
) -> None:
    """Run every lesson on other seeds and with other right answers, and see whether what it concludes holds. An hour.

    What was found is kept in docs/claims.json.
    """
    from autograde import claims as claiming
    from helpers.data.validation import check_choice

    names = [name for name in claiming.lesson_names() if claiming.claims_of(name)]
    with clear_errors(ValueError, RuntimeError):
        for name in lessons or []:
            check_choice("lesson", name, names)
        wrong = [problem for name in lessons or names for problem in claiming.measure(name, say)]
    say("\n".join(wrong) or "Every claim holds, and fails where it must.")
    if wrong:
        raise typer.Exit(1)


@app.command()
def bench(
    what: Annotated[
        str,
        typer.Argument(
            help="training: the course's network and its rivals. folder: whether training waits for the disk. widgets: "
            "how quickly they answer. grading: a class, beside plain nbgrader. skips, race: for lessons 07 and 10."
        ),
    ],
    dataset: Annotated[list[str] | None, typer.Option("--data", help="nuclei or brain; may be repeated.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only these of the table's models; may be repeated.")] = None,
    seconds: Annotated[list[float] | None, typer.Option(help="Budgets other than the published ones.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="The published table has 5.")] = 5,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the stored results first.")] = False,
) -> None:
    """Measure quality and speed side by side, and write docs/benchmarks.md. Takes hours; stopped, it goes on later.

    Of widgets, measure how quickly they answer, and write docs/widgets.md: some minutes. Of a folder, some
    minutes; of grading, half an hour; of skips and race, ten minutes each.
    """
    from autograde.bench import grading, page, race, skips, training, widgets

    errors = Console(stderr=True)

    def tell(line: str) -> None:
        say(line, errors)

    with clear_errors(ValueError, RuntimeError, target=errors):
        if what == "widgets":
            table = widgets.table(widgets.run())
        elif what in ("skips", "race"):
            made = skips if what == "skips" else race
            made.run(tell)
            table = f"{made.STORED.name} is written."
        elif what in ("grading", "folder"):
            (grading.run if what == "grading" else training.measure_folder)(tell)
            page.write_page()
            table = f"{page.PAGE.name} is written."
        else:
            training.check(what, dataset or [], model or [])
            if fresh:
                training.STORED.unlink(missing_ok=True)
            wanted = training.jobs(dataset or training.SECONDS, model or training.MODELS, seeds, seconds)
            results = training.run(wanted, tell)
            training.measure_steps(tell)
            page.write_page()
            table = page.table(results)
    say(table)


if __name__ == "__main__":
    with extra("class", SystemExit):  # what a verb needs is imported when it is called
        app()

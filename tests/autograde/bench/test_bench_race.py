"""The seeds of lesson 10, trained beforehand."""

from autograde.bench import race
from autograde.build_cache import LESSONS
from helpers import measured


def test_what_was_trained_beforehand_is_not_stale():
    """Where this fails: `python course.py bench race`, ten minutes."""
    found = measured.read("race")
    assert found["of"] == race.of()
    assert (found["settings"], len(found["runs"])) == ({"steps": race.STEPS, **race.SETTINGS}, race.SEEDS)
    for run in found["runs"]:
        assert set(run["changes"]) == set(race.CHANGES)
        for what, sizes in race.SIZES.items():
            assert {size: set(dices) for size, dices in run[what].items()} == {str(n): set(race.STEPS) for n in sizes}


def test_the_lesson_trains_in_the_same_way():
    lesson = (LESSONS / "10_baseline.py").read_text(encoding="utf-8")
    said = (f"STEPS = {race.STEPS}", str(race.SETTINGS).replace("0.003", "3e-3")[:-1], str(race.ORDER["brain"]))
    assert [one for one in said if one.replace("'", '"') not in lesson] == []

"""The five seeds of lesson 07, trained beforehand."""

from autograde.bench import skips
from autograde.build_cache import LESSONS
from helpers import measured


def test_what_was_trained_beforehand_is_not_stale():
    """Where this fails: `python course.py bench skips`, ten minutes."""
    found = measured.read("skips")
    assert found["of"] == skips.of()
    assert (found["settings"], len(found["runs"])) == (skips.SETTINGS, skips.SEEDS)
    assert all(set(run) == set(skips.NETWORKS) for run in found["runs"])


def test_the_lesson_trains_in_the_same_way():
    settings = ", ".join(f"{name}={value}" for name, value in skips.SETTINGS.items()).replace("0.01", "1e-2")
    assert f"fit(model, train, validation, {settings}, seed=" in (LESSONS / "07_skips.py").read_text(encoding="utf-8")
    settings = ", ".join(f'"{name}": {value}' for name, value in skips.SETTINGS.items()).replace("0.01", "1e-2")
    assert f'settings = {{{settings}, "seed": ' in (LESSONS / "06_decoder.py").read_text(encoding="utf-8")

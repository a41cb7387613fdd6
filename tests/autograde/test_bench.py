"""The bench: what is run and kept, and the page made from it. One real run, small."""

import json
import math

import pytest

from autograde import bench


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The stored results and the page somewhere else."""
    monkeypatch.setattr(bench, "STORED", tmp_path / "benchmarks.json")
    monkeypatch.setattr(bench, "PAGE", tmp_path / "benchmarks.md")
    return tmp_path


def result(model, seed, iou, **more):
    job = {"data": "nuclei", "model": model, "seconds": 15, "seed": seed}
    return {**job, "parameters": 120_000, "iou": iou, "dice": 0.9, "boundary": None, "steps": 100 + seed, **more}


def test_models_take_turns_and_otsu_runs_once():
    wanted = bench.jobs(["nuclei", "brain"], ["course", "otsu"], 2, [15])
    assert [(j["data"], j["model"], j["seed"]) for j in wanted] == [
        ("nuclei", "course", 0),
        ("nuclei", "otsu", 0),
        ("nuclei", "course", 1),
        ("brain", "course", 0),
        ("brain", "course", 1),
    ]


def test_real_runs_are_stored_and_not_repeated(place):
    wanted = bench.jobs(["nuclei"], ["otsu", "course"], 1, [1])
    told = []
    results = bench.run(wanted, told.append, rates=(3e-3,))
    assert len(told) == 2
    otsu, course = results
    assert 0.6 < otsu["iou"] < 0.75
    assert course["steps"] > 0
    assert 0 <= course["f1"] <= 1
    assert 0 <= course["f1_whole"] <= 1
    assert course["iou_train"] > 0
    assert course["memory_mb"] > 100
    assert bench.run(wanted, told.append, rates=(3e-3,)) == results
    assert len(told) == 2
    bench.write_page()
    assert "Otsu's threshold" in (place / "benchmarks.md").read_text()


def test_each_model_is_trained_with_the_rate_that_validated_best(place, monkeypatch):
    """What is asked of the processes, and what is made of their answers; the processes themselves ran above."""
    asked = []

    def answer(job):
        asked.append(job)
        best = 1e-3 if job["model"] == "resnet18" else 1e-2
        return {**job, "validation_iou": 1 - abs(math.log(job["rate"] / best))} if job.get("trial") else job

    monkeypatch.setattr(bench, "_train", answer)
    wanted = bench.jobs(["nuclei"], ["course", "resnet18"], 2, [1])
    runs = bench.run(wanted, print)
    assert [(r["model"], r["rate"]) for r in runs] == [("course", 1e-2), ("resnet18", 1e-3)] * 2
    assert sum("trial" in job for job in asked) == 2 * len(bench.RATES)  # once a model, not once a seed


def test_a_run_that_fails_says_why_and_keeps_the_others(place):
    done = result("course", 0, 0.9)
    bench._store({"runs": [done]})
    with pytest.raises(RuntimeError, match="KeyError: 'nonsense'"):
        bench.run([{**done, "seed": 1, "model": "nonsense"}], print, rates=(3e-3,))
    assert bench.read() == [done]


def test_the_table_is_sorted_and_gives_mean_and_spread():
    runs = [result("resnet18", 0, 0.80), result("course", 0, 0.90), result("course", 1, 0.92)]
    lines = bench.table(runs).splitlines()
    assert lines[0] == "### `nuclei`, 15 seconds, 2 seeds"
    assert "0.910 ± 0.014" in lines[4]
    assert "the course's U-Net" in lines[4]
    assert "ResNet-18" in lines[5]


def test_the_time_to_an_iou_is_a_ratio_and_missing_where_a_seed_never_got_there():
    runs = [
        result("course", 0, 0.9, first_reached=4.0),
        result("resnet18", 0, 0.89, first_reached=10.0),
        result("2015", 0, 0.2, first_reached=None),
    ]
    table = bench.table(runs)
    assert "| 4.0 s |" in table
    assert "| 10.0 s (2.5×) |" in table
    assert "| not reached |" in table


def test_the_page_says_what_was_reached_and_what_the_borders_cost(place):
    more = {"iou_train": 0.89, "tolerant_iou": 0.99, "f1": 0.94, "f1_whole": 0.97}
    runs = [result("course", 0, iou, **more) | {"seconds": s} for s, iou in ((15, 0.902), (90, 0.905))]
    bench._store({"runs": runs})
    bench.write_page()
    page = (place / "benchmarks.md").read_text()
    assert "| test IoU on `nuclei` in 15 s | 0.90 | 0.902 | yes |" in page
    assert "| test IoU on `nuclei` in 90 s | 0.91 | 0.905 | no |" in page
    assert "so 89% of what is missing lies there" in page
    assert "15 s gave 0.902" in page
    assert "an F1 of 0.940; without those that a side" in page
    assert "it is 0.970" in page
    assert "Where a rival is ahead" not in page
    assert "brain" not in page.partition("### To reach")[2]


def test_the_page_says_where_a_rival_is_ahead_and_when_that_may_be_luck(place):
    ours = [result("course", s, iou, iou_eight=iou, boundary=0.7) for s, iou in enumerate((0.900, 0.904))]
    theirs = [result("pretrained", s, iou, iou_eight=iou + 0.02, boundary=0.6) for s, iou in enumerate((0.902, 0.904))]
    worse = [result("monai", s, 0.8, iou_eight=0.8, boundary=0.9) for s in range(2)]
    bench._store({"runs": ours + theirs + worse})
    bench.write_page()
    page = (place / "benchmarks.md").read_text().partition("Where a rival is ahead")[2]
    rival = "smp.Unet, EfficientNet-Lite0, ImageNet weights"
    assert f"| `nuclei`, 15 s | IoU | {rival} | 0.903 | 0.902 | ≈ 0.001 |" in page
    assert f"| `nuclei`, 15 s | IoU, eight views | {rival} | 0.923 | 0.902 | 0.021 |" in page
    assert f"| `nuclei`, 15 s | border, pixels | {rival} | 0.60 | 0.70 | 0.10 |" in page
    assert "MONAI" not in page
    assert "Dice" not in page  # both have the same


@pytest.mark.parametrize(
    ("what", "datasets", "models", "said"),
    [
        ("speed", [], [], "no bench 'speed'"),
        ("training", ["cells"], [], "no data set of the bench 'cells'"),
        ("training", [], ["vit"], "no model of the bench 'vit'.*'resnet18'"),
    ],
)
def test_what_there_is_not_is_refused(what, datasets, models, said):
    with pytest.raises(ValueError, match=said):
        bench.check(what, datasets, models)


def test_the_committed_page_is_that_of_the_committed_results(place, monkeypatch):
    committed = bench.ROOT / "docs"
    if not (committed / "benchmarks.json").exists():
        pytest.skip("no bench has been run and published yet")
    stored = json.loads((committed / "benchmarks.json").read_text())
    bench.STORED.write_text(json.dumps(stored))
    bench.write_page()
    assert (place / "benchmarks.md").read_text() == (committed / "benchmarks.md").read_text()

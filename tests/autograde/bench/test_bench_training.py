"""The bench: what is run and kept, and the page made from it. One real run, small."""

import math

import pytest

from autograde.bench import page, training


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The stored results and the page somewhere else."""
    monkeypatch.setattr(training, "STORED", tmp_path / "benchmarks.json")
    monkeypatch.setattr(page, "PAGE", tmp_path / "benchmarks.md")


def written(runs):
    """The page of these results."""
    training.store(runs=runs)
    page.write_page()
    return page.PAGE.read_text()


def result(model, seed, iou, **more):
    job = {"data": "nuclei", "model": model, "seconds": 15, "seed": seed}
    return {**job, "parameters": 120_000, "iou": iou, "dice": 0.9, "boundary": None, "steps": 100 + seed, **more}


def test_models_take_turns_and_otsu_runs_once():
    wanted = training.jobs(["nuclei", "brain"], ["course", "otsu"], 2, [15])
    assert [(j["data"], j["model"], j["seed"]) for j in wanted] == [
        ("nuclei", "course", 0),
        ("nuclei", "otsu", 0),
        ("nuclei", "course", 1),
        ("brain", "course", 0),
        ("brain", "course", 1),
    ]


def test_real_runs_are_stored_and_not_repeated(place):
    wanted = training.jobs(["nuclei"], ["otsu", "course"], 1, [1])
    told = []
    results = training.run(wanted, told.append, rates=(3e-3,))
    assert len(told) == 2
    otsu, course = results
    assert 0.6 < otsu["iou"] < 0.75
    assert course["steps"] > 0
    assert 0 <= course["f1"] <= 1
    assert 0 <= course["f1_whole"] <= 1
    assert course["iou_train"] > 0
    assert course["memory_mb"] > 100
    assert training.run(wanted, told.append, rates=(3e-3,)) == results
    assert len(told) == 2
    assert "Otsu's threshold" in written(results)


def test_each_model_is_trained_with_the_rate_that_validated_best(place, monkeypatch):
    """What is asked of the processes, and what is made of their answers; the processes themselves ran above."""
    asked = []

    def answer(job):
        asked.append(job)
        best = 1e-3 if job["model"] == "resnet18" else 1e-2
        return {**job, "validation_iou": 1 - abs(math.log(job["rate"] / best))} if job.get("trial") else job

    monkeypatch.setattr(training, "_train", answer)
    wanted = training.jobs(["nuclei"], ["course", "resnet18"], 2, [1])
    runs = training.run(wanted, print)
    assert [(r["model"], r["rate"]) for r in runs] == [("course", 1e-2), ("resnet18", 1e-3)] * 2
    assert sum("trial" in job for job in asked) == 2 * len(training.RATES)  # once a model, not once a seed


def test_a_run_that_fails_says_why_and_keeps_the_others(place):
    done = result("course", 0, 0.9)
    training.store(runs=[done])
    with pytest.raises(RuntimeError, match="KeyError: 'nonsense'"):
        training.run([{**done, "seed": 1, "model": "nonsense"}], print, rates=(3e-3,))
    assert training.stored()["runs"] == [done]


def test_the_table_is_sorted_and_gives_mean_and_spread():
    runs = [result("resnet18", 0, 0.80), result("course", 0, 0.90), result("course", 1, 0.92)]
    lines = page.table(runs).splitlines()
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
    table = page.table(runs)
    assert "| 4.0 s |" in table
    assert "| 10.0 s (2.5×) |" in table
    assert "| not reached |" in table


def test_the_page_says_what_was_reached_and_what_the_borders_cost(place):
    more = {"iou_train": 0.89, "tolerant_iou": 0.99, "f1": 0.94, "f1_whole": 0.97}
    runs = [result("course", 0, iou, **more) | {"seconds": s} for s, iou in ((15, 0.902), (90, 0.905))]
    text = written(runs)
    assert "| test IoU on `nuclei` in 15 s | 0.90 | 0.902 | yes |" in text
    assert "| test IoU on `nuclei` in 90 s | 0.91 | 0.905 | no |" in text
    assert "so 89% of what is missing lies there" in text
    assert "15 s gave 0.902" in text
    assert "an F1 of 0.940; without those that a side" in text
    assert "it is 0.970" in text
    assert "Where a rival is ahead" not in text
    assert "brain" not in text.partition("### To reach")[2]


def test_the_page_says_where_a_rival_is_ahead_and_when_that_may_be_luck(place):
    ours = [result("course", s, iou, iou_eight=iou, boundary=0.7) for s, iou in enumerate((0.900, 0.904))]
    theirs = [result("pretrained", s, iou, iou_eight=iou + 0.02, boundary=0.6) for s, iou in enumerate((0.902, 0.904))]
    worse = [result("monai", s, 0.8, iou_eight=0.8, boundary=0.9) for s in range(2)]
    text = written(ours + theirs + worse).partition("Where a rival is ahead")[2].partition("\n## ")[0]
    rival = "smp.Unet, EfficientNet-Lite0, ImageNet weights"
    assert f"| `nuclei`, 15 s | IoU | {rival} | 0.903 | 0.902 | ≈ 0.001 |" in text
    assert f"| `nuclei`, 15 s | IoU, eight views | {rival} | 0.923 | 0.902 | 0.021 |" in text
    assert f"| `nuclei`, 15 s | border, pixels | {rival} | 0.60 | 0.70 | 0.10 |" in text
    assert "MONAI" not in text
    assert "Dice" not in text  # both have the same


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
        training.check(what, datasets, models)


def test_the_committed_page_is_that_of_the_committed_results(monkeypatch, tmp_path):
    committed = page.PAGE.read_text()
    monkeypatch.setattr(page, "PAGE", tmp_path / "benchmarks.md")
    page.write_page()
    assert page.PAGE.read_text() == committed

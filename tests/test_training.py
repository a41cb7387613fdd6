"""`fit` on small networks and simulated cells: what it learns, keeps, resumes and refuses."""

import copy
import itertools
import math
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from helpers import data, metrics, training
from helpers.checkpoint import CheckpointError
from helpers.monitor import monitor as monitors
from helpers.monitor.monitor import Monitor, MonitorFrontEnd, Watch
from helpers.reference.unet import UNet
from helpers.training import TrainingError, dice_and_cross_entropy, fit

TRAIN, VALIDATION = (data.load("cells", split, size=32, count=8, diameter=12) for split in ("train", "validation"))


def network(seed=0):
    torch.manual_seed(seed)
    return UNet(1, 1, base_channels=4, depth=2)


def dropping():
    """A network that also draws random numbers while it trains."""
    return nn.Sequential(nn.Dropout2d(0.2), network())


def same_weights(one, other):
    return all(torch.equal(x, y) for x, y in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


class StopAfter:
    """A monitor that ends the run after some steps, and notes what it saw."""

    def __init__(self, steps):
        self.steps, self.fractions = steps, []

    def __call__(self, history, fraction):
        self.fractions.append(fraction)
        return history.steps >= self.steps


def test_it_learns_and_leaves_the_best_weights():
    model = network()
    before = metrics.score(model, VALIDATION)["iou"]
    history = fit(model, TRAIN, VALIDATION, epochs=60, batch_size=4)
    assert history.stopped in ("all steps are done", "no better for 10 validations")
    assert history.best["iou"] == max(s["iou"] for s in history.scores)
    assert metrics.score(model, VALIDATION)["iou"] == pytest.approx(history.best["iou"])
    assert history.best["iou"] > before + 0.3
    assert history.losses[-1] < history.losses[0]
    assert not model.training


def test_the_same_seed_gives_the_same_weights_and_another_one_others():
    models = [network() for _ in range(3)]
    for model, seed in zip(models, (0, 0, 1), strict=True):
        fit(model, TRAIN, VALIDATION, epochs=4, seed=seed)
    assert same_weights(models[0], models[1])
    assert not same_weights(models[0], models[2])


@pytest.fixture
def threads():
    """Sets torch's number of threads; the number before is put back."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_a_small_network_learns_the_same_on_any_number_of_threads(threads):
    models = network(), network()
    for model, count in zip(models, (1, 2), strict=True):
        threads(count)
        fit(model, TRAIN, VALIDATION, epochs=4)
        assert torch.get_num_threads() == count
    assert same_weights(*models)


@pytest.mark.parametrize(("base_channels", "used"), [(4, {1}), (48, {2})])
def test_a_run_of_epochs_takes_all_threads_where_there_is_much_to_compute(base_channels, used, threads):
    threads(2)
    seen = set()

    def loss(logits, masks):
        if logits.grad_fn is not None:  # in training
            seen.add(torch.get_num_threads())
        return dice_and_cross_entropy(logits, masks)

    pairs = data.load("cells", "train", size=64, count=8)
    fit(UNet(1, 1, base_channels, depth=2), pairs, VALIDATION, loss, epochs=1)
    assert seen == used


def test_the_global_generator_is_where_it_was():
    model, state = network(), torch.get_rng_state()
    fit(model, TRAIN, VALIDATION, epochs=1)
    assert torch.equal(torch.get_rng_state(), state)


def test_seconds_end_the_run_and_the_rate_follows_the_clock():
    monitor = StopAfter(10**9)
    history = fit(network(), TRAIN, VALIDATION, seconds=1.5, monitor=monitor)
    assert history.stopped == "time is up"
    assert history.seconds >= 1.5
    assert monitor.fractions == sorted(monitor.fractions)
    assert history.scores[-1]["step"] == history.steps


def test_several_classes_and_the_real_brain():
    torch.manual_seed(0)
    model = UNet(1, 4, base_channels=4, depth=2)
    train, validation = (data.load("brain", split) for split in ("train", "validation"))
    history = fit(model, train, validation, epochs=0.05, crop=64, batch_size=4, augment=None)
    assert history.steps > 0
    assert 0 <= history.best["dice"] <= 1


def test_early_stopping_begins_in_the_middle_of_a_run():
    """Before that the learning rate is high, and a lucky first score would end a run that has learned nothing yet."""
    model, monitor = nn.Conv2d(1, 1, 3, padding=1), StopAfter(10**9)
    history = fit(model, TRAIN, VALIDATION, epochs=200, patience=2, lr=1e-12, monitor=monitor)
    assert history.stopped == "no better for 2 validations"
    assert history.best == history.scores[0]
    assert 0.5 < monitor.fractions[-1] < 0.7


# ---- watched ----


@pytest.fixture
def watched(monkeypatch):
    """Every training is watched, as in a notebook, and shown at each step."""
    watches = []

    def show(shown, more):
        shown._front_end = shown._front_end or MonitorFrontEnd(shown)
        shown._front_end.show(everything=True)
        assert shown.as_html()

    def watching():
        watches.append(Watch(Monitor(), show))
        return watches[-1]

    monkeypatch.setattr(training, "watching", watching)
    monkeypatch.setattr(monitors, "EACH_S", 0.0)
    monkeypatch.setattr(monitors, "SHARE", 1e9)
    return watches


class Restless:
    """A validation set that draws from torch's own generator whenever an image is asked for."""

    def __len__(self):
        return len(VALIDATION)

    def __getitem__(self, k):
        torch.rand(3)
        return VALIDATION[k]


def test_watching_changes_no_bit(request):
    plain, seen, validation = dropping(), dropping(), Restless()
    expected = fit(plain, TRAIN, validation, epochs=12, patience=99)
    watches = request.getfixturevalue("watched")
    history = fit(seen, TRAIN, validation, epochs=12, patience=99)
    assert same_weights(seen, plain)
    assert history.losses == expected.losses
    assert [{**s, "seconds": 0} for s in history.scores] == [{**s, "seconds": 0} for s in expected.scores]
    [watch] = watches
    assert watch.monitor.phase == "ended"
    assert watch.monitor.fraction == 1
    assert [p.step for p in watch.monitor.predictions][-1] == history.scores[-1]["step"]


def press_stop(watches):
    front = watches[0].monitor._front_end
    front.send = lambda content: None
    front._handle_custom_msg({"stop": 1}, [])


@pytest.mark.parametrize(
    "end",
    [lambda watches: True, lambda watches: os.kill(os.getpid(), signal.SIGINT), press_stop],
    ids=["monitor", "Ctrl-C", "button"],
)
def test_an_interrupt_keeps_the_best_weights(watched, end):
    model = network()
    history = fit(model, TRAIN, VALIDATION, epochs=999, monitor=lambda history, _: history.steps == 7 and end(watched))
    assert history.stopped == "interrupted"
    assert 7 <= history.steps <= 7 + (end is press_stop)
    assert metrics.score(model, VALIDATION)["iou"] == pytest.approx(history.best["iou"])


def test_a_monitor_that_breaks_changes_no_bit_either(monkeypatch):
    def broken(shown, more):
        raise OSError("no page")

    plain, seen = network(), network()
    fit(plain, TRAIN, VALIDATION, epochs=4)
    monkeypatch.setattr(training, "watching", lambda: Watch(Monitor(), broken))
    with pytest.warns(RuntimeWarning, match="OSError: no page"):
        fit(seen, TRAIN, VALIDATION, epochs=4)
    assert same_weights(seen, plain)


def test_a_training_that_fails_is_shown_as_failed(watched):
    with pytest.raises(TrainingError, match="finite number"):
        fit(network(), TRAIN, VALIDATION, lambda logits, masks: logits.sum() * float("nan"), epochs=2)
    assert watched[0].monitor.phase == "failed"


def test_frozen_parameters_and_the_students_flags_stay():
    model = network()
    model.encoder.requires_grad_(False)
    before = copy.deepcopy(model.encoder.state_dict())
    fit(model, TRAIN, VALIDATION, epochs=2)
    parameters = dict(model.encoder.named_parameters())
    assert all(torch.equal(before[name], p) and not p.requires_grad for name, p in parameters.items())
    assert all(p.requires_grad for p in model.head.parameters())


@pytest.mark.parametrize(("epochs", "frozen_from"), [(100, 70), (60, 50), (40, 40)])
def test_batch_norm_stops_looking_at_the_batch_when_it_has_seen_enough(epochs, frozen_from):
    """One step an epoch: after 70 % of the steps, but not before 50; its weights go on learning."""
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 1))
    seen = []  # at each step that has a gradient: whether it normalised by the batch, and its weight

    def look(layer, _, y):
        if y.requires_grad:
            seen.append((layer.training, layer.weight[0].item()))

    model[1].register_forward_hook(look)
    fit(model, TRAIN, VALIDATION, epochs=epochs, patience=99)
    del seen[0]  # the look at one image before
    flags = [by_batch for by_batch, _ in seen]
    assert flags == [step < frozen_from for step in range(epochs)]
    assert epochs == frozen_from or seen[-2][1] != seen[frozen_from][1]


# ---- checkpoints ----


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path):
    straight, broken, resumed = dropping(), dropping(), dropping()
    straight_history = fit(straight, TRAIN, VALIDATION, epochs=20, checkpoint=tmp_path / "a.json")
    fit(broken, TRAIN, VALIDATION, epochs=20, checkpoint=tmp_path / "b.json", monitor=StopAfter(9))
    history = fit(resumed, TRAIN, VALIDATION, epochs=20, checkpoint=tmp_path / "b.json", resume=True)
    assert history.steps == straight_history.steps
    assert history.losses == straight_history.losses
    assert [s["iou"] for s in history.scores] == [s["iou"] for s in straight_history.scores]
    assert same_weights(resumed, straight)


class Another(torch.utils.data.Dataset):
    """Pairs that are brighter or darker each time."""

    def __len__(self):
        return len(TRAIN)

    def __getitem__(self, k):
        image, mask = TRAIN[k]
        return (image + 0.1 * torch.rand(())).clamp(0, 1), mask


def test_to_resume_on_other_pairs_is_warned_of(tmp_path, recwarn):
    options = {"epochs": 4, "checkpoint": tmp_path / "run.safetensors"}
    darker = [(image * 0.9, mask) for image, mask in TRAIN]
    fit(network(), TRAIN, VALIDATION, **options)
    for train, validation, said in (
        (TRAIN, VALIDATION, []),
        (darker, VALIDATION, ["run on other training pairs: the first is another."]),
        (TRAIN, [VALIDATION[k] for k in (1, 2)], ["run on other validation pairs: there were 8, and here are 2."]),
    ):
        recwarn.clear()
        fit(network(), train, validation, **options, resume=True)
        warned = [str(w.message) for w in recwarn]
        assert len(warned) == len(said)
        assert all(part in text for part, text in zip(said, warned, strict=True))


def test_pairs_that_are_others_each_time_can_be_resumed_on(tmp_path, recwarn):
    for resume in (False, True):
        fit(network(), Another(), VALIDATION, epochs=4, checkpoint=tmp_path / "run.safetensors", resume=resume)
    assert list(recwarn) == []


def test_a_checkpoint_holds_numbers_of_numpy(tmp_path):
    options = {"epochs": np.float32(1.5), "seed": np.int64(3), "checkpoint": tmp_path / "run.safetensors"}
    for resume in (False, True):
        assert fit(network(), TRAIN, VALIDATION, **options, resume=resume).steps == 2


def test_a_checkpoint_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot be written: "):
        fit(network(), TRAIN, VALIDATION, epochs=1, checkpoint=tmp_path / "file" / "run.safetensors")


def test_a_checkpoint_of_another_run_is_refused_before_anything_changes(tmp_path):
    path = tmp_path / "run.json"
    fit(network(), TRAIN, VALIDATION, epochs=2, checkpoint=path)
    model = network(1)
    before = copy.deepcopy(model)
    with pytest.raises(CheckpointError, match="other settings: seed=0 there and 3 here"):
        fit(model, TRAIN, VALIDATION, epochs=2, seed=3, checkpoint=path, resume=True)
    with pytest.raises(CheckpointError, match="another architecture"):
        fit(UNet(1, 2, 4, 2), TRAIN, VALIDATION, epochs=2, checkpoint=path, resume=True)
    with pytest.raises(CheckpointError, match="There is no checkpoint"):
        fit(model, TRAIN, VALIDATION, epochs=2, checkpoint=tmp_path / "no.json", resume=True)
    assert same_weights(model, before)


# ---- what does not go together ----


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seconds": 1, "epochs": 1}, "Both seconds and epochs"),
        ({"seconds": 0}, "seconds is 0; give more than 0"),
        ({"epochs": -1}, "epochs is -1"),
        ({"epochs": 1, "resume": True}, "none is given"),
        ({"epochs": 1, "device": "tpu"}, "device='tpu' is not to be had here. There is .*'cpu'"),
        ({"epochs": 1, "lr": float("nan")}, "lr is nan; give more than 0"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(options, said):
    with pytest.raises(TrainingError, match=said):
        fit(network(), TRAIN, VALIDATION, **options)


def test_a_device_of_torch_is_taken():
    assert fit(network(), TRAIN, VALIDATION, epochs=1, device=torch.device("cpu")).device == "cpu"


def test_a_model_with_nothing_to_train_is_refused():
    with pytest.raises(TrainingError, match="nothing to train"):
        fit(network().requires_grad_(False), TRAIN, VALIDATION, epochs=1)


def test_a_loss_that_turns_nan_ends_the_run_with_the_best_weights_in_the_model():
    model, factors = network(), itertools.chain([1.0] * 60, itertools.repeat(float("nan")))

    def loss(logits, masks):
        return dice_and_cross_entropy(logits, masks) * next(factors)

    with pytest.raises(TrainingError, match="has to be a finite number"):
        fit(model, TRAIN, VALIDATION, loss, epochs=100)
    assert all(torch.isfinite(x).all() for x in model.state_dict().values())


# ---- the loss ----


def test_one_logit_and_its_two_classes_have_the_same_loss():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 1, 6, 5, generator=generator)
    masks = torch.randint(0, 2, (2, 6, 5), generator=generator)
    two = torch.cat([torch.zeros_like(logits), logits], dim=1)
    assert dice_and_cross_entropy(logits, masks) == pytest.approx(float(dice_and_cross_entropy(two, masks)))


def test_while_nothing_is_found_the_loss_decides():
    """Else the first weights came back: of a rare class nothing passes one half for long."""
    model = network()
    with torch.no_grad():
        model.head.bias.fill_(-8.0)
    bce = nn.BCEWithLogitsLoss()
    history = fit(model, TRAIN, VALIDATION, lambda x, masks: bce(x[:, 0], masks.float()), epochs=8, lr=1e-3)
    assert all(score["iou"] == 0 for score in history.scores)
    assert history.best["loss"] == min(score["loss"] for score in history.scores) < history.scores[0]["loss"]


def test_pixels_without_a_label_have_no_part_in_the_loss():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 6, 5, generator=generator)
    masks = torch.randint(0, 3, (2, 6, 5), generator=generator)
    masks[:, 2:] = 255
    other = logits.clone()
    other[:, :, 2:] = 100.0
    assert float(dice_and_cross_entropy(other, masks)) == pytest.approx(float(dice_and_cross_entropy(logits, masks)))
    assert torch.isfinite(dice_and_cross_entropy(logits, torch.full_like(masks, 255)))


# ---- several processes ----

SCRIPT = """
import atexit, os, sys, torch
from safetensors.torch import save_file
from helpers import data
from helpers.reference.unet import UNet
from helpers.training import fit

def loss(logits, masks):
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, masks[:, None].float())

train, validation = (data.load("cells", split, size=32, count=8, diameter=12) for split in ("train", "validation"))
torch.manual_seed(0)
model = UNet(1, 1, base_channels=4, depth=2)
atexit.register(lambda: print("left running:", torch.distributed.is_initialized()))
fit(model, train, validation, loss, epochs=8, batch_size=4, device="cpu", lr=1e-3)
if os.environ["RANK"] == "0":
    save_file(model.state_dict(), sys.argv[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="PyTorch's Windows wheels have no gloo under torchrun")
def test_two_processes_are_one_with_the_whole_batch(tmp_path):
    script, env, weights = tmp_path / "train.py", {**os.environ, "OMP_NUM_THREADS": "1"}, {}
    script.write_text(SCRIPT)
    for count in (1, 2):
        launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
        out = tmp_path / f"{count}.safetensors"
        done = subprocess.run([*launch, script, out], cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("False") == count  # what is left aborts now and then as Python ends
        weights[count] = load_file(out)
    for name, x in weights[1].items():
        torch.testing.assert_close(weights[2][name], x, rtol=1e-3, atol=1e-4, msg=name)


def test_nothing_is_told_of_the_card():
    """Fabric tells of each GPU, and of its precision, on stderr: in a notebook a red box for each training."""
    source = """
from helpers import data
from helpers.reference.unet import UNet
from helpers.training import fit
from lightning_fabric import Fabric
train, validation = (data.load("cells", s, size=32, count=8, diameter=12) for s in ("train", "validation"))
fit(UNet(1, 1, base_channels=4, depth=1), train, validation, epochs=1)
Fabric(accelerator="cpu", precision="bf16-mixed")
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_an_object_there_is_no_score_and_the_loss_decides(recwarn):
    nothing = [(image, 0 * torch.as_tensor(mask)) for image, mask in VALIDATION]
    history = fit(network(), nothing, nothing, epochs=6)
    assert all(math.isnan(score["iou"]) and math.isnan(score["dice"]) for score in history.scores)
    assert history.best["loss"] == min(score["loss"] for score in history.scores)
    assert any("no object in any of them" in str(warned.message) for warned in recwarn)


def test_a_network_that_flattens_with_view_is_trained_too():
    """Channels last, which fit prefers, its rows do not lie one after the other."""

    class Flattening(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 1, 1)

        def forward(self, x):
            x = self.first(x)
            return self.last(x.view(-1).view(x.shape))

    pairs = [(torch.rand(1, 16, 16), torch.randint(0, 2, (16, 16))) for _ in range(4)]
    assert fit(Flattening(), pairs, pairs, epochs=1, batch_size=2).steps == 2

"""Writing a bundle and rebuilding the network from it."""

import copy
import io
import json
from functools import partial

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from huggingface_hub import ModelCard
from PIL import Image
from share_made import HISTORY, drawn, entries

from helpers import exercises
from helpers.baseline import build_baseline
from helpers.data.gate import GateError, GateWarning
from helpers.errors import CourseError
from helpers.exercises import unet as exercise
from helpers.metrics import class_map, predictions, score
from helpers.reference.decoder import Hourglass
from helpers.reference.unet import UNet
from helpers.share import ShareError, load_shared, share


def logits(model, channels=1, size=(32, 48)):
    images = torch.rand(2, channels, *size, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        return model.eval()(images)


def test_the_network_comes_back(bundle, model):
    rebuilt = load_shared(bundle)
    assert isinstance(rebuilt, UNet)
    assert not rebuilt.training
    assert torch.equal(logits(rebuilt), logits(model))


def test_the_same_network_gives_the_same_bytes(bundle, model, train, validation, tmp_path):
    assert share(model, "ana", train, validation, folder=tmp_path, history=HISTORY).read_bytes() == bundle.read_bytes()


def test_what_is_rebuilt_can_be_trained_on(bundle):
    rebuilt = load_shared(bundle)
    rebuilt.train()
    rebuilt(torch.rand(2, 1, 16, 16)).sum().backward()
    assert all(p.grad is not None for p in rebuilt.parameters())


RIGHT = [exercise.OnePage, exercise.OnePageNoUpBiasDecoderFirst, exercise.ByName, Hourglass]


@pytest.mark.parametrize("num_classes", [1, 2])
@pytest.mark.parametrize("student", RIGHT, ids=lambda c: c.__name__)
def test_a_students_own_network_comes_back(student, num_classes, train, validation, tmp_path):
    model = drawn(student, 1, num_classes, base_channels=3, depth=3).train()
    model.head.eval()  # modes may differ from layer to layer
    before, modes = copy.deepcopy(model.state_dict()), [layer.training for layer in model.modules()]
    path = share(model, "own", train, validation, folder=tmp_path)
    assert [layer.training for layer in model.modules()] == modes
    assert all(torch.equal(x, model.state_dict()[name]) for name, x in before.items())
    assert torch.allclose(logits(load_shared(path)), logits(model), atol=1e-5)


def test_asking_a_parameter_for_its_device_is_no_use_of_it(train, validation, tmp_path):
    class Asking(UNet):
        def forward(self, x):
            return super().forward(x.to(self.head.weight.device, self.decoder[0].conv.layers[0].weight.dtype))

    model = drawn(Asking, 1, 2, 3, 2)
    assert torch.allclose(logits(load_shared(share(model, "own", train, validation, folder=tmp_path))), logits(model))


SMALL = "tu-mobilenetv3_small_100"


class OtherEps(UNet):
    """Its norms divide by something else."""

    def __init__(self, *args):
        super().__init__(*args)
        for layer in self.modules():
            if hasattr(layer, "eps"):
                layer.eps = 0.5


def smp_unet(**arguments):
    return smp.Unet(**{"encoder_name": SMALL, "encoder_weights": None, "in_channels": 1, "classes": 2} | arguments)


def changed_smp_unet():
    model = smp_unet()
    model.segmentation_head = torch.nn.Sequential(model.segmentation_head, torch.nn.Conv2d(2, 2, 1))
    return model


wrong = {answer.name: answer.solution for answer in exercises.load("UNet").misconceptions}
WRONG = [
    ((wrong["sigmoid at the end"], 1, 2, 3, 2), "computes something else"),
    ((wrong["a ReLU at the end"], 1, 2, 3, 2), "computes something else"),
    ((wrong["pooled skips, enlarged again"], 1, 2, 3, 2), "computes something else"),
    ((OtherEps, 1, 2, 3, 2), "computes something else"),
    ((wrong["the channels do not double"], 1, 2, 3, 2), "No network of the course"),
    ((wrong["a 3×3 head"], 1, 2, 3, 2), "No network of the course"),
    ((wrong["the image is a skip too"], 1, 2, 3, 2), "No network of the course"),
    ((wrong["another block at the bottleneck"], 1, 2, 3, 2), "No network of the course"),
    ((wrong["the decoder in a plain list"], 1, 2, 3, 2), "plain list.*nn.ModuleList"),
    ((wrong["a label map instead of logits"], 1, 2, 3, 2), "whole numbers, as after `argmax`"),
    ((UNet, 3, 2, 3, 2), "its first convolution takes 3"),
    ((UNet, 1, 2, 64, 5), "60,000,000 is the most"),
    ((partial(smp_unet, activation="sigmoid"),), "activation='sigmoid', which a bundle cannot hold"),
    ((partial(smp_unet, decoder_attention_type="scse"),), "decoder_attention_type"),
    ((partial(smp_unet, encoder_name="tu-mobilenetv3_small_075"),), "encoder 'tu-mobilenetv3_small_075' is foreign"),
    ((changed_smp_unet,), "changed after Unet"),
]


@pytest.mark.parametrize(("made", "reason"), WRONG)
def test_what_a_bundle_cannot_hold_is_refused_with_the_reason(made, reason, train, validation, tmp_path):
    with pytest.raises((ShareError, GateError), match=reason):
        share(drawn(*made), "own", train, validation, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("architecture", ["Unet", "UnetPlusPlus", "FPN", "Linknet", "MAnet", "UPerNet"])
def test_networks_of_smp_come_back(architecture, train, validation, tmp_path):
    model = drawn(getattr(smp, architecture), SMALL, encoder_weights=None, in_channels=1, classes=2)
    path = share(model, "smp", train, validation, folder=tmp_path)
    rebuilt = load_shared(path)
    assert type(rebuilt) is getattr(smp, architecture)
    assert torch.equal(logits(rebuilt, size=(64, 96)), logits(model, size=(64, 96)))
    assert ModelCard(entries(path)["README.md"].decode()).data.library_name == "segmentation-models-pytorch"


def test_arguments_of_smp_come_back(train, validation, tmp_path):
    chosen = {"encoder_depth": 3, "decoder_channels": (16, 8, 4), "in_channels": 1, "classes": 1}
    model = drawn(smp.Unet, SMALL, encoder_weights=None, **chosen)
    path = share(model, "smp", train, validation, folder=tmp_path)
    assert torch.equal(logits(load_shared(path), size=(64, 96)), logits(model, size=(64, 96)))
    assert json.loads(entries(path)["config.json"])["arguments"]["decoder_channels"] == [16, 8, 4]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_baseline_comes_back_with_its_mean_and_deviation(channels, train, validation, tmp_path):
    model = drawn(build_baseline, in_channels=channels, num_classes=2)
    path = share(model, "baseline", train, validation, folder=tmp_path)
    assert torch.equal(logits(load_shared(path), channels), logits(model, channels))


def test_the_card_has_the_hubs_metadata_and_every_section(bundle, model, validation):
    card = ModelCard(entries(bundle)["README.md"].decode())
    claimed = {result.metric_type: result for result in card.data.eval_results}
    # the mean over the images; pooled over all pixels it is near by
    assert claimed["dice"].metric_value == pytest.approx(score(model, validation)["dice"], abs=0.1)
    assert claimed["dice"].dataset_split == "validation"
    assert claimed["dice"].metric_args["standard_deviation"] > 0
    sections = ("## Data", "## Results", "## Training", "## Examples", "## Intended use", "## Limits")
    assert [line for line in card.text.splitlines() if line.startswith("## ")] == list(sections)
    for fact in ("| trained on | nuclei | train | 8 |", "3 steps in 2 s", "3 steps are done", "All three splits come"):
        assert fact in card.text


def test_the_card_says_how_to_rebuild_it_by_hand(bundle, model, tmp_path, monkeypatch):
    (tmp_path / "model.safetensors").write_bytes(entries(bundle)["model.safetensors"])
    code = entries(bundle)["README.md"].decode().split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    assert torch.equal(logits(names["model"]), logits(model))


def test_ones_own_words_are_in_the_card(model, train, validation, tmp_path):
    path = share(model, "a", train, validation, folder=tmp_path, intended_use="For bees.", limits="Only bees.")
    card = entries(path)["README.md"].decode()
    assert "For bees." in card
    assert "Only bees." in card
    assert "## Training" not in card
    assert "curve.png" not in entries(path)


def dice_of_each(model, pairs):
    return [score(model, torch.utils.data.Subset(pairs, [k]))["dice"] for k in range(len(pairs))]


def test_the_spread_is_that_of_the_images(bundle, model, validation):
    dice = dice_of_each(model, validation)
    claimed = json.loads(entries(bundle)["scores.json"])["metrics"]["dice"]
    assert claimed["mean"] == pytest.approx(np.mean(dice))
    assert claimed["std"] == pytest.approx(np.std(dice, ddof=1))


def test_the_examples_are_the_worst_the_median_and_the_best(bundle, model, validation):
    found = [class_map(x) for x, _ in predictions(model, validation)]
    dice = dice_of_each(model, validation)
    files = entries(bundle)
    for number, k in ((1, int(np.argmin(dice))), (3, int(np.argmax(dice)))):
        image, truth, pred = (
            np.asarray(Image.open(io.BytesIO(files[f"examples/{number}-{part}.png"])))
            for part in ("image", "truth", "prediction")
        )
        assert np.array_equal(image, np.round(validation[k][0][0].numpy() * 255))
        assert np.array_equal(truth, validation[k][1].numpy())
        assert np.array_equal(pred, found[k].numpy())


def test_one_image_is_shown_once_and_has_no_spread(model, train, validation, tmp_path):
    path = share(model, "a", train, torch.utils.data.Subset(validation, [0]), folder=tmp_path)
    files = entries(path)
    assert sum(name.startswith("examples/") for name in files) == 3
    assert json.loads(files["scores.json"])["metrics"]["dice"]["std"] is None


def test_the_training_curve_is_kept(bundle):
    curve = json.loads(entries(bundle)["curve.json"])
    assert curve["losses"] == HISTORY.losses
    assert curve["scores"] == HISTORY.scores
    assert Image.open(io.BytesIO(entries(bundle)["curve.png"])).size[0] > 300


@pytest.mark.parametrize("name", ["", "../ana", "a b", "ana.unet", "x" * 65, "-a", "é"])
def test_a_name_that_is_none(name, model, train, validation, tmp_path):
    with pytest.raises(ShareError, match="cannot name a bundle"):
        share(model, name, train, validation, folder=tmp_path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": "ana", "name": UNet(1, 2, 4, 2)}, "name has to be text, and this is a UNet. Call it as in share"),
        ({"name": None}, "name has to be text, and this is None"),
        ({"limits": None}, "limits has to be text, and this is None"),
        ({"history": [1.0, 0.5]}, "history is a list. Give what `fit` returned"),
        ({"train": None}, "training pairs are None"),
        ({"licence": "CC0"}, "unexpected keyword argument 'licence'"),
    ],
)
def test_what_is_given_for_something_else_is_told(given, said, model, train, validation, tmp_path):
    right = {"model": model, "name": "ana", "train": train, "validation": validation, "folder": tmp_path}
    with pytest.raises(CourseError, match=said):
        share(**right | given)
    with pytest.raises(CourseError, match="path has to be text or a path, and this is None"):
        load_shared(None)


def test_scores_on_what_was_trained_on_are_warned_of(model, train, tmp_path):
    with pytest.warns(GateWarning, match="8 images of the validation pairs are among the training pairs"):
        share(model, "ana", train, train, folder=tmp_path)


def test_nothing_to_measure_on(model, train, validation, tmp_path):
    with pytest.raises(GateError, match="no pair"):
        share(model, "a", train, torch.utils.data.Subset(validation, []), folder=tmp_path)


def test_a_folder_that_cannot_be_written(model, train, validation, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ShareError, match="cannot be written"):
        share(model, "a", train, validation, folder=tmp_path / "file")


def test_another_bundle_of_the_name_is_kept(bundle, model, train, validation, tmp_path, capsys):
    for number in (1, 2):
        (tmp_path / "ana.unet.zip").write_bytes(b"ben's")
        share(model, "ana", train, validation, folder=tmp_path)
        assert (tmp_path / "earlier" / f"ana-{number}.unet.zip").read_bytes() == b"ben's"
        assert f"It is earlier/ana-{number}.unet.zip now" in capsys.readouterr().out
    share(model, "ana", train, validation, folder=tmp_path)  # the same again
    assert len(list((tmp_path / "earlier").iterdir())) == 2
    load_shared(tmp_path / "ana.unet.zip")


def test_a_write_that_breaks_off_leaves_the_old_bundle(bundle, model, train, validation, tmp_path, monkeypatch):
    path = tmp_path / "ana.unet.zip"
    path.write_bytes(bundle.read_bytes())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ShareError, match="No space left"):
        share(model, "ana", train, validation, folder=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["ana.unet.zip"]
    assert path.read_bytes() == bundle.read_bytes()

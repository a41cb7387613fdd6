"""`python -m tests.launch.gpu LESSONS RESULT.json [pieces] [lessons] [runs]`: the course on a machine with a GPU.

Puts networks on the GPU through what takes a network; runs the solved notebooks in the folder LESSONS, each in a
kernel; trains by `autograde.bench.run`. What was found goes to RESULT.json, over what an earlier run found of the same
parts, and `autograde.bench.page` makes a section of docs/benchmarks.md of it. Needs no more than the core of the
course, and a kernel (nbclient and ipykernel).
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).parents[2]
AT_ONCE = 7
SEEDS, SECONDS, RATES = 3, 15, (1e-2, 3e-3, 1e-3)
MODELS = ("course", "pretrained")

# Where everything is that a lesson has left behind, run after its last cell.
LEFT = """
import json as _json, torch as _torch
_found = {}
for _name, _value in list(globals().items()):
    _values = [_value] if isinstance(_value, (_torch.Tensor, _torch.nn.Module)) else []
    _values += list(_value.values()) if isinstance(_value, dict) and not _name.startswith("_") else []
    for _one in _values:
        _tensors = [_one] if isinstance(_one, _torch.Tensor) else []
        _tensors += [*_one.parameters(), *_one.buffers()] if isinstance(_one, _torch.nn.Module) else []
        for _tensor in _tensors:
            if _tensor.device.type != "cpu":
                _found[_name] = str(_tensor.device)
print(_json.dumps({"on the GPU": _found, "used": _torch.cuda.max_memory_allocated()}))
"""


def lesson(path: Path) -> dict[str, Any]:
    """Run a notebook whole, and say what it showed."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(LEFT))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=400, allow_errors=True, resources={"metadata": {"path": folder}})
        client.execute()
    outputs = [(cell.source, output) for cell in notebook.cells for output in cell.get("outputs", [])]
    text = "\n".join(o.get("data", {}).get("text/plain", "") for _, o in outputs)
    last = [o.text for o in notebook.cells[-1].outputs if o.output_type == "stream"]
    return {
        "lesson": path.stem,
        "seconds": round(time.perf_counter() - began, 1),
        "errors": [f"{s[:80]!r}: {o.ename}: {o.evalue[:400]}" for s, o in outputs if o.output_type == "error"],
        "stderr": [f"{s[:80]!r}: {o.text[:400]}" for s, o in outputs if o.get("name") == "stderr"],
        "passed": len(re.findall(r"^[^\n]*: passed", text, flags=re.MULTILINE)),
        "not passed": re.findall(r"^[^\n]*: (?:wrong|error|not attempted)[^\n]*", text, flags=re.MULTILINE),
        **json.loads(last[0] if last else "{}"),
    }


def pieces() -> dict[str, str]:
    """What takes a network, with one on the GPU: what went wrong, by what was tried; nothing where all is well."""
    from helpers import ArchitectureGraph, compare_models, data, exercises, metrics, play, show
    from helpers.baseline import build_baseline
    from helpers.checks import engine
    from helpers.reference import inference
    from helpers.reference.unet import UNet
    from helpers.share import export_onnx, gallery, load_shared, share
    from helpers.training import fit

    train, validation = (data.load("nuclei", split, tile=64) for split in ("train", "validation"))
    image, mask = validation[0]
    plain = image.as_subclass(torch.Tensor)
    model, pretrained = UNet(1, 1, base_channels=8, depth=3).cuda(), build_baseline(in_channels=1, num_classes=1).cuda()
    folder = Path(tempfile.mkdtemp())

    def trained() -> None:
        for one in (model, pretrained):
            history = fit(one, train, validation, epochs=1, crop=64)
            assert history.device.startswith("cuda"), history.device

    def back_on_the_processor() -> None:
        own = UNet(1, 1, base_channels=8, depth=3)
        assert fit(own, train, validation, epochs=1, crop=64).device.startswith("cuda")
        assert {p.device.type for p in own.state_dict().values()} == {"cpu"}

    def on_the_processor() -> None:
        own = UNet(1, 1, base_channels=8, depth=3)
        assert fit(own, train, validation, epochs=1, crop=64, device="cpu").device == "cpu"

    def resumed() -> None:
        options = {"crop": 64, "checkpoint": folder / "training.ckpt"}
        fit(UNet(1, 1, base_channels=8, depth=3), train, validation, epochs=1, **options)
        fit(UNet(1, 1, base_channels=8, depth=3), train, validation, epochs=2, **options)

    def graph() -> None:
        for one in (model, pretrained):
            for images in (plain[None], plain[None].cuda()):
                drawn = ArchitectureGraph().forward(one, images)
                assert not drawn.sentences(), drawn.sentences()
                drawn._repr_mimebundle_()
                drawn.select("encoder 1")
                drawn.sees(20, 20)
        ArchitectureGraph().forward(model, plain[None].cuda()).beside(pretrained)

    def played() -> None:
        logits = model(plain[None].cuda())[0]
        probability = torch.sigmoid(logits[0])
        play.compare(image, mask, {"on the GPU": logits, "mask": probability > 0.5})._repr_mimebundle_()
        play.threshold(probability.detach(), mask)._repr_mimebundle_()
        play.tiles(plain, tile=32, overlap=8, model=model)._repr_mimebundle_()
        play.overlap(image, mask.cuda())._repr_mimebundle_()

    def shown() -> None:
        logits = model(plain[None].cuda())[0].detach()
        show.images([("image", plain.cuda()), ("logits", logits)])
        show.overlap([("mask", logits[0] > 0, mask.cuda() > 0)], plain.cuda())

    def predicted() -> None:
        found = inference.predict_tiled(model, plain.cuda(), 32, 8), inference.predict_dihedral(model, plain.cuda())
        assert {x.device.type for x in found} == {"cuda"}
        inference.calibration_error(torch.sigmoid(found[0][0]), (mask > 0).cuda())
        inference.split_instances(torch.sigmoid(found[0][0]).cpu())  # SciPy's

    def shared() -> None:
        path = share(model, "ana", train, validation, folder=folder)
        assert {p.device.type for p in load_shared(path).parameters()} == {"cpu"}
        str(gallery(folder))

    def checked() -> None:
        torch.set_default_device("cuda")
        try:
            for name in exercises.names():
                exercise = exercises.load(name)
                verdict = engine.examine(name, exercise.reference)
                assert verdict.status == "passed", f"{name}: {verdict.message}"
        finally:
            torch.set_default_device(None)

    def where_it_was() -> None:
        assert {p.device.type for p in (*model.parameters(), *pretrained.parameters())} == {"cuda"}
        assert {p.device.type for p in (*model.buffers(), *pretrained.buffers())} == {"cuda"}

    tried: dict[str, Callable[[], Any]] = {
        "fit": trained,
        "fit of a network on the processor": back_on_the_processor,
        "fit(device='cpu')": on_the_processor,
        "fit goes on from a checkpoint": resumed,
        "metrics.score": lambda: metrics.score(model, validation),
        "compare_models.compare": lambda: compare_models.compare({"a": model, "b": pretrained}, validation),
        "ArchitectureGraph": graph,
        "play": played,
        "show": shown,
        "predictions in tiles and in eight views": predicted,
        "share, load_shared, gallery": shared,
        "export_onnx": lambda: export_onnx(model, folder / "model.onnx", 1, 64),
        "all checks, where new tensors are on the GPU": checked,
        "the networks stay where they are": where_it_was,
    }
    found = {}
    for name, call in tried.items():
        try:
            with contextlib.redirect_stdout(None):
                call()
            found[name] = ""
        except Exception:
            found[name] = traceback.format_exc()[-1500:]
    return found


def runs() -> list[dict[str, Any]]:
    """The rows of `bench training` in 15 seconds, at the rate that a trial finds best."""
    found = []
    for model in MODELS:
        job = {"data": "nuclei", "model": model, "seconds": SECONDS}
        trials = [_run({**job, "seed": 0, "rate": rate, "trial": True}) for rate in RATES]
        rate = max(trials, key=lambda one: one["validation_iou"])["rate"]
        found += [_run({**job, "seed": seed, "rate": rate}) for seed in range(SEEDS)]
    return found


def _run(job: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "autograde.bench.run", json.dumps(job)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    print(done.stdout.strip()[:300], flush=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main(lessons: Path, result: Path, wanted: list[str]) -> int:
    """Do these parts, or all, and keep what was found after each."""
    card = torch.cuda.get_device_name()
    found: dict[str, Any] = json.loads(result.read_text()) if result.exists() else {"days": {}}
    found |= {
        "card": card,
        "machine": f"{card}, {os.cpu_count()} processors ({platform.machine()}), PyTorch {torch.__version__}",
        "python": platform.python_version(),
    }

    def keep(what: str, value: Any) -> None:
        found[what] = value
        found["days"][what] = datetime.date.today().isoformat()
        result.write_text(json.dumps(found, indent=1) + "\n")

    if not wanted or "pieces" in wanted:
        keep("pieces", pieces())
        for name, problem in found["pieces"].items():
            print("NOT " if problem else "ok  ", name, problem, flush=True)
    if not wanted or "lessons" in wanted:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            keep("lessons", list(pool.map(lesson, sorted(lessons.glob("*/*.ipynb")))))
        for one in found["lessons"]:
            print(json.dumps(one), flush=True)
    if not wanted or "runs" in wanted:
        keep("runs", runs())
    wrong = [problem for problem in found.get("pieces", {}).values() if problem]
    wrong += [error for one in found.get("lessons", []) for error in one["errors"]]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))

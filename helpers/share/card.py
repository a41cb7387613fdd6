"""The model card: what the network is, what it was trained on, how good it is, and what it is for.

It has the Hugging Face Hub's format: Markdown, with results as metadata that the Hub reads
(https://huggingface.co/docs/hub/model-cards).
"""

from __future__ import annotations

import math
from typing import Any

import yaml

from helpers.data.pairs import Pairs
from helpers.share import archive
from helpers.share.architectures import BASELINE, REFERENCE, Network
from helpers.share.measure import METRICS, in_words

INTENDED_USE = (
    "Made in a course, to learn how a U-Net is built, trained and judged: for comparing with other networks of the "
    "course on the same images."
)
LIMITS = (
    "Nothing is known about images of another source than those above. Not for diagnosis, nor for any decision that "
    "somebody's health, work or rights hang on."
)


def about(pairs: Pairs) -> dict[str, Any]:
    """`"dataset"`, `"split"` and `"images"`, as the data set itself says."""
    return {
        "dataset": str(getattr(pairs, "name", type(pairs).__name__)),
        "split": str(getattr(pairs, "split", "not said")),
        "images": len(pairs),
    }


def text(
    name: str,
    network: Network,
    parameters: int,
    scores: dict[str, Any],
    flaws: str,
    curve: dict[str, Any] | None,
    examples: list[str],
    intended_use: str,
    limits: str,
) -> str:
    """The card of a bundle.

    Args:
        name: of the bundle.
        network: what rebuilds it.
        parameters: number of them.
        scores: the bundle's `scores.json`.
        flaws: known flaws of the data, Markdown; may be empty.
        curve: the bundle's `curve.json`, if there is one.
        examples: for each example which one it is.
        intended_use, limits: in the author's words, Markdown.
    """
    measured, learned = scores["measured_on"], scores["trained_on"]
    metrics = [
        {
            "type": metric,
            "value": value["mean"],
            "name": f"{METRICS[metric]}, mean over the images",
            "args": {"standard_deviation": value["std"]},
        }
        for metric, value in scores["metrics"].items()
        if value["mean"] is not None
    ]
    metadata: dict[str, Any] = {
        "library_name": "pytorch" if network.library == REFERENCE else "segmentation-models-pytorch",
        "pipeline_tag": "image-segmentation",
        "tags": ["image-segmentation", "semantic-segmentation", "pytorch", "build-unet"],
    }
    if metrics:
        result = {
            "task": {"type": "image-segmentation", "name": "Semantic segmentation"},
            "dataset": {
                "type": measured["dataset"],
                "name": f"{measured['dataset']}, {measured['images']} images",
                "split": measured["split"],
            },
            "metrics": metrics,
        }
        metadata["model-index"] = [{"name": name, "results": [result]}]
    parts = [
        f"---\n{yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True)}---\n",
        f"# {name}\n",
        f"`{network.call}` of `{network.library}`: {parameters:,} parameters. From images `(N, {network.in_channels}, "
        f"H, W)` with values from 0 to 1 it makes logits `(N, {network.num_classes}, H, W)`"
        + (", of which one above 0 means the object" if network.num_classes == 1 else "")
        + f". Classes: {', '.join(_plain(c) for c in scores['classes'])}.\n",
        "```python\n" + _loading(network) + "```\n",
        "## Data\n",
        "| | set | split | images |\n|---|---|---|---|",
        *(
            f"| {what} | {_plain(of['dataset'])} | {_plain(of['split'])} | {of['images']} |"
            for what, of in (("trained on", learned), ("measured on", measured))
        ),
        "\n## Results\n",
        f"Mean ± standard deviation over the {measured['images']} images of the split, measured by its author. "
        "Each image's score is the mean over the classes but the background. A dash: for some image there was no "
        "border to measure from.\n",
        "| " + " | ".join(METRICS.values()) + " |\n" + "|---" * len(METRICS) + "|",
        "| " + " | ".join(in_words(scores["metrics"][metric]) for metric in METRICS) + " |\n",
    ]
    if curve is not None:
        parts += [
            "## Training\n",
            f"{len(curve['losses'])} steps in {curve['seconds']:.0f} s on {_plain(curve['device'])}. "
            f"Why it ended: {_plain(curve['stopped']) or 'not said'}.\n",
            "![Loss of each step, and mean IoU and Dice of each validation](curve.png)\n",
        ]
    parts += ["## Examples\n", "| | image | truth | prediction |\n|---|---|---|---|"]
    for k, sentence in enumerate(examples, 1):
        pictures = " | ".join(f"![{part} {k}](examples/{k}-{part}.png)" for part in archive.EXAMPLE_PARTS)
        parts.append(f"| {sentence} | {pictures} |")
    parts += ["\n## Intended use\n", intended_use + "\n", "## Limits\n", limits + "\n"]
    if flaws:
        parts += [f"Known flaws of the data set {_plain(measured['dataset'])}:\n", flaws + "\n"]
    return "\n".join(parts)


def flaws_of(pairs: Pairs) -> str:
    """The section "Known flaws" of a data set's own card; empty if there is none."""
    _, _, after = str(getattr(pairs, "card", "")).partition("## Known flaws\n")
    return after.partition("\n## ")[0].strip()


def curve_of(history: Any) -> dict[str, Any]:
    """The history that `helpers.training.fit` returned, as JSON can hold it; what it lacks is empty."""
    return {
        "losses": [_number(x) for x in getattr(history, "losses", [])],
        "scores": [{str(k): _number(x) for k, x in entry.items()} for entry in getattr(history, "scores", [])],
        "seconds": _number(getattr(history, "seconds", 0.0)) or 0.0,
        "stopped": str(getattr(history, "stopped", "")),
        "device": str(getattr(history, "device", "cpu")),
    }


def curve_picture(curve: dict[str, Any]) -> bytes:
    """The training curve as a PNG: loss of each step on the left, scores of each validation on the right."""
    from matplotlib.figure import Figure

    from helpers.show import BLUE, GREEN, VERMILION, png

    fig = Figure(figsize=(8, 3), layout="constrained")
    left, right = fig.subplots(1, 2)
    losses = [math.nan if x is None else x for x in curve["losses"]]
    left.plot(range(1, len(losses) + 1), losses, color=BLUE, linewidth=1)
    left.set(title="Training", xlabel="step", ylabel="loss")
    for key, label, colour, style in (("iou", "IoU", GREEN, "-o"), ("dice", "Dice", VERMILION, "--s")):
        points = [(e["step"], e[key]) for e in curve["scores"] if e.get(key) is not None and e.get("step") is not None]
        if points:
            right.plot(*zip(*points, strict=True), style, color=colour, markersize=3, label=label)
    right.set(title="Validation", xlabel="step", ylabel="score", ylim=(0, 1))
    if right.lines:
        right.legend(frameon=False)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    return png(fig)


def _loading(network: Network) -> str:
    """Code that rebuilds the network from an unpacked bundle, without this package."""
    if network.library == REFERENCE:
        module = {"UNet": "unet", "Hourglass": "decoder"}[network.architecture]
        imports, call = [f"from helpers.reference.{module} import {network.architecture}"], network.call
    else:
        imports = ["import segmentation_models_pytorch as smp"]
        call = "smp." + network.call.replace("(", "(encoder_weights=None, ", 1)
        if network.library == BASELINE:
            imports += ["from helpers.baseline import Baseline"]
            call = f"Baseline({call}, {[0.0] * network.in_channels}, {[1.0] * network.in_channels})"
    lines = [f"model = {call}", f'model.load_state_dict(load_file("{archive.WEIGHTS}"))', "model.eval()", ""]
    return "\n".join(["from safetensors.torch import load_file", *imports, "", *lines])


def _plain(words: Any) -> str:
    """Words without characters that end a table cell or begin markup."""
    return "".join(c if c.isalnum() or c in " .,:;-_+()/%'" else " " for c in str(words))[:200].strip()


def _number(x: Any) -> float | None:
    x = float(x)
    return x if math.isfinite(x) else None

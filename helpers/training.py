"""Training: one call, `fit`, from a model and two data sets to the best weights that the time allows.

The loop is lesson 09's, with what makes it quick and safe to stop: a learning rate that rises and falls once over the
run, batches prepared while the model is busy, batch norm that stops looking at the batch, weights averaged over the
last steps, the best ones kept, checkpoints that are whole or not there.

Several processes. Started by `torchrun --nproc-per-node=2 script.py`, the same call shares every batch out between
them: Lightning Fabric finds the processes and averages the gradients. Fabric and not Accelerate, because it keeps no
state in the process: a notebook may call `fit` on the CPU, then on a GPU.
"""

from __future__ import annotations

import copy
import ctypes
import math
import os
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from helpers import checkpoint as checkpoints
from helpers import metrics
from helpers.crops import Augment, Crops, any_way_up
from helpers.data.pairs import IGNORE
from helpers.monitor.monitor import Unwatched, Watch, watching
from helpers.threads import QuickestThreads

Loss = Callable[[Tensor, Tensor], Tensor]
Monitor = Callable[["History", float], Any]

WARM_UP = 0.2  # of the run, in which the learning rate rises
PATIENT_UNTIL = 0.5  # of the run: at a high rate scores jump, and a lucky early one says nothing of what is to come
FROZEN_FROM = 0.7  # of the run: from here on, at a low rate, batch norm uses its running statistics ...
COUNTED = 50  # ... if it has seen so many batches: each new one makes up a tenth of them
VALIDATIONS = 20  # in a run of given seconds, if a validation is quick
VALIDATION_SHARE = 0.15  # of the time, at most
LITTLE_WORK = 1e9  # multiplications and additions of a forward pass, below which a second core was no gain
EMA_STEPS = 20  # steps that the averaged weights remember, or a tenth of the run so far if that is less


class TrainingError(ValueError):
    """What `fit` was given does not go together. The message says what, the rule, and what to do."""


@dataclass
class History:
    """What happened in a run.

    Attributes:
        losses: mean loss of each step.
        scores: for each validation `{"step", "seconds", "loss", "iou", "dice"}`.
        best: the entry of `scores` whose weights the model holds now.
        stopped: why it ended, in words.
        seconds: how long it took, validation and an earlier part that was resumed included.
        device: where it ran.
    """

    losses: list[float] = field(default_factory=list)
    scores: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, float] = field(default_factory=dict)
    stopped: str = ""
    seconds: float = 0.0
    device: str = "cpu"

    @property
    def steps(self) -> int:
        """Steps of the optimizer."""
        return len(self.losses)


def dice_and_cross_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy and soft Dice loss in equal parts, for one logit or for several classes.

    Args:
        logits: `(N, K, H, W)`; with K = 1 the logit of "object".
        masks: int64 `(N, H, W)`, class indices; pixels of 255 do not count.

    Returns:
        0-d tensor. Dice is taken over each image and class, the background left out, with 1 added above and below.
    """
    if logits.shape[1] == 1:  # sigmoid(z) is softmax over (0, z)
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    labelled = (masks != IGNORE)[:, None]  # (N, 1, H, W)
    cross_entropy = F.cross_entropy(logits, masks, ignore_index=IGNORE, reduction="sum") / labelled.sum().clamp(min=1)
    probability = logits.softmax(dim=1)[:, 1:] * labelled  # (N, K - 1, H, W)
    classes = torch.arange(1, logits.shape[1], device=masks.device)[None, :, None, None]
    target = (masks[:, None] == classes).to(probability.dtype)
    overlap, total = (probability * target).sum((2, 3)), (probability + target).sum((2, 3))
    return 0.5 * cross_entropy + 0.5 * (1 - (2 * overlap + 1) / (total + 1)).mean()


def fit(
    model: nn.Module,
    train: Dataset,
    validation: Dataset,
    loss: Loss = dice_and_cross_entropy,
    *,
    seconds: float | None = None,
    epochs: int | None = None,
    device: str = "auto",
    batch_size: int = 8,
    crop: int | None = None,
    augment: Augment | None = any_way_up,
    lr: float = 3e-3,
    patience: int = VALIDATIONS,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    monitor: Monitor | None = None,
) -> History:
    """Train `model` in place, and leave the best weights in it.

    AdamW; the learning rate rises to `lr` over the first fifth of the run and falls to nothing along a cosine: of the
    time if `seconds` is given, else of the steps. From 70 % of the run on batch norm uses its running statistics, as it
    will in prediction. Validation is run on the averaged weights, and those of the best mean
    IoU are kept. With `epochs`, a run on the CPU is the same for the same seed and number of threads, bit for bit, and
    a small network, such as those of the lessons, is trained on one thread wherever it is; with `seconds` the run
    depends on how fast the machine is. Ctrl-C ends the run and keeps the best weights so far.

    A notebook shows how it goes (`helpers.monitor.monitor`), with a button that does what Ctrl-C does; a terminal has
    one line. Watching changes no bit of what is learned, and takes about 2 % of the time at most.

    Args:
        model: images `(N, C, H, W)` to logits `(N, K, H, W)`.
        train, validation: data sets of `(image, mask)` as `helpers.data.load` gives them. Validation images are
            predicted whole, one at a time.
        loss: `loss(logits, masks)` gives a 0-d tensor; masks are int64 `(N, H, W)`, 255 where there is no label.
        seconds: how long the run may take, validation included; or
        epochs: how often to show every image. One of the two; without either, 60 seconds.
        device: `"cpu"`, `"cuda"`, `"mps"`, or `"auto"` for the best there is.
        batch_size: images in a step, shared out between the processes if there are several.
        crop: train on random squares of this side, in pixels; `None` on whole images, which must be of one size.
        augment: `augment(image, mask, generator)`; by default one of the eight ways up of a square. `None` for nothing.
        lr: the highest learning rate.
        patience: validations in a row without a better one that end the run, counted from its middle on. The default
            lets it go on to its end, where with one cycle of the rate the best weights often are; five may save a
            quarter of the time.
        seed: of the order, the crops, the augmentation and dropout; not of the model's weights, which it has already.
        checkpoint: a JSON file to keep the state of the run in, written after each validation.
        resume: go on from `checkpoint`. With `epochs`, the weights at the end are those of a run without the break.
        monitor: called as `monitor(history, fraction)` after each step, with the fraction of the run that is done; a
            true result ends the run as Ctrl-C does.

    Returns:
        What happened.

    Raises:
        TrainingError: arguments that do not go together, or a loss that is not a finite number.
        checkpoint.CheckpointError: there is nothing to resume from, or it is not of this run.
    """
    if seconds is not None and epochs is not None:
        raise TrainingError("Both seconds and epochs are given, and only one can end the run. Leave one of them out.")
    budget = epochs if epochs is not None else (60.0 if seconds is None else seconds)
    if not budget > 0:
        raise TrainingError(f"{'epochs' if epochs is not None else 'seconds'} is {budget}; give more than 0.")
    if resume and checkpoint is None:
        raise TrainingError("resume=True goes on from a checkpoint, and none is given. Add checkpoint='run.json'.")
    if not lr > 0:
        raise TrainingError(f"lr is {lr}; give more than 0, such as 0.003.")
    fabric = _fabric(device)
    if batch_size % fabric.world_size:
        raise TrainingError(
            f"batch_size={batch_size} cannot be shared out between {fabric.world_size} processes. "
            f"Give a multiple of {fabric.world_size}."
        )
    crops = Crops(train, crop, batch_size, augment, seed)
    steps = None if epochs is None else max(1, round(epochs * crops.batches_an_epoch))
    plan = _Plan(float(budget) if epochs is None else None, steps, lr, patience)
    settings = {"seed": seed, "batch_size": batch_size, "crop": crop, "lr": lr, "epochs": epochs}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        run = _Run(fabric, model, crops, validation, loss, plan, monitor)
        run.file, run.settings = (Path(checkpoint) if checkpoint is not None else None), settings
        if resume:
            run.restore()
        with watching() if fabric.global_rank == 0 else Unwatched() as run.watch:
            history = run.go()
    del run  # and with it the gradients' averages and the best weights
    give_memory_back()
    return history


@dataclass(frozen=True)
class _Plan:
    """How long, and how fast: `seconds` or `steps`, whichever is given."""

    seconds: float | None
    steps: int | None
    lr: float
    patience: int

    def fraction(self, steps: int, seconds: float) -> float:
        """How much of the run is done, from 0 to 1."""
        return min(1.0, steps / self.steps if self.steps is not None else seconds / self.seconds)

    def lr_at(self, fraction: float) -> float:
        """One cycle (Smith and Topin 2018): up along a cosine in the first fifth, then down to nothing."""
        if fraction < WARM_UP:
            return self.lr * (1 - 0.96 * (1 + math.cos(math.pi * fraction / WARM_UP)) / 2)
        return self.lr * (1 + math.cos(math.pi * (fraction - WARM_UP) / (1 - WARM_UP))) / 2


class _Run:
    """One call of `fit`: the network, its average, and how far it has come."""

    def __init__(
        self,
        fabric: Any,
        model: nn.Module,
        crops: Crops,
        validation: Dataset,
        loss: Loss,
        plan: _Plan,
        monitor: Monitor | None,
    ) -> None:
        self.fabric, self.model, self.crops, self.loss, self.plan = fabric, model, crops, loss, plan
        self.validation, self.monitor = validation, monitor
        # Several processes normalise over the whole batch together, in a copy: the model itself stays as it is.
        network = model if fabric.world_size == 1 else share_batch_norm(copy.deepcopy(model))
        network = network.to(memory_format=torch.channels_last)  # quicker: autograde.bench_step
        trained = [p for p in network.parameters() if p.requires_grad]
        if not trained:
            raise TrainingError(
                "No parameter of the model asks for a gradient, so there is nothing to train. "
                "Call model.requires_grad_(True), or freeze less of it."
            )
        optimizer = torch.optim.AdamW(trained, lr=plan.lr, betas=(0.9, 0.99), weight_decay=1e-2)
        self.home = next(model.parameters()).device
        self.network, self.optimizer = fabric.setup(network, optimizer)
        self.average = copy.deepcopy(self.network.module)
        self.history = History(device=str(fabric.device))
        self.best: dict[str, Tensor] = {}
        self.waited, self.next_validation = 0, 1 / VALIDATIONS
        self.watch: Watch | Unwatched = Unwatched()
        self.file: Path | None = None
        self.settings: dict[str, Any] = {}
        # Another number of threads rounds differently, so a run of given epochs must not choose it by the clock.
        alone = fabric.device.type == "cpu" and fabric.world_size == 1
        little = alone and plan.seconds is None and _is_little_work(self.average, crops.shape)
        self.adapts = alone and (plan.seconds is not None or little)
        self.threads = QuickestThreads(1 if little else torch.get_num_threads())
        self.began = time.perf_counter()

    def go(self) -> History:
        """Train to the end, whichever it is, and put the best weights into the model."""
        history = self.history
        self.watch.follow(history, self.plan.steps, self.plan.seconds)
        batches = self.crops.ahead(history.steps, self.fabric.global_rank, self.fabric.world_size)
        try:
            while not history.stopped:
                fraction = self.fraction()
                if fraction >= 1:
                    history.stopped = "all steps are done" if self.plan.steps is not None else "time is up"
                elif self.waited >= self.plan.patience:
                    history.stopped = f"no better for {self.waited} validations"
                else:
                    batch = next(batches)
                    with self.threads.step() if self.adapts else nullcontext():
                        self.step(*batch, fraction)
                    self.look(fraction)
        except KeyboardInterrupt:
            history.stopped = "interrupted"
        finally:
            batches.close()
            self.hand_back()
        return history

    def fraction(self) -> float:
        """How much of the run is done; several processes go by the clock of the first."""
        self.history.seconds = time.perf_counter() - self.began
        return self.fabric.broadcast(self.plan.fraction(self.history.steps, self.history.seconds))

    def step(self, images: Tensor, masks: Tensor, fraction: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.lr_at(fraction)
        self.network.train()
        if fraction >= FROZEN_FROM and self.history.steps >= COUNTED:
            freeze_batch_norm(self.network)
        images, masks = self.fabric.to_device((images.contiguous(memory_format=torch.channels_last), masks))
        loss = self.loss(self.network(images), masks)
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        self.optimizer.step()
        value = float(self.fabric.all_reduce(loss.detach(), reduce_op="mean"))
        if not math.isfinite(value):
            raise TrainingError(
                f"The loss is {value} at step {self.history.steps + 1}. A loss has to be a finite number: look whether "
                f"images are from 0 to 1 and masks hold class indices, or take a lower lr than {self.plan.lr:g}."
            )
        self.history.losses.append(value)
        self.update_ema()

    @torch.no_grad()
    def update_ema(self) -> None:
        """Move the averaged weights towards the present ones: the mean of the last steps, roughly."""
        weight = 1 / min(EMA_STEPS, 1 + self.history.steps // 10)
        for kept, now in zip(
            self.average.state_dict().values(), self.network.module.state_dict().values(), strict=True
        ):
            if kept.is_floating_point():
                kept.lerp_(now, weight)
            else:
                kept.copy_(now)

    def look(self, fraction: float) -> None:
        """Validate when it is time, and let those see who watch."""
        if self.fraction() >= min(self.next_validation, 1.0):
            self.validate(fraction)
        ends = self.watch.step()
        if self.monitor is not None:
            ends = self.fabric.broadcast(bool(self.monitor(self.history, fraction)) or ends)
        if ends:
            raise KeyboardInterrupt

    def validate(self, fraction: float) -> None:
        began = time.perf_counter()
        with self.threads.same() if self.adapts else nullcontext():
            scores = metrics.score(self.average, self.validation, self.loss, self.watch.look)
        took = time.perf_counter() - began
        history = self.history
        history.scores.append({"step": history.steps, "seconds": round(history.seconds + took, 3), **scores})
        if not self.best or scores["iou"] > history.best["iou"]:
            history.best, self.waited = history.scores[-1], 0
            self.best = {name: x.detach().clone() for name, x in self.average.state_dict().items()}
        elif fraction >= PATIENT_UNTIL:
            self.waited += 1
        self.watch.validated()
        # A slow network validates less often: the same fraction of the time for all.
        pause = took / VALIDATION_SHARE / self.plan.seconds if self.plan.seconds else 0.0
        self.next_validation = self.fabric.broadcast(fraction + max(1 / VALIDATIONS, pause))
        self.save()

    def hand_back(self) -> None:
        """The best weights into the model, and the model back to where it came from."""
        if not self.best and self.history.steps:
            self.validate(1.0)
        if self.best:
            self.model.load_state_dict(self.best)
        self.model.to(self.home, memory_format=torch.contiguous_format).eval()
        self.history.seconds = time.perf_counter() - self.began

    # ---- checkpoints ----

    def save(self) -> None:
        if self.file is None or self.fabric.global_rank:
            return
        moments = self.optimizer.state_dict()["state"]
        tensors = {f"optimizer.{k}.{name}": x for k, state in moments.items() for name, x in state.items()}
        tensors["random"] = torch.get_rng_state()
        for part, state in (("now", self.network.module.state_dict()), ("average", self.average.state_dict())):
            tensors |= {f"{part}.{name}": x for name, x in state.items()}
        tensors |= {f"best.{name}": x for name, x in self.best.items()}
        facts = {"waited": self.waited, "next_validation": self.next_validation, "history": asdict(self.history)}
        checkpoints.write(self.file, tensors, {"settings": self.settings, **facts})

    def restore(self) -> None:
        """Go back to where the checkpoint was written.

        Raises:
            CheckpointError: it is not there, not whole, of another model or of a run with other settings.
        """
        tensors, facts = checkpoints.read(self.file)
        others = [k for k, v in self.settings.items() if facts.get("settings", {}).get(k) != v]
        if others:
            said = ", ".join(
                f"{k}={facts.get('settings', {}).get(k)!r} there and {self.settings[k]!r} here" for k in others
            )
            raise checkpoints.CheckpointError(
                f"{self.file.name} is of a run with other settings: {said}. Resume with the same ones."
            )
        parts: dict[str, dict[str, Tensor]] = {}
        for name, x in tensors.items():
            part, _, rest = name.partition(".")
            parts.setdefault(part, {})[rest] = x
        checkpoints.fill(self.average, parts.get("average", {}), self.file.name)
        checkpoints.fill(self.network.module, parts.get("now", {}), self.file.name)
        self.best = {name: x.to(self.fabric.device) for name, x in parts.get("best", {}).items()}
        state = self.optimizer.state_dict()
        for name, x in parts.get("optimizer", {}).items():
            index, _, what = name.partition(".")
            state["state"].setdefault(int(index), {})[what] = x
        self.optimizer.load_state_dict(state)
        torch.set_rng_state(tensors["random"])
        self.waited, self.next_validation = facts["waited"], facts["next_validation"]
        self.history = History(**{**facts["history"], "stopped": "", "device": str(self.fabric.device)})
        self.began = time.perf_counter() - self.history.seconds


def give_memory_back() -> None:
    """Ask the C library to return memory that is free to the system; does nothing where it cannot be asked.

    glibc keeps what was freed for the next request, in a pool for each thread (malloc_trim(3)). After a short run of
    the pretrained baseline 170 of 1000 MB were such memory, which a laptop or Binder's 2 GB have better uses for.
    """
    with suppress(OSError, AttributeError, TypeError):  # no such function; on Windows no library of that name
        ctypes.CDLL(None).malloc_trim(0)


@torch.no_grad()
def _is_little_work(model: nn.Module, shape: tuple[int, int, int, int]) -> bool:
    """Whether a batch of that shape is so little work that several threads would mostly wait for each other.

    Counted and not timed, so that the answer is the same on every machine and in every run.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model.eval()(torch.zeros(shape))
    return counter.get_total_flops() < LITTLE_WORK


def _fabric(device: str) -> Any:
    """Where the run takes place: the device, how many processes, and in which precision.

    bfloat16 on a GPU that has it; float32 elsewhere (`autograde.bench_step` measures both on a CPU).
    """
    from lightning_fabric import Fabric

    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        device = next(name for name, there in found.items() if there)
    if not found.get(device):
        have = ", ".join(repr(name) for name, there in found.items() if there)
        raise TrainingError(f"device={device!r} is not to be had here. There is {have}; device='auto' takes the best.")
    precision = "bf16-mixed" if device == "cuda" and torch.cuda.is_bf16_supported() else "32-true"
    started_by_torchrun = "LOCAL_WORLD_SIZE" in os.environ and "TORCHELASTIC_RUN_ID" in os.environ
    if not started_by_torchrun:
        return Fabric(accelerator=device, devices=1, precision=precision)
    local, world = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
    fabric = Fabric(accelerator=device, devices=local, num_nodes=world // local, strategy="ddp", precision=precision)
    fabric.launch()
    return fabric


def freeze_batch_norm(model: nn.Module) -> None:
    """Let every batch norm in `model` use its running statistics, as in prediction; its weights go on learning.

    The mean and the variance of a batch change with what its crops happen to show: with many crops of empty background
    the same grey value comes out brighter than with few. A network that learns under them alone learns thresholds that
    are blurred by as much, and is then used with the running ones. On `brain`, whose classes are nearly intervals of
    grey values, learning with those for the last part of the run took the mean Dice from 0.91 to 0.95. Too early, while
    the weights still move much, is no good: what is normalised drifts away from what it is normalised by, and deep
    networks diverge (an hourglass of depth 4 ended at IoU 0.59 instead of 0.84).
    """
    for layer in model.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eval()


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm over the images of all processes. `nn.SyncBatchNorm` does the same, on GPUs only."""

    def forward(self, x: Tensor) -> Tensor:
        from torch.distributed.nn.functional import all_reduce

        if not self.training:
            return super().forward(x)
        moments = torch.stack([x.mean(dim=(0, 2, 3)), x.square().mean(dim=(0, 2, 3))])  # (2, C)
        mean, square = all_reduce(moments) / torch.distributed.get_world_size()
        variance = square - mean.square()
        with torch.no_grad():
            count = x.numel() // x.shape[1] * torch.distributed.get_world_size()
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight / (variance + self.eps).sqrt()
        return x * scale[:, None, None] + (self.bias - mean * scale)[:, None, None]


def share_batch_norm(model: nn.Module) -> nn.Module:
    """`model` with every `nn.BatchNorm2d` in it replaced by a `SharedBatchNorm` of the same weights and statistics."""
    for name, layer in model.named_children():
        if type(layer) is nn.BatchNorm2d:
            shared = SharedBatchNorm(layer.num_features, layer.eps, layer.momentum)
            shared.load_state_dict(layer.state_dict())
            setattr(model, name, shared.train(layer.training))
        else:
            share_batch_norm(layer)
    return model

"""Training: one call, `fit`, from a model and two data sets to the best weights that the time allows.

The loop is lesson 09's, made quick and safe to stop: one cycle of the learning rate, batches prepared while the model
is busy, batch norm frozen towards the end, averaged weights, the best ones kept, checkpoints that are whole or not
there.

Several processes: started by `torchrun --nproc-per-node=2 script.py`, the same call splits every batch between them.
Lightning Fabric finds the processes and averages the gradients. Fabric and not Accelerate, because it keeps no state in
the process: a notebook may call `fit` on the CPU, then on a GPU.
"""

from __future__ import annotations

import atexit
import copy
import ctypes
import hashlib
import logging
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from helpers import checkpoint as checkpoints
from helpers import metrics
from helpers.batch_norm import freeze_batch_norm, share_batch_norm
from helpers.crops import Augment, Crops, any_way_up
from helpers.data.gate import same_random_numbers, warn
from helpers.data.pairs import IGNORE, Pairs
from helpers.errors import InputError, called_as
from helpers.monitor.monitor import Watch, watching
from helpers.network_gate import ready_to_train
from helpers.threads import QuickestThreads

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Loss = Callable[[Tensor, Tensor], Tensor]
Monitor = Callable[["History", float], Any]

# Fractions of the run:
WARM_UP = 0.2  # in which the learning rate rises
PATIENT_UNTIL = 0.5  # at a high learning rate scores jump, and a lucky early one says nothing
FROZEN_FROM = 0.7  # from here on, at a low rate, batch norm uses its running statistics ...
COUNTED = 50  # ... if it has seen so many batches: each new one makes up a tenth of them

VALIDATIONS = 20  # in a run of given seconds, if a validation is quick
VALIDATION_SHARE = 0.15  # of the time, at most
LITTLE_WORK = 1e9  # floating-point operations of a forward pass, below which a second core was no gain
EMA_STEPS = 20  # steps that the averaged weights remember, or a tenth of the run so far if that is less


class TrainingError(InputError):
    """Arguments of `fit` do not go together. The message says what is wrong, the rule, and what to do."""


@dataclass
class History:
    """What happened in a run.

    Attributes:
        losses: mean loss of each step.
        scores: for each validation `{"step", "seconds", "loss", "iou", "dice"}`.
        best: the entry of `scores` whose weights the model holds now.
        stopped: why it ended, in words.
        seconds: how long it took, with validation and with the part before a break.
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
        0-d tensor. Dice is per image and class without the background, with 1 added above and below.
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


@called_as("fit(model, train, validation, epochs=20, crop=64)")
def fit(
    model: nn.Module,
    train: Pairs,
    validation: Pairs,
    loss: Loss = dice_and_cross_entropy,
    *,
    seconds: float | None = None,
    epochs: float | None = None,
    device: str | torch.device = "auto",
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
    """Train `model` in place, and leave the best weights in it, in evaluation mode.

    AdamW; the learning rate rises to `lr` over the first fifth of the run (of the time with `seconds`, else of the
    steps) and falls to zero along a cosine. From 70 % of the run on batch norm uses its running statistics, as it will
    in prediction. The averaged weights are validated, and those of the best mean IoU kept. Ctrl-C ends the run and
    keeps the best weights so far.

    With `epochs`, a run on the CPU is the same for the same seed and number of threads, bit for bit; a small network,
    such as those of the lessons, always trains on one thread. With `seconds` the run depends on the machine's speed.

    A notebook shows the progress, with a button that does what Ctrl-C does; a terminal has one line. Watching changes
    no bit of what is learned.

    Args:
        model: images `(N, C, H, W)` to logits `(N, K, H, W)`.
        train, validation: `(image, mask)` pairs as `helpers.data.load` gives them. Validation images are predicted
            whole, one at a time. A training set that gives another pair each time is read anew each time.
        loss: `loss(logits, masks)` gives a 0-d tensor; masks are int64 `(N, H, W)`, 255 where there is no label.
        seconds: how long the run may take, validation included; or
        epochs: how often to show every image. At most one of the two; without either, 60 seconds.
        device: `"cpu"`, `"cuda"`, `"mps"`, or `"auto"` for the best there is; a `torch.device`, too.
        batch_size: images in a step, over all processes.
        crop: train on random squares of this side, in pixels; `None` on whole images, which must be of one size.
        augment: `augment(image, mask, generator)`; by default one of the eight ways up of a square. `None` for nothing.
        lr: the highest learning rate.
        patience: validations in a row without a better one that end the run, counted from its middle on. The default
            never does, since with one cycle of the rate the best weights often come last; five may save a quarter of
            the time.
        seed: of the order, the crops, the augmentation and dropout, but not of the model's initial weights.
        checkpoint: a file for the state of the run, written after each validation.
        resume: go on from `checkpoint`. With `epochs`, the weights at the end are those of a run without the break. It
            is warned of where the pairs are others than before it.
        monitor: called as `monitor(history, fraction)` after each step, with the fraction of the run that is done; a
            true result ends the run as Ctrl-C does.

    Raises:
        GateError: network, pairs, loss or augmentation do not go together; see `network_gate.ready_to_train`.
        TrainingError: arguments that do not go together, or a loss that is not a finite number.
        checkpoint.CheckpointError: there is nothing to resume from, or it is not of this run.
    """
    if seconds is not None and epochs is not None:
        raise TrainingError("Both seconds and epochs are given, and only one can end the run. Leave one of them out.")
    if seconds is None and epochs is None:
        seconds = 60.0
    numbers = {"epochs": epochs, "seconds": seconds, "lr": lr, "batch_size": batch_size, "crop": crop}
    for name, value in {**numbers, "patience": patience}.items():
        if value is not None and not 0 < value < math.inf:
            raise TrainingError(f"{name} is {value}; give more than 0, and a finite number.")
    if not -(2**63) <= seed < 2**64:
        raise TrainingError(f"seed is {seed}; give a whole number of at most 64 bits, such as 0.")
    if resume and checkpoint is None:
        raise TrainingError("resume=True goes on from a checkpoint; none is given. Add checkpoint='run.safetensors'.")
    file = None if checkpoint is None else Path(checkpoint)
    if file is not None and file.is_dir():
        raise TrainingError(f"checkpoint is the folder {file}. Give a file in it: {file / 'run.safetensors'}.")
    fabric = _fabric(device)
    if batch_size % fabric.world_size:
        raise TrainingError(
            f"batch_size={batch_size} cannot be shared out between {fabric.world_size} processes. "
            f"Give a multiple of {fabric.world_size}."
        )
    train, validation = taken = ready_to_train(model, train, validation, loss, crop, batch_size, augment)
    if fabric.global_rank == 0:
        taken[0].say(taken[1])
    crops = Crops(train, crop, batch_size, augment, seed)
    steps = None if epochs is None else max(1, round(epochs * crops.batches_an_epoch))
    settings: dict[str, Any] = {"seed": seed, "batch_size": batch_size, "crop": crop, "lr": lr, "epochs": epochs}
    sets = {} if file is None else {"training": _known_by(train), "validation": _known_by(validation)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        run = _Run(fabric, model, crops, validation, loss, seconds, steps, lr, patience, monitor, settings, sets, file)
        if resume:
            run.restore()
        with watching() if fabric.global_rank == 0 else Watch() as run.watch:
            history = run.go()
    del run  # and with it the gradients' averages and the best weights
    give_memory_back()
    return history


def one_cycle(fraction: float) -> float:
    """The learning rate as a fraction of the highest (Smith and Topin 2018): up along a cosine, then down to zero."""
    if fraction < WARM_UP:
        return 1 - 0.96 * (1 + math.cos(math.pi * fraction / WARM_UP)) / 2
    return (1 + math.cos(math.pi * (fraction - WARM_UP) / (1 - WARM_UP))) / 2


@dataclass(eq=False)
class _Run:
    """One call of `fit`: the network, its average, and how far it has come. `seconds` or `steps` is given."""

    fabric: Fabric
    model: nn.Module
    crops: Crops
    validation: Pairs
    loss: Loss
    seconds: float | None
    steps: int | None
    lr: float
    patience: int
    monitor: Monitor | None
    settings: dict[str, Any]
    sets: dict[str, list[Any]]  # by what the pairs are known again when they are resumed on
    file: Path | None

    def __post_init__(self) -> None:
        fabric = self.fabric
        # Several processes normalise over the whole batch together, in a copy: the model itself stays as it is.
        network = self.model if fabric.world_size == 1 else share_batch_norm(copy.deepcopy(self.model))
        self.layout = _layout(network, self.crops.batch(0)[0][:2])
        network = network.to(memory_format=self.layout)
        trained = [p for p in network.parameters() if p.requires_grad]
        if not trained:
            raise TrainingError(
                "No parameter of the model asks for a gradient, so there is nothing to train. "
                "Call model.requires_grad_(True), or freeze less of it."
            )
        optimizer = torch.optim.AdamW(trained, lr=self.lr, betas=(0.9, 0.99), weight_decay=1e-2)
        self.home = next(self.model.parameters()).device
        self.network, self.optimizer = fabric.setup(network, optimizer)
        self.average = copy.deepcopy(self.network.module)
        self.history = History(device=str(fabric.device))
        self.best: dict[str, Tensor] = {}
        self.waited, self.next_validation = 0, 1 / VALIDATIONS
        self.watch = Watch()
        # Another number of threads rounds differently, so a run of given epochs must not choose it by the clock.
        alone = fabric.device.type == "cpu" and fabric.world_size == 1
        little = alone and self.seconds is None and _is_little_work(self.average, self.crops.batch(0)[0])
        most = 1 if little else torch.get_num_threads()
        self.threads = QuickestThreads(most, least=1 if alone and self.seconds is not None else most)
        self.began = time.perf_counter()

    def go(self) -> History:
        """Train to the end, whichever it is, and put the best weights into the model."""
        history = self.history
        self.watch.follow(history, self.steps, self.seconds)
        batches = self.crops.ahead(history.steps, self.fabric.global_rank, self.fabric.world_size)
        try:
            while not history.stopped:
                fraction = self.fraction()
                if fraction >= 1:
                    history.stopped = "all steps are done" if self.steps is not None else "time is up"
                elif self.waited >= self.patience:
                    history.stopped = f"no better for {self.waited} validations"
                else:
                    batch = next(batches)
                    with self.threads.step():
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
        if self.steps is not None:
            done = self.history.steps / self.steps
        else:
            assert self.seconds is not None
            done = self.history.seconds / self.seconds
        return self.fabric.broadcast(min(1.0, done))

    def step(self, images: Tensor, masks: Tensor, fraction: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * one_cycle(fraction)
        self.network.train()
        if fraction >= FROZEN_FROM and self.history.steps >= COUNTED:
            freeze_batch_norm(self.network)
        images, masks = self.fabric.to_device((images.contiguous(memory_format=self.layout), masks))
        loss = self.loss(self.network(images), masks)
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        self.optimizer.step()
        value = float(cast(Tensor, self.fabric.all_reduce(loss.detach(), reduce_op="mean")))
        if not math.isfinite(value):
            raise TrainingError(
                f"The loss is {value} at step {self.history.steps + 1}. A loss has to be a finite number: look whether "
                f"images are from 0 to 1 and masks hold class indices, or take a lower lr than {self.lr:g}."
            )
        self.history.losses.append(value)
        self.update_ema()

    @torch.no_grad()
    def update_ema(self) -> None:
        """Move the averaged weights towards the present ones: the mean of the last steps, roughly."""
        weight = 1 / min(EMA_STEPS, 1 + self.history.steps // 10)
        states = self.average.state_dict().values(), self.network.module.state_dict().values()
        for kept, now in zip(*states, strict=True):
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
        with self.threads.same():
            scores = metrics.score(self.average, self.validation, self.loss, self.watch.look)
        took = time.perf_counter() - began
        history = self.history
        history.scores.append({"step": history.steps, "seconds": round(history.seconds + took, 3), **scores})
        if not self.best or _is_better(scores, history.best):
            history.best, self.waited = history.scores[-1], 0
            self.best = {name: x.detach().clone() for name, x in self.average.state_dict().items()}
        elif fraction >= PATIENT_UNTIL:
            self.waited += 1
        self.watch.validated()
        # A slow network validates less often: the same fraction of the time for all.
        pause = took / VALIDATION_SHARE / self.seconds if self.seconds else 0.0
        self.next_validation = self.fabric.broadcast(fraction + max(1 / VALIDATIONS, pause))
        self.save()

    def hand_back(self) -> None:
        """The best weights into the model, and the model back to where it came from."""
        if not self.best and self.history.steps:
            self.validate(1.0)
        if self.best:
            self.model.load_state_dict(self.best)
        self.model.to(self.home).to(memory_format=torch.contiguous_format).eval()
        self.history.seconds = time.perf_counter() - self.began

    def save(self) -> None:
        """Write a checkpoint, if one is wanted."""
        if self.file is None or self.fabric.global_rank:
            return
        moments = self.optimizer.state_dict()["state"]
        parts = {
            "now": self.network.module.state_dict(),
            "average": self.average.state_dict(),
            "best": self.best,
            "optimizer": {f"{k}.{name}": x for k, state in moments.items() for name, x in state.items()},
        }
        tensors = {f"{part}.{name}": x for part, state in parts.items() for name, x in state.items()}
        facts = {"waited": self.waited, "next_validation": self.next_validation, "history": asdict(self.history)}
        facts |= {"settings": self.settings, "pairs": self.sets}
        checkpoints.write(self.file, {**tensors, "random": torch.get_rng_state()}, facts)

    def restore(self) -> None:
        """Go back to where the checkpoint was written.

        Raises:
            CheckpointError: it is not there, not whole, of another model or of a run with other settings.
        """
        assert self.file is not None
        tensors, facts = checkpoints.read(self.file)
        there = facts.get("settings", {})
        others = [f"{k}={there.get(k)!r} there and {v!r} here" for k, v in self.settings.items() if there.get(k) != v]
        if others:
            raise checkpoints.CheckpointError(
                f"{self.file.name} is of a run with other settings: {', '.join(others)}. Resume with the same ones."
            )
        self.warn_of_others(facts.get("pairs", {}))
        parts: defaultdict[str, dict[str, Tensor]] = defaultdict(dict)
        for name, x in tensors.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = x
        checkpoints.fill(self.average, parts["average"], self.file.name)
        checkpoints.fill(self.network.module, parts["now"], self.file.name)
        self.best = {name: x.to(self.fabric.device) for name, x in parts["best"].items()}
        state = self.optimizer.state_dict()
        for name, x in parts["optimizer"].items():
            index, _, what = name.partition(".")
            state["state"].setdefault(int(index), {})[what] = x
        self.optimizer.load_state_dict(state)
        torch.set_rng_state(tensors["random"])
        self.waited, self.next_validation = facts["waited"], facts["next_validation"]
        self.history = History(**{**facts["history"], "stopped": "", "device": str(self.fabric.device)})
        self.began = time.perf_counter() - self.history.seconds

    def warn_of_others(self, there: dict[str, list[Any]]) -> None:
        """Say where the pairs of the checkpoint were others."""
        assert self.file is not None
        for kind, (number, first) in there.items():
            now, first_now = self.sets[kind]
            if number != now or (first and first_now and first != first_now):
                what = f"there were {number}, and here are {now}" if number != now else "the first is another"
                warn(
                    f"{self.file.name} is of a run on other {kind} pairs: {what}. Its weights and scores come from "
                    "those. Resume with the same pairs, or train anew."
                )


def _known_by(pairs: Pairs) -> list[Any]:
    """How many pairs there are, and a hash of the first, empty where that is another each time."""
    with same_random_numbers():
        first, again = (b"".join(x.contiguous().numpy().tobytes() for x in pairs[0]) for _ in range(2))
    return [len(pairs), hashlib.blake2b(first, digest_size=8).hexdigest() if first == again else ""]


def _is_better(scores: dict[str, float], best: dict[str, float]) -> bool:
    """By IoU; by the loss where there is none, because no object is labelled, or where nothing is found yet."""
    if math.isnan(scores["iou"]) or scores["iou"] == best["iou"] == 0:
        return scores["loss"] < best["loss"]
    return scores["iou"] > best["iou"]


def give_memory_back() -> None:
    """Ask the C library to return free memory to the system, where it can be asked.

    glibc keeps it in a pool for each thread (malloc_trim(3)): 170 of 1000 MB after a short run of the baseline.
    """
    with suppress(OSError, AttributeError, TypeError):  # no such function; on Windows no library of that name
        ctypes.CDLL(None).malloc_trim(0)


@torch.no_grad()
def _is_little_work(model: nn.Module, images: Tensor) -> bool:
    """Whether several threads would mostly wait for each other; counted and not timed, to be the same everywhere."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model.eval()(images)
    return counter.get_total_flops() < LITTLE_WORK


@torch.no_grad()
def _layout(network: nn.Module, images: Tensor) -> torch.memory_format:
    """Channels last, which is quicker (`autograde.bench.step`), unless the network asks for rows with `view`."""
    trial = copy.deepcopy(network).to(memory_format=torch.channels_last).train()
    device = next(trial.parameters()).device
    try:
        with torch.random.fork_rng():
            trial(images.to(device).contiguous(memory_format=torch.channels_last))
    except RuntimeError:
        return torch.contiguous_format
    return torch.channels_last


def _fabric(device: Any) -> Fabric:
    """The device, the processes and the precision: bfloat16 on a GPU that has it; `autograde.bench.step` says why."""
    from lightning_fabric import Fabric

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it tells of each GPU what it has
    device = str(device)  # a torch.device, too
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        device = next(name for name, there in found.items() if there)
    if not found.get(device):
        have = ", ".join(repr(name) for name, there in found.items() if there)
        raise TrainingError(f"device={device!r} is not to be had here. There is {have}; device='auto' takes the best.")
    by_torchrun = "LOCAL_WORLD_SIZE" in os.environ and "TORCHELASTIC_RUN_ID" in os.environ
    local, world = (int(os.environ[f"{name}WORLD_SIZE"]) if by_torchrun else 1 for name in ("LOCAL_", ""))
    fabric = Fabric(
        accelerator=device,
        devices=local,
        num_nodes=world // local,
        strategy="ddp" if by_torchrun else "auto",
        precision="bf16-mixed" if device == "cuda" and torch.cuda.is_bf16_supported() else "32-true",
    )
    if by_torchrun:
        fabric.launch()
        atexit.register(_leave_processes)
    return fabric


def _leave_processes() -> None:
    """Gloo's threads still run when Python ends, which now and then aborts the process; Fabric ends NCCL's alone."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()

"""Batches for training: crops of a data set's pairs, augmented, the same ones for the same seed."""

from __future__ import annotations

import itertools
import zlib
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor

import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.data.pairs import IGNORE, Pairs
from helpers.errors import InputError
from helpers.kept_pairs import KeptPairs, Part

Augment = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]

KEPT_BYTES = 2**29  # of pairs that are read once and kept ...
READ_TWICE = 4  # ... if so many of them are the same when they are read again
AHEAD = 4  # batches prepared while the model is busy


def any_way_up(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """One of the eight ways up of a square, all equally likely; of four where the image is not square.

    It asks least of the data: where up does not matter it costs nothing. Brightness is left alone, since how much
    change an image bears depends on the image: 0.2 is little on a photograph and drowns a dim micrograph.

    Args:
        image, mask: `(C, H, W)` and `(H, W)`, turned in the same way.
        generator: source of every random number.
    """
    turns, mirrored = (int(torch.randint(n, (), generator=generator)) for n in (4, 2))
    if mask.shape[-2] != mask.shape[-1]:
        turns = 2 * (turns % 2)  # a quarter turn would exchange the sides, and a batch needs images of one size
    image, mask = image.rot90(turns, (-2, -1)), mask.rot90(turns, (-2, -1))
    return (image.flip(-1), mask.flip(-1)) if mirrored else (image, mask)


class Crops:
    """Any batch of an endless training run, by its number.

    Image k of batch n depends on the seed, `n` and `k` alone. So a resumed run sees what it would have seen, and the
    processes of a distributed run split one batch between them. Each epoch has its own order, in which each image gives
    crops in proportion to its area.

    Args:
        pairs: images and masks.
        crop: side of a square crop in pixels; `None` takes whole images, which must then be of one size.
        batch_size: images in a batch.
        augment: `augment(image, mask, generator)`, or `None`.
        seed: of every random choice.

    Raises:
        ValueError: there is no pair, or the images differ in size and `crop` is `None`.
    """

    def __init__(self, pairs: Pairs, crop: int | None, batch_size: int, augment: Augment | None, seed: int = 0) -> None:
        if len(pairs) == 0:
            raise InputError("The training set has no pairs. Give at least one image with its mask.")
        self.crop, self.batch_size, self.augment, self.seed = crop, batch_size, augment, seed
        steady = _is_steady(KeptPairs(pairs, 0))
        self._pairs = KeptPairs(pairs, KEPT_BYTES if steady else 0)
        first, _ = self._pairs.read(0)
        sizes = [first.shape[1:]] * len(pairs)
        if first.nbytes * len(pairs) <= KEPT_BYTES and steady:
            sizes = [self._pairs.shape(k) for k in range(len(pairs))]
        if crop is None and len(set(sizes)) > 1:
            raise InputError(
                f"The images differ in size ({', '.join(sorted({f'{h}×{w}' for h, w in sizes}))}), and a batch needs "
                "one. Give crop=, such as crop=64."
            )
        crops = [1 if crop is None else max(1, round(h * w / crop**2)) for h, w in sizes]
        self._owners = [k for k, count in enumerate(crops) for _ in range(count)]
        self._order: tuple[int, list[int]] = (-1, [])

    @property
    def batches_an_epoch(self) -> float:
        """How many batches show every image once, on average."""
        return len(self._owners) / self.batch_size

    def batch(self, number: int, part: int = 0, parts: int = 1) -> tuple[Tensor, Tensor]:
        """Images `(N, C, h, w)` and masks `(N, h, w)` of batch `number`, or one of `parts` equal fractions of it."""
        fraction = self.batch_size // parts
        start = number * self.batch_size + part * fraction
        images, masks = zip(*(self._sample(k) for k in range(start, start + fraction)), strict=True)
        return torch.stack(images), torch.stack(masks)

    def ahead(self, start: int, part: int = 0, parts: int = 1) -> Generator[tuple[Tensor, Tensor]]:
        """Batches from number `start` on without end, prepared by a second thread while the first one trains."""
        thread = ThreadPoolExecutor(max_workers=1)
        ready = deque(thread.submit(self.batch, start + k, part, parts) for k in range(AHEAD))
        try:
            for number in itertools.count(start + AHEAD):
                ready.append(thread.submit(self.batch, number, part, parts))
                yield ready.popleft().result()
        finally:
            thread.shutdown(cancel_futures=True)

    def _sample(self, number: int) -> tuple[Tensor, Tensor]:
        epoch, place = divmod(number, len(self._owners))
        if self._order[0] != epoch:
            shuffled = torch.randperm(len(self._owners), generator=self._generator(epoch, 0)).tolist()
            self._order = (epoch, [self._owners[k] for k in shuffled])
        generator = self._generator(number, 1)
        image, mask = self._pairs.part(self._order[1][place], lambda shape: _window(shape, self.crop, generator))
        if self.crop is not None:
            image, mask = _filled_up(image, mask, self.crop)
        return self.augment(image, mask, generator) if self.augment else (image, mask)

    def _generator(self, number: int, kind: int) -> torch.Generator:
        # torch's CPU generator looks at 32 bits of its seed only, so the three numbers are mixed into those.
        return torch.Generator().manual_seed(zlib.crc32(f"{self.seed} {kind} {number}".encode()))


def _is_steady(pairs: KeptPairs) -> bool:
    """Whether pairs are the same each time; not where the data set augments them itself."""
    both = ((pairs.read(k), pairs.read(k)) for k in range(min(len(pairs), READ_TWICE)))
    return all(torch.equal(x, y) for one, other in both for x, y in zip(one, other, strict=True))


def _window(shape: torch.Size, side: int | None, generator: torch.Generator) -> Part:
    """Rows and columns of a random square; all of them where it is as large."""
    if side is None:
        return slice(None), slice(None)
    corner = [int(torch.randint(max(0, length - side) + 1, (), generator=generator)) for length in shape]
    top, left = corner
    return slice(top, top + side), slice(left, left + side)


def _filled_up(image: Tensor, mask: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """As a square: what is smaller is filled up with zeros, and those pixels have no label."""
    below, right = (side - length for length in mask.shape)
    if below or right:
        image = F.pad(image, (0, right, 0, below))
        mask = F.pad(mask, (0, right, 0, below), value=IGNORE)
    return image, mask

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

Augment = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]

KEPT_BYTES = 2**29  # a set up to this size is read once and kept ...
READ_TWICE = 4  # ... if so many of its pairs are the same when they are read again
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
        self._pairs = pairs
        first, _ = self._pair(0)
        sizes = [first.shape[1:]] * len(pairs)
        if first.numel() * first.element_size() * len(pairs) <= KEPT_BYTES and self._is_steady():
            self._pairs = [self._pair(k) for k in range(len(pairs))]
            sizes = [mask.shape for _, mask in self._pairs]
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
        image, mask = self._pair(self._order[1][place])
        if self.crop is not None:
            image, mask = _cropped(image, mask, self.crop, generator)
        return self.augment(image, mask, generator) if self.augment else (image, mask)

    def _generator(self, number: int, kind: int) -> torch.Generator:
        # torch's CPU generator looks at 32 bits of its seed only, so the three numbers are mixed into those.
        return torch.Generator().manual_seed(zlib.crc32(f"{self.seed} {kind} {number}".encode()))

    def _is_steady(self) -> bool:
        """Whether pairs are the same each time; not where the data set augments them itself."""
        both = ((self._pair(k), self._pair(k)) for k in range(min(len(self._pairs), READ_TWICE)))
        return all(torch.equal(x, y) for one, other in both for x, y in zip(one, other, strict=True))

    def _pair(self, index: int) -> tuple[Tensor, Tensor]:
        image, mask = (torch.as_tensor(x).as_subclass(Tensor) for x in self._pairs[index])
        return image, mask


def _cropped(image: Tensor, mask: Tensor, side: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A random square; smaller images are filled up with zeros, and those pixels have no label."""
    height, width = mask.shape
    below, right = max(0, side - height), max(0, side - width)
    if below or right:
        image = F.pad(image, (0, right, 0, below))
        mask = F.pad(mask, (0, right, 0, below), value=IGNORE)
        height, width = mask.shape
    top = int(torch.randint(height - side + 1, (), generator=generator))
    left = int(torch.randint(width - side + 1, (), generator=generator))
    return image[:, top : top + side, left : left + side], mask[top : top + side, left : left + side]

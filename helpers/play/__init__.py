"""Playgrounds: one idea each, with something to move and numbers that answer.

    from helpers import play

    play.kernel(image, kernel)                        # nine numbers slide over an image
    play.overlap(image, truth)                        # a shape is pushed off the true one: accuracy, IoU, Dice
    play.upsampling(image, mode=, kernel=, stride=)   # nearest, bilinear, transposed, and their checkerboards
    play.loss(fraction=0.05)                          # four losses and where they push, at that fraction of object
    play.threshold(probability, truth)                # from probabilities to a mask, and the Dice of each threshold
    play.augmentation(image, mask, seed=, strength=)  # image and mask moved together
    play.tiles(image, tile=, overlap=)                # what cutting an image into tiles does to the prediction
    play.receptive_field(layers)                      # how far each layer sees
    play.compare(image, truth, {"name": prediction})  # predictions and their errors side by side

Each is a plain object with its settings as attributes and a `compute()` that works out what they lead to, and changes
nothing. As the last line of a cell it is shown as a picture with its numbers in words.
"""

from helpers.play.augmentation import Augmentation as augmentation
from helpers.play.compare import Compare as compare
from helpers.play.kernel import Kernel as kernel
from helpers.play.loss import Loss as loss
from helpers.play.overlap import Overlap as overlap
from helpers.play.receptive_field import ReceptiveField as receptive_field
from helpers.play.threshold import Threshold as threshold
from helpers.play.tiles import Tiles as tiles
from helpers.play.upsampling import Upsampling as upsampling

__all__ = [
    "augmentation",
    "compare",
    "kernel",
    "loss",
    "overlap",
    "receptive_field",
    "threshold",
    "tiles",
    "upsampling",
]

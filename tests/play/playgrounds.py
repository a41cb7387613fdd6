"""Every playground on a real image, made anew by each call of its entry."""

from helpers import data, play

IMAGE, MASK = data.load("nuclei", "test", tile=64)[13]
PLAYGROUNDS = {
    "kernel": lambda: play.kernel(IMAGE),
    "overlap": lambda: play.overlap(IMAGE, MASK),
    "upsampling": lambda: play.upsampling(IMAGE),
    "loss": lambda: play.loss(fraction=0.02),
    "threshold": lambda: play.threshold(IMAGE, MASK),
    "augmentation": lambda: play.augmentation(IMAGE, MASK),
    "tiles": lambda: play.tiles(IMAGE, tile=32, overlap=8),
    "receptive_field": lambda: play.receptive_field(image=IMAGE),
    "compare": lambda: play.compare(IMAGE, MASK, {"low": IMAGE[0] > 0.1, "high": IMAGE[0] > 0.2}),
}

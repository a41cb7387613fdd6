"""A cell for each interactive piece. What all of them owe is tested over this list: a new piece is added here."""

LOAD = "from helpers import data, play\nimage, mask = data.load('nuclei', 'test', tile=64)[13]\n"
QUIZ = "from helpers.quiz import quiz\n"
MULTIPLE = """
from helpers.quiz.questions import Option, Question
from helpers.quiz.quiz import Quiz
options = [("a", "skips", True, "Why a."), ("b", "dropout", False, "Why b."), ("c", "ups", True, "Why c.")]
Quiz(Question("parts", "test", "multiple", "Which *parts* has `UNet`?", tuple(Option(*option) for option in options)))
"""
COMPARE = LOAD + "low, high = image[0] > 0.1, image[0] > 0.2\n"
GRAPH = (
    LOAD
    + """
from helpers.reference.unet import UNet
from helpers.graph import ArchitectureGraph
graph = ArchitectureGraph()
"""
)
FIT = """
from helpers.training import fit
history = fit(UNet(1, 1, 4, 2), [(image, mask)], [data.load('nuclei', 'test', tile=64)[14]], epochs=3)
"""

CARD = "from helpers import check\nfrom helpers.reference import overlap\n"

PIECES = {
    "quiz, single": QUIZ + 'quiz("dice-or-iou")',
    "quiz, multiple": MULTIPLE,
    "quiz, numeric": QUIZ + 'quiz("iou-by-hand")',
    "quiz, graded": QUIZ + 'quiz("screening-for-lesions")',
    "graph, locked": "from helpers.graph import ArchitectureGraph\nArchitectureGraph()",
    "graph, run": GRAPH + "unet = UNet(1, 1, 4, 2)\ngraph.forward(unet, image[None])",
    "graphs, two": GRAPH + "graph.forward(UNet(1, 1, 4, 2), image[None]).beside(UNet(1, 1, 8, 2))",
    "monitor": GRAPH + FIT,
    "progress": "from helpers import progress\nprogress()",
    "stepper": "from helpers.stepper import CodeStepper\nCodeStepper()",
    "card, wrong": CARD + '_ = check("dice", lambda pred, target: overlap.iou(pred, target))',
    "card, error": CARD + '_ = check("iou", lambda pred, target: pred / "2")',
    "card, passed": CARD + "_ = check(overlap.pixel_accuracy)",
    "kernel": LOAD + "play.kernel(image)",
    "overlap": LOAD + "play.overlap(image, mask)",
    "upsampling": LOAD + "play.upsampling(image)",
    "loss": LOAD + "play.loss(fraction=0.05)",
    "threshold": LOAD + "play.threshold(image, mask)",
    "augmentation": LOAD + "play.augmentation(image, mask)",
    "tiles": LOAD + "play.tiles(image, tile=24, overlap=8)",
    "receptive field": LOAD + "play.receptive_field(image=image)",
    "compare": COMPARE + 'play.compare(image, mask, {"low": low, "high": high})',
    "compare, three": COMPARE + 'play.compare(image, mask, {"low": low, "high": high, "none": high & ~high})',
}
FRONTS = {"progress": 0, "graphs, two": 2}  # live front ends in a cell, where that is not one

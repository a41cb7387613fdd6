"""Lesson 03: `PixelClassifier(features, hidden)`."""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.probes import Build
from helpers.exercises import edits_of, exercise, variant
from helpers.reference.modules import PixelClassifier


@exercise(
    PixelClassifier,
    lesson="03_modules",
    concept="Module",
    points=3,
    minutes=8,
    difficulty=2,
    hints=[
        "Two layers are made in `__init__` and kept as attributes of `self`; `forward` calls one after the other.",
        "`nn.Linear(features, hidden)` takes `features` numbers a pixel and makes `hidden`. The second one takes those "
        "and makes 1. Between the two: `torch.relu`.",
        "`nn.Linear(hidden, 1)` gives `(N, 1)`. Take the column out: `[:, 0]` or `squeeze(1)`. No sigmoid at the end: "
        "the loss takes logits.",
    ],
    task=(
        "A module that gives each pixel a logit, from the `features` numbers that describe it: a linear layer to "
        "`hidden` numbers, ReLU, a linear layer to one number, both layers with a bias. `(N, features)` goes in, "
        "`(N,)` comes out."
    ),
)
def probes(draw):
    """Few numbers, all different, and cases in which two of them agree; one pixel, one feature, one hidden number."""
    yield Build((2, 3), (draw.normal(4, 2),))
    yield Build((3, 3), (draw.normal(5, 3),))
    yield Build((1, 4), (draw.normal(6, 1),))
    yield Build((3, 1), (draw.normal(3, 3),))
    yield Build((4, 2), (draw.normal(1, 4),))  # a single pixel
    yield Build((6, 5), (draw.normal(draw.size(7, 20), 6),))


edit = edits_of(PixelClassifier)

edit(
    "no ReLU",
    "There is nothing between your two layers. Two linear layers in a row are one linear layer: `hidden` more numbers, "
    "and nothing gained. Look at what the second layer receives.",
    ("torch.relu(self.first(x))", "self.first(x)"),
)

edit(
    "a ReLU at the end",
    "Your logits are never negative, so no pixel can be called background: its probability stays at 0.5 or more. Look "
    "at what comes after the second layer.",
    ("self.second(torch.relu(self.first(x)))", "torch.relu(self.second(torch.relu(self.first(x))))"),
)

edit(
    "the ReLU after the second layer",
    "Your ReLU comes after the second layer, where it cuts off all negative logits, and not between the two, where it "
    "is needed. Look at what stands around what.",
    ("self.second(torch.relu(self.first(x)))", "torch.relu(self.second(self.first(x)))"),
)

edit(
    "a sigmoid at the end",
    "You return probabilities. Here logits are asked for: the loss of the lesson takes the sigmoid itself, and would "
    "take it a second time. Look at the last thing you do.",
    ("logits.squeeze(1)", "torch.sigmoid(logits.squeeze(1))"),
)

edit(
    "a softmax over one number",
    "A softmax over a single number is 1, whatever the number is, so every pixel gets the same. Return the logit as it "
    "is. Look at the last thing you do.",
    ("self.second(torch.relu(self.first(x)))", "torch.softmax(self.second(torch.relu(self.first(x))), dim=1)"),
)

edit(
    "another bend than ReLU",
    "Something bends between your layers, but it is no ReLU: `max(x, 0)` was asked for. Look at its name.",
    ("torch.relu(", "torch.sigmoid("),
)

edit(
    "layers in a plain list",
    "Your layers are in a Python list, which PyTorch does not look into: `parameters()` does not know them, and no "
    "optimizer will ever move them. Make them attributes of `self`, or use `nn.Sequential` or `nn.ModuleList`.",
    ("self.first = nn.Linear(features, hidden)", "self.layers = [nn.Linear(features, hidden), nn.Linear(hidden, 1)]"),
    ("        self.second = nn.Linear(hidden, 1)\n", ""),
    ("self.second(torch.relu(self.first(x)))", "self.layers[1](torch.relu(self.layers[0](x)))"),
)

edit(
    "one layer in a plain list",
    "One of your layers is in a Python list or another plain object, where PyTorch does not find it: it is never "
    "trained. Make both attributes of `self`.",
    ("self.second = nn.Linear(hidden, 1)", "self.rest = [nn.Linear(hidden, 1)]"),
    ("self.second(", "self.rest[0]("),
)

edit(
    "super().__init__() is missing",
    "The first line of `__init__` has to be `super().__init__()`: it prepares the place where parameters are "
    "registered, and without it no layer can be assigned.",
    ("        super().__init__()\n", ""),
)

edit(
    "the column is kept",
    "You return `(N, 1)`, a column. Beside a truth of shape `(N,)` it would be stretched to `(N, N)`, every pixel "
    "against every other. Look at the shape of what the second layer gives.",
    ("logits.squeeze(1)", "logits"),
)

edit(
    "a single pixel loses its dimension",
    "A batch of one pixel comes out as a bare number: `squeeze()` removes every dimension of length 1, that of the "
    "pixels too. Say which one you mean.",
    ("squeeze(1)", "squeeze()"),
)

edit(
    "one layer only",
    "There is one linear layer. It can only weigh the numbers and add them up; with a second one after a ReLU it can "
    "say *and* and *or*. Look at how many layers you make.",
    ("nn.Linear(features, hidden)", "nn.Linear(features, 1)"),
    ("self.second(torch.relu(self.first(x)))", "self.first(x)"),
    ("        self.second = nn.Linear(hidden, 1)\n", ""),
)

edit(
    "three layers",
    "There is one layer too many: two were asked for. Look at how many you make.",
    (
        "        self.second",
        "        self.between = nn.Linear(hidden, hidden)\n        self.second",
    ),
    ("torch.relu(self.first(x))", "torch.relu(self.between(torch.relu(self.first(x))))"),
)

edit(
    "hidden ignored",
    "The number between your layers is not `hidden`. Look at the second argument of your first layer, and at the first "
    "argument of your second.",
    ("nn.Linear(features, hidden)", "nn.Linear(features, 2 * features + 7)"),
    ("nn.Linear(hidden, 1)", "nn.Linear(2 * features + 7, 1)"),
)

edit(
    "no bias",
    "Your layers have no bias. Without one, a pixel whose numbers are all 0 gets the logit 0, whatever is learned. "
    "Look at what you told `nn.Linear`.",
    ("nn.Linear(features, hidden)", "nn.Linear(features, hidden, bias=False)"),
    ("nn.Linear(hidden, 1)", "nn.Linear(hidden, 1, bias=False)"),
)

edit(
    "a layer that is not used",
    "One of your layers is made and never called: its numbers are parameters that get no gradient. Look at `forward`.",
    ("logits: Tensor = self.second(torch.relu(self.first(x)))", "logits = torch.relu(self.first(x))[:, :1]"),
)

edit(
    "two numbers a pixel",
    "You give two numbers for each pixel, one a class. For *nucleus or not* one logit is enough: positive means "
    "nucleus. Look at what your second layer makes.",
    ("nn.Linear(hidden, 1)", "nn.Linear(hidden, 2)"),
)

edit(
    "nothing is returned",
    "`forward` returns nothing. Look for the word `return`.",
    ("return logits.squeeze(1)", "logits.squeeze(1)"),
)

edit(
    "no gradient arrives",
    "The gradient stops inside your module: with `detach`, `no_grad` or a detour through NumPy, the first layer never "
    "learns. Look at what you do between the layers.",
    ("torch.relu(self.first(x))", "torch.relu(self.first(x)).detach()"),
)


@variant("in an nn.Sequential")
class InSequence(nn.Module):
    def __init__(self, features, hidden):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, x):
        return self.layers(x)[:, 0]


@variant("a layer for the ReLU, and flatten")
class WithLayers(nn.Module):
    def __init__(self, features, hidden):
        super().__init__()
        self.out = nn.Linear(hidden, 1)  # registered in another order
        self.bend = nn.ReLU(inplace=True)
        self.fc = nn.Linear(in_features=features, out_features=hidden)

    def forward(self, x):
        x = self.fc(x)
        x = self.bend(x)
        return self.out(x).flatten()


@variant("parameters of its own")
class OfParameters(nn.Module):
    def __init__(self, features, hidden):
        super().__init__()
        self.w1 = nn.Parameter(torch.randn(hidden, features) * 0.1)
        self.b1 = nn.Parameter(torch.zeros(hidden))
        self.w2 = nn.Parameter(torch.randn(1, hidden) * 0.1)
        self.b2 = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        x = F.relu(F.linear(x, self.w1, self.b1))
        return (x @ self.w2.T + self.b2).squeeze(-1)


@variant("in a module list")
class InAList(nn.Module):
    def __init__(self, features, hidden):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(features, hidden), nn.Linear(hidden, 1)])

    def forward(self, x):
        first, second = self.layers
        return second(first(x).clamp(min=0)).reshape(len(x))

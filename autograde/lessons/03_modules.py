# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 03 · Modules: numbers that learn
#
# **You will** let two numbers decide which pixels are nucleus, find out by hand how to make them better, leave that to
# PyTorch, and watch a first network learn.
#
# **Time** about 40 minutes · **You need** tensors and masks (lessons 01 and 02; nothing you wrote there is used) ·
# **You write** `gradient_step` and `PixelClassifier`

# %%
import torch
import torch.nn.functional as F
from torch import nn

# %% [markdown]
# ## 1 · Two numbers that decide
#
# In lesson 02 a formula chose a threshold for brightness. Here the threshold is *learned* from the truth, just as a
# U-Net learns its hundred thousand numbers. Begin with ten pixels: every second pixel along a row that runs into a
# nucleus.

# %%
image, labels = data.load("nuclei", "train", tile=128)[7]
brightness, truth = image[0], (labels > 0).float()  # (128, 128) each
row, columns = 36, slice(54, 74, 2)
x, y = brightness[row, columns].double(), truth[row, columns].double()

place = slice(row - 20, row + 20), slice(44, 84)
marked = brightness.clone()
marked[row, columns] = 1
show.images(
    [
        ("micrograph", image),
        ("a part of it", brightness[place]),
        ("the ten pixels, in white", marked[place].clamp(max=0.6)),
        ("truth", truth[place] > 0),
    ]
)
print("brightness", " ".join(f"{value:5.2f}" for value in x))
print("nucleus   ", " ".join(f"{value:5.0f}" for value in y))

# %% claim="the seventh pixel belongs to the nucleus and is darker than the sixth"
claim(
    lambda a, b: a[0] < b[0] and a[1] > b[1],
    *((x[6].item(), y[6].item()), (x[5].item(), y[5].item())),
    swapped=((x[5].item(), y[5].item()), (x[6].item(), y[6].item())),
)

# %% [markdown]
# Nothing is clean here: the seventh pixel belongs to the nucleus and is darker than the sixth, which does not.
#
# Give each pixel a score, `z = w·x + b`, with the same two numbers `w` and `b` for all pixels. Above 0 it means
# *nucleus*, below 0 *background*. Such a score is called a **logit**. It is 0 where the brightness is `-b / w`, so the
# two numbers hold a threshold.
#
# A threshold says yes or no. To learn, you need *how sure*. The **sigmoid** makes a probability of a logit:
#
# $$p = \sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# A logit of 0 becomes one half, a large one nearly 1, and one far below 0 becomes nearly 0.

# %%
grey = torch.linspace(0, 0.5, 101)
show.curves(
    grey,
    [(f"w = {w}, b = {-w / 4:g}", torch.sigmoid(w * grey - w / 4)) for w in (10, 20, 80)],
    title="Three pairs of numbers with one threshold",
    xlabel="brightness",
    ylabel="probability of nucleus",
)

# %% [markdown]
# All three have their threshold at 0.25. The larger `w`, the more sudden the change.

# %%
quiz("threshold-of-a-logit")

# %% [markdown]
# ## 2 · How wrong is it?
#
# Try `w = 20` and `b = -5` on the ten pixels. How wrong they are should be *one* number, the **loss**. For each pixel
# take the probability that was given to the truth: `p` for a nucleus, `1 − p` for background. Its negative logarithm is
# what the pixel costs: 0 for a pixel that is right and
# certain, and a large number for one that is wrong and certain. Then take the mean. That is the *binary cross-entropy*.
# You will write it in lesson 08; until then PyTorch has it.


# %%
def loss_of(w, b):
    """Mean binary cross-entropy of the ten pixels."""
    return F.binary_cross_entropy_with_logits(w * x + b, y)


def table(w, b):
    """Each pixel: its brightness, the truth, logit, probability, and what it costs."""
    z = w * x + b
    costs = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    print("brightness  nucleus   logit  probability   cost")
    for row in zip(x, y, z, torch.sigmoid(z), costs, strict=True):
        print("{:10.2f} {:8.0f} {:7.2f} {:12.2f} {:6.2f}".format(*row))
    print(f"loss: {costs.mean():.3f}")


table(20.0, -5.0)

# %% claim="What costs most is the dim pixel of the nucleus"
costs = [F.softplus(s * (20 * x - 5)).tolist() for s in (1 - 2 * y, 2 * y - 1)]
claim(lambda each: each.index(max(each)) == 6, costs[0], truth_inverted=[costs[1]])

# %% [markdown]
# What costs most is the dim pixel of the nucleus, which was called background. A pixel that is right still costs
# a little, since no probability is quite 1.
#
# ## 3 · Which way is better?
#
# Should `w` be larger or smaller? Try: move it a little to either side, and see how much the loss changes. Do the
# same with `b`.

# %%
nudge = 1e-4
slope_w = (loss_of(20 + nudge, -5) - loss_of(20 - nudge, -5)) / (2 * nudge)
slope_b = (loss_of(20, -5 + nudge) - loss_of(20, -5 - nudge)) / (2 * nudge)
print(f"the loss changes by {slope_w:+.6f} for each 1 that w grows, and by")
print(f"                    {slope_b:+.6f} for each 1 that b grows")

# %% claim="Both slopes are negative"
called = [loss_of(20, 5), loss_of(20 + nudge, 5), loss_of(20, 5 + nudge)]
claim(
    lambda *slopes: max(slopes) < 0,
    *(slope_w.item(), slope_b.item()),
    everything_called_nucleus=[(other - called[0]).item() / nudge for other in called[1:]],
)

# %% [markdown]
# Both slopes are negative: the loss falls when `w` or `b` grows. Together the two are called the **gradient**. It
# points to where the loss grows fastest, so you go the other way.
#
# Nudging means computing the loss twice for each number, which is hopeless for a million of them. PyTorch gets all
# slopes from a single pass: it notes each operation, and then goes *backwards* through them. You ask for it with
# `requires_grad`, and find the slopes in `.grad`.

# %%
w = torch.tensor(20.0, dtype=torch.float64, requires_grad=True)
b = torch.tensor(-5.0, dtype=torch.float64, requires_grad=True)
loss = loss_of(w, b)
loss.backward()
print(f"by nudging:  {slope_w:+.6f} and {slope_b:+.6f}")
print(f"by autograd: {w.grad:+.6f} and {b.grad:+.6f}")

error = torch.sigmoid(w * x + b).detach() - y  # probability less truth
print(f"by formula:  {(error * x).mean():+.6f} and {error.mean():+.6f}")

# %% claim="The three agree"
by_hand = slope_w.item(), slope_b.item()
formula = (error * x).mean().item(), error.mean().item()
claim(
    lambda *pairs: all(
        abs(p - q) < 1e-6 for pair in pairs for p, q in zip(pair, by_hand, strict=True)
    ),
    *(by_hand, (w.grad.item(), b.grad.item()), formula),
    truth_less_probability=(by_hand, tuple(-value for value in formula)),
)

# %% [markdown]
# The three agree. The third needs no nudging and no PyTorch, because for this loss the gradient is simple. What a
# pixel costs changes with its logit by the pixel's *error*: probability less truth. So the slope for `b` is the mean of
# the errors. The slope for `w` is the mean of each error times its `x`, since the logit changes by `x` when `w` changes
# by 1.
#
# A *step* moves each number a little against its slope.

# %%
quiz("sign-of-the-gradient")

# %% [markdown]
# ## 4 · One step, then many
#
# How far a step goes is set by the **learning rate** `lr`. Inside `no_grad`
# PyTorch does not note what you do.

# %%
lr = 5
print(f"before: w {w:.3f}, b {b:.3f}, loss {loss_of(w, b):.3f}")
with torch.no_grad():
    w -= lr * w.grad
    b -= lr * b.grad
print(f"after:  w {w:.3f}, b {b:.3f}, loss {loss_of(w, b):.3f}")

# %% claim="One step, and the loss is smaller"
uphill = loss_of(20 + lr * slope_w, -5 + lr * slope_b).item()
claim(
    lambda before, after: after < before,
    *(loss.item(), loss_of(w, b).item()),
    uphill=(loss.item(), uphill),
)

# %% [markdown]
# One step, and the loss is smaller. That is all there is to learning in a network: the loss, its gradient, a step, and
# again. Write one step. The formula is the shorter way.

# %% [markdown] card="gradient_step"


# %% exercise="gradient_step"
def gradient_step(x, truth, w, b, lr):
    """One step of gradient descent on the mean binary cross-entropy of w * x + b.

    x, truth: float tensors of one shape; truth is 0 or 1. w, b, lr: single numbers.
    Returns the new w and the new b.
    """
    ### BEGIN SOLUTION
    error = torch.sigmoid(w * x + b) - truth
    return w - lr * (error * x).mean(), b - lr * error.mean()
    ### END SOLUTION


# %% check="gradient_step"
check(gradient_step)

# %% [markdown]
# <details><summary>The check says that what was given is changed</summary>
#
# `w -= …` changes the tensor that the caller holds. `w = w - …` makes a new one.
#
# </details>
#
# ### Look
#
# Your step, a thousand times, on all pixels of the picture. It begins with `w = b = 0`, where every pixel has the
# probability one half.
#
# **Predict.** Where will the threshold end up? Look at the brightness of the ten pixels again.

# %%
step = use(gradient_step)


def train(lr, steps):
    """Loss, w and b before each step and after the last, from w = b = 0."""
    w = b = torch.tensor(0.0)
    path = []
    for _ in range(steps + 1):
        loss = F.binary_cross_entropy_with_logits(w * brightness + b, truth)
        path.append((float(loss), float(w), float(b)))
        w, b = step(brightness, truth, w, b, lr)
    return path


path = train(lr=5, steps=1000)
show.curves(
    torch.arange(1001),
    [("loss", torch.tensor([loss for loss, _, _ in path]))],
    title="The loss falls as the two numbers learn",
    xlabel="steps",
    ylabel="mean binary cross-entropy",
)

# %%
found = {}
for k in (100, 300, 1000):
    _, w, b = path[k]
    found[f"step {k}: threshold {-b / w:.2f}"] = w * brightness + b > 0
show.overlap([(name, mask, truth > 0) for name, mask in found.items()], image)


# %% claim="The threshold comes down, close to where the masks agree best"
def iou(mask, truth=truth):
    return ((mask & (truth > 0)).sum() / (mask | (truth > 0)).sum()).item()


levels = torch.linspace(0.05, 0.5, 91)
best_level = max(levels.tolist(), key=lambda level: iou(brightness > level))
moves = [-path[k][2] / path[k][1] for k in (100, 300, 1000)]
claim(
    lambda best, *moves: (
        sorted(moves)[::-1] == list(moves) and abs(moves[-1] - best) < 0.03
    ),
    *(best_level, *moves),
    fewer_steps=(best_level, -path[30][2] / path[30][1], -path[60][2] / path[60][1]),
)

# %% claim="The loss falls quickly at first and ever more slowly"
losses = [path[k][0] for k in (0, 100, 200, 800, 900)]
claim(
    lambda a, b, c, d, e: a - b > b - c > d - e > 0,
    *losses,
    backwards=losses[::-1],
)

# %% [markdown]
# The threshold comes down, close to where the masks agree best, and nobody told it what a threshold is. The loss falls
# quickly at first and ever more slowly: the slope for `b` is the *mean* error, and the better the errors above and
# below 0 cancel, the smaller it is.
#
# What if you take smaller steps, or larger ones?

# %%
rates = {lr: torch.tensor([loss for loss, _, _ in train(lr, 60)]) for lr in (0.01, 5, 500)}
show.curves(
    torch.arange(61),
    [(f"lr = {lr}", losses) for lr, losses in rates.items()],
    title="Three learning rates",
    xlabel="steps",
    ylabel="loss (log scale)",
    log=True,
)

# %% claim="With the smallest rate hardly anything has happened yet"
fall = {lr: (losses[0] - losses[-1]).item() for lr, losses in rates.items()}
claim(
    lambda small, middle: 0 < small < middle / 10,
    *(fall[0.01], fall[5]),
    swapped=(fall[5], fall[0.01]),
)

# %% claim="With the largest the loss leaps far above where it began"
highest = {lr: (losses.max() / losses[0]).item() for lr, losses in rates.items()}
claim(
    lambda large, *others: large > 3 > max(others),
    *(highest[500], highest[5], highest[0.01]),
    swapped=(highest[5], highest[500], highest[0.01]),
)

# %% [markdown]
# With the smallest rate hardly anything has happened yet. With the largest the loss leaps far above where it began:
# the step jumps over the valley and lands high up on the other side. The learning rate is the first thing to look at
# when a training goes wrong.

# %%
quiz("the-loss-jumps")

# %% [markdown]
# ## 5 · A module keeps the numbers
#
# Two numbers can be passed around by hand, a million cannot. PyTorch keeps them in a **module**, an
# object of a class that inherits from `nn.Module`. Every network of this course is one. Here is yours so far:


# %%
class Brightness(nn.Module):
    """Logits w·x + b, of any shape."""

    def __init__(self):
        super().__init__()  # first: it prepares the place for what comes
        self.w = nn.Parameter(torch.tensor(0.0))
        self.b = nn.Parameter(torch.tensor(0.0))

    def forward(self, x):
        return self.w * x + self.b


model = Brightness()
print("its numbers:", model.state_dict())
print("its logits: ", model(brightness[row, 54:60:2]))  # calls forward

# %% [markdown]
# - `__init__` makes what the module owns. An `nn.Parameter` is a tensor that asks for its gradient. When you
#   assign one to an attribute, the module *registers* it, that is, notes it as its own.
# - `forward` computes the result. You write `model(x)`, not `model.forward(x)`; the call does some more around it.
# - `parameters()` gives all that is registered, also in modules inside this one. `state_dict()` gives the
#   same by name: it is what you save.
#
# So nobody has to list the numbers. An **optimizer** takes them all, and its `step()` does your `w -= lr * w.grad` for
# each. One thing to know: `backward()` *adds* to the gradients that are there, so set them back before each step.

# %%
model = Brightness()
optimizer = torch.optim.SGD(model.parameters(), lr=5)
for _ in range(100):
    loss = F.binary_cross_entropy_with_logits(model(brightness), truth)
    optimizer.zero_grad()  # forget the gradients of the step before
    loss.backward()  # new gradients
    optimizer.step()  # w -= lr * w.grad, and the same for b
print("the module: w {:.4f}, b {:.4f}".format(*(p.item() for p in model.parameters())))
print("your steps: w {:.4f}, b {:.4f}".format(*path[100][1:]))

# %% claim="The same numbers"
learned = model.w.item(), model.b.item()
claim(
    lambda one, other: all(abs(p - q) < 1e-2 for p, q in zip(one, other, strict=True)),
    *(learned, path[100][1:]),
    one_step_less=(learned, path[99][1:]),
)

# %% [markdown]
# The same numbers: it is the same computation. These four lines in a loop train every network from here to the end.
#
# There is one mistake that everybody makes once. This module has two layers. `nn.Linear(9, 16)` is PyTorch's module for
# `w·x + b` with 9 numbers in and 16 out, each with weights of its own.


# %%
class Forgetful(nn.Module):
    """Two layers, in a list."""

    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(9, 16), nn.Linear(16, 1)]

    def forward(self, x):
        return self.layers[1](torch.relu(self.layers[0](x)))


def count(module):
    """How many numbers a module has registered."""
    return sum(p.numel() for p in module.parameters())


forgetful = Forgetful()
print("it computes:", tuple(forgetful(torch.ones(5, 9)).shape))
print("in a plain list:     ", count(forgetful), "numbers")
forgetful.layers = nn.ModuleList(forgetful.layers)
print("in an nn.ModuleList: ", count(forgetful), "numbers")

# %% claim="and owns nothing"
claim(lambda numbers: numbers == 0, count(Forgetful()), in_a_module_list=[count(forgetful)])

# %% [markdown]
# With a plain list the module computes, raises nothing, and owns nothing: a module does not look into a Python list.
# No optimizer would move these layers, and `state_dict()` would not save them. What registers a layer is an attribute
# (`self.first = nn.Linear(…)`), an `nn.ModuleList`, or an `nn.Sequential`, which also runs its layers one after the
# other.

# %%
quiz("what-is-registered")

# %% [markdown]
# ## 6 · A first network
#
# With its brightness alone, a pixel can only be above a threshold or below. So describe each pixel by *nine* numbers:
# its own brightness, and that of eight pixels around it. An `nn.Linear` weighs them. A second one can build on what the
# first has found, if something bends in between: the **ReLU**, which sets negative numbers to 0. Without it
# two layers in a row could do no more than a single one.

# %% [markdown] card="PixelClassifier"


# %% exercise="PixelClassifier"
class PixelClassifier(nn.Module):
    """Linear, ReLU, linear: (N, features) -> (N,), a logit for each pixel."""

    def __init__(self, features, hidden):
        super().__init__()
        ### BEGIN SOLUTION
        self.first = nn.Linear(features, hidden)
        self.second = nn.Linear(hidden, 1)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.second(torch.relu(self.first(x))).squeeze(1)
        ### END SOLUTION


# %% check="PixelClassifier"
check(PixelClassifier)

# %% [markdown]
# <details><summary>mat1 and mat2 shapes cannot be multiplied</summary>
#
# A layer receives another number of values than it was made for. What the first one gives, `hidden` numbers, the
# second one has to take.
#
# </details>
#
# <details><summary>The shape is (N, 1)</summary>
#
# A linear layer that gives one number keeps an axis for it. `squeeze(1)` takes that axis away.
#
# </details>
#
# ### Look
#
# Your module learns on the same picture. `nine` collects the numbers, four pixels apart, and shifts and scales them to
# lie around 0: the random first weights of a layer are made for numbers of about that size.


# %%
def nine(image):
    """Brightness of each pixel and of eight around it: (1, H, W) -> (H·W, 9)."""
    _, h, w = image.shape
    padded = F.pad(image[None], (4, 4, 4, 4), mode="reflect")[0, 0]
    starts = [(i, j) for i in (0, 4, 8) for j in (0, 4, 8)]
    around = torch.stack([padded[i : i + h, j : j + w] for i, j in starts], dim=-1)
    return (around.flatten(0, 1) - 0.17) / 0.1


torch.manual_seed(0)
network = use(PixelClassifier)(9, 16)
print(count(network), "numbers to learn")
optimizer = torch.optim.SGD(network.parameters(), lr=1)
numbers, target = nine(image), truth.flatten()
losses, masks = [], {}
for k in range(301):
    logits = network(numbers)
    loss = F.binary_cross_entropy_with_logits(logits, target)
    losses.append(loss.item())
    if k in (0, 10, 50, 300):
        masks[f"step {k}"] = (logits > 0).view(truth.shape)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# %%
show.overlap([(name, mask, truth > 0) for name, mask in masks.items()], image)
show.curves(
    torch.arange(301),
    [
        ("nine numbers a pixel", torch.tensor(losses)),
        ("brightness alone", torch.tensor([loss for loss, _, _ in path[:301]])),
    ],
    title="A network learns",
    xlabel="steps",
    ylabel="loss",
)

# %% claim="The last mask has found the nuclei"
claim(
    lambda first, last: last > 0.7 > first + 0.1,
    *(iou(masks["step 0"]), iou(masks["step 300"])),
    swapped=(iou(masks["step 300"]), iou(masks["step 0"])),
)

# %% claim="With nine numbers the loss gets lower than with one"
claim(
    lambda nine, one: nine < 0.9 * one,
    *(losses[-1], path[1000][0]),
    swapped=(path[1000][0], losses[-1]),
)

# %% [markdown]
# Even random weights answer to brightness, but what they call nucleus is an accident. The last mask has found the
# nuclei. With nine numbers the loss gets lower than with one, even after the thousand steps above. Does that hold for
# pictures that neither has seen? Here are the test columns of the micrograph, each model with what it has learned.

# %%
test, labels = data.load("nuclei", "test", tile=None)[0]
right = labels > 0
_, w, b = path[1000]
with torch.no_grad():
    seen = {
        "brightness alone": w * test[0] + b > 0,
        "nine numbers": (network(nine(test)) > 0).view(right.shape),
    }
part = slice(200, 330)
show.overlap(
    [(name, mask[part], right[part]) for name, mask in seen.items()], test[:, part]
)
scores = {name: ((m & right).sum() / (m | right).sum()).item() for name, m in seen.items()}
print("; ".join(f"{name}: IoU {score:.3f}" for name, score in scores.items()))

# %% claim="The neighbours help here, too"
claim(
    lambda one, nine: nine > one + 0.02,
    *scores.values(),
    swapped=list(scores.values())[::-1],
)

# %% [markdown]
# The neighbours help here, too: how bright a pixel is among others says something that its own brightness does not. But
# which neighbours, and how many? The next lesson takes those right beside a pixel, with the same weights at every
# place, layer upon layer.
#
# ## Graded questions

# %% graded="one-step-by-hand"
quiz("one-step-by-hand")

# %% graded="a-loss-that-stays"
quiz("a-loss-that-stays")

# %% [markdown]
# ## Recap
#
# 1. A logit is a score: above 0 it means *object*. The sigmoid makes a probability of it.
# 2. The gradient says how the loss changes with each number. A step subtracts `lr` times the gradient.
# 3. A learning rate that is too small wastes time. One that is too large makes the loss leap.
# 4. An `nn.Module` registers parameters and layers that are its attributes. A plain list hides them.
# 5. Training is a loop: loss, `zero_grad()`, `backward()`, `step()`.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Take `zero_grad()` out of the loop of section 5. What do the gradients grow to, and what does the loss do?
# - In `nine`, take pixels 1 or 12 apart instead of 4. Which distance does best on the test columns?
# - Train `PixelClassifier(9, 1)` and `PixelClassifier(9, 64)`. When do more hidden numbers stop helping?
#
# **Sources** · Rosenblatt, F. (1958), *The perceptron*, Psychological Review 65, 386–408 · Rumelhart, D. E., Hinton, G.
# E. and Williams, R. J. (1986), *Learning representations by back-propagating errors*, Nature 323, 533–536 · Paszke, A.
# et al. (2019), *PyTorch: an imperative style, high-performance deep learning library*, arXiv:1912.01703

# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 00 · Start here: a picture, and a mask
#
# **You will** see a finished U-Net at work, learn what segmentation tells you that a label or a box does not, and try
# everything that this course is made of: checks, hints, quizzes, and handing in.
#
# **Time** about 25 minutes · **You need** a little Python · **You write** one line, for practice

# %% [markdown]
# ![Left a micrograph with bright nuclei, right its mask, and between them the U-Net as a drawing: the encoder's maps grow
# smaller and more numerous down to the bottleneck, the decoder's grow larger again, and on each level a skip connection
# leads across.](pictures/start.png)

# %% [markdown]
# Run a cell with **Shift + Enter**, and go from the top. Here is the network that you will have built by lesson 07,
# trained beforehand, and a piece, new to it, of a micrograph. (Code that you may skip is folded: click the
# three dots to read it.)

# %% folded="Show a trained U-Net a picture"
import time

import torch
from torchvision.utils import draw_bounding_boxes

from helpers.data import files
from helpers.share import load_shared

model = load_shared(files.root() / "models" / "nuclei.unet.zip")
image, labels = data.load("nuclei", "test", tile=128)[1]
start = time.perf_counter()
with torch.no_grad():
    logits = model(image[None])[0, 0]
found = logits > 0
seconds = time.perf_counter() - start

show.images([("what the microscope saw", image), ("what the U-Net found", found)])
print(f"{found.numel()} pixels, {found.numel()} answers, in {seconds:.2f} seconds")

# %% [markdown]
# ## 1 · What you have just seen
#
# The bright blobs are cell nuclei, stained so that they glow. For each pixel the network answered one question: is
# this *nucleus* or not? The answers form a picture of the same size, the **mask**.
#
# How good is it? A person has drawn the nuclei of this micrograph by hand. Lay the network's mask over that drawing:

# %% folded="Lay the mask over the drawing"
truth = labels > 0
show.overlap([("the U-Net against the drawing", found, truth)], image)
weights = sum(p.numel() for p in model.parameters())
print(f"The network is {weights:,} numbers, which were found in one minute, on two cores,")
print("from the left half of the same micrograph. This piece is from its right quarter.")

# %% claim="Nearly all that is wrong lies along the borders"
wrong = found != truth


def along_the_borders(wrong):
    """Fraction of the wrong pixels that lie within two pixels of a drawn border."""
    grown, shrunk = (
        torch.nn.functional.max_pool2d(t[None].float(), 5, 1, 2)[0] for t in (truth, ~truth)
    )
    return (wrong & (grown > 0) & (shrunk > 0)).sum() / wrong.sum()


claim(
    lambda fraction: fraction > 0.85,
    along_the_borders(wrong),
    anywhere=[along_the_borders(torch.ones_like(wrong))],
)

# %% [markdown]
# *Missed* is what only the person drew, and *false* what only the network found. Nearly all that is wrong lies along
# the borders, where a second person with a pen would not have drawn quite the same line either. Nothing of this network
# was downloaded: `datasets/models/make.py` trained it, and in lesson 09 you will train your own.
#
# ## 2 · Three questions about one picture
#
# A picture can be asked three kinds of questions, each more detailed than the one before.
#
# - **Classification**: *what* is in the picture? The answer is one word for all of it.
# - **Detection**: what, and roughly *where*? The answer is a box around each object.
# - **Segmentation**: which *pixels* are it? The answer is a mask.
#
# The boxes in the next cell are computed from the hand-drawn masks, by `mask_to_box`, which you will write in lesson
# 01.

# %% folded="Draw the three answers"
from helpers.reference.pixels import mask_to_box

nuclei = data.load("nuclei", "test", tile=128).instances[1]
objects = [nuclei == number for number in nuclei.unique() if number > 0]
boxes = torch.tensor([mask_to_box(mask) for mask in objects])

grey = (image / image.max()).expand(3, -1, -1)
drawn = draw_bounding_boxes(grey, boxes, colors="#E69F00", width=1)
show.images(
    [
        ("classification: “nuclei”", image),
        (f"detection: {len(boxes)} boxes", drawn),
        ("segmentation: a mask", truth),
    ],
    alt=f"One micrograph three times: as it is, with {len(boxes)} boxes around its nuclei, "
    f"and as a mask in which {truth.sum()} of {truth.numel()} pixels are nucleus.",
)

# %% [markdown]
# A box is four numbers, and it claims every pixel inside. How many of them are not the object at all?
#
# **Predict.** Start with a shape you can do on paper.

# %%
quiz("box-around-a-circle")

# %% [markdown]
# Now measure it, on all nuclei of the test quarter of the micrograph, and on something that is not a blob: the white
# matter in one slice of a brain.

# %% folded="Measure the boxes"
whole = data.load("nuclei", "test", tile=None).instances[0]


def outside(mask):
    """Fraction of the pixels in a mask's box that do not belong to the mask."""
    x0, y0, x1, y1 = mask_to_box(mask)
    return 1 - mask[y0:y1, x0:x1].float().mean().item()


fractions = [outside(whole == number) for number in whole.unique() if number > 0]
slice_, classes = data.load("brain", "test")[10]
white = classes == 3  # class 3: white matter

print(
    f"{len(fractions)} nuclei: on average {sum(fractions) / len(fractions):.0%} of the box is not nucleus,"
)
print(f"          from {min(fractions):.0%} to {max(fractions):.0%}")
print(f"white matter: {outside(white):.0%} of the box is something else")
framed = draw_bounding_boxes(
    slice_.expand(3, -1, -1),
    torch.tensor([mask_to_box(white)]),
    colors="#E69F00",
    width=2,
)
show.images(
    [("a slice of a brain", slice_), ("its white matter, boxed", framed), ("masked", white)]
)

# %% claim="For round things a box is a fair summary"
claim(
    lambda nuclei, matter: nuclei < 0.33 and matter > 0.5,
    *(sum(fractions) / len(fractions), outside(white)),
    swapped=(outside(white), sum(fractions) / len(fractions)),
)

# %% [markdown]
# For round things a box is a fair summary. For thin, branched or hollow things it says little: their length, their
# area and their outline are all lost in it. Whoever measures an area, aims radiation or steers a car needs the pixels.
#
# ## 3 · Where it is used
#
# | field | what each pixel is called | what is done with it |
# |---|---|---|
# | medicine | tumour, organ, vessel, everything else | volumes are followed over months; radiation is aimed past healthy organs (Nikolov et al. 2018) |
# | biology | cell, nucleus, membrane | cells are counted and measured, in thousands of pictures (Falk et al. 2019) |
# | driving | road, footway, person, car, sky | the car knows where it may drive (Cordts et al. 2016) |
# | maps | roof, road, field, water | maps are drawn from aerial pictures (Van Etten et al. 2018) |
#
# The U-Net was made for the second of these (Ronneberger et al. 2015). It needed few pictures drawn by hand, and that
# is why it spread to the others. You will see how few: the network above learned from half of *one*.

# %%
quiz("what-a-mask-answers")

# %% [markdown]
# ## 4 · What you will build
#
# This is the U-Net as a graph. The nodes are locked. Each one opens when you run your own code of that piece on a real
# picture, in the lesson that builds it; by lesson 07 all of them are lit. Select a node to read when it opens: click
# it, or go to the picture with Tab, to the node with the arrow keys, and press Enter.

# %%
graph = ArchitectureGraph()
graph

# %% [markdown]
# | lesson | you build |
# |---|---|
# | 01 Pixels | pictures and masks as tensors, and a data set of pairs |
# | 02 Overlap | the scores that say how good a mask is |
# | 03 Modules | numbers that learn, and a first small network |
# | 04 Convolution | `DoubleConv`, the block of the network |
# | 05 Encoder | the way down: *what* is in the picture |
# | 06 Decoder | the way up, and why it blurs |
# | 07 Skips | the bridges that bring back *where*, and the whole U-Net |
# | 08 Losses | what the network is told to make small |
# | 09 Training | the loop, and a network like the one above |
# | 10 Baseline | your U-Net against one that was trained before, in a fair race |
# | 11 In the wild | large pictures, honest probabilities, other microscopes |
# | 12 Objects | touching objects told apart, counted, and two networks compared |
# | 13 Project | your own pictures |
#
# Each lesson can be started on its own: what you have not written yet, the course lends you, and says so. And when a
# word has slipped your mind, ask for it, in any lesson:

# %%
glossary("mask")

# %% [markdown]
# ## 5 · How a check works
#
# In the lessons you write functions, and below each one stands a cell that checks it. A check runs what you wrote on
# inputs made for finding mistakes, and ends in one of four verdicts: **passed**, **wrong** (with the mistake's name,
# where it is one that others have made before you), **error** (with the line of yours that raised it), or **not
# attempted**.
#
# Try it. `pixel_accuracy` should return the fraction of pixels on which two masks agree. Here it has a mistake. Run the
# cell and read the verdict.


# %%
def pixel_accuracy(pred, target):
    """Fraction of the pixels on which two masks agree: bool (H, W) twice -> a number from 0 to 1."""
    agree = (pred == target) & (target > 0)
    return agree.sum().item() / target.numel()


check(pixel_accuracy)

# %% [markdown]
# A wrong answer is not a crash: the notebook goes on. This one is practice. Here and in every lesson you may check as
# often as you like. Now repair the first of the two lines and run the cell again, until it says *passed*. When you are
# stuck, the buttons below the verdict help. Each is also a function that you can call in a cell. There are three hints,
# one at a time:

# %%
hint("pixel_accuracy")

# %% [markdown]
# Asked again, it gives the second. Each is nearer to the answer than the one before.

# %%
hint("pixel_accuracy")

# %% [markdown]
# <details><summary>I do not know what to change</summary>
#
# `pred == target` compares two tensors pixel by pixel, and `&` keeps what is true in both of its sides. What does the
# second side throw away?
#
# </details>
#
# `where("pixel_accuracy")` looks for the line in which one small change would make your answer pass, and
# `solution("pixel_accuracy")` shows the course's own, after you have passed or after three wrong tries. And
# `use(pixel_accuracy)` gives the cells below *your* piece when it passes, and the course's until then. So a lesson runs
# to its end whatever you have written.

# %%
accuracy = use(pixel_accuracy)
print(f"The U-Net is right on {accuracy(found, truth):.1%} of the pixels.")

# %% claim="That looks excellent"
nothing = torch.zeros_like(truth)
claim(
    lambda unet, nothing: unet > 0.9 and 0.7 < nothing < unet,
    *(accuracy(found, truth), accuracy(nothing, truth)),
    everything=(accuracy(~nothing, truth), accuracy(nothing, truth)),
)

# %% [markdown]
# That looks excellent. In lesson 02 a mask that finds *nothing* will look nearly as good, and you will write better
# scores.
#
# ## 6 · Quizzes, and handing in
#
# There are two kinds of questions. The **practice** ones, like the two above, tell you at once what is right and why;
# answer as often as you like. A **graded** one comes near the end of a lesson. It keeps your answer and tells you
# nothing until it is graded.
#
# If your lessons are graded, this is what counts:
#
# - the cells in which you wrote an exercise, under a card such as *Write it: `iou`*. Keep everything that an answer
#   needs in its own cell. The practice cell above is not graded;
# - your answers to the graded questions, which are kept in the file `answers.json` beside the notebook.
#
# When you are done, choose *Restart kernel and run all cells*. It shows you code that only worked because of a cell
# that you have deleted since. Then save the notebook (Ctrl+S) and run `submit()` in a cell of your own. It says what is
# still open or wrong, and makes **one file** of both, which you hand in the way your instructor says; on a class's hub
# it hands them in itself. The checks that give the points are those you saw, on fresh inputs.
#
# ## 7 · Is everything here?
#
# The doctor looks at your machine and says what is missing and what to do about it. It changes nothing.

# %%
from helpers.doctor import report, text

print(text(report()))

# %% [markdown]
# <details><summary>It says that something is missing</summary>
#
# Each line under *missing* ends with what to do. The same report comes from `python course.py doctor` in a terminal:
# put it into your message when you ask somebody for help. *Pets* may stay "not downloaded"; no lesson needs it before
# 11.
#
# </details>
#
# ## Graded question
#
# It tells you nothing but that your answer is kept. Change it as often as you like before you hand in.

# %% graded="roofs-from-above"
quiz("roofs-from-above")

# %% [markdown]
# ## Recap
#
# 1. Classification gives a word, detection boxes, segmentation a class for each pixel: the mask.
# 2. A box also holds pixels that are not the object: few around a nucleus, most of them around white matter.
# 3. A check names your mistake, and the notebook goes on. Hints come one at a time.
# 4. `use` takes your piece when it passes and the course's until then, so you can start at any lesson.
# 5. `submit()` makes the file that you hand in, of the notebook and `answers.json`.
#
# The last cell of a lesson's recap says where you stand in the whole course: which checks pass here, which questions
# you have answered, and about how long you worked. This is kept in the folder `progress` beside the lessons, and not
# handed in. It is not a grade: the grade depends on what you hand in.

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Unfold *Show a trained U-Net a picture*, put `[0]`, `[2]` or `[3]` in place of `[1]`, and run it and the next cell.
#   Which piece gives the network most trouble?
# - Give it a picture of another kind: `data.load("cells", "test")[0]`, nuclei from a simulator. It has never seen one.
#   Where does it go wrong?
#
# **Sources** · Ronneberger, O., Fischer, P. and Brox, T. (2015), *U-Net: convolutional networks for biomedical image
# segmentation*, arXiv:1505.04597 · Falk, T. et al. (2019), *U-Net: deep learning for cell counting, detection, and
# morphometry*, Nature Methods 16, 67–70 · Nikolov, S. et al. (2018), *Deep learning to achieve clinically applicable
# segmentation of head and neck anatomy for radiotherapy*, arXiv:1809.04430 · Cordts, M. et al. (2016), *The Cityscapes
# dataset for semantic urban scene understanding*, arXiv:1604.01685 · Van Etten, A., Lindenbaum, D. and Bacastow, T. M.
# (2018), *SpaceNet: a remote sensing dataset and challenge series*, arXiv:1807.01232 · The micrograph: Caicedo, J. C.
# et al. (2019), *Nucleus segmentation across imaging experiments*, Nature Methods 16, 1247–1253

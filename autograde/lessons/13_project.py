# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 13 · Project: your own pictures
#
# **You will** segment pictures of your own, from the question to a network that others can load, and write a report
# that a stranger can trust.
#
# **Time** about 40 minutes with the example, then some evenings with your own · **You need** lessons 09 to 12 · **You
# write** seven short answers; they are read by a person
#
# No code is checked here. The notebook runs from top to bottom as it is, on an example, so that you see
# each step work. Then put your own pictures in, run it again, and answer in the cells that say so.

# %%
import tempfile
from pathlib import Path

import torch
from PIL import Image
from skimage.filters import threshold_otsu

from helpers.baseline import build_baseline, compare
from helpers.metrics import class_map, class_scores, confusion_table, predictions
from helpers.share import gallery, load_shared, share
from helpers.training import fit

UNet, split, match = earlier("UNet", "split_instances", "match_instances")

# %% [markdown]
# ## 1 · Which pictures?
#
# `SOURCE = "example"` takes the course's micrograph, cut into sixteen pictures and written to a folder, as if somebody
# had handed it to you. For your own, write `"folder"`, and in `mine` the paths of your two folders, and the names of
# your classes in the order of the numbers in the masks. If loading finds something odd, its message names a setting,
# such as `values={...}` or `suffix="_mask"`: add it to the call in `mine`. With no pictures of your own, and a GPU such
# as Colab's, write `"pets"`: cats and dogs, 0.8 GB to download once.

# %%
SOURCE = "example"  # or "folder", or "pets"


def mine(part):
    """One part of your own pictures: train, validation or test."""
    return data.load(
        "folder",
        part,
        images="my/images",
        masks="my/masks",
        classes=("background", "object"),
    )


NUMBERED = SOURCE == "example"  # or True, if you have written instances=True
CROP, EPOCHS = (
    64,
    20,
)  # side of a training crop in pixels; how often a run sees each picture


# %% folded="Write the example's pictures to a folder"
def write_example():
    """Sixteen pictures and their masks in two folders, as PNG: 0 background, a number each nucleus."""
    place = Path(tempfile.mkdtemp())
    for part in ("images", "masks"):
        (place / part).mkdir()
    number = 0
    for part in ("train", "validation", "test"):
        pairs = data.load("nuclei", part, tile=128)
        for k, (image, _) in enumerate(pairs):
            grey, numbers = (255 * image[0]).round(), pairs.instances[k]
            for kind, values in (("images", grey), ("masks", numbers)):
                picture = Image.fromarray(values.to(torch.uint8).numpy())
                picture.save(place / kind / f"field-{number:02}.png")
            number += 1
    return place / "images", place / "masks"


# %%
if SOURCE == "example":
    images, masks = write_example()


def pairs_of(part):
    """One part of the chosen pictures."""
    if SOURCE == "pets":
        return data.load("pets", part, size=128)
    if SOURCE == "folder":
        return mine(part)
    return data.load(
        "folder",
        part,
        images=images,
        masks=masks,
        classes=("background", "nucleus"),
        instances=True,
        fractions=(0.5, 0.25, 0.25),
    )


train, validation, test = (pairs_of(part) for part in ("train", "validation", "test"))
print(train, validation, test, sep="\n")

# %% [markdown]
# <details><summary>It lists problems with my files</summary>
#
# Nothing is loaded until every picture has a mask with the same stem and size, and every mask holds class numbers only.
# Read the list: it names files and what is wrong, and below stands the call that fixes most of it. Masks drawn in black
# and white (0 and 255) are understood where there are two classes. With the example, `print(train.card)` gives all the
# rules.
#
# </details>
#
# <details><summary>I have pictures and no masks</summary>
#
# Draw some. Free programs that save label images are napari, QuPath, ImageJ/Fiji and ilastik. Begin with ten pictures
# that differ as much as yours ever will, and write down for yourself what counts as object *before* you draw the
# second one.
#
# </details>
#
# Look at them before anything else: does each outline lie on its object? Is every class there? Are there pictures that
# nobody could label? Here are the oddest ones, and what looks wrong in numbers. Not all that looks wrong is, and not
# all that is wrong is found.

# %%
data.check_up(train, validation, test)

# %% [markdown]
# ## 2 · What you will be asked
#
# Your report has seven parts, each in its own cell below. Full marks need no good score: they need a reader who, at
# the end, knows what was done and how far to believe it.
#
# | part | points | full | half | none |
# |---|---|---|---|---|
# | question | 2 | who asks, what they do with the mask, which mistake costs more | only what is segmented | missing |
# | data | 4 | source, licence, how many, who labelled and how; the split, and what could leak; known flaws | some of it | not told where they come from |
# | baseline | 3 | the simplest rule that could work, measured, and where it fails | a rule without a number | missing |
# | training | 4 | what was tried, each choice made on validation, several seeds, the curve read | one run, or choices without a reason | choices made on test |
# | results | 4 | the fair table on test, run once, with the spread; a score that fits the question | a table without spread | a score on training pictures |
# | failures | 4 | the worst pictures looked at, causes named, evidence for them, what would help | pictures without causes | missing |
# | limits | 3 | for which pictures it holds, for which not, what it must not be used for | general words | missing |
#
# Double-click the cell of a part, write in place of *YOUR ANSWER HERE*, and run it.
#
# The split comes first, because nothing can repair it afterwards. The example's pictures are neighbours in one
# micrograph, dealt out at random: what could leak? Part 2 asks.

# %%
quiz("patients-in-two-splits")

# %% [markdown] manual="report-question" points=2
# ### Report 1 · The question (2 points)
#
# Who wants to know what from these pictures? What will they do with the mask? Which mistake costs them more: an object
# missed, or one invented?
#
# <!-- BEGIN SOLUTION -->
# A laboratory counts nuclei to see how fast cells divide under a drug. The mask gives number and area of the nuclei. A
# missed nucleus lowers the count by one; a piece of dirt taken for a nucleus raises it. Both cost alike, so F1 of
# objects fits the question better than Dice of pixels, and Dice is reported beside it.
# <!-- END SOLUTION -->

# %% [markdown] manual="report-data" points=4
# ### Report 2 · The data (4 points)
#
# Where are the pictures from, and may you use and show them? How many, of what size? Who drew the masks, by which rule?
# How did you split them, and what could leak from one split into another? Which flaws do you know of?
#
# <!-- BEGIN SOLUTION -->
# One fluorescence micrograph from the 2018 Data Science Bowl (CC0), cut into sixteen pictures of 128 × 128 pixels;
# masks by that competition's annotators. Half of the pictures for training, a quarter each for validation and test,
# drawn by the hash of their names. That leaks: all sixteen are neighbours in one micrograph, and a nucleus on a cut has
# its halves in two pictures, perhaps in two splits. The split by columns of lesson 09 is better. Outlines are uncertain
# by a pixel or two.
# <!-- END SOLUTION -->

# %% [markdown]
# ## 3 · The simplest thing that could work
#
# Before you train anything: what does a rule reach that takes one line? If a network does not beat it clearly, use the
# rule. Here it is Otsu's threshold of lesson 02. Put a better rule for your own pictures into `simplest`.


# %%
def simplest(image):
    """Class of each pixel (H, W): class 1 where the picture is brighter than Otsu's threshold."""
    grey = image.mean(dim=0)
    return (grey > threshold_otsu(grey.numpy())).long()


def dice_of(pred, mask):
    """Mean Dice over the classes but the background; pixels without a label do not count."""
    scores = class_scores(confusion_table(pred, mask, len(train.classes)))
    return scores["dice"][1:].nanmean().item()  # a picture without an object has none


scores = []
for k in range(min(len(validation), 50)):
    image, mask = validation[k]
    scores.append(dice_of(simplest(image), mask))
scores = torch.tensor(scores)
print(f"Dice of the simplest rule on validation: {scores.nanmean():.3f}")
image, mask = validation[scores.nan_to_num(2).argmin().item()]  # where it does worst
play.compare(image, mask, {"the simplest rule": simplest(image)})

# %% claim="the threshold falls between *them*"
numbers = validation.instances[scores.nan_to_num(2).argmin().item()]
level = threshold_otsu(image[0].numpy())
light = torch.stack([image[0][numbers == n].mean() for n in numbers.unique() if n > 0])
dim, bright = (light < level).sum(), (light > level).sum()
claim(lambda dim, bright: dim > 0 and bright > 0, dim, bright, all_bright=(0, dim + bright))

# %% [markdown] manual="report-baseline" points=3
# ### Report 3 · The baseline (3 points)
#
# Which rule did you take, why might it work on these pictures, what does it score, and where does it fail?
#
# <!-- BEGIN SOLUTION -->
# Nuclei are bright on a dark ground, so a threshold might do; Otsu's finds it from the histogram of each picture. Its
# Dice is printed above. It fails where bright and dim nuclei lie in one picture: the threshold falls between *them*,
# and the dim ones are lost.
# <!-- END SOLUTION -->

# %% [markdown]
# ## 4 · Train, and choose on validation
#
# Two networks, each with two seeds, for as many epochs: your U-Net, and the pretrained one of lesson 10. All that you
# try belongs here, and validation decides. The training here is short so that the notebook runs through; give your own
# project more. A network that does not beat the simplest rule needs more epochs, or the rule is what to use.

# %%
channels = len(train[0][0])
num_classes = 1 if len(train.classes) == 2 else len(train.classes)
candidates = {
    "U-Net": lambda: UNet(channels, num_classes, base_channels=8, depth=3),
    "pretrained": lambda: build_baseline(in_channels=channels, num_classes=num_classes),
}
models, histories = {}, {}
for name, make in candidates.items():
    models[name], histories[name] = [], []
    for seed in (0, 1):
        torch.manual_seed(seed)
        network = make()
        history = fit(network, train, validation, epochs=EPOCHS, crop=CROP, seed=seed)
        models[name].append(network)
        histories[name].append(history)
        print(f"{name}, seed {seed}: {history.steps} steps,", end=" ")
        print(f"best Dice on validation {history.best['dice']:.3f}")

# %%
for name, (first, _) in histories.items():
    show.curves(
        torch.tensor([entry["step"] for entry in first.scores]),
        [("Dice", torch.tensor([entry["dice"] for entry in first.scores]))],
        title=f"{name}, seed 0: Dice on validation",
        xlabel="steps",
        ylabel="Dice",
        height=2.4,
    )

# %% [markdown] manual="report-training" points=4
# ### Report 4 · Training (4 points)
#
# What did you try: size of the network, loss, augmentation, crops, learning rate, epochs? What did validation say to
# each? Read your curve: is it still rising at the end? How far apart are two seeds?
#
# <!-- BEGIN SOLUTION -->
# The U-Net of lesson 09 and the pretrained network, two seeds each, for 20 epochs, with random crops of 64 pixels,
# turned and mirrored. In my run the U-Net's curve was nearly flat at the end; the pretrained one swung up and
# down at first, so it may gain from a lower rate. The seeds of one network
# differ by the amount printed above, and a difference between the networks below that would mean nothing. Next I would
# try a lower rate for the pretrained one, then elastic deformation, and let validation decide.
# <!-- END SOLUTION -->

# %% [markdown]
# ## 5 · Test, once
#
# When everything is chosen, and not before, run this cell. If the result makes you change something, the test pictures
# have become validation pictures, and you need new ones.

# %%
seconds = {name: [history.seconds for history in runs] for name, runs in histories.items()}
compare(models, test, seconds=seconds)

# %% [markdown]
# Where single objects are numbered, count them: lesson 12's `split_instances` parts those that touch, and
# `match_instances` says how many are found. A picture without an object has no F1.


# %%
def count(network):
    """Objects counted on test, objects that are there, and the mean F1 of the pictures."""
    f1, counted, there = [], 0, 0
    for k, (logits, _) in enumerate(predictions(network, test)):
        objects = split(logits[0].sigmoid())
        labels = test.instances[k]
        f1.append(match(objects, labels)["f1"] if labels.any() else torch.nan)
        counted += len(objects[objects > 0].unique())
        there += len(labels[labels > 0].unique())
    return counted, there, torch.tensor(f1).nanmean().item()


if NUMBERED:
    for name, runs in models.items():
        for seed, network in enumerate(runs):
            counted, there, f1 = count(network)
            print(f"{name}, seed {seed}: {counted} objects, {there} are there, F1 {f1:.3f}")

# %%
quiz("one-point-better")

# %% [markdown] manual="report-results" points=4
# ### Report 5 · Results (4 points)
#
# Give the table of your test pictures: what each network costs and what it gets, with the spread over seeds. Which do
# you choose for the question of part 1, and does the difference hold for every seed, and on most pictures? If objects
# are to be counted, give the counts and F1.
#
# <!-- BEGIN SOLUTION -->
# The table above is the result: four pictures, two seeds each. I choose the network with the better Dice only if both
# of its seeds beat both seeds of the other; if they do not, I choose the U-Net, which has far fewer parameters. Four
# pictures are too few to say more. For the count, the lines below the table give what is counted, what is there, and
# F1.
# <!-- END SOLUTION -->

# %% [markdown]
# ## 6 · What failed
#
# Here is the picture on which your U-Net did worst. Look at the others too.

# %%
unet, pretrained = (models[name][0] for name in candidates)
scores = torch.tensor(
    [dice_of(class_map(logits), mask) for logits, mask in predictions(unet, test)]
)
print("Dice of each test picture:", ", ".join(f"{score:.3f}" for score in scores[:20]))
image, mask = test[scores.nan_to_num(2).argmin().item()]
with torch.no_grad():
    found = {
        name: class_map(runs[0].eval()(image[None])[0]) for name, runs in models.items()
    }
play.compare(image, mask, found)

# %% claim="Nearly all errors are thin rims along borders"
rims, errors, near = 0, 0, 0
for logits, mask in predictions(unet, test):
    edges = [
        torch.nn.functional.max_pool2d(part[None].float(), 7, 1, 3)[0] > 0
        for part in (mask == 1, mask == 0)
    ]
    wrong, rim = class_map(logits) != mask, edges[0] & edges[1]
    rims, errors, near = (
        rims + (wrong & rim).sum(),
        errors + wrong.sum(),
        near + rim.float().mean(),
    )
claim(
    lambda at_borders: at_borders > 0.75,
    rims / errors,
    anywhere=[near / len(test)],
)

# %% [markdown] manual="report-failures" points=4
# ### Report 6 · Failures (4 points)
#
# Which pictures are worst, and what do they have in common? Name causes, with evidence: is it the network, the labels,
# or the way you test? What would you do about the most frequent one?
#
# <!-- BEGIN SOLUTION -->
# Nearly all errors are thin rims along borders, where the annotator is uncertain as well. In my run they were thickest
# around the few very bright nuclei: more of those, or changes of light, may help. At
# the sides of the pictures nuclei are cut, and the network sees half of an object. That is of my own making, because I
# cut the micrograph into pieces: I would predict it whole, in overlapping tiles, and count each nucleus once.
# <!-- END SOLUTION -->

# %% [markdown]
# ## 7 · Share it, with its limits
#
# A bundle carries a card. What you write into `intended_use` and `limits` is the part of your report that travels with
# the network. (Keep it by giving `folder="."`. And ask first whether you may share the pictures: the bundle holds three
# of them.)

# %%
place = Path(tempfile.mkdtemp())
options = {
    "intended_use": "To show how a project of this course reads. Nuclei like those it saw.",
    "limits": "One micrograph, one dye. Nothing is known about other laboratories.",
}
for name, network in {"mine": unet, "pretrained": pretrained}.items():
    bundle = share(network, name, train, validation, folder=place, **options)
    load_shared(bundle)  # as somebody else will
    print(f"{bundle.name}: {bundle.stat().st_size / 1e6:.1f} MB")
gallery(place, test)

# %% [markdown] manual="report-limits" points=3
# ### Report 7 · Limits (3 points)
#
# For which pictures does your result hold? For which do you not know? What must nobody use it for?
#
# <!-- BEGIN SOLUTION -->
# It holds for this dye, this microscope and this density of nuclei. For another laboratory, other cells or tissue it is
# unknown, and lesson 11 shows how much a change of pictures can cost. Four test pictures bound the error loosely. It
# must not be used for any decision about a patient.
# <!-- END SOLUTION -->

# %% graded="as-good-as-a-person"
quiz("as-good-as-a-person")

# %% [markdown]
# ## Recap
#
# 1. The question decides which score counts, and which mistake costs more.
# 2. Split by what belongs together, before anything is trained. Then look at the pictures.
# 3. The simplest rule comes first. A network has to earn its place.
# 4. Validation chooses, and test is looked at once. A difference counts when it holds over seeds and over pictures.
# 5. Failures and limits are part of the result. They are what a stranger needs most.
#
# Where you stand in the course, and what is next:

# %%
progress()

# %% [markdown]
# ## Go further
#
# - Let somebody else draw the masks of five of your pictures, and score the two of you against each other.
# - Hand your bundle to a classmate, load theirs, and measure it on your pictures.
# - Read Maier-Hein et al. (2024) with your question in mind: which score do they recommend for it?
#
# **Sources** · Caicedo, J. C. et al. (2019), *Nucleus segmentation across imaging experiments: the 2018 Data Science
# Bowl*, Nature Methods 16, 1247–1253 (the example's pictures) · Isensee, F. et al. (2024), *nnU-Net revisited: a call
# for rigorous validation in 3D medical image segmentation*, arXiv:2404.09556 · Maier-Hein, L. et al. (2024), *Metrics
# reloaded: recommendations for image analysis validation*, Nature Methods 21, 195–212 · Mitchell, M. et al. (2019),
# *Model cards for model reporting*, arXiv:1810.03993

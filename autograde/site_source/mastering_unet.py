# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Mastering U-Net
#
# The whole idea on one page: what a U-Net is for, its parts, how its masks are scored, and what people ask. Every
# picture below was computed when this page was made, by the code that the lessons use. In the lessons you write that
# code yourself, and there the pictures can be moved.
#
# ## A class for every pixel
#
# *Classification* says what is in a picture. *Object detection* draws a box around each thing that it finds, which
# says roughly where it is. **Semantic segmentation** answers for every single pixel: nucleus or background, road or
# pavement, tumour or not. The answer is a *mask*, a picture of the same height and width that holds a class in each
# pixel. Shapes and areas can be measured on it; on a box they cannot.

# %%
import torch
import torch.nn.functional as F

from helpers import data, play, show
from helpers.data import files
from helpers.glossary import Listing, faq
from helpers.graph import ArchitectureGraph
from helpers.reference.overlap import dice, iou
from helpers.share import load_shared
from helpers.stepper import CodeStepper

model = load_shared(files.root() / "models" / "nuclei.unet.zip").eval()
image, labels = data.load("nuclei", "test", tile=128)[1]
image, truth = image.as_subclass(torch.Tensor), (labels > 0).as_subclass(torch.Tensor)
with torch.no_grad():
    logits = model(image[None])[0, 0]
found = logits > 0
show.images([("a micrograph", image), ("drawn by a person", truth), ("found by a U-Net", found)])

# %% [markdown]
# The U-Net of 2015 (Ronneberger, Fischer and Brox) was made to outline cells in microscope images, where a person can
# label few pictures. It needs few, because it is trained on many distorted copies of each and because its skips hand
# fine detail straight to where the mask is drawn. It has become the usual first choice far beyond microscopes:
# satellite pictures, roads, organs.
#
# ## The U
#
# Below is the network that drew the mask above, as it ran. The left side goes down and is the *encoder*, the right
# side comes up and is the *decoder*, the arrows across are the *skip connections*, and the last box is the *1×1
# head*. Each box shows the shape that came out of it, `channels × height × width`.

# %%
ArchitectureGraph().forward(model, image[None])

# %% [markdown]
# ## Down: the encoder
#
# One level of the encoder is two 3×3 convolutions, each followed by a ReLU; this network has a batch normalisation in
# between, the one of 2015 did not. Then a 2×2 *max pooling* halves height and width, and the next level has twice as
# many channels.
#
# Each step down trades place for meaning. A value at the bottom has seen a large part of the image, its *receptive
# field*, and says well *what* is there. It stands for a whole block of pixels, and so says poorly *where*.

# %%
play.receptive_field(image=image)

# %% [markdown]
# You write it in lesson 05.
#
# ## Up: the decoder
#
# The decoder makes the small map large again. Each level doubles height and width, by a *transposed convolution* or
# by plain *upsampling* and a convolution, halves the channels, and lets two more convolutions work on the result.
# Doubling a map adds pixels, but no knowledge of where an edge was.

# %%
play.upsampling(image)

# %% [markdown]
# You write it in lesson 06.
#
# ## Across: the skip connections
#
# How much is lost at the bottom? One channel there has one value for each block of pixels. Take the mask that the
# person drew, and keep as much of it: whether a block is mostly nucleus.

# %%
block = 2 ** len(model.decoder)
blocks = F.avg_pool2d(truth[None].float(), block)
coarse = F.interpolate(blocks[None], scale_factor=block)[0, 0] > 0.5
show.images(
    [("drawn by a person", truth), (f"one value for {block}×{block} pixels", coarse), ("found by a U-Net", found)]
)
print(f"IoU with the drawing: {iou(coarse, truth):.2f} from the blocks, {iou(found, truth):.2f} from the U-Net")

# %% [markdown]
# The nuclei are there, their outlines are not. Many channels tell more than one does; lesson 06 trains a network that
# has nothing but its bottom to draw from, and measures how far its outlines are off.
#
# So each level of the decoder gets help from the level of the encoder at its own height. The encoder's map, which
# still knows where the edges are, is laid beside the decoder's, channel to channel: *concatenation*. The convolutions
# that follow have both, the *what* from below and the *where* from across. Lesson 07 measures what the skips are
# worth, with and without them.
#
# ## Out: the 1×1 head
#
# At full size every pixel now has a handful of channels. A *1×1 convolution* turns them into one number for each
# class: at each pixel the same weighted sum, with no look at the neighbours. These numbers are *logits*. A sigmoid
# turns one logit into a probability, a softmax turns several into probabilities; for the mask alone the larger one, or
# the sign, is enough.

# %%
head = model.head
print(f"{head.in_channels} channels in, {head.out_channels} out: {sum(p.numel() for p in head.parameters())} numbers")
show.images([("logits", logits), ("probability", logits.sigmoid()), ("mask", found)])

# %% [markdown]
# The whole network fits one page of PyTorch. Here it is in five steps.

# %%
CodeStepper()

# %% [markdown]
# ## How good is a mask?
#
# The fraction of pixels that are right, *accuracy*, flatters: where objects are small, an empty mask has a high one.
# The *Dice coefficient* asks how well two masks overlap, and leaves out the background that both agree on:
#
# $$\text{Dice}(A, B) = \frac{2\,|A \cap B|}{|A| + |B|}$$
#
# It is 1 when the masks are equal and 0 when they share nothing. Its relative is *intersection over union*, the
# overlap over all that is in either mask; each can be computed from the other.

# %%
print(f"the mask above: Dice {dice(found, truth):.3f}, IoU {iou(found, truth):.3f}")
play.overlap(image, truth)

# %% [markdown]
# Neither can train a network as it stands, since counting pixels has no gradient. The *Dice loss* puts probabilities
# where the masks were. It does not drown a small object in background as cross-entropy may, so the two are often
# added. Lessons 02 and 08 are about scores and losses.

# %%
play.loss(fraction=0.05)

# %% [markdown]
# ## Three questions

# %%
Listing(faq()[:3])

# %% [markdown]
# [All questions](faq.md) are on one page.
#
# ## Six words
#
# - *Semantic segmentation*: a class for each pixel, where two objects of the same class are not told apart.
# - *Encoder*: the way down, which gains channels and loses places.
# - *Decoder*: the way up, which brings the map back to full size and draws the mask.
# - *Skip connection*: a map of the encoder, handed across to the decoder.
# - *Dice coefficient*: twice the overlap over the sum of the two areas.
# - *1×1 convolution*: the same weighted sum of channels at each pixel; the head of the network.
#
# [The glossary](glossary.md) has the others, and [lesson 00](lessons/00_start_here.ipynb) is where to begin.
#
# **Sources** · Ronneberger, O., Fischer, P. and Brox, T. (2015), *U-Net: convolutional networks for biomedical image
# segmentation*, arXiv:1505.04597

# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Glossary and questions
#
# **You will find** every term of the course in a sentence or two, with the lesson that introduces it and a picture
# where one helps. At the end are answers to the questions that most students ask.
#
# **Time** as long as you like · **You need** nothing · **You write** nothing
#
# The terms are grouped by theme, in the order of the course. In the middle of a lesson there is a shorter way to look
# up one term. It works in every notebook, and also finds a term by its other names:

# %%
from helpers.glossary import faq

glossary("jaccard")

# %% [markdown]
# If a name is not quite right, the error suggests similar ones. The next cell catches that error and prints it.

# %%
try:
    glossary("convolutoin")
except ValueError as error:
    print(error)

# %% [markdown]
# ## What is asked of an image

# %%
glossary(theme="tasks")

# %% [markdown]
# ## Images, masks and splits

# %%
glossary(theme="data")

# %% [markdown]
# ## How good is a mask?

# %%
glossary(theme="scores")

# %% [markdown]
# ## A network and how it learns

# %%
glossary(theme="network")

# %% [markdown]
# ## Convolution

# %%
glossary(theme="convolution")

# %% [markdown]
# ## The U-Net and its parts

# %%
glossary(theme="unet")

# %% [markdown]
# ## Losses

# %%
glossary(theme="losses")

# %% [markdown]
# ## Training

# %%
glossary(theme="training")

# %% [markdown]
# ## Comparing with others

# %%
glossary(theme="baseline")

# %% [markdown]
# ## In the wild

# %%
glossary(theme="wild")

# %% [markdown]
# ## Objects and evidence

# %%
glossary(theme="objects")

# %% [markdown]
# ## Questions that students ask

# %%
faq()

# %% [markdown]
# ## All terms by name
#
# `glossary()` returns the same entries in alphabetical order. These are their names.

# %%
print(", ".join(entry.term for entry in glossary()))

# %% [markdown]
# **Sources** · Guo, C. et al. (2017), *On calibration of modern neural networks*, arXiv:1706.04599 · Ioffe, S. and
# Szegedy, C. (2015), *Batch normalization*, arXiv:1502.03167 · Isensee, F. et al. (2021), *nnU-Net: a self-configuring
# method for deep learning-based biomedical image segmentation*, Nature Methods 18, 203–211 · Kirillov, A. et al.
# (2019), *Panoptic segmentation*, arXiv:1801.00868 · Lin, T.-Y. et al. (2017), *Focal loss for dense object
# detection*, arXiv:1708.02002 · Mehrtash, A. et al. (2020), *Confidence calibration and predictive uncertainty
# estimation for deep medical image segmentation*, arXiv:1911.13273 · Milletari, F., Navab, N. and Ahmadi, S.-A.
# (2016), *V-Net*, arXiv:1606.04797 · Nikolov, S. et al. (2018), *Deep learning to achieve clinically applicable
# segmentation of head and neck anatomy for radiotherapy*, arXiv:1809.04430 · Odena, A., Dumoulin, V. and Olah, C.
# (2016), *Deconvolution and checkerboard artifacts*, Distill, doi:10.23915/distill.00003 · Rahman, M. A. and Wang, Y.
# (2016), *Optimizing intersection-over-union in deep neural networks for image segmentation*, ISVC 2016 · Ronneberger,
# O., Fischer, P. and Brox, T. (2015), *U-Net: convolutional networks for biomedical image segmentation*,
# arXiv:1505.04597 · Simard, P. Y., Steinkraus, D. and Platt, J. C. (2003), *Best practices for convolutional neural
# networks applied to visual document analysis*, ICDAR 2003 · Smith, L. N. and Topin, N. (2018), *Super-convergence:
# very fast training of neural networks using large learning rates*, arXiv:1708.07120

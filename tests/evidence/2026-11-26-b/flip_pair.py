# %% right: in a hurry, axes counted from the end
def flip_pair(image, mask, horizontal, vertical):
    if horizontal: image, mask = image.flip(-1), mask.flip(-1)
    if vertical: image, mask = image.flip(-2), mask.flip(-2)
    return image, mask

# %% wrong: The same positive axis number is used for image and mask; the image has a channel axis in front, so for horizontal its rows are flipped while the mask's columns are (and vertical reverses the channels).
def flip_pair(image, mask, horizontal, vertical):
    if horizontal:
        image = image.flip(1)
        mask = mask.flip(1)
    if vertical:
        image = image.flip(0)
        mask = mask.flip(0)
    return image, mask

# %% wrong: elif makes the two flips exclude each other: with horizontal and vertical both true only the horizontal one is done.
def flip_pair(image, mask, horizontal, vertical):
    if horizontal:
        return torch.flip(image, dims=[2]), torch.flip(mask, dims=[1])
    elif vertical:
        return torch.flip(image, dims=[1]), torch.flip(mask, dims=[0])
    else:
        return image, mask

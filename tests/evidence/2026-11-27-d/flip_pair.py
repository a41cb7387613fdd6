# %% right: no flip at all, picks rows and columns by number in the order wanted
def flip_pair(image, mask, horizontal, vertical):
    height, width = mask.shape
    rows = torch.tensor(list(range(height))[::-1] if vertical else list(range(height)))
    cols = torch.tensor(list(range(width))[::-1] if horizontal else list(range(width)))
    return image[:, rows][:, :, cols], mask[rows][:, cols]

# %% wrong: the axes are swapped in both tensors: horizontal turns the rows round (top and bottom) and vertical the columns
def flip_pair(image, mask, horizontal, vertical):
    H_AXIS, V_AXIS = -2, -1
    axes = []
    if horizontal:
        axes.append(H_AXIS)
    if vertical:
        axes.append(V_AXIS)
    return torch.flip(image, axes), torch.flip(mask, axes)

# %% wrong: elif instead of a second if, so with both flags true only left and right are swapped
def flip_pair(image, mask, horizontal, vertical):
    if horizontal:
        # left <-> right
        image = image.flip(2)
        mask = mask.flip(1)
    elif vertical:
        # top <-> bottom
        image = image.flip(1)
        mask = mask.flip(0)
    return image, mask

# %% wrong: [two] first, the flipped mask of the horizontal case is not assigned, so the mask stays as it was; second, the vertical case flips the image along dim 0, the channels, instead of the rows
def flip_pair(image, mask, horizontal, vertical):
    new_image = image.clone()
    new_mask = mask.clone()

    if horizontal:
        new_image = torch.flip(new_image, dims=[2])
        torch.flip(new_mask, dims=[1])

    if vertical:
        new_image = torch.flip(new_image, dims=[0])
        new_mask = torch.flip(new_mask, dims=[0])

    return new_image, new_mask

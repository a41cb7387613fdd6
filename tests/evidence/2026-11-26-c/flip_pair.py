# %% right: through index tensors that count backwards
def flip_pair(image, mask, horizontal, vertical):
    h, w = mask.shape
    rows = torch.arange(h - 1, -1, -1) if vertical else torch.arange(h)
    columns = torch.arange(w - 1, -1, -1) if horizontal else torch.arange(w)
    return image[:, rows][:, :, columns], mask[rows][:, columns]


# %% right: rotation by a half turn, and a flip of what is one too much
def flip_pair(image, mask, horizontal, vertical):
    def move(t):
        if horizontal and vertical:
            return torch.rot90(t, 2, dims=(-2, -1))
        if horizontal:
            return torch.fliplr(t.movedim(0, -1)).movedim(-1, 0) if t.ndim == 3 else torch.fliplr(t)
        return t.flip(-2) if vertical else t.clone()

    return move(image), move(mask)


# %% wrong: horizontal turns rows upside down and vertical mirrors the columns
def flip_pair(image, mask, horizontal, vertical):
    axes = []
    if horizontal:
        axes.append(-2)
    if vertical:
        axes.append(-1)
    return torch.flip(image, axes), torch.flip(mask, axes)


# %% wrong: forgets the mask
def flip_pair(image, mask, horizontal, vertical):
    if horizontal:
        image = torch.flip(image, [2])
    if vertical:
        image = torch.flip(image, [1])
    return image, mask


# %% wrong: swaps columns one by one in the same tensor, so the second half is copied from what was overwritten
def flip_pair(image, mask, horizontal, vertical):
    image, mask = image.clone(), mask.clone()
    height, width = mask.shape
    if horizontal:
        for x in range(width):
            image[:, :, x] = image[:, :, width - 1 - x]
            mask[:, x] = mask[:, width - 1 - x]
    if vertical:
        for y in range(height):
            image[:, y] = image[:, height - 1 - y]
            mask[y] = mask[height - 1 - y]
    return image, mask


# %% wrong: flips the mask only vertically, a copied line was not changed
def flip_pair(image, mask, horizontal, vertical):
    if horizontal:
        image = image.flip(dims=[-1])
        mask = mask.flip(dims=[-2])
    if vertical:
        image = image.flip(dims=[-2])
        mask = mask.flip(dims=[-2])
    return image, mask


# %% wrong: when both are true, it flips horizontally twice, so nothing moves left and right
def flip_pair(image, mask, horizontal, vertical):
    out_i, out_m = image, mask
    if horizontal:
        out_i, out_m = out_i.flip(-1), out_m.flip(-1)
    if vertical:
        out_i, out_m = out_i.flip(-1), out_m.flip(-1)
    return out_i, out_m


# %% wrong: returns inside the branches, so vertical is never seen after horizontal, and for neither it returns None
def flip_pair(image, mask, horizontal, vertical):
    if horizontal:
        return torch.flip(image, (-1,)), torch.flip(mask, (-1,))
    if vertical:
        return torch.flip(image, (-2,)), torch.flip(mask, (-2,))


# %% wrong: transposes where it should mirror
def flip_pair(image, mask, horizontal, vertical):
    if horizontal:
        image = image.transpose(1, 2)
        mask = mask.T
    if vertical:
        image = image.flip(1)
        mask = mask.flip(0)
    return image, mask


# %% wrong: rolls by half the width instead of mirroring
def flip_pair(image, mask, horizontal, vertical):
    h, w = mask.shape
    if horizontal:
        image, mask = torch.roll(image, w // 2, dims=-1), torch.roll(mask, w // 2, dims=-1)
    if vertical:
        image, mask = torch.roll(image, h // 2, dims=-2), torch.roll(mask, h // 2, dims=-2)
    return image, mask


# %% wrong: [two] the mask comes back first, and the vertical flip is done only without a horizontal one
def flip_pair(image, mask, horizontal, vertical):
    pair = [mask, image]
    if horizontal:
        pair = [p.flip(-1) for p in pair]
    elif vertical:
        pair = [p.flip(-2) for p in pair]
    return tuple(pair)


# %% wrong: [two] numpy's flips on the image, where lr and ud mean axes 1 and 0, and the mask stays in a vertical flip
def flip_pair(image, mask, horizontal, vertical):
    if horizontal:
        image = torch.from_numpy(np.fliplr(image.numpy()).copy())
        mask = torch.from_numpy(np.fliplr(mask.numpy()).copy())
    if vertical:
        image = torch.from_numpy(np.flipud(image.numpy()).copy())
    return image, mask

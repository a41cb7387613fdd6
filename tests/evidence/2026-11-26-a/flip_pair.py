# %% right: collects the negative axes and flips both tensors once
def flip_pair(image, mask, horizontal, vertical):
    dims = [d for d, wanted in ((-1, horizontal), (-2, vertical)) if wanted]
    if not dims:
        return image.clone(), mask.clone()
    return torch.flip(image, dims), torch.flip(mask, dims)


# %% wrong: elif instead of a second if, so with both true only the horizontal flip is done
def flip_pair(image, mask, horizontal, vertical):
    if horizontal:
        image = image.flip(-1)
        mask = mask.flip(-1)
    elif vertical:
        image = image.flip(-2)
        mask = mask.flip(-2)
    return image, mask


# %% wrong: uses the mask's axis numbers for the image too, so a horizontal flip turns the image upside down and a vertical one reverses its channels
def flip_pair(image, mask, horizontal, vertical):
    def mirror(t):
        if horizontal:
            t = torch.flip(t, dims=(1,))
        if vertical:
            t = torch.flip(t, dims=(0,))
        return t

    return mirror(image), mirror(mask)

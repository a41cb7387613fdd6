# %% right: no rot90, the eight ways up are made of three coins: transpose, flip rows, flip columns
def augment_pair(image, mask, generator):
    def coin():
        return torch.randint(2, (1,), generator=generator).item() == 1

    pair = [image, mask]
    if image.shape[-1] == image.shape[-2] and coin():
        pair = [t.transpose(-2, -1) for t in pair]
    for axis in (-2, -1):
        if coin():
            pair = [t.flip(axis) for t in pair]
    image, mask = pair

    brightness, contrast = (torch.rand(2, generator=generator) * 0.4 - 0.2).tolist()
    grey = image.mean()
    lit = grey + (image - grey) * (1 + contrast) + brightness
    return lit.clamp(0, 1).contiguous(), mask.clone()
# %% wrong: brightness and contrast are drawn with Python's random instead of the generator, so the same seed gives another image each time
def augment_pair(image, mask, generator):
    import random

    h, w = mask.shape
    way = torch.randint(0, 8, (1,), generator=generator).item()
    turns = way % 4
    if h != w:
        turns = turns - turns % 2       # 0 or 2: a half turn keeps the shape
    new_image = torch.rot90(image, turns, dims=(1, 2))
    new_mask = torch.rot90(mask, turns, dims=(0, 1))
    if way >= 4:
        new_image = torch.flip(new_image, dims=(2,))
        new_mask = torch.flip(new_mask, dims=(1,))

    b = random.uniform(-0.2, 0.2)
    c = random.uniform(0.8, 1.2)
    new_image = (new_image - 0.5) * c + 0.5 + b
    return torch.clamp(new_image, 0.0, 1.0), new_mask
# %% wrong: randint(0, 3) never gives 3 because its upper end is excluded, so of the eight ways up of a square only six occur
def augment_pair(image, mask, generator):
    square = mask.shape[0] == mask.shape[1]
    if square:
        k = int(torch.randint(0, 3, (1,), generator=generator))      # 0, 90, 180 or 270 degrees
    else:
        k = 2 * int(torch.rand(1, generator=generator) < 0.5)         # flipped both ways, or not
    image = torch.rot90(image, k, (1, 2))
    mask = torch.rot90(mask, k, (0, 1))
    if torch.rand(1, generator=generator) < 0.5:
        image = image.flip(2)
        mask = mask.flip(1)
    # light
    delta = float(torch.empty(1).uniform_(-0.2, 0.2, generator=generator))
    factor = float(torch.empty(1).uniform_(0.8, 1.2, generator=generator))
    mean = image.mean()
    image = ((image - mean) * factor + mean + delta).clamp(min=0, max=1)
    return image, mask
# %% wrong: changes the light in place without a copy, so when chance draws neither flip nor turn the caller's own image is overwritten and the same tensors come back
def augment_pair(image, mask, generator):
    r = torch.rand(5, generator=generator).tolist()
    if r[0] < 0.5:
        image, mask = torch.flip(image, [1]), torch.flip(mask, [0])
    if r[1] < 0.5:
        image, mask = torch.flip(image, [2]), torch.flip(mask, [1])
    if image.shape[1] == image.shape[2] and r[2] < 0.5:
        image, mask = torch.rot90(image, 1, [1, 2]), torch.rot90(mask, 1, [0, 1])

    # contrast around the mean, then brightness; in place saves memory
    m = image.mean().item()
    image.sub_(m).mul_(0.8 + 0.4 * r[3]).add_(m)
    image.add_(0.4 * r[4] - 0.2)
    image.clamp_(0, 1)
    return image, mask

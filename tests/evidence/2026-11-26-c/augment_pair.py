# %% right: one number from 0 to 7 says the way up, written in binary
def augment_pair(image, mask, generator):
    way = int(torch.randint(8, (), generator=generator))
    dims = [d for d, bit in ((-1, 1), (-2, 2)) if way & bit]
    image, mask = image.flip(dims), mask.flip(dims)
    if way & 4 and image.shape[-1] == image.shape[-2]:
        image, mask = image.mT, mask.mT
    gain, shift = torch.rand(2, generator=generator).mul(0.4).sub(0.2).tolist()
    middle = float(image.mean())
    return ((image - middle) * (1 + gain) + middle + shift).clamp(0, 1), mask.clone()


# %% right: index arrays and a list of steps, numbers from randint alone
def augment_pair(image, mask, generator):
    def chance(n):
        return torch.randint(0, n, (1,), generator=generator).item()

    h, w = mask.shape
    rows, columns = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    turns = chance(4) if h == w else 2 * chance(2)
    for _ in range(turns):
        rows, columns = rows.T.flip(0), columns.T.flip(0)
    if chance(2):
        rows, columns = rows.flip(1), columns.flip(1)
    contrast = 0.8 + chance(401) / 1000
    brightness = chance(401) / 1000 - 0.2
    picture = image[:, rows, columns]
    picture = torch.lerp(picture.mean(), picture, contrast) + brightness
    return torch.minimum(torch.maximum(picture, torch.tensor(0.0)), torch.tensor(1.0)), mask[rows, columns]


# %% wrong: image and mask draw their own flips, so they no longer fit
def augment_pair(image, mask, generator):
    def move(x):
        if torch.rand(1, generator=generator) < 0.5:
            x = torch.flip(x, dims=[-1])
        if torch.rand(1, generator=generator) < 0.5:
            x = torch.flip(x, dims=[-2])
        if x.shape[-1] == x.shape[-2]:
            k = int(torch.randint(0, 4, (1,), generator=generator))
            x = torch.rot90(x, k, dims=[-2, -1])
        return x

    image, mask = move(image), move(mask)
    brightness = (torch.rand(1, generator=generator) - 0.5) * 0.4
    contrast = 1 + (torch.rand(1, generator=generator) - 0.5) * 0.4
    image = ((image - 0.5) * contrast + 0.5 + brightness).clamp(0, 1)
    return image.clone(), mask.clone()


# %% wrong: light only gets brighter and contrast only rises, the draws are one-sided
def augment_pair(image, mask, generator):
    if torch.rand((), generator=generator) < 0.5:
        image, mask = image.flip(-1), mask.flip(-1)
    k = int(torch.randint(4, (), generator=generator))
    if image.shape[-2] != image.shape[-1]:
        k = k // 2 * 2
    image, mask = image.rot90(k, (-2, -1)), mask.rot90(k, (-2, -1))
    contrast = 1 + 0.2 * torch.rand((), generator=generator)
    brightness = 0.2 * torch.rand((), generator=generator)
    image = (image - image.mean()) * contrast + image.mean() + brightness
    return image.clamp(0, 1), mask.clone()


# %% wrong: values outside [0, 1] are not cut off
def augment_pair(image, mask, generator):
    draws = torch.rand(5, generator=generator)
    if draws[0] > 0.5:
        image, mask = image.flip(2), mask.flip(1)
    if draws[1] > 0.5:
        image, mask = image.flip(1), mask.flip(0)
    if draws[2] > 0.5 and image.size(1) == image.size(2):
        image, mask = image.transpose(1, 2), mask.transpose(0, 1)
    factor = 0.8 + 0.4 * draws[3]
    offset = 0.4 * draws[4] - 0.2
    mean = image.mean()
    image = (image - mean) * factor + mean + offset
    return image, mask.clone()


# %% wrong: the mask gets the light too
def augment_pair(image, mask, generator):
    both = torch.cat([image, mask[None].to(image.dtype)])
    if torch.rand(1, generator=generator).item() < 0.5:
        both = both.flip(-1)
    turns = torch.randint(0, 4, (1,), generator=generator).item()
    both = both.rot90(turns if both.shape[1] == both.shape[2] else turns - turns % 2, (1, 2))
    contrast = torch.empty(1).uniform_(0.8, 1.2, generator=generator)
    brightness = torch.empty(1).uniform_(-0.2, 0.2, generator=generator)
    both = ((both - 0.5) * contrast + 0.5 + brightness).clamp(0, 1)
    return both[:-1].clone(), both[-1].round().long()


# %% wrong: only flips, never a quarter turn, so four of the eight ways up are missing
def augment_pair(image, mask, generator):
    for axis in (-1, -2):
        if torch.rand(1, generator=generator) < 0.5:
            image = image.flip(axis)
            mask = mask.flip(axis)
    contrast = 0.8 + 0.4 * torch.rand(1, generator=generator)
    brightness = -0.2 + 0.4 * torch.rand(1, generator=generator)
    image = (image - image.mean()) * contrast + image.mean() + brightness
    return torch.clamp(image, 0.0, 1.0), mask.clone()


# %% wrong: Python's random decides about the flips, so not every random number comes from the generator
def augment_pair(image, mask, generator):
    import random

    if random.random() < 0.5:
        image, mask = torch.flip(image, (-1,)), torch.flip(mask, (-1,))
    if image.shape[-1] == image.shape[-2]:
        k = random.randrange(4)
    else:
        k = random.choice([0, 2])
    image, mask = torch.rot90(image, k, (-2, -1)), torch.rot90(mask, k, (-2, -1))
    alpha = 1 + 0.4 * (torch.rand((), generator=generator) - 0.5)
    beta = 0.4 * (torch.rand((), generator=generator) - 0.5)
    return ((image - 0.5) * alpha + 0.5 + beta).clip(0, 1), mask.clone()


# %% wrong: an image that is not square is turned by a quarter too and changes its shape
def augment_pair(image, mask, generator):
    k = torch.randint(0, 4, (1,), generator=generator).item()
    image = torch.rot90(image, k, dims=(1, 2))
    mask = torch.rot90(mask, k, dims=(0, 1))
    if torch.randint(0, 2, (1,), generator=generator).item():
        image = torch.fliplr(image.permute(1, 2, 0)).permute(2, 0, 1)
        mask = torch.fliplr(mask)
    b, c = (torch.rand(2, generator=generator) * 0.4 - 0.2).tolist()
    image = image * (1 + c) + b
    return image.clamp(0, 1), mask.clone()


# %% wrong: no contrast, the brightness alone is changed
def augment_pair(image, mask, generator):
    r = lambda: torch.rand(1, generator=generator).item()
    if r() < 0.5:
        image, mask = image.flip(-1), mask.flip(-1)
    if r() < 0.5:
        image, mask = image.flip(-2), mask.flip(-2)
    if r() < 0.5 and mask.shape[0] == mask.shape[1]:
        image, mask = image.transpose(-1, -2), mask.transpose(-1, -2)
    image = (image + 0.4 * r() - 0.2).clamp(0, 1)
    return image, mask.contiguous().clone()


# %% wrong: [two] every channel gets brightness and contrast, but the change is up to 0.5 and not 0.2; and rot90 turns channels and rows
def augment_pair(image, mask, generator):
    if torch.rand((), generator=generator) < 0.5:
        image, mask = image.flip(-1), mask.flip(-1)
    if mask.shape[0] == mask.shape[1] and image.shape[0] == image.shape[1]:
        k = int(torch.randint(4, (), generator=generator))
        image, mask = image.rot90(k), mask.rot90(k)
    contrast = 1 + (torch.rand((), generator=generator) - 0.5)
    brightness = torch.rand((), generator=generator) - 0.5
    return (image * contrast + brightness).clamp(0, 1), mask.clone()


# %% wrong: [two] the generator is seeded anew in every call; and image and mask keep their way up where they are not square
def augment_pair(image, mask, generator):
    generator.manual_seed(0)
    if image.shape[-1] == image.shape[-2]:
        k = int(torch.randint(4, (1,), generator=generator))
        image, mask = image.rot90(k, (1, 2)), mask.rot90(k, (0, 1))
        if torch.rand(1, generator=generator) < 0.5:
            image, mask = image.flip(2), mask.flip(1)
    scale = 0.8 + 0.4 * torch.rand(1, generator=generator)
    shift = -0.2 + 0.4 * torch.rand(1, generator=generator)
    return (image * scale + shift).clamp(0, 1), mask.clone()

# %% right: flips and a transposition, which together give all eight
def augment_pair(image, mask, generator):
    def coin():
        return torch.randint(0, 2, (1,), generator=generator).item() == 1

    if coin():
        image, mask = image.flip(-1), mask.flip(-1)
    if coin():
        image, mask = image.flip(-2), mask.flip(-2)
    if mask.shape[0] == mask.shape[1] and coin():
        image, mask = image.transpose(-1, -2), mask.transpose(-1, -2)
    brightness, contrast = (torch.rand(2, generator=generator) * 0.4 - 0.2).tolist()
    mean = image.mean()
    image = (image - mean) * (1 + contrast) + mean + brightness
    return image.clamp(0, 1).contiguous(), mask.clone()

# %% wrong: Flips and turns come from Python's random module instead of the generator, so the same generator does not give the same pair again.
import random

def augment_pair(image, mask, generator):
    if random.random() < 0.5:
        image, mask = torch.flip(image, [2]), torch.flip(mask, [1])
    if mask.shape[-1] == mask.shape[-2]:
        k = random.randint(0, 3)
        image = torch.rot90(image, k, (1, 2))
        mask = torch.rot90(mask, k, (0, 1))
    elif random.random() < 0.5:
        image, mask = torch.flip(image, [1]), torch.flip(mask, [0])
    factor = 0.8 + 0.4 * torch.rand(1, generator=generator)
    shift = -0.2 + 0.4 * torch.rand(1, generator=generator)
    image = (image - 0.5) * factor + 0.5 + shift
    return image.clamp(0, 1), mask.clone()

# %% wrong: Quarter turns are done on every image, so one that is not square changes its shape from (H, W) to (W, H).
def augment_pair(image, mask, generator):
    u = torch.rand(4, generator=generator)
    k = int(u[0] * 4)
    image = torch.rot90(image, k, dims=[-2, -1])
    mask = torch.rot90(mask, k, dims=[-2, -1])
    if u[1] < 0.5:
        image = torch.flip(image, dims=[-1])
        mask = torch.flip(mask, dims=[-1])
    contrast = 1 + (u[2] - 0.5) * 0.4
    brightness = (u[3] - 0.5) * 0.4
    image = torch.clamp((image - image.mean()) * contrast + image.mean() + brightness, 0.0, 1.0)
    return image, mask.clone()

# %% wrong: There are no quarter turns: only the two flips, so of the eight ways up of a square just four occur.
def augment_pair(image, mask, generator):
    """albumentations: HorizontalFlip, VerticalFlip, RandomBrightnessContrast(0.2, 0.2)"""
    img, msk = image.clone(), mask.clone()
    if torch.rand((), generator=generator) < 0.5:
        img, msk = img.flip(2), msk.flip(1)
    if torch.rand((), generator=generator) < 0.5:
        img, msk = img.flip(1), msk.flip(0)
    alpha = 1.0 + float(torch.empty(1).uniform_(-0.2, 0.2, generator=generator))
    beta = float(torch.empty(1).uniform_(-0.2, 0.2, generator=generator))
    img = alpha * (img - img.mean()) + img.mean() + beta
    return img.clip(0, 1), msk

# %% right: transpose and two mirrors by three coins (the eight ways up of a square), no quarter turns as such
def augment_pair(image, mask, generator):
    def coin():
        return torch.rand((), generator=generator).item() < 0.5

    def light():
        return (torch.rand((), generator=generator).item() * 2 - 1) * 0.2

    square = image.shape[-1] == image.shape[-2]
    swap, left_right, top_bottom = coin(), coin(), coin()
    out = []
    for t in (image, mask):
        if square and swap:
            t = t.transpose(-1, -2)
        if left_right:
            t = t.flip(-1)
        if top_bottom:
            t = t.flip(-2)
        out.append(t.clone().contiguous())
    picture, truth = out
    middle = picture.mean()
    picture = (picture - middle) * (1 + light()) + middle + light()
    return picture.clamp(0, 1), truth


# %% wrong: quarter turns are drawn for images that are not square too, so their height and width get swapped
def augment_pair(image, mask, generator):
    k = int(torch.randint(0, 4, (1,), generator=generator))
    image = torch.rot90(image, k, dims=(1, 2))
    mask = torch.rot90(mask, k, dims=(0, 1))
    if torch.rand(1, generator=generator).item() > 0.5:
        image, mask = torch.flip(image, (2,)), torch.flip(mask, (1,))
    brightness = torch.empty(1).uniform_(-0.2, 0.2, generator=generator)
    contrast = torch.empty(1).uniform_(0.8, 1.2, generator=generator)
    image = ((image - 0.5) * contrast + 0.5 + brightness).clamp(0.0, 1.0)
    return image, mask.clone()


# %% wrong: brightness and contrast come from Python's random instead of the generator, so the same seed gives other images
import random


def augment_pair(image, mask, generator):
    n_ways = 8 if image.shape[1] == image.shape[2] else 4
    way = torch.randint(n_ways, (1,), generator=generator).item()
    if way & 1:
        image, mask = image.flip(2), mask.flip(1)
    if way & 2:
        image, mask = image.flip(1), mask.flip(0)
    if way & 4:
        image, mask = image.rot90(1, (1, 2)), mask.rot90(1, (0, 1))
    image = image * random.uniform(0.8, 1.2)
    image = image + random.uniform(-0.2, 0.2)
    return torch.clamp(image, 0, 1), mask.clone()


# %% wrong: [two] first image and mask draw their own coins for the flips, so they come apart; second the changed image is not kept within [0, 1]
def augment_pair(image, mask, generator):
    def flips(t):
        if torch.rand(1, generator=generator) < 0.5:
            t = torch.flip(t, [-1])
        if torch.rand(1, generator=generator) < 0.5:
            t = torch.flip(t, [-2])
        return t.clone()

    new_image, new_mask = flips(image), flips(mask)
    if image.shape[-2] == image.shape[-1]:
        turns = int(torch.randint(4, (1,), generator=generator))
        new_image = torch.rot90(new_image, turns, (-2, -1))
        new_mask = torch.rot90(new_mask, turns, (-2, -1))
    b = 0.4 * torch.rand(1, generator=generator).item() - 0.2
    c = 0.8 + 0.4 * torch.rand(1, generator=generator).item()
    return new_image * c + b, new_mask

# %% right: expands a grey image, then one channel after the other, stacked
def normalise(image, mean, std):
    channels = len(mean)
    shape = list(image.shape)
    shape[-3] = channels
    full = image.expand(*shape)  # a grey channel stands for all
    planes = [(full.select(-3, c) - float(mean[c])) / float(std[c]) for c in range(channels)]
    return torch.stack(planes, dim=-3)


# %% wrong: normalises in place, so the image it was given is changed
def normalise(image, mean, std):
    mean = torch.tensor(mean, dtype=image.dtype).view(-1, 1, 1)
    std = torch.tensor(std, dtype=image.dtype).view(-1, 1, 1)
    if image.shape[-3] == 1 and len(mean) > 1:
        image = torch.cat([image] * len(mean), dim=-3)
    return image.sub_(mean).div_(std)


# %% wrong: [two] first image - mean / std divides only the mean by std (missing parentheses); second a grey image becomes 3 channels whatever the length of mean
def normalise(image, mean, std):
    m = torch.as_tensor(mean).reshape(-1, 1, 1)
    s = torch.as_tensor(std).reshape(-1, 1, 1)
    if image.size(-3) == 1:
        reps = (3, 1, 1) if image.dim() == 3 else (1, 3, 1, 1)
        image = image.repeat(*reps)
    return image - m / s

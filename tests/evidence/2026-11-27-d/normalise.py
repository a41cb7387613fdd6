# %% right: takes the channels apart, a list of one is made as long as mean, then puts them together again
def normalise(image, mean, std):
    planes = list(image.unbind(dim=-3))
    if len(planes) == 1:
        planes = planes * len(mean)
    done = [(plane - float(m)) / float(s) for plane, m, s in zip(planes, mean, std)]
    return torch.stack(done, dim=-3)
# %% wrong: looks for the grey channel in dimension 0, so a batch of one colour image is taken for grey and comes back as a batch of len(mean) copies
def normalise(image, mean, std):
    mu = torch.as_tensor(mean, dtype=image.dtype)
    sd = torch.as_tensor(std, dtype=image.dtype)
    if image.shape[0] == 1:
        # grey: the same picture for R, G and B
        image = image.expand(len(mu), *image.shape[1:])
    return (image - mu.view(-1, 1, 1)) / sd.view(-1, 1, 1)
# %% wrong: mean and std always have the shape (1, C, 1, 1), so a single image (C, H, W) comes back with a batch dimension (1, C, H, W)
def normalise(image, mean, std):
    mean_t = torch.tensor([float(v) for v in mean], dtype=image.dtype, device=image.device)
    std_t = torch.tensor([float(v) for v in std], dtype=image.dtype, device=image.device)
    mean_t = mean_t[None, :, None, None]
    std_t = std_t[None, :, None, None]
    # broadcasting takes care of grey images
    return (image - mean_t) / std_t
# %% wrong: [two] first, divides by std before the mean is taken off, image / std - mean; second, a grey image is repeated three times whatever len(mean) is, so other numbers of channels raise or come out as three
def normalise(image, mean, std):
    m = torch.as_tensor(mean, dtype=image.dtype).reshape(-1, 1, 1)
    s = torch.as_tensor(std, dtype=image.dtype).reshape(-1, 1, 1)
    x = image
    if x.shape[-3] == 1:
        x = torch.cat([x, x, x], dim=-3)
    x = x / s - m
    return x

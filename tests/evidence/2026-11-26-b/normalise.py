# %% right: short, axes counted from the end, broadcasting does the grey image
def normalise(image, mean, std):
    mean = torch.as_tensor(mean, dtype=image.dtype, device=image.device)[:, None, None]
    std = torch.as_tensor(std, dtype=image.dtype, device=image.device)[:, None, None]
    return (image - mean) / std

# %% wrong: Whether the image is grey is read from axis 0, which is the batch axis of (N, C, H, W): a batch of one colour image is taken for grey and tripled, a grey batch of one gets three images out of one.
def normalise(image, mean, std):
    if image.shape[0] == 1:
        image = torch.cat([image] * len(mean), dim=0)      # grey -> RGB
    m = torch.tensor(mean).view(-1, 1, 1)
    s = torch.tensor(std).view(-1, 1, 1)
    return (image - m) / s

# %% wrong: It works in place (sub_, div_), so an image that has all channels already is changed for the caller too.
def normalise(image, mean, std):
    channels = len(mean)
    if image.shape[-3] == 1:
        reps = [1] * image.dim()
        reps[-3] = channels
        image = image.repeat(*reps)
    mean = torch.tensor(mean, dtype=image.dtype).reshape(channels, 1, 1)
    std = torch.tensor(std, dtype=image.dtype).reshape(channels, 1, 1)
    return image.sub_(mean).div_(std)

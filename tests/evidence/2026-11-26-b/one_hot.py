# %% right: perfectionist, one broadcast comparison
def one_hot(mask, num_classes, ignore_index=255):
    """One channel a class: 1 where the pixel is of that class, 0 elsewhere."""
    classes = torch.arange(num_classes, device=mask.device).reshape(-1, 1, 1)
    hit = (mask.unsqueeze(0) == classes) & (mask != ignore_index)
    return hit.to(torch.float32)

# %% wrong: Ignored pixels are clamped to the last class, so they get a 1 in the last channel instead of 0 in every channel.
def one_hot(mask, num_classes, ignore_index=255):
    # F.one_hot crashes on 255, so clamp into the valid range first
    safe = mask.clamp(0, num_classes - 1)
    return F.one_hot(safe, num_classes).permute(2, 0, 1).float()

# %% wrong: The caller's mask is overwritten: its ignored pixels hold num_classes afterwards.
def one_hot(mask, num_classes, ignore_index=255):
    mask[mask == ignore_index] = num_classes            # an extra class for "ignore"
    onehot = F.one_hot(mask, num_classes + 1)           # H, W, K+1
    onehot = onehot[:, :, :num_classes]                 # drop it again
    return onehot.permute(2, 0, 1).float()

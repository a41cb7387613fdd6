# %% right: scatter of the valid flags, ignored pixels sent to class 0 with the value 0
def one_hot(mask, num_classes, ignore_index=255):
    valid = mask != ignore_index
    where = torch.where(valid, mask, torch.zeros_like(mask))
    out = torch.zeros((num_classes,) + tuple(mask.shape), dtype=torch.float32, device=mask.device)
    return out.scatter_(0, where.unsqueeze(0), valid.unsqueeze(0).float())


# %% wrong: clamps the mask to the last class, so ignored pixels become 1 in the last channel
def one_hot(mask, num_classes, ignore_index=255):
    m = mask.clamp(0, num_classes - 1)
    return F.one_hot(m, num_classes).permute(2, 0, 1).float()


# %% wrong: writes 0 over the ignored pixels of the mask it was given, so the caller's mask is changed
def one_hot(mask, num_classes, ignore_index=255):
    # remember where the ignored pixels are
    ignored = (mask == ignore_index)
    # F.one_hot does not like 255, so put a valid class there
    mask[ignored] = 0
    result = F.one_hot(mask, num_classes=num_classes).permute(2, 0, 1).to(torch.float32)
    # and take them out again
    result[:, ignored] = 0.0
    return result


# %% wrong: [two] first the (H, W, K) result is viewed as (K, H, W) instead of permuted; second the result stays int64 instead of float32
def one_hot(mask, num_classes, ignore_index=255):
    H, W = mask.shape
    keep = mask != ignore_index
    encoded = F.one_hot(mask * keep, num_classes) * keep[..., None]
    return encoded.view(num_classes, H, W)

# %% right: looks the pixels up in an identity matrix that has one more row, of zeros, for the ignored ones
def one_hot(mask, num_classes, ignore_index=255):
    codebook = torch.eye(num_classes + 1, num_classes, device=mask.device)   # last row: all zeros
    which_row = mask.masked_fill(mask == ignore_index, num_classes)
    return codebook[which_row].permute(2, 0, 1).contiguous()

# %% wrong: 255 is written into the code and ignore_index is never used, so with another ignore_index (-1, 0, 7) the call raises or the ignored pixels get a 1
def one_hot(mask, num_classes, ignore_index=255):
    valid = (mask != 255)
    safe = mask * valid                      # so that F.one_hot does not complain
    encoded = F.one_hot(safe, num_classes)   # (H, W, K)
    encoded = encoded * valid.unsqueeze(-1)
    return encoded.permute(2, 0, 1).float()

# %% wrong: ignored pixels are relabelled as class 0 and get a 1 in channel 0 instead of 0 in every channel
def one_hot(mask, num_classes, ignore_index=255):
    labels = mask.clone()
    labels[labels == ignore_index] = 0      # 255 is no channel, scatter would fail
    h, w = labels.shape
    planes = torch.zeros(num_classes, h, w)
    planes.scatter_(0, labels[None], 1.0)
    return planes

# %% wrong: [two] first, permute(2, 1, 0) swaps height and width, so the shape is (K, W, H); second, the result stays int64 instead of float32
def one_hot(mask, num_classes, ignore_index=255):
    unknown = mask == ignore_index
    hot = F.one_hot(mask.masked_fill(unknown, 0), num_classes)
    hot[unknown] = 0
    return hot.permute(2, 1, 0)

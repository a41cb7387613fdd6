# %% right: with scatter_ on an extra channel that takes the ignored pixels and is thrown away
def one_hot(mask, num_classes, ignore_index=255):
    index = mask.masked_fill(mask == ignore_index, num_classes)
    out = torch.zeros(num_classes + 1, *mask.shape)
    out.scatter_(0, index[None], 1.0)
    return out[:-1]


# %% right: rows of an identity matrix with one row of zeros below
def one_hot(mask, num_classes, ignore_index=255):
    table = torch.cat([torch.eye(num_classes), torch.zeros(1, num_classes)])
    lookup = torch.where(mask == ignore_index, num_classes, mask)
    return table[lookup.flatten()].T.reshape(num_classes, *mask.shape).contiguous()


# %% wrong: ignored pixels are set to class 0 before the encoding, so they are 1 in the background
def one_hot(mask, num_classes, ignore_index=255):
    m = mask.clone()
    m[m == ignore_index] = 0
    return F.one_hot(m, num_classes).permute(2, 0, 1).float()


# %% wrong: ignored pixels are clamped to the last class
def one_hot(mask, num_classes, ignore_index=255):
    safe = mask.clamp(max=num_classes - 1)
    return F.one_hot(safe, num_classes).movedim(-1, 0).to(torch.float32)


# %% wrong: leaves the classes as the last axis
def one_hot(mask, num_classes, ignore_index=255):
    classes = torch.arange(num_classes)
    return (mask.unsqueeze(-1) == classes).float()


# %% wrong: compares with 255, whatever ignore_index is, so another ignore index below K counts as a class
def one_hot(mask, num_classes, ignore_index=255):
    result = torch.zeros((num_classes, mask.shape[0], mask.shape[1]))
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            label = mask[y, x].item()
            if label != 255 and 0 <= label < num_classes:
                result[label, y, x] = 1.0
    return result


# %% wrong: the background has no channel, classes are 1 to K
def one_hot(mask, num_classes, ignore_index=255):
    valid = mask != ignore_index
    return torch.stack([((mask == k) & valid).float() for k in range(1, num_classes + 1)])


# %% wrong: the number of channels is what is found in the mask
def one_hot(mask, num_classes, ignore_index=255):
    classes = torch.unique(mask)
    classes = classes[classes != ignore_index]
    return torch.stack([(mask == c).float() for c in classes])


# %% wrong: ignored pixels become 255 in every channel, as if the mask went through
def one_hot(mask, num_classes, ignore_index=255):
    out = torch.stack([torch.where(mask == k, 1.0, 0.0) for k in range(num_classes)])
    out[:, mask == ignore_index] = float(ignore_index)
    return out


# %% wrong: moves the axes by transpose(0, 2), so the height and width are exchanged
def one_hot(mask, num_classes, ignore_index=255):
    ignored = mask == ignore_index
    hot = F.one_hot(torch.where(ignored, torch.zeros_like(mask), mask), num_classes)
    hot[ignored] = 0
    return hot.transpose(0, 2).float()


# %% wrong: [two] ignored pixels count as background and the result is int64
def one_hot(mask, num_classes, ignore_index=255):
    labels = np.array(mask)
    labels[labels == ignore_index] = 0
    out = np.zeros((num_classes,) + labels.shape, dtype=np.int64)
    np.put_along_axis(out, labels[None], 1, axis=0)
    return torch.from_numpy(out)


# %% wrong: [two] classes last, and the ignored pixels get an extra class
def one_hot(mask, num_classes, ignore_index=255):
    index = torch.where(mask == ignore_index, torch.full_like(mask, num_classes), mask)
    return torch.eye(num_classes + 1)[index]

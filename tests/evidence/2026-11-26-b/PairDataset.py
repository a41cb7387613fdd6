# %% right: AI-chat style with comments, copies on every fetch
import numpy as np

class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.images = images
        self.masks = masks
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]          # a list raises IndexError by itself
        mask = self.masks[index]
        # channels first
        image = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
        image = torch.tensor(np.ascontiguousarray(image)).float() / 255
        # np.array(...) copies, so the stored mask is never shared
        mask = torch.from_numpy(np.array(mask, dtype=np.int64, order="C"))
        if self.transform is not None:
            image, mask = self.transform(image, mask)
        return image, mask

# %% wrong: from_numpy(...).long() copies nothing when the mask array is int64 already, so the tensor shares memory with the stored mask and is not a new one; a transform that writes into it changes the data set.
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.images, self.masks, self.transform = images, masks, transform

    def __len__(self):
        return len(self.masks)

    def __getitem__(self, i):
        img = torch.from_numpy(self.images[i])
        if img.ndim == 2:
            img = img.unsqueeze(-1)
        img = img.permute(2, 0, 1).float().div(255)
        msk = torch.from_numpy(self.masks[i]).long()
        if self.transform:
            img, msk = self.transform(img, msk)
        return img, msk

# %% wrong: The transform is called once, in the constructor, instead of each time a pair is fetched, so a random transform always gives the same pair.
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.pairs = []
        for im, ma in zip(images, masks):
            im = torch.tensor(im, dtype=torch.float32) / 255
            if im.dim() == 2:
                im = im[None, :, :]
            else:
                im = im.permute(2, 0, 1)
            ma = torch.tensor(ma, dtype=torch.int64)
            if transform is not None:
                im, ma = transform(im, ma)
            self.pairs.append((im, ma))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image, mask = self.pairs[index]
        return image.clone(), mask.clone()

# %% wrong: [two] first the transform is called with the image alone, torchvision style, not with image and mask; second the index is taken modulo the length, so an index past the end wraps round instead of raising IndexError
class PairDataset(Dataset):
    """Keras-Sequence habits: never run out of data."""

    def __init__(self, images, masks, transform=None):
        assert len(images) == len(masks)
        self.images = images
        self.masks = masks
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        index = index % len(self.images)
        x = self.images[index].astype("float32") / 255.0
        y = self.masks[index].astype("int64")
        if x.ndim == 2:
            x = x[..., None]
        x = torch.tensor(x).permute(2, 0, 1)
        y = torch.tensor(y)
        if self.transform is not None:
            x = self.transform(x)
        return x, y

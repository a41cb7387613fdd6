# %% right: type hints, explicit IndexError, fresh copies through NumPy
class PairDataset(Dataset):
    """Pairs of picture and mask."""

    def __init__(self, images: list, masks: list, transform=None) -> None:
        if len(images) != len(masks):
            raise ValueError("as many masks as images, please")
        self.images = images
        self.masks = masks
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple:
        if index >= len(self):
            raise IndexError(f"no pair {index}, there are {len(self)}")
        picture = np.atleast_3d(self.images[index])  # (H, W) -> (H, W, 1)
        image = torch.tensor(np.moveaxis(picture, -1, 0).astype(np.float32) / np.float32(255))
        mask = torch.tensor(np.array(self.masks[index], dtype=np.int64))
        if self.transform is not None:
            image, mask = self.transform(image, mask)
        return image, mask


# %% wrong: torch.as_tensor shares memory with an int64 mask array, so the mask is not new each time and a transform that writes into it spoils the data
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.images, self.masks, self.transform = images, masks, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        img = self.images[index]
        if img.ndim == 2:
            img = img[..., None]
        img = torch.tensor(img.transpose(2, 0, 1).copy()).float() / 255
        mask = torch.as_tensor(self.masks[index], dtype=torch.int64)
        return self.transform(img, mask) if self.transform else (img, mask)


# %% wrong: converts and transforms once in the constructor, so each fetch gives the same tensors and a random transform is never drawn anew
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.pairs = []
        for im, ma in zip(images, masks):
            t = torch.from_numpy(im.copy()).float() / 255
            t = t.unsqueeze(0) if t.dim() == 2 else t.permute(2, 0, 1).contiguous()
            m = torch.from_numpy(ma.astype(np.int64))
            if transform is not None:
                t, m = transform(t, m)
            self.pairs.append((t, m))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        return self.pairs[index]


# %% wrong: [two] first the mask keeps the dtype of its array (uint8, say) instead of int64; second a grey picture stays (H, W), without a channel
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        super().__init__()
        self.x = images
        self.y = masks
        self.tf = transform

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        x = torch.tensor(self.x[i].copy(), dtype=torch.float32) / 255.
        if x.dim() > 2:
            x = x.permute(2, 0, 1)
        y = torch.tensor(self.y[i].copy())
        if self.tf:
            x, y = self.tf(x, y)
        return x, y

# %% right: converts all at once in the constructor, and gives out copies
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.pairs = [
            (to_tensor(image), torch.tensor(np.asarray(mask).astype("int64"))) for image, mask in zip(images, masks)
        ]
        self.transform = transform

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        pair = tuple(t.clone() for t in self.pairs[i])
        return pair if self.transform is None else self.transform(*pair)


# %% right: an identity in place of a missing transform, numpy for the picture, an explicit IndexError
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self._images = list(images)
        self._masks = list(masks)
        self._transform = transform or (lambda image, mask: (image, mask))

    def __len__(self):
        return min(len(self._images), len(self._masks))

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError(index)
        picture = np.atleast_3d(self._images[index]).astype(np.float32) / np.float32(255)
        image = torch.from_numpy(picture.transpose(2, 0, 1).copy())
        mask = torch.LongTensor(self._masks[index].astype(np.int64).copy())
        return self._transform(image, mask)


# %% wrong: the transform gets the image alone
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.images = images
        self.masks = masks
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, idx):
        image = to_tensor(self.images[idx])
        mask = torch.from_numpy(self.masks[idx]).long()
        if self.transform:
            image = self.transform(image)
        return image, mask


# %% wrong: calls the transform on image and mask each alone
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.images, self.masks, self.transform = images, masks, transform

    def __len__(self):
        return len(self.masks)

    def __getitem__(self, idx):
        x = to_tensor(self.images[idx])
        y = torch.tensor(self.masks[idx], dtype=torch.int64)
        if self.transform is not None:
            x, y = self.transform(x), self.transform(y)
        return x, y


# %% wrong: transforms once, in the constructor
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.pairs = []
        for image, mask in zip(images, masks):
            pair = to_tensor(image), torch.as_tensor(mask.astype(np.int64))
            if transform is not None:
                pair = transform(*pair)
            self.pairs.append(pair)

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        image, mask = self.pairs[i]
        return image.clone(), mask.clone()


# %% wrong: converted in the constructor and handed out without copying, so a caller who writes into a result changes the data set
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.images = [to_tensor(im) for im in images]
        self.masks = [torch.from_numpy(np.array(m)).long() for m in masks]
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image, mask = self.images[i], self.masks[i]
        if self.transform is not None:
            image, mask = self.transform(image, mask)
        return image, mask


# %% wrong: the mask becomes float and is divided by 255 like the image
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.images, self.masks, self.transform = images, masks, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, k):
        pair = to_tensor(self.images[k]), to_tensor(self.masks[k].astype(np.uint8))[0]
        return self.transform(*pair) if self.transform else pair


# %% wrong: the index wraps around, so a loop over the pairs never ends
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.images, self.masks, self.transform = images, masks, transform
        self.n = len(images)

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        index = index % self.n
        image, mask = to_tensor(self.images[index]), torch.from_numpy(self.masks[index].astype(np.int64))
        if self.transform is not None:
            image, mask = self.transform(image, mask)
        return image, mask


# %% wrong: the mask gets a channel axis, (1, H, W)
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.data = list(zip(images, masks))
        self.transform = transform

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        image, mask = self.data[index]
        image = to_tensor(image)
        mask = torch.as_tensor(mask.copy(), dtype=torch.int64).unsqueeze(0)
        if self.transform is not None:
            return self.transform(image, mask)
        return image, mask


# %% wrong: gives a dictionary, as in many Hugging Face examples
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        assert len(images) == len(masks)
        self.images, self.masks, self.transform = images, masks, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = to_tensor(self.images[i])
        mask = torch.tensor(self.masks[i]).to(torch.int64)
        if self.transform is not None:
            image, mask = self.transform(image, mask)
        return {"image": image, "mask": mask}


# %% wrong: [two] the mask keeps its dtype, and the length counts images and masks together
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.images, self.masks, self.transform = images, masks, transform

    def __len__(self):
        return len(self.images) + len(self.masks)

    def __getitem__(self, index):
        image = to_tensor(self.images[index])
        mask = torch.from_numpy(self.masks[index].copy())
        return (image, mask) if self.transform is None else self.transform(image, mask)


# %% wrong: [two] the transform is called on the arrays before the conversion, and its mask is thrown away
class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.images, self.masks, self.transform = images, masks, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        mask = self.masks[index]
        if self.transform is not None:
            image, _ = self.transform(image, mask)
        return to_tensor(np.asarray(image)), torch.from_numpy(np.asarray(mask, dtype=np.int64))

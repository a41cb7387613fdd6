# %% right: zips the pairs into one tuple and hands them out after a single conditional expression
from torch.utils.data import Dataset


class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self._pairs = tuple(zip(images, masks))
        self._transform = transform

    def __len__(self):
        return len(self._pairs)

    def __getitem__(self, index):
        picture, labels = self._pairs[index]     # the tuple raises the IndexError
        labels = np.array(labels, dtype=np.int64, order="C")   # np.array copies
        pair = (to_tensor(picture), torch.from_numpy(labels))
        return pair if self._transform is None else self._transform(*pair)

# %% wrong: the transform runs once for each pair in __init__ instead of each time a pair is fetched, so a random transform gives the same pair for ever
from torch.utils.data import Dataset


class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        # do all the work here, so that training is fast later
        self.data = []
        for img, msk in zip(images, masks):
            img_t = to_tensor(img)
            msk_t = torch.from_numpy(np.array(msk, dtype=np.int64, order="C"))
            if transform is not None:
                img_t, msk_t = transform(img_t, msk_t)
            self.data.append((img_t, msk_t))

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        img_t, msk_t = self.data[index]
        return img_t.clone(), msk_t.clone()

# %% wrong: a mask that is already int64 and contiguous is not copied, so the tensor shares the array's memory and a transform that writes in place spoils the data set
from torch.utils.data import Dataset


class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        self.images = images
        self.masks = masks
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        x = to_tensor(self.images[index])
        y = torch.from_numpy(np.ascontiguousarray(self.masks[index], dtype=np.int64))
        if self.transform is not None:
            x, y = self.transform(x, y)
        return x, y

# %% wrong: the index is taken modulo the length, so an index past the end returns a pair again instead of raising IndexError and a for loop never ends
from torch.utils.data import Dataset


class PairDataset(Dataset):
    def __init__(self, images, masks, transform=None):
        super().__init__()
        self.xs, self.ys, self.tf = list(images), list(masks), transform

    def __len__(self):
        return len(self.xs)

    def __getitem__(self, index):
        i = index % len(self)   # always a valid place in the list
        image = to_tensor(self.xs[i])
        mask = torch.tensor(self.ys[i].tolist(), dtype=torch.long)
        if self.tf is None:
            return image, mask
        return self.tf(image, mask)

# %% right: a canvas of zeros of the skip's size, filled from the top left
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.merge = DoubleConv(out_channels + skip_channels, out_channels)
        self.widen = nn.ConvTranspose2d(in_channels, out_channels, 2, 2)

    def forward(self, x, skip):
        x = self.widen(x)
        canvas = x.new_zeros(x.shape[0], x.shape[1], *skip.shape[2:])
        canvas[:, :, : x.shape[2], : x.shape[3]] = x
        return self.merge(torch.cat((canvas, skip), 1))


# %% right: rows and columns appended by cat where they are missing
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = UpConv(in_channels, out_channels, "transposed")
        self.conv = DoubleConv(skip_channels + out_channels, out_channels)

    def forward(self, x, skip):
        x = self.up(x)
        for dim in (2, 3):
            while x.shape[dim] < skip.shape[dim]:
                x = torch.cat([x, torch.zeros_like(x.narrow(dim, 0, 1))], dim=dim)
        return self.conv(torch.cat([skip, x], dim=1))


# %% wrong: the DoubleConv is built for in_channels, as where skip_channels is half of it
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, in_channels // 2, kernel_size=2, stride=2)
        self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x, skip):
        x = self.up(x)
        dy = skip.size(2) - x.size(2)
        dx = skip.size(3) - x.size(3)
        x = F.pad(x, [0, dx, 0, dy])
        x = torch.cat([skip, x], dim=1)
        return self.conv(x)


# %% wrong: fills up in the middle, half on each side, as a well known implementation does
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
        self.conv = DoubleConv(out_channels + skip_channels, out_channels)

    def forward(self, x1, x2):
        x1 = self.up(x1)
        diffY = x2.size()[2] - x1.size()[2]
        diffX = x2.size()[3] - x1.size()[3]
        x1 = F.pad(x1, [diffX - diffX // 2, diffX // 2, diffY - diffY // 2, diffY // 2])
        x = torch.cat([x2, x1], dim=1)
        return self.conv(x)


# %% wrong: adds the skip instead of concatenating it
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = UpConv(in_channels, skip_channels)
        self.conv = DoubleConv(skip_channels, out_channels)

    def forward(self, x, skip):
        x = self.up(x)
        x = F.pad(x, (0, skip.shape[-1] - x.shape[-1], 0, skip.shape[-2] - x.shape[-2]))
        return self.conv(x + skip)


# %% wrong: the last row and column are repeated instead of zeros
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = UpConv(in_channels, out_channels)
        self.conv = DoubleConv(skip_channels + out_channels, out_channels)

    def forward(self, x, skip):
        up = self.up(x)
        if up.shape[2] < skip.shape[2]:
            up = torch.cat([up, up[:, :, -1:]], dim=2)
        if up.shape[3] < skip.shape[3]:
            up = torch.cat([up, up[:, :, :, -1:]], dim=3)
        return self.conv(torch.cat([up, skip], dim=1))


# %% wrong: rows and columns are swapped in F.pad
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = UpConv(in_channels, out_channels)
        self.conv = DoubleConv(skip_channels + out_channels, out_channels)

    def forward(self, x, skip):
        x = self.up(x)
        rows = skip.shape[2] - x.shape[2]
        columns = skip.shape[3] - x.shape[3]
        x = F.pad(x, (0, rows, 0, columns))
        return self.conv(torch.cat([skip, x], dim=1))


# %% wrong: bilinear enlargement instead of the transposed convolution
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = UpConv(in_channels, out_channels, mode="bilinear")
        self.conv = DoubleConv(skip_channels + out_channels, out_channels)

    def forward(self, x, skip):
        x = self.up(x)
        h, w = skip.shape[2:]
        x = F.pad(x, (0, w - x.shape[3], 0, h - x.shape[2]))
        return self.conv(torch.cat([skip, x], dim=1))


# %% wrong: the concatenated maps go through one convolution with ReLU instead of a DoubleConv
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        self.conv = nn.Sequential(
            nn.Conv2d(skip_channels + out_channels, out_channels, 3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, x, skip):
        x = self.up(x)
        pad = [0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]]
        return self.conv(torch.cat([F.pad(x, pad), skip], 1))


# %% wrong: no dim in torch.cat, so the maps are put behind each other along the batch, and the DoubleConv fails
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = UpConv(in_channels, out_channels)
        self.conv = DoubleConv(skip_channels + out_channels, out_channels)

    def forward(self, x, skip):
        x = self.up(x)
        x = F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]))
        merged = torch.cat((x, skip))
        return self.conv(merged)


# %% wrong: [two] first fills up at the top and on the left; second a ReLU follows the transposed convolution
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.Sequential(UpConv(in_channels, out_channels), nn.ReLU())
        self.conv = DoubleConv(skip_channels + out_channels, out_channels)

    def forward(self, x, skip):
        x = self.up(x)
        x = F.pad(x, (skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2], 0))
        return self.conv(torch.cat([skip, x], dim=1))


# %% wrong: [two] first fills up with ones instead of zeros; second the DoubleConv is without norms
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = UpConv(in_channels, out_channels)
        self.conv = DoubleConv(skip_channels + out_channels, out_channels, norm=False)

    def forward(self, x, skip):
        x = self.up(x)
        x = F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]), value=1.0)
        return self.conv(torch.cat([skip, x], dim=1))

# %% right: helper module inside the cell, levels from a list of widths, skip first in the concatenation
class _Join(nn.Module):
    def __init__(self, below, level):
        super().__init__()
        self.enlarge = nn.ConvTranspose2d(below, level, kernel_size=2, stride=2)
        self.merge = DoubleConv(2 * level, level)

    def forward(self, x, skip):
        x = self.enlarge(x)
        missing_rows = skip.shape[2] - x.shape[2]
        missing_columns = skip.shape[3] - x.shape[3]
        x = F.pad(x, (0, missing_columns, 0, missing_rows))
        return self.merge(torch.cat([skip, x], dim=1))


class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        widths = [base_channels << k for k in range(depth + 1)]
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.joins = nn.ModuleList([_Join(widths[k + 1], widths[k]) for k in range(depth)])
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        x, skips = self.encoder(x)
        for k in range(len(skips) - 1, -1, -1):
            x = self.joins[k](x, skips[k])
        return self.head(x)


# %% wrong: crops the skips to the size of what comes from below, so for sides that do not divide by 2**depth the logits are smaller than the image
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.ups = nn.ModuleList()
        self.convs = nn.ModuleList()
        for k in range(depth - 1, -1, -1):
            c = base_channels * 2**k
            self.ups.append(nn.ConvTranspose2d(2 * c, c, 2, stride=2))
            self.convs.append(DoubleConv(2 * c, c))
        self.out = nn.Conv2d(base_channels, num_classes, kernel_size=1)

    def forward(self, x):
        x, skips = self.encoder(x)
        for up, conv, skip in zip(self.ups, self.convs, reversed(skips)):
            x = up(x)
            skip = skip[..., : x.shape[-2], : x.shape[-1]]
            x = conv(torch.cat([skip, x], dim=1))
        return self.out(x)


# %% wrong: resizes the image to multiples of 2**depth before the encoder and the logits back afterwards, so images of other sides get interpolated logits
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.depth = depth
        self.encoder = Encoder(in_channels, base_channels, depth)
        chans = [base_channels * 2**i for i in range(depth, -1, -1)]
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in zip(chans[:-1], chans[1:]))
        self.dec = nn.ModuleList(DoubleConv(2 * b, b) for b in chans[1:])
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        size = x.shape[-2:]
        m = 2**self.depth
        x = F.interpolate(x, size=[max(m, round(s / m) * m) for s in size], mode="bilinear", align_corners=False)
        x, skips = self.encoder(x)
        for u, d in zip(self.up, self.dec):
            x = d(torch.cat([skips.pop(), u(x)], dim=1))
        return F.interpolate(self.head(x), size=size, mode="bilinear", align_corners=False)


# %% wrong: the steps up are in a plain list, so their parameters are not registered and the decoder never learns
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.decoder = [
            (UpConv(base_channels * 2 ** (k + 1), base_channels * 2**k), DoubleConv(base_channels * 2 ** (k + 1), base_channels * 2**k))
            for k in reversed(range(depth))
        ]
        self.classifier = nn.Conv2d(base_channels, num_classes, 1, bias=True)

    def forward(self, x):
        bottom, skips = self.encoder(x)
        y = bottom
        for (up, conv), skip in zip(self.decoder, skips[::-1]):
            y = up(y)
            y = F.pad(y, (0, skip.shape[3] - y.shape[3], 0, skip.shape[2] - y.shape[2]))
            y = conv(torch.cat((y, skip), dim=1))
        return self.classifier(y)

# %% right: recursive levels, built from the bottom
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.ups = nn.ModuleDict()
        width = base_channels << depth
        while width > base_channels:
            half = width // 2
            self.ups[f"to_{half}"] = Up(width, half, half)
            width = half
        self.out = nn.Conv2d(width, num_classes, (1, 1))

    def forward(self, x):
        x, skips = self.encoder(x)
        for up in self.ups.values():
            x = up(x, skips.pop())
        return self.out(x)


# %% right: the 1×1 convolution as an einsum with parameters of its own, attributes by setattr
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.depth = depth
        self.weight = nn.Parameter(torch.randn(num_classes, base_channels) / base_channels**0.5)
        self.bias = nn.Parameter(torch.zeros(num_classes))
        for k in range(depth):
            c = base_channels * 2**k
            setattr(self, f"up{k}", Up(2 * c, c, c))
        self.encoder = Encoder(in_channels, base_channels, depth)

    def forward(self, x):
        bottom, skips = self.encoder(x)
        for k in range(self.depth - 1, -1, -1):
            bottom = getattr(self, f"up{k}")(bottom, skips[k])
        return torch.einsum("nchw,kc->nkhw", bottom, self.weight) + self.bias[:, None, None]


# %% wrong: the block after the concatenation is built for c instead of 2c channels, so it fails
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.ups, self.convs = nn.ModuleList(), nn.ModuleList()
        for k in reversed(range(depth)):
            c = base_channels * 2**k
            self.ups.append(nn.ConvTranspose2d(2 * c, c, 2, stride=2))
            self.convs.append(DoubleConv(c, c))
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        x, skips = self.encoder(x)
        for up, conv, skip in zip(self.ups, self.convs, skips[::-1]):
            x = up(x)
            x = F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]))
            x = conv(torch.cat([skip, x], dim=1))
        return self.head(x)


# %% wrong: the skips are taken from shallow to deep
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.decoder = nn.ModuleList()
        for k in reversed(range(depth)):
            c = base_channels * 2**k
            self.decoder.append(Up(2 * c, c, c))
        self.head = nn.Conv2d(base_channels, num_classes, kernel_size=1)

    def forward(self, x):
        x, skips = self.encoder(x)
        for i, up in enumerate(self.decoder):
            x = up(x, skips[i])
        return self.head(x)


# %% wrong: every image is resized to 64×64 first, and the logits back
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        widths = [base_channels * 2**i for i in range(depth + 1)]
        self.ups = nn.ModuleList([Up(widths[i + 1], widths[i], widths[i]) for i in range(depth)][::-1])
        self.classifier = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        size = x.shape[-2:]
        x = F.interpolate(x, size=(64, 64), mode="bilinear", align_corners=False)
        x, skips = self.encoder(x)
        for up in self.ups:
            x = up(x, skips.pop())
        x = self.classifier(x)
        return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


# %% wrong: a sigmoid at the end
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.down = Encoder(in_channels, base_channels, depth)
        self.up = nn.ModuleList(
            Up(base_channels * 2 ** (k + 1), base_channels * 2**k, base_channels * 2**k)
            for k in range(depth - 1, -1, -1)
        )
        self.head = nn.Sequential(nn.Conv2d(base_channels, num_classes, 1), nn.Sigmoid())

    def forward(self, x):
        x, skips = self.down(x)
        for up, skip in zip(self.up, reversed(skips)):
            x = up(x, skip)
        return self.head(x)


# %% wrong: pads the image with zeros to a multiple of 2**depth and crops the logits, instead of letting Up fill up
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.factor = 2**depth
        self.encoder = Encoder(in_channels, base_channels, depth)
        c = [base_channels * 2**k for k in range(depth + 1)]
        self.decoder = nn.ModuleList(Up(c[k + 1], c[k], c[k]) for k in reversed(range(depth)))
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        h, w = x.shape[2:]
        x = F.pad(x, (0, -w % self.factor, 0, -h % self.factor))
        x, skips = self.encoder(x)
        for up, skip in zip(self.decoder, reversed(skips), strict=True):
            x = up(x, skip)
        return self.head(x)[:, :, :h, :w]


# %% wrong: the steps up halve their channels once too often, so the channels of a level are not kept
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        ups, now = [], base_channels * 2**depth
        for k in reversed(range(depth)):
            skip = base_channels * 2**k
            ups.append(Up(now, skip, skip // 2))
            now = skip // 2
        self.ups = nn.ModuleList(ups)
        self.head = nn.Conv2d(now, num_classes, 1)

    def forward(self, x):
        x, skips = self.encoder(x)
        for up in self.ups:
            x = up(x, skips.pop())
        return self.head(x)


# %% wrong: the last step up goes without the skip at full size
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.decoder = nn.ModuleList()
        for k in range(depth, 1, -1):
            self.decoder.append(Up(base_channels * 2**k, base_channels * 2 ** (k - 1), base_channels * 2 ** (k - 1)))
        self.last = UpConv(2 * base_channels, base_channels)
        self.conv = DoubleConv(base_channels, base_channels)
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, image):
        x, skips = self.encoder(image)
        for up in self.decoder:
            x = up(x, skips.pop())
        x = self.conv(self.last(x))
        x = F.pad(x, (0, image.shape[3] - x.shape[3], 0, image.shape[2] - x.shape[2]))
        return self.head(x)


# %% wrong: a 3×3 convolution as the head
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.decoder = nn.ModuleList(
            [Up(base_channels * 2 ** (d + 1), base_channels * 2**d, base_channels * 2**d) for d in range(depth)]
        )
        self.out_conv = nn.Conv2d(base_channels, num_classes, 3, padding=1)

    def forward(self, x):
        x, skips = self.encoder(x)
        for d in range(len(self.decoder) - 1, -1, -1):
            x = self.decoder[d](x, skips[d])
        return self.out_conv(x)


# %% wrong: [two] first depth is ignored and always 4 levels are built; second a softmax over the classes at the end
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels)
        b = base_channels
        self.up4 = Up(16 * b, 8 * b, 8 * b)
        self.up3 = Up(8 * b, 4 * b, 4 * b)
        self.up2 = Up(4 * b, 2 * b, 2 * b)
        self.up1 = Up(2 * b, b, b)
        self.head = nn.Conv2d(b, num_classes, 1)

    def forward(self, x):
        x5, (x1, x2, x3, x4) = self.encoder(x)
        x = self.up4(x5, x4)
        x = self.up3(x, x3)
        x = self.up2(x, x2)
        x = self.up1(x, x1)
        return F.softmax(self.head(x), dim=1)


# %% wrong: [two] first the head has no bias; second another default, 64 base channels
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=64, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.ups = nn.ModuleList()
        for k in range(depth)[::-1]:
            self.ups.append(Up(base_channels * 2 ** (k + 1), base_channels * 2**k, base_channels * 2**k))
        self.head = nn.Conv2d(base_channels, num_classes, 1, bias=False)

    def forward(self, x):
        x, skips = self.encoder(x)
        for up, skip in zip(self.ups, skips[::-1]):
            x = up(x, skip)
        return self.head(x)

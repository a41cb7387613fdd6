# %% right: steps by setattr, the head as a linear layer over the last axis
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.depth = depth
        self.encoder = Encoder(in_channels, base_channels, depth)
        for level in range(depth):
            wide = base_channels * 2**level
            self.add_module(f"up{level}", UpConv(wide * 2, wide))
            self.add_module(f"conv{level}", DoubleConv(wide, wide))
        self.head = nn.Linear(base_channels, num_classes)

    def forward(self, x):
        x = self.encoder(x)[0]
        for level in range(self.depth - 1, -1, -1):
            x = getattr(self, f"conv{level}")(getattr(self, f"up{level}")(x))
        return self.head(x.movedim(1, -1)).movedim(-1, 1)


# %% right: recursion from inside to outside with nested Sequentials
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)

        def way_up(channels, steps):
            if steps == 0:
                return nn.Conv2d(channels, num_classes, 1)
            half = channels // 2
            return nn.Sequential(UpConv(channels, half), DoubleConv(half, half), way_up(half, steps - 1))

        self.decoder = way_up(base_channels * 2**depth, depth)

    def forward(self, x):
        bottleneck, skips = self.encoder(x)
        del skips
        return self.decoder(bottleneck)


# %% wrong: adds the encoder's skips after each step up
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.ups = nn.ModuleList()
        self.convs = nn.ModuleList()
        for k in range(depth - 1, -1, -1):
            c = base_channels * 2**k
            self.ups.append(UpConv(2 * c, c))
            self.convs.append(DoubleConv(c, c))
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        x, skips = self.encoder(x)
        for up, conv, skip in zip(self.ups, self.convs, reversed(skips)):
            x = conv(up(x) + skip)
        return self.head(x)


# %% wrong: the order is swapped, the DoubleConv comes before the UpConv of each step
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        layers = []
        c = base_channels * 2**depth
        for _ in range(depth):
            layers += [DoubleConv(c, c), UpConv(c, c // 2)]
            c //= 2
        layers.append(nn.Conv2d(c, num_classes, 1))
        self.decoder = nn.Sequential(*layers)

    def forward(self, x):
        z, _ = self.encoder(x)
        return self.decoder(z)


# %% wrong: nearest enlargement with a convolution instead of the transposed one
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.decoder = nn.ModuleList()
        for k in reversed(range(depth)):
            c = base_channels * 2**k
            self.decoder.append(UpConv(2 * c, c, mode="nearest"))
            self.decoder.append(DoubleConv(c, c))
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        x, _ = self.encoder(x)
        for layer in self.decoder:
            x = layer(x)
        return self.head(x)


# %% wrong: the steps are in a dict, so PyTorch does not register them
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.steps = {
            k: nn.Sequential(
                UpConv(base_channels * 2 ** (k + 1), base_channels * 2**k),
                DoubleConv(base_channels * 2**k, base_channels * 2**k),
            )
            for k in range(depth)
        }
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        x, _ = self.encoder(x)
        for k in sorted(self.steps, reverse=True):
            x = self.steps[k](x)
        return self.head(x)


# %% wrong: the head comes before the decoder's last step, so it works at half size, and the logits are enlarged
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        steps = []
        for k in range(depth - 1, 0, -1):
            c = base_channels * 2**k
            steps.extend([UpConv(2 * c, c), DoubleConv(c, c)])
        self.decoder = nn.Sequential(*steps)
        self.head = nn.Conv2d(2 * base_channels, num_classes, 1)

    def forward(self, x):
        z, _ = self.encoder(x)
        z = self.head(self.decoder(z))
        return F.interpolate(z, size=x.shape[2:], mode="bilinear", align_corners=False)


# %% wrong: the last layer is a 3×3 convolution
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        ch = [base_channels * 2**i for i in range(depth, -1, -1)]
        self.decoder = nn.Sequential(
            *(nn.Sequential(UpConv(a, b), DoubleConv(b, b)) for a, b in zip(ch[:-1], ch[1:]))
        )
        self.out = nn.Conv2d(ch[-1], num_classes, kernel_size=3, padding=1)

    def forward(self, x):
        return self.out(self.decoder(self.encoder(x)[0]))


# %% wrong: a plain convolution with norm and ReLU instead of a DoubleConv in each step
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.decoder = nn.Sequential()
        for k in reversed(range(depth)):
            c = base_channels * 2**k
            self.decoder.append(UpConv(2 * c, c))
            self.decoder.append(nn.Conv2d(c, c, 3, padding=1))
            self.decoder.append(nn.BatchNorm2d(c))
            self.decoder.append(nn.ReLU(inplace=True))
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        bottleneck, _ = self.encoder(x)
        return self.head(self.decoder(bottleneck))


# %% wrong: every step is followed by a dropout of a half
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        blocks = []
        for k in reversed(range(depth)):
            c = base_channels * 2**k
            blocks += [UpConv(2 * c, c), DoubleConv(c, c), nn.Dropout2d(0.5)]
        self.decoder = nn.Sequential(*blocks, nn.Conv2d(base_channels, num_classes, 1))

    def forward(self, x):
        x, _ = self.encoder(x)
        return self.decoder(x)


# %% wrong: [two] first a sigmoid at the end; second the head has no bias
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        steps = []
        for k in range(depth, 0, -1):
            steps.append(UpConv(base_channels * 2**k, base_channels * 2 ** (k - 1)))
            steps.append(DoubleConv(base_channels * 2 ** (k - 1), base_channels * 2 ** (k - 1)))
        self.decoder = nn.Sequential(*steps)
        self.head = nn.Conv2d(base_channels, num_classes, 1, bias=False)

    def forward(self, x):
        x, _ = self.encoder(x)
        x = self.decoder(x)
        return torch.sigmoid(self.head(x))


# %% wrong: [two] first a ReLU between the UpConv and the DoubleConv; second base_channels has the default 32
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=32, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.ups = nn.ModuleList(
            UpConv(base_channels * 2 ** (k + 1), base_channels * 2**k) for k in reversed(range(depth))
        )
        self.convs = nn.ModuleList(
            DoubleConv(base_channels * 2**k, base_channels * 2**k) for k in reversed(range(depth))
        )
        self.head = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x):
        x, _ = self.encoder(x)
        for up, conv in zip(self.ups, self.convs):
            x = conv(F.relu(up(x)))
        return self.head(x)

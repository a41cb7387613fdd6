# %% right: the whole way up and the head in one nn.Sequential, channels from a list of widths
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        widths = [base_channels * 2 ** k for k in reversed(range(depth + 1))]   # wide to narrow
        climb = []
        for wide, narrow in zip(widths[:-1], widths[1:]):
            climb += [UpConv(wide, narrow), DoubleConv(narrow, narrow)]
        self.fall = Encoder(in_channels, base_channels, depth)
        self.climb = nn.Sequential(*climb, nn.Conv2d(widths[-1], num_classes, 1))

    def forward(self, x):
        return self.climb(self.fall(x)[0])

# %% wrong: depth is not passed on to the Encoder, which takes its default of 4, so every other depth raises in forward
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels)
        self.ups = nn.ModuleList()
        self.convs = nn.ModuleList()
        ch = base_channels * 2 ** depth
        for _ in range(depth):
            self.ups.append(UpConv(ch, ch // 2, mode="transposed"))
            self.convs.append(DoubleConv(ch // 2, ch // 2))
            ch //= 2
        self.out = nn.Conv2d(ch, num_classes, kernel_size=1)

    def forward(self, x):
        x, _ = self.encoder(x)
        for up, conv in zip(self.ups, self.convs):
            x = conv(up(x))
        return self.out(x)

# %% wrong: the last 1×1 convolution is made with bias=False, so the logits have no bias of their own
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        steps = []
        for k in range(depth, 0, -1):
            c_in = base_channels * 2 ** k
            c_out = base_channels * 2 ** (k - 1)
            steps.append(nn.Sequential(UpConv(c_in, c_out), DoubleConv(c_out, c_out)))
        self.decoder = nn.Sequential(*steps)
        self.classifier = nn.Conv2d(base_channels, num_classes, 1, bias=False)

    def forward(self, x):
        bottleneck, skips = self.encoder(x)
        return self.classifier(self.decoder(bottleneck))

# %% wrong: the steps up are UpConv in mode "nearest" (enlarge, conv 3×3) instead of transposed convolutions
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.down_path = Encoder(in_channels, base_channels=base_channels, depth=depth)
        channels = base_channels * (2 ** depth)
        self.up_path = nn.ModuleList()
        for i in range(depth):
            half = channels // 2
            self.up_path.append(UpConv(channels, half, "nearest"))   # no checkerboard
            self.up_path.append(DoubleConv(half, half))
            channels = half
        self.head = nn.Conv2d(channels, num_classes, kernel_size=1, bias=True)

    def forward(self, x):
        z = self.down_path(x)[0]
        for layer in self.up_path:
            z = layer(z)
        return self.head(z)

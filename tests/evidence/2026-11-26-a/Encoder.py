# %% right: ModuleList of DoubleConvs, functional pooling between them, the last output popped off
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        widths = [in_channels] + [base_channels * 2**k for k in range(depth + 1)]
        self.levels = nn.ModuleList(DoubleConv(a, b) for a, b in zip(widths, widths[1:]))

    def forward(self, x):
        outputs = []
        for k, level in enumerate(self.levels):
            if k > 0:
                x = F.max_pool2d(x, 2)
            x = level(x)
            outputs.append(x)
        bottleneck = outputs.pop()
        return bottleneck, outputs


# %% wrong: the skips are listed from deep to shallow instead of from shallow to deep
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.inc = DoubleConv(in_channels, base_channels)
        self.downs = nn.ModuleList()
        ch = base_channels
        for _ in range(depth):
            self.downs.append(nn.Sequential(nn.MaxPool2d(2), DoubleConv(ch, ch * 2)))
            ch *= 2

    def forward(self, x):
        x = self.inc(x)
        skips = []
        for down in self.downs:
            skips.insert(0, x)
            x = down(x)
        return x, skips


# %% wrong: the steps down are kept in a plain Python list, so their parameters are not registered and never trained
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.first = DoubleConv(in_channels, base_channels)
        self.steps = []
        for k in range(depth):
            self.steps.append(DoubleConv(base_channels * 2**k, base_channels * 2**(k + 1)))
        self.pool = nn.MaxPool2d(2, 2)

    def forward(self, x):
        skips = [self.first(x)]
        for step in self.steps:
            skips.append(step(self.pool(skips[-1])))
        return skips[-1], skips[:-1]


# %% wrong: [two] first the channels grow linearly (base * (k + 1)) instead of doubling; second the bottleneck is in the list of skips too
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.stem = DoubleConv(in_channels, base_channels)
        blocks = []
        for i in range(1, depth + 1):
            blocks.append(DoubleConv(i * base_channels, (i + 1) * base_channels))
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x):
        features = []
        x = self.stem(x)
        features.append(x)
        for block in self.blocks:
            x = block(F.max_pool2d(x, kernel_size=2))
            features.append(x)
        return x, features

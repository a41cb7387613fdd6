# %% right: each encoder holds the encoder of the levels below it
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.level = DoubleConv(in_channels, base_channels)
        self.below = Encoder(base_channels, 2 * base_channels, depth - 1) if depth > 0 else None

    def forward(self, x):
        here = self.level(x)
        if self.below is None:
            return here, []
        bottleneck, skips = self.below(F.max_pool2d(here, 2))
        return bottleneck, [here, *skips]


# %% right: accumulate runs through the steps, a starred assignment takes the list apart
from itertools import accumulate


class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        for k in reversed(range(depth)):
            self.add_module(f"down{k}", Down(base_channels << k, base_channels << k + 1))
        self.add_module("full", DoubleConv(in_channels, base_channels))
        self.depth = depth

    def forward(self, x):
        steps = (getattr(self, f"down{k}") for k in range(self.depth))
        *skips, bottleneck = accumulate(steps, lambda level, step: step(level), initial=self.full(x))
        return bottleneck, skips


# %% wrong: the two results are swapped, (skips, bottleneck)
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.start = DoubleConv(in_channels, base_channels)
        self.down = nn.Sequential(*[Down(base_channels * 2**i, base_channels * 2 ** (i + 1)) for i in range(depth)])

    def forward(self, x):
        skips = []
        x = self.start(x)
        for d in self.down:
            skips.append(x)
            x = d(x)
        return skips, x


# %% wrong: a level is kept after the step down, so the list lacks the full size and ends with the bottleneck
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.in_conv = DoubleConv(in_channels, base_channels)
        self.downs = nn.ModuleList()
        for i in range(depth):
            self.downs.append(Down(base_channels, base_channels * 2))
            base_channels *= 2

    def forward(self, x):
        skip_connections = []
        x = self.in_conv(x)
        for down in self.downs:
            x = down(x)
            skip_connections.append(x)
        return x, skip_connections


# %% wrong: the last step does not double the channels (halved, as for bilinear upsampling)
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4, bilinear=True):
        super().__init__()
        factor = 2 if bilinear else 1
        self.inc = DoubleConv(in_channels, base_channels)
        downs = []
        for i in range(1, depth + 1):
            out = base_channels * 2**i
            if i == depth:
                out //= factor
            downs.append(Down(base_channels * 2 ** (i - 1), out))
        self.downs = nn.ModuleList(downs)

    def forward(self, x):
        xs = [self.inc(x)]
        for down in self.downs:
            xs.append(down(xs[-1]))
        return xs[-1], xs[:-1]


# %% wrong: average pooling in place of max pooling
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        c = base_channels
        stages = [DoubleConv(in_channels, c)]
        while len(stages) <= depth:
            stages.append(nn.Sequential(nn.AvgPool2d(kernel_size=2, stride=2), DoubleConv(c, c * 2)))
            c = c * 2
        self.stages = nn.ModuleList(stages)

    def forward(self, x):
        outs = []
        for stage in self.stages:
            x = stage(x)
            outs.append(x)
        return outs[-1], outs[:-1]


# %% wrong: depth is ignored, there are always four steps
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.inc = DoubleConv(in_channels, base_channels)
        self.down1 = Down(base_channels, base_channels * 2)
        self.down2 = Down(base_channels * 2, base_channels * 4)
        self.down3 = Down(base_channels * 4, base_channels * 8)
        self.down4 = Down(base_channels * 8, base_channels * 16)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        x5 = self.down4(x4)
        return x5, [x1, x2, x3, x4]


# %% wrong: the list is made once in __init__, so it still holds the levels of earlier calls
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.skips = []
        self.conv = DoubleConv(in_channels, base_channels)
        channels = [base_channels * 2**k for k in range(depth + 1)]
        self.downs = nn.ModuleList([Down(a, b) for a, b in zip(channels[:-1], channels[1:])])

    def forward(self, x):
        x = self.conv(x)
        for down in self.downs:
            self.skips.append(x)
            x = down(x)
        return x, self.skips


# %% wrong: pooling rounds odd sizes up (ceil_mode) instead of down
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.convs = nn.ModuleList(
            DoubleConv(in_channels if k == 0 else base_channels * 2 ** (k - 1), base_channels * 2**k)
            for k in range(depth + 1)
        )

    def forward(self, x):
        x = self.convs[0](x)
        skips = [x]
        for conv in self.convs[1:]:
            x = conv(self.pool(x))
            skips += [x]
        return skips.pop(), skips


# %% wrong: the lowest level is only pooled, its DoubleConv (and so the last doubling of the channels) is missing
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.blocks = nn.ModuleList()
        prev = in_channels
        for k in range(depth):
            cur = base_channels * 2**k
            self.blocks.append(DoubleConv(prev, cur))
            prev = cur
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        skips = []
        for block in self.blocks:
            x = block(x)
            skips.append(x)
            x = self.pool(x)
        return x, skips


# %% wrong: [two] first a single convolution with ReLU at full size, no DoubleConv; second one step too few (depth - 1)
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(in_channels, base_channels, kernel_size=3, padding=1), nn.ReLU())
        self.steps = nn.ModuleList([Down(base_channels * 2**k, base_channels * 2 ** (k + 1)) for k in range(depth - 1)])

    def forward(self, x):
        levels = [self.stem(x)]
        for step in self.steps:
            levels.append(step(levels[-1]))
        *skips, bottleneck = levels
        return bottleneck, skips


# %% wrong: [two] first a convolution with stride 2 in place of max pooling; second the skips go from deep to shallow
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.enc = nn.ModuleList([DoubleConv(in_channels, base_channels)])
        self.shrink = nn.ModuleList()
        for level in range(depth):
            width = base_channels * 2**level
            self.shrink.append(nn.Conv2d(width, width, kernel_size=2, stride=2))
            self.enc.append(DoubleConv(width, 2 * width))

    def forward(self, x):
        x = self.enc[0](x)
        skips = []
        for shrink, conv in zip(self.shrink, self.enc[1:]):
            skips.append(x)
            x = conv(shrink(x))
        return x, skips[::-1]

# %% right: itertools.accumulate runs the levels and star unpacking parts the last from the others
from itertools import accumulate


class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        widths = [base_channels << k for k in range(depth + 1)]
        self.levels = nn.ModuleList([DoubleConv(in_channels, widths[0])])
        self.levels.extend([Down(a, b) for a, b in zip(widths, widths[1:])])

    def forward(self, x):
        _, *skips, bottleneck = accumulate(self.levels, lambda maps, level: level(maps), initial=x)
        return bottleneck, skips

# %% wrong: each skip is put at the front of the list, so the skips come from deep to shallow
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.first = DoubleConv(in_channels, base_channels)
        self.downs = nn.ModuleList()
        c = base_channels
        for _ in range(depth):
            self.downs.append(Down(c, 2 * c))
            c = 2 * c

    def forward(self, x):
        skips = []
        x = self.first(x)
        for down in self.downs:
            skips.insert(0, x)      # the decoder wants the deepest one first
            x = down(x)
        return x, skips

# %% wrong: the Downs lie in a plain Python list, so they are not registered: parameters(), state_dict(), to() and eval() do not reach them
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.depth = depth
        self.inc = DoubleConv(in_channels, base_channels)
        self.down = [Down(base_channels * 2 ** i, base_channels * 2 ** (i + 1)) for i in range(depth)]

    def forward(self, x):
        levels = [self.inc(x)]
        for i in range(self.depth):
            levels.append(self.down[i](levels[-1]))
        return levels[-1], levels[:-1]

# %% wrong: the channels grow by base_channels each level (16, 32, 48, 64) instead of doubling, which shows from level 2 on
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.stem = DoubleConv(in_channels, base_channels)
        stages = []
        for level in range(1, depth + 1):
            stages.append(Down(base_channels * level, base_channels * (level + 1)))
        self.stages = nn.ModuleList(stages)

    def forward(self, x):
        current = self.stem(x)
        kept = []
        for stage in self.stages:
            kept.append(current)
            current = stage(current)
        return current, kept

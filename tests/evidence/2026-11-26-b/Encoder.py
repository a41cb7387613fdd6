# %% right: perfectionist, ModuleList and star unpacking
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.stem = DoubleConv(in_channels, base_channels)
        self.downs = nn.ModuleList(
            Down(base_channels * 2 ** k, base_channels * 2 ** (k + 1)) for k in range(depth)
        )

    def forward(self, x):
        levels = [self.stem(x)]
        for down in self.downs:
            levels.append(down(levels[-1]))
        *skips, bottleneck = levels
        return bottleneck, skips

# %% wrong: There are always four Downs, written out one by one; depth is ignored.
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        c = base_channels
        self.inc = DoubleConv(in_channels, c)
        self.down1 = Down(c, c * 2)
        self.down2 = Down(c * 2, c * 4)
        self.down3 = Down(c * 4, c * 8)
        self.down4 = Down(c * 8, c * 16)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        x5 = self.down4(x4)
        return x5, [x1, x2, x3, x4]

# %% wrong: The skips come from deep to shallow, ready for the decoder, instead of from shallow to deep.
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.first = DoubleConv(in_channels, base_channels)
        blocks = []
        ch = base_channels
        for _ in range(depth):
            blocks.append(Down(ch, ch * 2))
            ch = ch * 2
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x):
        x = self.first(x)
        skips = []
        for block in self.blocks:
            skips.insert(0, x)
            x = block(x)
        return x, skips

# %% wrong: The Downs are kept in a plain Python list, so they are no submodules: parameters(), state_dict() and train()/eval() do not see them and they never learn.
class Encoder(nn.Module):
    def __init__(self, in_channels, base_channels=16, depth=4):
        super().__init__()
        self.depth = depth
        self.input_block = DoubleConv(in_channels, base_channels)
        self.down_blocks = []
        for i in range(depth):
            self.down_blocks.append(Down(base_channels * 2**i, base_channels * 2**(i+1)))

    def forward(self, x):
        feats = [self.input_block(x)]
        for i in range(self.depth):
            feats.append(self.down_blocks[i](feats[i]))
        return feats[-1], feats[:-1]

# %% right: builds the decoder as one Sequential while halving a counter
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        c = base_channels * 2 ** depth
        steps = []
        for _ in range(depth):
            steps += [UpConv(c, c // 2), DoubleConv(c // 2, c // 2)]
            c //= 2
        self.decoder = nn.Sequential(*steps)
        self.head = nn.Conv2d(c, num_classes, kernel_size=1)

    def forward(self, x):
        bottleneck, _ = self.encoder(x)
        return self.head(self.decoder(bottleneck))

# %% wrong: A softmax over the classes stands at the end, so it gives probabilities and not logits.
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.ups = nn.ModuleList()
        self.convs = nn.ModuleList()
        for k in reversed(range(depth)):
            ch = base_channels * 2 ** k
            self.ups.append(UpConv(ch * 2, ch, mode="transposed"))
            self.convs.append(DoubleConv(ch, ch))
        self.out = nn.Sequential(nn.Conv2d(base_channels, num_classes, 1), nn.Softmax(dim=1))

    def forward(self, x):
        x, skips = self.encoder(x)
        for up, conv in zip(self.ups, self.convs):
            x = conv(up(x))
        return self.out(x)

# %% wrong: The halving sits in the wrong layer: the UpConv keeps the channels and the DoubleConv halves them, instead of the other way round.
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.enc = Encoder(in_channels, base_channels=base_channels, depth=depth)
        self.dec = nn.ModuleList()
        channels = base_channels * 2 ** depth
        for _ in range(depth):
            self.dec.append(nn.Sequential(
                UpConv(channels, channels),
                DoubleConv(channels, channels // 2),
            ))
            channels = channels // 2
        self.last = nn.Conv2d(base_channels, num_classes, 1, bias=True)

    def forward(self, x):
        x = self.enc(x)[0]
        for d in self.dec:
            x = d(x)
        return self.last(x)

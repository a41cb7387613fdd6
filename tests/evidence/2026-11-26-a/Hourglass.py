# %% right: the decoder as one flat Sequential, transposed convolutions written out
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        steps = []
        for k in reversed(range(depth)):
            low, high = base_channels * 2 ** (k + 1), base_channels * 2**k
            steps += [nn.ConvTranspose2d(low, high, kernel_size=2, stride=2), DoubleConv(high, high)]
        self.decoder = nn.Sequential(*steps)
        self.head = nn.Conv2d(base_channels, num_classes, kernel_size=1)

    def forward(self, x):
        return self.head(self.decoder(self.encoder(x)[0]))


# %% wrong: the transposed convolution keeps the channels and the DoubleConv halves them, instead of the other way round
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels=base_channels, depth=depth)
        self.ups = nn.ModuleList()
        self.convs = nn.ModuleList()
        c = base_channels * 2**depth
        for _ in range(depth):
            self.ups.append(nn.ConvTranspose2d(c, c, 2, stride=2))
            self.convs.append(DoubleConv(c, c // 2))
            c = c // 2
        self.out = nn.Conv2d(c, num_classes, 1)

    def forward(self, x):
        x, _ = self.encoder(x)
        for up, conv in zip(self.ups, self.convs):
            x = conv(up(x))
        return self.out(x)


# %% wrong: a softmax over the channels follows the last convolution, so the result is probabilities instead of logits
class Hourglass(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.enc = Encoder(in_channels, base_channels, depth)
        self.dec = nn.ModuleList([
            nn.Sequential(
                nn.ConvTranspose2d(base_channels * 2**(d + 1), base_channels * 2**d, 2, 2),
                DoubleConv(base_channels * 2**d, base_channels * 2**d),
            )
            for d in range(depth - 1, -1, -1)
        ])
        self.final = nn.Conv2d(base_channels, num_classes, 1)
        self.activation = nn.Softmax(dim=1)

    def forward(self, x):
        bottleneck, skips = self.enc(x)
        y = bottleneck
        for block in self.dec:
            y = block(y)
        return self.activation(self.final(y))

# %% right: recursion, the map of a level asks for the map of the level below
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        width = [base_channels * 2 ** k for k in range(depth + 1)]
        self.encoder = Encoder(in_channels, base_channels, depth)
        # joins[k] makes level k out of level k + 1
        self.joins = nn.ModuleList(Up(width[k + 1], width[k], width[k]) for k in range(depth))
        self.score = nn.Conv2d(base_channels, num_classes, kernel_size=1)

    def forward(self, x):
        bottom, skips = self.encoder(x)

        def level(k):
            if k == len(self.joins):
                return bottom
            return self.joins[k](level(k + 1), skips[k])

        return self.score(level(0))
# %% wrong: depth is not passed on to the Encoder, which then always has 4 levels; any other depth raises a shape error in the first Up
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels)
        ups = []
        ch = base_channels * 2 ** depth
        for _ in range(depth):
            ups.append(Up(ch, ch // 2, ch // 2))
            ch = ch // 2
        self.decoder = nn.ModuleList(ups)
        self.head = nn.Conv2d(ch, num_classes, 1)

    def forward(self, x):
        x, skips = self.encoder(x)
        for up, skip in zip(self.decoder, reversed(skips)):
            x = up(x, skip)
        return self.head(x)
# %% wrong: the last convolution is 3x3 with padding instead of 1x1, so nine times the weights and each logit mixes neighbouring pixels
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        filters = [base_channels * (2 ** i) for i in range(depth + 1)]
        self.enc = Encoder(in_channels, base_channels=base_channels, depth=depth)
        self.dec = nn.ModuleList()
        for i in range(depth, 0, -1):
            self.dec.append(Up(filters[i], filters[i - 1], filters[i - 1]))
        self.out_conv = nn.Conv2d(filters[0], num_classes, kernel_size=3, padding=1, bias=True)

    def forward(self, x):
        features, skips = self.enc(x)
        i = len(skips) - 1
        for up in self.dec:
            features = up(features, skips[i])
            i -= 1
        return self.out_conv(features)
# %% wrong: [two] first, a softmax over the classes at the end, so probabilities come out instead of logits; second, the 1x1 convolution has no bias
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.depth = depth
        self.contract = Encoder(in_channels, base_channels, depth)
        blocks = {}
        for k in range(depth):
            c = base_channels * 2 ** k
            blocks[f"level{k}"] = Up(2 * c, c, c)
        self.expand = nn.ModuleDict(blocks)
        self.classify = nn.Conv2d(base_channels, num_classes, 1, bias=False)

    def forward(self, x):
        x, skips = self.contract(x)
        for k in reversed(range(self.depth)):
            x = self.expand[f"level{k}"](x, skips[k])
        return torch.softmax(self.classify(x), dim=1)

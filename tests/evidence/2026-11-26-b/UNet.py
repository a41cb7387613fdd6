# %% right: ModuleList from deep to shallow, reversed skips
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels, depth)
        widths = [base_channels * 2 ** k for k in range(depth + 1)]
        self.ups = nn.ModuleList()
        for k in range(depth - 1, -1, -1):
            self.ups.append(Up(widths[k + 1], widths[k], widths[k]))
        self.head = nn.Conv2d(base_channels, num_classes, kernel_size=1)

    def forward(self, x):
        x, skips = self.encoder(x)
        for up, skip in zip(self.ups, reversed(skips)):
            x = up(x, skip)
        return self.head(x)

# %% wrong: It refuses images whose sides do not divide by 2**depth, while any sides of at least 2**depth are allowed.
class UNet(nn.Module):
    def __init__(self, in_channels: int, num_classes: int, base_channels: int = 16, depth: int = 4) -> None:
        super().__init__()
        self.depth = depth
        self.encoder = Encoder(in_channels, base_channels, depth)
        self.decoder = nn.ModuleList(
            Up(base_channels * 2 ** (k + 1), base_channels * 2 ** k, base_channels * 2 ** k)
            for k in reversed(range(depth))
        )
        self.classifier = nn.Conv2d(base_channels, num_classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        factor = 2 ** self.depth
        if x.shape[-2] % factor or x.shape[-1] % factor:
            raise ValueError(f"height and width must be divisible by {factor}")
        x, skips = self.encoder(x)
        for up in self.decoder:
            x = up(x, skips.pop())
        return self.classifier(x)

# %% wrong: The last convolution is 3×3 with padding 1, like the segmentation head of smp, instead of 1×1.
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        self.encoder = Encoder(in_channels, base_channels=base_channels, depth=depth)
        blocks = []
        ch = base_channels * 2 ** depth
        while ch > base_channels:
            blocks.append(Up(ch, ch // 2, ch // 2))
            ch = ch // 2
        self.decoder_blocks = nn.ModuleList(blocks)
        self.segmentation_head = nn.Conv2d(ch, num_classes, kernel_size=3, padding=1)

    def forward(self, x):
        x, skips = self.encoder(x)
        skips = skips[::-1]
        for i, block in enumerate(self.decoder_blocks):
            x = block(x, skips[i])
        return self.segmentation_head(x)

# %% wrong: [two] first it always has four levels, depth is ignored; second it ends with a sigmoid or a softmax instead of giving logits
class UNet(nn.Module):
    def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
        super().__init__()
        f = base_channels
        self.encoder = Encoder(in_channels, f)
        self.up1 = Up(f * 16, f * 8, f * 8)
        self.up2 = Up(f * 8, f * 4, f * 4)
        self.up3 = Up(f * 4, f * 2, f * 2)
        self.up4 = Up(f * 2, f, f)
        self.outc = nn.Conv2d(f, num_classes, kernel_size=1)
        self.num_classes = num_classes

    def forward(self, x):
        x5, (x1, x2, x3, x4) = self.encoder(x)
        x = self.up1(x5, x4)
        x = self.up2(x, x3)
        x = self.up3(x, x2)
        x = self.up4(x, x1)
        x = self.outc(x)
        if self.num_classes == 1:
            return torch.sigmoid(x)
        return F.softmax(x, dim=1)

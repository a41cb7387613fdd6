# %% right: everything chosen in the constructor, one Sequential or one layer
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "transposed":
            self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
        elif mode in ("nearest", "bilinear"):
            options = {} if mode == "nearest" else {"align_corners": False}
            self.up = nn.Sequential(
                nn.Upsample(scale_factor=2, mode=mode, **options),
                nn.Conv2d(in_channels, out_channels, 3, padding="same"),
            )
        else:
            raise ValueError(f"mode {mode!r}?")

    def forward(self, x):
        return self.up(x)


# %% wrong: the bilinear mode enlarges with align_corners=True, though the corners are not to be aligned
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        self.mode = mode
        if mode == "transposed":
            self.conv = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        elif mode == "nearest" or mode == "bilinear":
            self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        else:
            raise ValueError("unknown mode")

    def forward(self, x):
        if self.mode == "nearest":
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        elif self.mode == "bilinear":
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        return self.conv(x)


# %% wrong: [two] first the 3×3 convolution has no padding, so the sides come out 2 pixels short; second an unknown mode is quietly taken for bilinear instead of raising ValueError
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "transposed":
            self.net = nn.ConvTranspose2d(in_channels, out_channels, 2, 2)
        elif mode == "nearest":
            self.net = nn.Sequential(nn.UpsamplingNearest2d(scale_factor=2), nn.Conv2d(in_channels, out_channels, 3))
        else:
            self.net = nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(in_channels, out_channels, 3))

    def forward(self, x):
        return self.net(x)

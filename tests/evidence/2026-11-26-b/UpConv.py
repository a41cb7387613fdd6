# %% right: AI-chat style with an early check
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode not in {"transposed", "nearest", "bilinear"}:
            raise ValueError(f"mode must be 'transposed', 'nearest' or 'bilinear', got {mode!r}")
        if mode == "transposed":
            self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
        else:
            # align_corners may only be passed for the interpolating modes
            extra = {"align_corners": False} if mode == "bilinear" else {}
            self.up = nn.Sequential(
                nn.Upsample(scale_factor=2, mode=mode, **extra),
                nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1),
            )

    def forward(self, x):
        return self.up(x)

# %% wrong: align_corners=False goes to nn.Upsample for both modes; with "nearest" PyTorch raises a ValueError in forward, because that option is for interpolating modes only.
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "transposed":
            self.layers = nn.ConvTranspose2d(in_channels, out_channels, 2, 2)
        elif mode in ("nearest", "bilinear"):
            self.layers = nn.Sequential(
                nn.Upsample(scale_factor=2, mode=mode, align_corners=False),
                nn.Conv2d(in_channels, out_channels, 3, padding="same"))
        else:
            raise ValueError("unknown mode " + mode)

    def forward(self, x):
        return self.layers(x)

# %% wrong: [two] first "bilinear" enlarges with align_corners=True although the corners are not to be aligned; second an unknown mode ends in the transposed branch and no ValueError is raised
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "bilinear":
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        elif mode == "nearest":
            self.up = nn.Upsample(scale_factor=2, mode="nearest")
            self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        else:
            self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
            self.conv = nn.Identity()

    def forward(self, x):
        return self.conv(self.up(x))

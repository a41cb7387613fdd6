# %% right: parameters made by hand, all three modes through F in forward
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        shapes = {
            "transposed": (in_channels, out_channels, 2, 2),
            "nearest": (out_channels, in_channels, 3, 3),
            "bilinear": (out_channels, in_channels, 3, 3),
        }
        if mode not in shapes:
            raise ValueError(mode)
        self.mode = mode
        self.weight = nn.Parameter(0.1 * torch.randn(shapes[mode]))
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x):
        if self.mode == "transposed":
            return F.conv_transpose2d(x, self.weight, self.bias, stride=2)
        x = F.interpolate(x, scale_factor=2, mode=self.mode)
        return F.conv2d(x, self.weight, self.bias, padding=1)


# %% right: nearest by repeat_interleave, dispatch by match
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        self.mode = mode
        match mode:
            case "transposed":
                self.layer = nn.ConvTranspose2d(in_channels, out_channels, (2, 2), (2, 2))
            case "nearest" | "bilinear":
                self.layer = nn.Conv2d(in_channels, out_channels, 3, padding="same")
            case _:
                raise ValueError("mode must be transposed, nearest or bilinear")

    def forward(self, x):
        if self.mode == "nearest":
            x = x.repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2)
        elif self.mode == "bilinear":
            size = [2 * side for side in x.shape[-2:]]
            x = F.interpolate(x, size=size, mode="bilinear", align_corners=False)
        return self.layer(x)


# %% wrong: the transposed convolution is 3×3 with padding 1 and output_padding 1 instead of 2×2
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "transposed":
            self.up = nn.ConvTranspose2d(
                in_channels, out_channels, kernel_size=3, stride=2, padding=1, output_padding=1
            )
        elif mode in ["nearest", "bilinear"]:
            self.up = nn.Sequential(
                nn.Upsample(scale_factor=2, mode=mode),
                nn.Conv2d(in_channels, out_channels, 3, padding=1),
            )
        else:
            raise ValueError(f"unknown mode {mode}")

    def forward(self, x):
        return self.up(x)


# %% wrong: the convolution comes before the enlargement
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        self.mode = mode
        if mode not in ("transposed", "nearest", "bilinear"):
            raise ValueError("mode")
        if mode == "transposed":
            self.conv = nn.ConvTranspose2d(in_channels, out_channels, 2, 2)
        else:
            self.conv = nn.Conv2d(in_channels, out_channels, 3, 1, 1)

    def forward(self, x):
        x = self.conv(x)
        if self.mode != "transposed":
            x = F.interpolate(x, scale_factor=2, mode=self.mode)
        return x


# %% wrong: the two enlarging modes are swapped, and bilinear enlarging aligns the corners
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "transposed":
            self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
            self.conv = nn.Identity()
        elif mode == "nearest":
            self.up = nn.UpsamplingBilinear2d(scale_factor=2)
            self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        elif mode == "bilinear":
            self.up = nn.UpsamplingNearest2d(scale_factor=2)
            self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        else:
            raise ValueError(mode)

    def forward(self, x):
        return self.conv(self.up(x))


# %% wrong: UpsamplingBilinear2d, which aligns the corners
class UpConv(nn.Module):
    MODES = {"nearest": nn.UpsamplingNearest2d, "bilinear": nn.UpsamplingBilinear2d}

    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "transposed":
            self.net = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
        elif mode in self.MODES:
            up = self.MODES[mode](scale_factor=2)
            self.net = nn.Sequential(up, nn.Conv2d(in_channels, out_channels, 3, padding=1))
        else:
            raise ValueError(f"mode must be one of transposed, {', '.join(self.MODES)}")

    def forward(self, x):
        return self.net(x)


# %% wrong: an unknown mode is refused by an assert, so an AssertionError instead of a ValueError
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        assert mode in {"transposed", "nearest", "bilinear"}, f"unknown mode: {mode}"
        super().__init__()
        self.conv = (
            nn.ConvTranspose2d(in_channels, out_channels, 2, 2)
            if mode == "transposed"
            else nn.Conv2d(in_channels, out_channels, 3, padding=1)
        )
        self.grow = nn.Identity() if mode == "transposed" else nn.Upsample(None, 2, mode)

    def forward(self, x):
        return self.conv(self.grow(x))


# %% wrong: the transposed mode also has a 3×3 convolution behind it
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "transposed":
            self.up = nn.ConvTranspose2d(in_channels, in_channels, 2, stride=2)
        elif mode == "nearest" or mode == "bilinear":
            self.up = nn.Upsample(scale_factor=2, mode=mode)
        else:
            raise ValueError("unknown mode")
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, x):
        x = self.up(x)
        x = self.conv(x)
        return x


# %% wrong: a 1×1 convolution after the enlargement instead of 3×3
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        layers = []
        if mode in ("nearest", "bilinear"):
            layers.append(nn.Upsample(scale_factor=2, mode=mode))
            layers.append(nn.Conv2d(in_channels, out_channels, kernel_size=1))
        elif mode == "transposed":
            layers.append(nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2))
        else:
            raise ValueError(f"no mode {mode}")
        self.seq = nn.Sequential(*layers)

    def forward(self, x):
        return self.seq(x)


# %% wrong: the enlarging modes go to the fixed size 64 instead of twice the sides
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "transposed":
            self.layers = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        elif mode in ("nearest", "bilinear"):
            self.layers = nn.Sequential(
                nn.Upsample(size=(64, 64), mode=mode),
                nn.Conv2d(in_channels, out_channels, 3, padding=1),
            )
        else:
            raise ValueError(f"no such mode: {mode!r}")

    def forward(self, x):
        return self.layers(x)


# %% wrong: [two] first a batch norm follows the transposed convolution; second nearest and bilinear both enlarge nearest, as the mode is not handed on
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "transposed":
            self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
            self.after = nn.BatchNorm2d(out_channels)
        elif mode in ("nearest", "bilinear"):
            self.up = nn.Upsample(scale_factor=2)
            self.after = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        else:
            raise ValueError(f"unknown mode: {mode}")

    def forward(self, x):
        return self.after(self.up(x))


# %% wrong: [two] first a ReLU follows in every mode; second an unknown mode is taken for transposed
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode in ("nearest", "bilinear"):
            self.layers = nn.Sequential(
                nn.Upsample(scale_factor=2, mode=mode, align_corners=False if mode == "bilinear" else None),
                nn.Conv2d(in_channels, out_channels, 3, padding=1),
                nn.ReLU(),
            )
        else:
            self.layers = nn.Sequential(nn.ConvTranspose2d(in_channels, out_channels, 2, 2), nn.ReLU())

    def forward(self, x):
        return self.layers(x)
